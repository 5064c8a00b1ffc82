/*-------------------------------------------------------------------------
 *
 * confirm.h
 *	  Fingerprints that the operator confirms.
 *
 * Public keys and roots come from the network and from disks that were in
 * other hands.  What a person compared over a second way is given with
 * --fingerprint, or answered on the terminal; nothing else counts.
 *
 *	Owns	nothing.
 *	Errors	true or false; nothing is printed but the question.
 *	Uses	common.h.
 *
 * contrib-keyprov/keyring/confirm.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_CONFIRM_H
#define TC_TOOL_CONFIRM_H

#include "common.h"

/*
 * Whether a fingerprint is one of --fingerprint.  If none was given, "shown"
 * (lines of text) and a question are put on the terminal, and "yes" is yes.
 */
extern bool tool_confirmed(const TcOptions *options,
						   const uint8_t fingerprint[TC_HEX_BYTES],
						   const char *shown, const char *question);

/* Why that was not so, as the end of a sentence. */
extern const char *tool_unconfirmed_text(const TcOptions *options);

#endif							/* TC_TOOL_CONFIRM_H */
