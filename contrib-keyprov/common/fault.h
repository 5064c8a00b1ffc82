/*-------------------------------------------------------------------------
 *
 * fault.h
 *	  Why a run failed: the exit code of the protocol, and one line of reason.
 *
 * The caller of a provider sees nothing but these two.
 *
 *	Owns	nothing: the reason lives in the caller's TcReason.
 *	Errors	none; this is how the others report theirs.
 *	Units	a reason is printable ASCII, with its newline at most 500 bytes.
 *	Uses	src/keyprov_exit.h.
 *
 * contrib-keyprov/common/fault.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_FAULT_H
#define TC_FAULT_H

#include "keyprov_exit.h"

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

#endif							/* TC_FAULT_H */
