/*-------------------------------------------------------------------------
 *
 * creds.h
 *	  Have systemd-creds encrypt and decrypt a credential.
 *
 * The program is run by its absolute path, with an environment of two
 * variables that keyprov.h sets, so that nobody's PATH and none of systemd's
 * many variables decide what happens.  The secret goes through pipes only.
 * The name and the key are always given: without a name systemd would not
 * compare names, and its automatic choice of a key may be none.
 *
 *	Owns	the running program.  It dies with us, whatever happens to us.
 *	Secrets	the buffers of a run are wiped before a function returns.
 *	Errors	as mapped in credsfault.h.
 *	Blocks	as long as the program does: the deadline is our caller's.
 *	Uses	keyprov.h, credential.h, credsfault.h.
 *
 * contrib-keyprov/systemd-creds/creds.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_CREDS_H
#define TC_CREDS_H

#include "credential.h"

#define TC_SECRET_BYTES 32

/* How to seal, as in the options of the same names; NULL = not given. */
typedef struct TcCredsOptions
{
	const char *name;
	const char *with_key;
	const char *tpm2_device;
	const char *tpm2_pcrs;
} TcCredsOptions;

/*
 * Look whether there is a systemd-creds of version 250 or newer.
 */
extern TcExit tc_creds_check_version(TcReason *reterr_reason);

/*
 * Encrypt "secret".  The caller has still to look at what kind of credential
 * came out.
 */
extern TcExit tc_creds_encrypt(const TcCredsOptions *options,
							   const uint8_t secret[TC_SECRET_BYTES],
							   TcCredential *ret_credential,
							   TcReason *reterr_reason);

/*
 * Decrypt a credential that has this name and a head that was checked;
 * systemd would also open one with a null key.  Of "options" with_key and
 * tpm2_pcrs are not used.
 *
 * ret_secret holds zeros on failure.  The caller wipes it when done.
 */
extern TcExit tc_creds_decrypt(const TcCredsOptions *options,
							   const TcCredential *credential,
							   uint8_t ret_secret[TC_SECRET_BYTES],
							   TcReason *reterr_reason);

#endif							/* TC_CREDS_H */
