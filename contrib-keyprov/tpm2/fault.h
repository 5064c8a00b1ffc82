/*-------------------------------------------------------------------------
 *
 * fault.h
 *	  Why a run failed: the exit code of the protocol, and one line of reason.
 *
 * The caller of a provider sees nothing but these two.  The exit code decides
 * whether it tries again, so each return code of the TPM software is mapped
 * here, in one place, and nowhere else.
 *
 *	Owns	nothing: the reason lives in the caller's TcReason.
 *	Errors	none; these functions are how the others report theirs.
 *	Units	a reason is printable ASCII, with its newline at most 500 bytes.
 *	Uses	the constants of tss2_common.h and tss2_tpm2_types.h only.
 *
 * contrib-keyprov/tpm2/fault.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_FAULT_H
#define TC_FAULT_H

#include <tss2/tss2_common.h>

/* The exit codes of contrib-keyprov/README.md. */
typedef enum TcExit
{
	TC_EXIT_OK = 0,
	TC_EXIT_UNAVAILABLE = 10,	/* retried by the caller */
	TC_EXIT_BUSY = 11,			/* retried by the caller */
	TC_EXIT_WRONG_MACHINE = 20,
	TC_EXIT_WRONG_POLICY = 21,
	TC_EXIT_DAMAGED = 22,
	TC_EXIT_DENIED = 23,
	TC_EXIT_USAGE = 64,
	TC_EXIT_INTERNAL = 70
} TcExit;

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

#define TC_REASON_MAX	499		/* the newline is added when it is printed */

typedef struct TcReason
{
	char		text[TC_REASON_MAX + 1];
} TcReason;

/*
 * Write a reason, and return "code" so that a function can fail in one line.
 *
 * The reason must not hold secrets.  It may hold what the user typed: bytes
 * that are not printable ASCII become question marks, and what does not fit
 * is cut off.
 */
extern TcExit tc_fault(TcExit code, TcReason *reterr_reason,
					   const char *format,...)
			__attribute__((format(printf, 3, 4)));

/*
 * The same for a return code of the TPM software that is not success.
 *
 * TC_STEP_LOAD is to be used only after the name of the storage key was found
 * equal: there an integrity failure is damage, and no longer possibly another
 * machine.
 */
extern TcExit tc_fault_tss(TcStep step, TSS2_RC rc, TcReason *reterr_reason);

#endif							/* TC_FAULT_H */
