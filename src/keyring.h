/*-------------------------------------------------------------------------
 *
 * keyring.h
 *	  The keyring file: this machine's seed, under one or more providers.
 *
 * Header, provider slots, sealed payload (src/FORMAT, "The keyring file").
 * Each slot holds what its provider needs to give back its secret, and the
 * file key wrapped under that secret; the payload is under the file key.
 * The file lies outside the data directory; the server only reads it, the
 * tool themis-keyring alone writes it.
 *
 *	Owns	nothing: file bytes and secrets are the caller's.
 *	Errors	TC_MALFORMED, TC_UNSUPPORTED, TC_TOO_LARGE; TC_REJECTED for a
 *			wrong provider secret or an altered file; TC_SYSTEM with errno.
 *			What tc_keyring_read_file refuses, it names in ret_why.
 *	Units	bytes; a file has at most TC_KEYRING_MAX.
 *	Uses	aead.h, kdf.h, recipient.h, libsodium secretstream.
 *
 * src/keyring.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYRING_H
#define TC_KEYRING_H

#include <sys/types.h>

#include "recipient.h"

#define TC_KEYRING_MAX			65536
#define TC_KEYRING_SLOTS_MAX	8
#define TC_PROVIDER_NAME_MAX	31
#define TC_PROVIDER_BLOB_MAX	16384
#define TC_PROVIDER_SECRET_BYTES 32
#define TC_TYPE_ID_BYTES		16
#define TC_POLICY_MAX			255
#define TC_PINS_MAX				64
#define TC_ENROLLED_MAX			32

/* How the provider's secret is bound, recorded when it was sealed. */
typedef enum TcBinding
{
	TC_BINDING_UNRECORDED = 0,
	TC_BINDING_HOST = 1,
	TC_BINDING_TPM2 = 2,
	TC_BINDING_HOST_TPM2 = 3,
	TC_BINDING_EXTERNAL = 4,
	TC_BINDING_SOFTWARE = 5		/* a TPM that is a program */
} TcBinding;

/* Its name, as in the answers of providers; "" for one that is not recorded. */
extern const char *tc_binding_name(uint8_t binding);

typedef struct TcKeyringSlot
{
	char		provider[TC_PROVIDER_NAME_MAX + 1];
	uint8_t		binding;		/* TcBinding */
	uint8_t		type_id[TC_TYPE_ID_BYTES];	/* of a systemd credential, else
											 * zeros */
	TcSpan		policy;			/* printable ASCII, for people */
	TcSpan		blob;			/* the provider's own */
	TcSpan		header;			/* bytes of all of the above, authenticated */
	TcSpan		wrapped;		/* nonce, wrapped file key, tag */
} TcKeyringSlot;

/* A keyring file taken apart; nothing is opened yet. */
typedef struct TcKeyring
{
	uint8_t		instance_id[TC_RECIPIENT_ID_BYTES];
	int			nslots;
	TcKeyringSlot slots[TC_KEYRING_SLOTS_MAX];
	TcSpan		header;			/* bytes of the file's header */
	TcSpan		before_payload; /* all that the payload authenticates */
	TcSpan		payload;
} TcKeyring;

/* A root this machine trusts although it did not make it. */
typedef struct TcPin
{
	uint8_t		realm[TC_UUID_BYTES];
	uint32_t	root_version;	/* 0: any version with this kcv */
	uint8_t		kcv[TC_KCV_BYTES];
} TcPin;

/* What the file protects.  Secret: lives in secret memory only. */
typedef struct TcKeyringPayload
{
	uint8_t		seed[TC_SEED_BYTES];
	int			npins;
	TcPin		pins[TC_PINS_MAX];
	int			nenrolled;		/* recovery keys and peers that every new
								 * root is boxed to */
	TcRecipient enrolled[TC_ENROLLED_MAX];
} TcKeyringPayload;

/* Whether a provider's name is 1..31 of a-z, 0-9 and "-"; it names a program. */
extern bool tc_provider_name_ok(const char *name, size_t len);

/*
 * Take a file apart; ret_keyring borrows from "file".  Verifies form, not
 * genuineness.
 */
extern TcResult tc_keyring_parse(TcSpan file, TcKeyring *ret_keyring) TC_CHECK_RESULT;

/*
 * Open the payload through slot "slot" with what its provider gave back.
 * The instance id is recomputed from the seed and compared.  ret_file_key
 * may be NULL; ret_payload and ret_file_key are zeroed on failure.
 */
extern TcResult tc_keyring_open(const TcKeyring *keyring, int slot,
								const uint8_t secret[TC_PROVIDER_SECRET_BYTES],
								TcKeyringPayload *ret_payload,
								uint8_t *ret_file_key) TC_CHECK_RESULT;

/* A provider slot to be written: its fields, and how its key is wrapped. */
typedef struct TcKeyringNewSlot
{
	const char *provider;
	uint8_t		binding;
	uint8_t		type_id[TC_TYPE_ID_BYTES];
	TcSpan		policy;
	TcSpan		blob;
	const uint8_t *secret;		/* wrap the file key under this secret ... */
	TcSpan		wrapped;		/* ... or, where NULL, keep this wrap */
} TcKeyringNewSlot;

/*
 * Build a whole file.  The instance id comes from the payload's seed.
 * ret_file has TC_KEYRING_MAX bytes.
 */
extern TcResult tc_keyring_build(const TcKeyringPayload *payload,
								 const uint8_t file_key[TC_KEY_BYTES],
								 const TcKeyringNewSlot *slots, int nslots,
								 uint8_t *ret_file, size_t *ret_len) TC_CHECK_RESULT;

/* The instance id of a seed: the recipient id of its root-box key. */
extern TcResult tc_keyring_instance_id(const uint8_t seed[TC_SEED_BYTES],
									   uint8_t ret_id[TC_RECIPIENT_ID_BYTES]) TC_CHECK_RESULT;

/*
 * Read a keyring file.  Refused: anything but a regular file (symlinks are
 * not followed), one with several hard links, one that "owner" does not own,
 * one that group or others may do anything with, or with a setuid, setgid or
 * sticky bit, an empty or oversized one, and one below a folder where somebody
 * else could swap it (keyring_path.h).  TC_MALFORMED for those, TC_SYSTEM with
 * errno for the rest; *ret_why then ends the sentence "The file ...", and is
 * good until the next call.  ret_file has TC_KEYRING_MAX bytes, zeros on
 * failure.
 */
extern TcResult tc_keyring_read_file(const char *path, uid_t owner,
									 uint8_t *ret_file, size_t *ret_len,
									 const char **ret_why) TC_CHECK_RESULT;

/*
 * Put a file in place of "path": a new name in the same folder (O_EXCL, mode
 * 0600, owner uid:gid), written, fsynced, read back and compared, renamed,
 * the folder fsynced.  A folder that it could not be read from is refused:
 * TC_MALFORMED.  Without "replace" an existing file is TC_SYSTEM with EEXIST.
 * On failure the old file is as it was and the new one is removed;
 * only where *ret_why says that the folder could not be synchronised, the new
 * one is in place.  *ret_why as above.
 */
extern TcResult tc_keyring_write_file(const char *path, TcSpan file,
									  uid_t uid, gid_t gid, bool replace,
									  const char **ret_why) TC_CHECK_RESULT;

#endif							/* TC_KEYRING_H */
