/*-------------------------------------------------------------------------
 *
 * tpmfault.h
 *	  What return codes of the TPM software mean for the caller.
 *
 * The exit code decides whether the caller tries again, and the remedy whether
 * this program does.  So each return code is mapped here, in one place, and
 * nowhere else.
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
	TC_STEP_PROPERTIES,
	TC_STEP_PRIMARY,
	TC_STEP_SESSION,
	TC_STEP_READ_PCRS,
	TC_STEP_POLICY,
	TC_STEP_CREATE,
	TC_STEP_LOAD,
	TC_STEP_UNSEAL,
	TC_STEP_UNSEAL_WITH_PIN,
	TC_STEP_FLUSH
} TcStep;

/* What may help. */
typedef enum TcRemedy
{
	TC_REMEDY_NONE,
	TC_REMEDY_WAIT,				/* the same again, after a pause */
	TC_REMEDY_ROOM,				/* the same, after objects and sessions that
								 * others left in the TPM were removed */
	TC_REMEDY_START_OVER		/* what was in the TPM is lost: the same again,
								 * but only once */
} TcRemedy;

/*
 * As tc_fault(), for a return code of the TPM software that is not success.
 *
 * ret_remedy is not TC_REMEDY_NONE only where the TPM has certainly not looked
 * at a PIN: a PIN is never tried twice.
 *
 * TC_STEP_LOAD is to be used only after the name of the storage key was found
 * equal: there an integrity failure is damage, and no longer possibly another
 * machine.
 */
extern TcExit tc_fault_tss(TcStep step, TSS2_RC rc, TcRemedy *ret_remedy,
						   TcReason *reterr_reason);

#endif							/* TC_TPMFAULT_H */
