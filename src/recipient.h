/*-------------------------------------------------------------------------
 *
 * recipient.h
 *	  Who can open a root: machines and offline recovery identities.
 *
 * A recipient is a public key with a name; its id is a hash of the key.  An
 * identity is the 32-byte seed of which the key pairs are derived: the seed
 * of a machine stands in its keyring file, that of a recovery identity in a
 * file that the operator keeps offline.  Texts: src/FORMAT, "Recipients".
 *
 *	Owns	nothing; callers wipe seeds and key pairs.
 *	Errors	TC_MALFORMED, TC_UNSUPPORTED (a kind of a later version),
 *			TC_REJECTED (a box that is not for this key, or altered).
 *	Units	an X25519 key has TC_X25519_BYTES.
 *	Uses	kdf.h, armor.h, libsodium "Sealed boxes" (X25519, XSalsa20-
 *			Poly1305).
 *
 * src/recipient.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_RECIPIENT_H
#define TC_RECIPIENT_H

#include "bytes.h"
#include "kdf.h"

#define TC_KIND_X25519		1
#define TC_KIND_XWING		2	/* reserved */
#define TC_X25519_BYTES		32
#define TC_SEED_BYTES		32
#define TC_RECIPIENT_ID_BYTES 16
#define TC_RECIPIENT_NAME_MAX 63

/* What a recipient is, shown to the operator. */
typedef enum TcRecipientRole
{
	TC_ROLE_MACHINE = 1,
	TC_ROLE_RECOVERY = 2
} TcRecipientRole;

typedef struct TcRecipient
{
	uint8_t		kind;			/* TC_KIND_X25519 */
	uint8_t		role;			/* TcRecipientRole */
	uint8_t		public_key[TC_X25519_BYTES];
	uint8_t		name_len;
	char		name[TC_RECIPIENT_NAME_MAX + 1];	/* zero-terminated */
} TcRecipient;

/* The pair that opens root boxes. */
typedef struct TcKeyPair
{
	uint8_t		public_key[TC_X25519_BYTES];
	uint8_t		secret_key[TC_X25519_BYTES];
} TcKeyPair;

/* Derive the root-box pair of a seed. */
extern TcResult tc_identity_pair(const uint8_t seed[TC_SEED_BYTES],
								 TcKeyPair *ret_pair) TC_CHECK_RESULT;

/* The id of a public key: BLAKE2b-128 of kind and key. */
extern TcResult tc_recipient_id(uint8_t kind, TcSpan public_key,
								uint8_t ret_id[TC_RECIPIENT_ID_BYTES]) TC_CHECK_RESULT;

#define TC_FINGERPRINT_TEXT_MAX 40

/*
 * The id of an X25519 public key as people compare it: eight groups of four
 * hexadecimal digits, with dashes between them.
 */
extern TcResult tc_recipient_fingerprint(const uint8_t public_key[TC_X25519_BYTES],
										 char ret_text[TC_FINGERPRINT_TEXT_MAX]) TC_CHECK_RESULT;

/*
 * Whether a root can be boxed to a key: not to one with which everybody
 * shares a secret (RFC 7748, section 6.1).
 */
extern bool tc_recipient_usable(const uint8_t public_key[TC_X25519_BYTES]);

/*
 * Whether a name is 1..63 bytes of printable ASCII, blank included, without
 * a double quote or a backslash, and not the text of a public key or of a
 * secret identity: names can be read by everybody.
 */
extern bool tc_recipient_name_ok(const char *name, size_t len);

/*
 * Write and read the binary form used in records and the keyring payload.
 * What reading would refuse, writing refuses too: the writer has then failed.
 */
extern void tc_recipient_write(TcWriter *writer, const TcRecipient *recipient);
extern TcResult tc_recipient_read(TcReader *reader,
								  TcRecipient *ret_recipient) TC_CHECK_RESULT;

#define TC_RECIPIENT_TEXT_MAX 96
#define TC_IDENTITY_TEXT_MAX 96

/*
 * The text forms: "tcpub1:..." for a public key, "TC-RECOVERY-1:..." for a
 * recovery identity (its seed and a checksum).  Decoding ignores nothing: no
 * blanks, no line end.
 */
extern TcResult tc_recipient_encode(const uint8_t public_key[TC_X25519_BYTES],
									char ret_text[TC_RECIPIENT_TEXT_MAX]) TC_CHECK_RESULT;
extern TcResult tc_recipient_decode(const char *text, size_t len,
									uint8_t ret_public_key[TC_X25519_BYTES]) TC_CHECK_RESULT;
extern TcResult tc_identity_encode(const uint8_t seed[TC_SEED_BYTES],
								   char ret_text[TC_IDENTITY_TEXT_MAX]) TC_CHECK_RESULT;
extern TcResult tc_identity_decode(const char *text, size_t len,
								   uint8_t ret_seed[TC_SEED_BYTES]) TC_CHECK_RESULT;

/* A root in a box: FORMAT, "A root box". */
#define TC_BOX_PLAIN_BYTES	(4 + 1 + TC_UUID_BYTES + 4 + TC_RECIPIENT_ID_BYTES + TC_KEY_BYTES)
#define TC_BOX_BYTES		(TC_BOX_PLAIN_BYTES + 48)

/*
 * Box a root to a recipient.  TC_MALFORMED for a public key with which
 * everybody shares a secret (RFC 7748, section 6.1).
 */
extern TcResult tc_box_root(const TcRecipient *recipient,
							const uint8_t realm[TC_UUID_BYTES],
							uint32_t root_version,
							const uint8_t root[TC_KEY_BYTES],
							uint8_t ret_box[TC_BOX_BYTES]) TC_CHECK_RESULT;

/*
 * Open a box with a key pair and compare every field in it with what is
 * expected.  ret_root is zeroed on failure.
 */
extern TcResult tc_unbox_root(const TcKeyPair *pair,
							  const uint8_t realm[TC_UUID_BYTES],
							  uint32_t root_version, TcSpan box,
							  uint8_t ret_root[TC_KEY_BYTES]) TC_CHECK_RESULT;

#endif							/* TC_RECIPIENT_H */
