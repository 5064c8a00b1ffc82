/*-------------------------------------------------------------------------
 *
 * pin.h
 *	  The PIN: where it comes from, and what may be one.
 *
 *	Owns	nothing: the PIN lives in the caller's TcPin, who wipes it with
 *			explicit_bzero() on all paths.  Copies in here are wiped.
 *	Errors	TC_EXIT_USAGE for what cannot be a PIN, TC_EXIT_DENIED for a file
 *			that cannot be read or trusted.  No reason holds any of the PIN.
 *	Units	bytes.
 *	Uses	pipeio.h, fault.h.  Never talks to a TPM.
 *
 * contrib-keyprov/tpm2/pin.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_PIN_H
#define TC_PIN_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"

/* The TPM takes no more than the size of a SHA-256 digest. */
#define TC_PIN_MIN		4
#define TC_PIN_MAX		32

typedef struct TcPin
{
	size_t		len;			/* 0 = no PIN */
	uint8_t		bytes[TC_PIN_MAX];
} TcPin;

/*
 * Read the PIN from a file: all of it but one line end after it.
 *
 * The file must be a regular one and no symbolic link, belong to this account
 * or to root, and give no access to anybody else.
 */
extern TcExit tc_pin_read_file(const char *path, TcPin *ret_pin,
							   TcReason *reterr_reason);

/*
 * Take the PIN, the first line, from the front of an input; the rest of it
 * moves to the front.  "len" is the length of the input, then of the rest.
 */
extern TcExit tc_pin_take_line(uint8_t *input, size_t *len, TcPin *ret_pin,
							   TcReason *reterr_reason);

#endif							/* TC_PIN_H */
