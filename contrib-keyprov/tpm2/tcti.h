/*-------------------------------------------------------------------------
 *
 * tcti.h
 *	  The ways to a TPM that we offer, and what is known of each.
 *
 * A way is "device:PATH" or another interface that tss2-tctildr knows as
 * "tabrmd", "swtpm" or "mssim", with its configuration after a colon.
 *
 *	Owns	nothing.
 *	Errors	TC_EXIT_USAGE, TC_EXIT_UNAVAILABLE.
 *	Uses	fault.h.  Opens nothing.
 *
 * contrib-keyprov/tpm2/tcti.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TCTI_H
#define TC_TCTI_H

#include <stdbool.h>

#include "fault.h"

/* Is it one of them, and does its device look like one? */
extern TcExit tc_tcti_check(const char *tcti, TcReason *reterr_reason);

/*
 * Is there no resource manager between us and the TPM?  Then what is loaded
 * in it was left behind: there is one user at a time, and that is us.
 */
extern bool tc_tcti_is_raw(const char *tcti);

/* Is this an interface to which only programs answer that play a TPM? */
extern bool tc_tcti_is_simulator(const char *tcti);

#endif							/* TC_TCTI_H */
