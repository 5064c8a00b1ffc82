/*-------------------------------------------------------------------------
 *
 * server.h
 *	  What recovering asks of a PostgreSQL server.
 *
 * Three SQL functions of schema themis_crypt, called over libpq: root_records,
 * replace_root_record and unlock.  Nothing secret passes here: root records
 * are readable by everybody.
 *
 *	Owns	one connection and the result of one query.
 *	Errors	as common.h.
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
 * root can be somebody else) and read the root records.  ret_server must be
 * freed, also after a failure.
 */
extern int	tool_server_open(const TcOptions *options, uid_t uid, gid_t gid,
							 TcServer **ret_server);
extern void tool_server_close(TcServer *server);

extern int	tool_server_nroots(const TcServer *server);
extern TcServerRoot tool_server_root(const TcServer *server, int i);

/* Put a record in place of the one with its realm. */
extern int	tool_server_replace(TcServer *server, TcSpan record);

/* Let the server read its keyring again and open what it can. */
extern int	tool_server_unlock(TcServer *server);

#endif							/* TC_TOOL_SERVER_H */
