/*-------------------------------------------------------------------------
 *
 * credential.h
 *	  Encrypted credentials of systemd: their text, and their key type.
 *
 * A credential is made and opened by systemd alone.  We look at its head, of
 * which systemd's own check is not enough for us: a credential under the
 * "null" key, which protects nothing, is opened by systemd with no more than
 * a warning.
 *
 *	byte[16]		type id: what the key was made from
 *	u32[4]			sizes of key, block, nonce (N) and tag
 *	byte[N]			nonce, and zeros up to a multiple of 8
 *	u64				with a TPM only: mask of the PCRs
 *	u16				with a TPM only: algorithm of their bank
 *	...				not looked at
 *
 *	Owns	nothing.
 *	Errors	TC_EXIT_DAMAGED for what is not such a credential, TC_EXIT_DENIED for
 *			one of a type that we do not accept.
 *	Units	bytes.  There are no secrets here in the clear.
 *	Uses	fault.h, bytes.h, libsodium for base64.
 *
 * contrib-keyprov/systemd-creds/credential.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_CREDENTIAL_H
#define TC_CREDENTIAL_H

#include "bytes.h"
#include "fault.h"

/* Room for any credential of ours; one with a TPM's public key has 1 kB. */
#define TC_CREDENTIAL_MAX	8192
#define TC_CREDENTIAL_TEXT_MAX 12288
#define TC_CREDENTIAL_ID_BYTES 16
#define TC_CREDENTIAL_NAME_MAX 64

/* What is needed to open a credential; the values are bits. */
typedef enum TcCredentialKey
{
	TC_KEY_HOST = 1,			/* the file credential.secret of this machine */
	TC_KEY_TPM2 = 2,
	TC_KEY_HOST_TPM2 = 3		/* both */
} TcCredentialKey;

typedef struct TcCredential
{
	size_t		len;
	uint8_t		bytes[TC_CREDENTIAL_MAX];
} TcCredential;

/* What its head says. */
typedef struct TcCredentialHead
{
	uint8_t		type_id[TC_CREDENTIAL_ID_BYTES];
	TcCredentialKey key;
	uint32_t	pcrs;			/* mask; 0 = none */
	bool		sha256;			/* they are of that bank, if there are any */
} TcCredentialHead;

/* Find the key with a name as in "--with-key"; false if there is none. */
extern bool tc_credential_key_named(const char *name, TcCredentialKey *ret_key);

/* The name of a key: "host", "tpm2" or "host+tpm2". */
extern const char *tc_credential_key_name(TcCredentialKey key);

/*
 * Whether we take this name for a credential: 1 to TC_CREDENTIAL_NAME_MAX of
 * A-Z a-z 0-9 . _ -, with a letter or digit first.  Fewer than systemd takes,
 * because a name is also that of a file, and stands in messages and policies.
 */
extern bool tc_credential_name_ok(const char *name, size_t len);

/*
 * Read the text that "systemd-creds encrypt" prints.
 */
extern TcExit tc_credential_from_text(TcSpan text, TcCredential *ret_credential,
									  TcReason *reterr_reason);

/*
 * Write it as such a text, in lines, with a terminating zero.
 */
extern TcExit tc_credential_to_text(const TcCredential *credential,
									char ret_text[TC_CREDENTIAL_TEXT_MAX],
									TcReason *reterr_reason);

/*
 * Read the head, which is not authenticated: only systemd can tell whether
 * all of it is genuine.
 *
 * Succeeds for the types we accept only.  "null" is refused, user-scoped
 * credentials are, which nobody but a user's own service can open, and
 * whatever else systemd may come to know.
 */
extern TcExit tc_credential_head(TcSpan bytes, TcCredentialHead *ret_head,
								 TcReason *reterr_reason);

#endif							/* TC_CREDENTIAL_H */
