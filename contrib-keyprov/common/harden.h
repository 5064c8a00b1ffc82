/*-------------------------------------------------------------------------
 *
 * harden.h
 *	  Keep secrets out of all places but the memory of this process.
 *
 *	Owns	the settings of the process: limits, environment, signals.
 *	Errors	TC_EXIT_INTERNAL.
 *	Uses	fault.h.
 *
 * contrib-keyprov/common/harden.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_HARDEN_H
#define TC_HARDEN_H

#include "fault.h"

/*
 * To be called first, before there is a secret and before any library is
 * used.
 *
 * No core dumps, no debugger of the same user, memory locked as far as the
 * limits allow.  Writing to a closed pipe becomes an error.  Standard
 * descriptors that are closed are refused, because a socket or device opened
 * later would take their place and be sent the output.  The environment is
 * dropped, because libraries read log levels, file names and modules from it.
 */
extern TcExit tc_harden_process(TcReason *reterr_reason);

#endif							/* TC_HARDEN_H */
