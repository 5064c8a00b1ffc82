/*-------------------------------------------------------------------------
 *
 * args.h
 *	  The options of all commands, and how they reach a key provider.
 *
 * One table has every option: how it is spelled, what it takes, where its
 * value goes, and, for those of a key provider, whose it is and what the
 * provider calls it.
 *
 *	Owns	nothing: values point into argv.
 *	Errors	as common.h.
 *	Uses	common.h.
 *
 * contrib-keyprov/keyring/args.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_ARGS_H
#define TC_TOOL_ARGS_H

#include "common.h"

typedef struct TcCommand
{
	const char *name;
	int			(*run) (const TcOptions *options);
	const char *options;		/* those it takes, as words without "--" */
	const char *required;		/* those it cannot do without */
	int			nargs;
	const char *usage;
} TcCommand;

/* Read the arguments behind the command, argv[2] and on. */
extern bool tool_parse_arguments(const TcCommand *command, char **argv,
								 TcOptions *ret_options);

/* What a provider is to do; the bits of an option say where it counts. */
typedef enum TcUse
{
	TC_USE_OPEN = 1,			/* unseal */
	TC_USE_SEAL = 2,
	TC_USE_CHECK = 4			/* compare with what lies outside the keyring */
} TcUse;

/*
 * Collect the options of a provider for one use, with a NULL at their end;
 * ret_args has room for TC_KEYPROV_ARGS_MAX + 1.  Returns their number.
 */
extern int	tool_provider_args(const TcOptions *options, const char *provider,
							   TcUse use, const char **ret_args);

/*
 * Refuse options of providers that this run has no use for.  "keyring" has
 * the slots that may be opened, "sealing" names the provider that is to seal;
 * either may be NULL.  "check" says whether the command checks what lies
 * outside the keyring.
 */
extern int	tool_check_provider_options(const TcOptions *options,
										const TcKeyring *keyring,
										const char *sealing, bool check);

#endif							/* TC_TOOL_ARGS_H */
