/*-------------------------------------------------------------------------
 *
 * server.h
 *	  What the tool asks of a PostgreSQL server.
 *
 * One connection to one database, over libpq.  Nothing secret passes here:
 * root records and public keys are readable by everybody.
 *
 *	Owns	one connection, and the results that what is given back borrows
 *			from.
 *	Errors	as common.h; messages name the database, where there are several.
 *	Uses	common.h, libpq.
 *
 * contrib-keyprov/keyring/server.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_SERVER_H
#define TC_TOOL_SERVER_H

#include "common.h"

typedef struct TcServer TcServer;

/* A root as the server has it; borrows from the list. */
typedef struct TcServerRoot
{
	const char *name;			/* of the server object, printable */
	TcSpan		record;
	const char *fingerprint;
} TcServerRoot;

/*
 * Connect as the operating system's user "uid" (for peer authentication; only
 * root can be somebody else), to "database", or where it is NULL to that of
 * --conninfo.  ret_server must be closed, also after a failure.
 */
extern int	tool_server_open(const TcOptions *options, uid_t uid, gid_t gid,
							 const char *database, TcServer **ret_server);
extern void tool_server_close(TcServer *server);

/* Its database, for messages and results; printable. */
extern const char *tool_server_database(const TcServer *server);

/* "" or, where the run is about all databases, "database "NAME", ". */
extern const char *tool_server_prefix(const TcServer *server);

/*
 * The databases that can be connected to, until the server is closed: printable
 * for people, and as they are to connect.
 */
extern int	tool_server_databases(TcServer *server, int *ret_n);
extern const char *tool_server_database_name(const TcServer *server, int i);

/* Whether the database has the extension. */
extern int	tool_server_has_extension(TcServer *server, bool *ret_has);

/* Read the root records. */
extern int	tool_server_read_roots(TcServer *server);
extern int	tool_server_nroots(const TcServer *server);
extern TcServerRoot tool_server_root(const TcServer *server, int i);

/* Put a record in place of the one with its realm. */
extern int	tool_server_replace(TcServer *server, TcSpan record);

/*
 * How many roots the database has, and how many of them a recipient can open:
 * one with this public key or, where that is NULL, of this name.
 */
extern int	tool_server_count(TcServer *server, const char *public_key,
							  const char *name, int *ret_roots, int *ret_having);

/* Add a recipient to all roots; the server's fingerprint must be "fingerprint". */
extern int	tool_server_add(TcServer *server, const char *name,
							const char *public_key, const char *role,
							const char *fingerprint);

/*
 * Drop a recipient from all roots, by its public key or name; the last
 * recovery key only with "no_recovery".
 */
extern int	tool_server_drop(TcServer *server, const char *who, bool no_recovery);

/* Let the server read its keyring again and open what it can. */
extern int	tool_server_unlock(TcServer *server);

#endif							/* TC_TOOL_SERVER_H */
