/*-------------------------------------------------------------------------
 *
 * databases.h
 *	  The same work in one database, or in each of a cluster.
 *
 * With --all-databases every database that can be connected to is gone
 * through, one line for each; one that fails does not stop the others.
 *
 *	Owns	the connections.
 *	Errors	as common.h: the worst exit code of all.
 *	Uses	server.h.
 *
 * contrib-keyprov/keyring/databases.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_DATABASES_H
#define TC_TOOL_DATABASES_H

#include "server.h"

/* How the work in one database ended, in one word and in several. */
typedef struct TcOutcome
{
	const char *word;			/* for JSON: "added", "skipped", ... */
	const char *text;			/* the end of the line on the terminal */
} TcOutcome;

/*
 * Work in a database that has the extension.  Sets *ret_outcome if all went
 * well; prints why if not.
 */
typedef int (*TcDatabaseWork) (TcServer *server, void *arg,
							   TcOutcome *ret_outcome);

/*
 * Do it in the database of --conninfo or, with --all-databases, in each of its
 * cluster that has the extension, connected as uid and gid.
 */
extern int	tool_each_database(const TcOptions *options, uid_t uid, gid_t gid,
							   TcDatabaseWork work, void *arg);

#endif							/* TC_TOOL_DATABASES_H */
