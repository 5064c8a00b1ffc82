/*-------------------------------------------------------------------------
 *
 * tpmfault.h
 *	  What return codes of the TPM software mean for the caller.
 *
 * The exit code decides whether the caller tries again, so each return code
 * is mapped here, in one place, and nowhere else.
 *
 *	Owns	nothing.
 *	Errors	none; this is how the others report theirs.
 *	Uses	fault.h, the constants of tss2_common.h and tss2_tpm2_types.h.
 *
 * contrib-keyprov/tpm2/tpmfault.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TPMFAULT_H
#define TC_TPMFAULT_H

#include <tss2/tss2_common.h>

#include "fault.h"

/* What was being asked of the TPM; the same code means different things. */
typedef enum TcStep
{
	TC_STEP_CONNECT,
	TC_STEP_PRIMARY,
	TC_STEP_SESSION,
	TC_STEP_CREATE,
	TC_STEP_LOAD,
	TC_STEP_UNSEAL,
	TC_STEP_FLUSH
} TcStep;

/*
 * As tc_fault(), for a return code of the TPM software that is not success.
 *
 * TC_STEP_LOAD is to be used only after the name of the storage key was found
 * equal: there an integrity failure is damage, and no longer possibly another
 * machine.
 */
extern TcExit tc_fault_tss(TcStep step, TSS2_RC rc, TcReason *reterr_reason);

#endif							/* TC_TPMFAULT_H */
