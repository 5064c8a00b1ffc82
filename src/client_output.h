/*-------------------------------------------------------------------------
 *
 * client_output.h
 *	  Plaintext for the client of this session, and for nobody else.
 *
 * The output function of the type is called in many places: for the client,
 * but also for COPY, error messages, triggers that write rows to audit
 * tables, parameter logging, logical decoding.  With themis_crypt.client_output
 * = plaintext, values open only while a row of a query's result goes to the
 * client, which the hooks here can tell.
 *
 *	Owns	the setting, and where execution is.
 *	Errors	none.
 *
 * src/client_output.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_CLIENT_OUTPUT_H
#define TC_CLIENT_OUTPUT_H

#include "postgres.h"

/* Define the setting and install the hooks; once, from _PG_init. */
extern void tc_client_output_init(void);

/* Whether the output function is now to print plaintext. */
extern bool tc_client_output_opens(void);

/*
 * For hooks of other rooms on utility statements: nothing that runs between
 * these two is for the client.  Leave with what enter gave back, on errors
 * too.
 */
extern int	tc_client_output_enter(void);
extern void tc_client_output_leave(int depth);

#endif							/* TC_CLIENT_OUTPUT_H */
