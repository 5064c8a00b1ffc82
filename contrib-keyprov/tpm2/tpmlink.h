/*-------------------------------------------------------------------------
 *
 * tpmlink.h
 *	  A connection to the TPM, with its storage key and a protected session.
 *
 *	Owns	the connection, and up to four things in the TPM: the storage key
 *			(SRK), a session, and an object and a policy session that the user
 *			put in.  tc_tpmlink_close() gives back all of them.  A TPM without
 *			a resource manager has three places for objects and three for
 *			sessions, and what is left there stays after the connection.
 *	Errors	as mapped in tpmfault.h.
 *	Uses	libtss2-esys, libtss2-tctildr, tcti.h, tpmfault.h.  Sees no secret.
 *
 * contrib-keyprov/tpm2/tpmlink.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TPMLINK_H
#define TC_TPMLINK_H

#include <stdbool.h>

#include <tss2/tss2_esys.h>

#include "tpmfault.h"

typedef struct TcTpmLink
{
	TSS2_TCTI_CONTEXT *tcti;	/* NULL = not connected */
	ESYS_CONTEXT *esys;			/* NULL = not connected */
	ESYS_TR		srk;			/* ESYS_TR_NONE = not in the TPM; the same ... */
	ESYS_TR		session;		/* ... for this */
	ESYS_TR		object;			/* and this, set by the user, */
	ESYS_TR		policy;			/* and this, too */
	TPM2B_NAME	srk_name;		/* hash of the public area of srk */
	TcRemedy	remedy;			/* of the first failure; stays after closing */
} TcTpmLink;

/*
 * Connect, and have the TPM derive its storage key.
 *
 * With "make_room" all transient objects and all loaded sessions that are
 * found in the TPM are removed first.  Only where tc_tcti_is_raw().
 *
 * Afterwards ret_link must be closed, also on failure.
 */
extern TcExit tc_tpmlink_open(const char *tcti, bool make_room,
							  TcTpmLink *ret_link, TcReason *reterr_reason);

/* As tc_fault_tss(), and remember the remedy. */
extern TcExit tc_tpmlink_fault(TcTpmLink *tpm, TcStep step, TSS2_RC rc,
							   TcReason *reterr_reason);

/*
 * Start a session of a type, salted to the storage key, that can encrypt
 * parameters.  It is worth as much as the trust in srk_name, so compare that
 * first.
 */
extern TcExit tc_tpmlink_start_session(TcTpmLink *tpm, TPM2_SE type,
									   ESYS_TR *ret_session,
									   TcReason *reterr_reason);

/*
 * Give back all there is in the TPM, and disconnect.
 *
 * Returns "code", or, if that is TC_EXIT_OK, what went wrong here.
 */
extern TcExit tc_tpmlink_close(TcTpmLink *tpm, TcExit code,
							   TcReason *reterr_reason);

#endif							/* TC_TPMLINK_H */
