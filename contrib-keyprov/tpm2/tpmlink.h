/*-------------------------------------------------------------------------
 *
 * tpmlink.h
 *	  A connection to the TPM, with its storage key and a protected session.
 *
 *	Owns	the connection, and up to three things in the TPM: the storage key
 *			(SRK), a session, and an object that the user put in.
 *			tc_tpmlink_close() gives back all of them.  A TPM without a
 *			resource manager has three places of each kind, and what is left
 *			there stays after the connection.
 *	Errors	as mapped in tpmfault.h.
 *	Uses	libtss2-esys, libtss2-tctildr, tpmfault.h.  Sees no secret.
 *
 * contrib-keyprov/tpm2/tpmlink.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TPMLINK_H
#define TC_TPMLINK_H

#include <tss2/tss2_esys.h>

#include "tpmfault.h"

typedef struct TcTpmLink
{
	TSS2_TCTI_CONTEXT *tcti;	/* NULL = not connected */
	ESYS_CONTEXT *esys;			/* NULL = not connected */
	ESYS_TR		srk;			/* ESYS_TR_NONE = not in the TPM; the same ... */
	ESYS_TR		session;		/* ... for this */
	ESYS_TR		object;			/* and this, set by the user */
	TPM2B_NAME	srk_name;		/* hash of the public area of srk */
} TcTpmLink;

/*
 * Connect, and have the TPM derive its storage key.
 *
 * "tcti" is "device:PATH" or another interface that tss2-tctildr knows as
 * "tabrmd", "swtpm" or "mssim", with its configuration after a colon.
 *
 * Afterwards ret_link must be closed, also on failure.
 */
extern TcExit tc_tpmlink_open(const char *tcti, TcTpmLink *ret_link,
							  TcReason *reterr_reason);

/*
 * Start an HMAC session that encrypts parameters, salted to the storage key.
 * It is worth as much as the trust in srk_name, so compare that first.
 */
extern TcExit tc_tpmlink_start_session(TcTpmLink *tpm,
									   TcReason *reterr_reason);

/*
 * Give back all there is in the TPM, and disconnect.
 *
 * Returns "code", or, if that is TC_EXIT_OK, what went wrong here.
 */
extern TcExit tc_tpmlink_close(TcTpmLink *tpm, TcExit code,
							   TcReason *reterr_reason);

#endif							/* TC_TPMLINK_H */
