/*-------------------------------------------------------------------------
 *
 * credfile.h
 *	  Read a credential that systemd has decrypted for a service.
 *
 *	Owns	the descriptor while it reads.
 *	Secrets	the file's bytes go into the caller's buffer and nowhere else.
 *	Errors	TC_EXIT_UNAVAILABLE if there is no file; TC_EXIT_DENIED for one that
 *			others could have read or made, or that we may not read;
 *			TC_EXIT_DAMAGED for a wrong size; TC_EXIT_INTERNAL.
 *	Uses	fault.h.
 *
 * contrib-keyprov/systemd-creds/credfile.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_CREDFILE_H
#define TC_CREDFILE_H

#include "creds.h"

/*
 * Read the file "path" (absolute).
 *
 * It has to be an ordinary file and no symbolic link, of root or of us, of
 * exactly TC_SECRET_BYTES, and for nobody else to read.  An access control
 * list may let us in where the file is root's: newer systemd does it so.
 *
 * ret_secret holds zeros on failure.  The caller wipes it when done.
 */
extern TcExit tc_credfile_read(const char *path,
							   uint8_t ret_secret[TC_SECRET_BYTES],
							   TcReason *reterr_reason);

#endif							/* TC_CREDFILE_H */
