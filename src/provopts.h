/*-------------------------------------------------------------------------
 *
 * provopts.h
 *	  What the server's settings mean for the providers' command lines.
 *
 * The only place of the server that knows providers by name.  A provider
 * that is not known here runs without options.
 *
 *	Owns	a copy of $CREDENTIALS_DIRECTORY.
 *	Errors	words for the status; nothing is thrown.
 *	Uses	guc.h, keyprov.h for sizes.
 *
 * src/provopts.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_PROVOPTS_H
#define TC_PROVOPTS_H

#include "postgres.h"

#include "keyprov.h"

/* Take what the environment of the postmaster says; once, from _PG_init. */
extern void tc_provopts_init(void);

/*
 * The options for a provider, ending with NULL.  They point into settings, and
 * stay valid until the next reload.  False if a setting it cannot do without
 * is missing; *ret_why then says which, as a sentence without its end.
 */
extern bool tc_provopts_get(const char *provider,
							const char *ret_args[TC_KEYPROV_ARGS_MAX + 1],
							const char **ret_why);

#endif							/* TC_PROVOPTS_H */
