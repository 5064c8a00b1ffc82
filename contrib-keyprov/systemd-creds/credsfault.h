/*-------------------------------------------------------------------------
 *
 * credsfault.h
 *	  What messages of systemd-creds mean for the caller.
 *
 * Whatever goes wrong, systemd-creds exits with 1.  So there is nothing to go
 * by but its messages, which differ between versions: those of 252 and 257
 * are known here, in one place.  An unknown one is an internal error, which
 * is never tried again.
 *
 *	Owns	nothing.
 *	Errors	none; this is how the others report theirs.
 *	Uses	fault.h.
 *
 * contrib-keyprov/systemd-creds/credsfault.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_CREDSFAULT_H
#define TC_CREDSFAULT_H

#include <stddef.h>

#include "fault.h"

/* What it wrote to standard error, with a terminating zero. */
typedef struct TcCredsMessages
{
	size_t		len;
	char		text[4096];
} TcCredsMessages;

/*
 * As tc_fault(), for a run that failed.  "otherwise" is how the run ended, for
 * one that said nothing.
 */
extern TcExit tc_fault_creds(const TcCredsMessages *messages,
							 const char *otherwise, TcReason *reterr_reason);

#endif							/* TC_CREDSFAULT_H */
