/*-------------------------------------------------------------------------
 *
 * options.h
 *	  The arguments of themis-keyprov-tpm2.
 *
 *	Owns	nothing: strings are those of the command line.
 *	Errors	TC_EXIT_USAGE.
 *	Uses	pcr.h, fault.h.
 *
 * contrib-keyprov/tpm2/options.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_OPTIONS_H
#define TC_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

typedef enum TcVerb
{
	TC_VERB_SEAL,
	TC_VERB_UNSEAL,
	TC_VERB_INFO
} TcVerb;

typedef struct TcOptions
{
	TcVerb		verb;
	const char *tcti;			/* --tcti, or the default */
	const char *pin_file;		/* --pin-file; NULL = not given */
	bool		pin_stdin;		/* --pin-stdin */
	uint32_t	pcrs;			/* --pcrs; 0 = not given */
} TcOptions;

/*
 * "info" takes all options, so that a caller may pass it those of the other
 * verbs; it has no use for them.  "unseal" takes no --pcrs: the blob says which.
 */
extern TcExit tc_options_parse(int argc, char **argv, TcOptions *ret_options,
							   TcReason *reterr_reason);

#endif							/* TC_OPTIONS_H */
