/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  The key worker: the one process that holds instance and root keys.
 *
 * A background worker without a database connection, started with the
 * server, on standbys too.  It unlocks the instance through the providers
 * named in the keyring file and answers the requests of backends.  It never
 * blocks on a provider: a hanging TPM delays unlocking, and nothing else.
 *
 *	Owns	the provider program while it runs; keymaster.h's secrets.
 *	Locks	none held across a wait.
 *	Errors	unlocking failures go to the server log once per reason, and to
 *			the status; the worker lives on and retries where it makes sense.
 *	Uses	keymaster.h, unlock.h, request.h.
 *
 * src/worker.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_WORKER_H
#define TC_WORKER_H

#include "postgres.h"

/* Register the worker; from _PG_init. */
extern void tc_worker_register(void);

/* Its main function, named in the registration. */
extern PGDLLEXPORT void themis_crypt_worker_main(Datum arg);

#endif							/* TC_WORKER_H */
