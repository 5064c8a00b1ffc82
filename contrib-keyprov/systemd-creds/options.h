/*-------------------------------------------------------------------------
 *
 * options.h
 *	  The command line of themis-keyprov-systemd-creds.
 *
 *	Owns	nothing: strings are those of the command line.
 *	Errors	TC_EXIT_USAGE.
 *	Uses	creds.h, fault.h.
 *
 * contrib-keyprov/systemd-creds/options.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_OPTIONS_H
#define TC_OPTIONS_H

#include "creds.h"

#define TC_PATH_MAX		1024

typedef enum TcVerb
{
	TC_VERB_SEAL,
	TC_VERB_UNSEAL,
	TC_VERB_INFO,
	TC_VERB_CREDENTIAL,
	TC_VERB_CHECK
} TcVerb;

typedef struct TcOptions
{
	TcVerb		verb;
	TcCredsOptions creds;		/* the name has a default; the rest NULL */
	TcCredentialKey key;		/* of --with-key; 0 = not given */
	bool		software_tpm;	/* --tpm2-device names a program */
	bool		decrypt;
	const char *credential;		/* absolute paths, or NULL */
	const char *directory;
} TcOptions;

/*
 * Read the command line.  Each verb has options of its own, and each option
 * is given once at most.
 */
extern TcExit tc_options_parse(int argc, char **argv, TcOptions *ret_options,
							   TcReason *reterr_reason);

#endif							/* TC_OPTIONS_H */
