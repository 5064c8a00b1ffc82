/*-------------------------------------------------------------------------
 *
 * server.c
 *	  What recovering asks of a PostgreSQL server.  Contracts: server.h.
 *
 * contrib-keyprov/keyring/server.c
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "secretmem.h"

#include "server.h"

#define BYTEA_OID	17

struct TcServer
{
	PGconn	   *conn;
	PGresult   *roots;
};

/* Say what libpq says, without its line end. */
static int
server_failed(const char *what, const char *message)
{
	int			len = (int) strlen(message);

	while (len > 0 && message[len - 1] == '\n')
		len--;
	tool_error("%s: %.*s", what, len, message);
	return TC_TOOL_FAILED;
}

/* Run a query that answers rows, in binary; NULL after a message. */
static PGresult *
query(TcServer *server, const char *sql, const TcSpan *bytea, const char *what)
{
	const Oid	types[1] = {BYTEA_OID};
	const char *const values[1] = {bytea != NULL ? (const char *) bytea->data : NULL};
	const int	lengths[1] = {bytea != NULL ? (int) bytea->len : 0};
	const int	formats[1] = {1};
	PGresult   *result;

	result = PQexecParams(server->conn, sql, bytea != NULL ? 1 : 0, types, values,
						  lengths, formats, 1);
	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	server_failed(what, PQerrorMessage(server->conn));
	PQclear(result);
	return NULL;
}

/* Run a query whose answer does not matter. */
static int
command(TcServer *server, const char *sql, const TcSpan *bytea, const char *what)
{
	PGresult   *result = query(server, sql, bytea, what);

	if (result == NULL)
		return TC_TOOL_FAILED;
	PQclear(result);
	return TC_TOOL_OK;
}

/*
 * Connect with the effective ids of the keyring's owner: a socket's peer is
 * who it was when it connected.  NULL if the ids cannot be had or given back;
 * then nothing may be done with them.  Each change of ids makes the kernel
 * choose anew whether this process may be dumped and traced.
 */
static PGconn *
connect_as(const char *const *names, const char *const *values, uid_t uid,
		   gid_t gid)
{
	uid_t		own_uid = geteuid();
	gid_t		own_gid = getegid();
	PGconn	   *conn;

	if (own_uid != 0 || uid == 0)
		return PQconnectdbParams(names, values, 1);
	if (setegid(gid) != 0 || seteuid(uid) != 0 || tc_secret_harden() != TC_OK)
		return NULL;
	conn = PQconnectdbParams(names, values, 1);
	if (seteuid(own_uid) == 0 && setegid(own_gid) == 0 &&
		tc_secret_harden() == TC_OK)
		return conn;
	PQfinish(conn);
	return NULL;
}

int
tool_server_open(const TcOptions *options, uid_t uid, gid_t gid,
				 TcServer **ret_server)
{
	/* Later ones win over what the connection string says. */
	const char *const names[] = {"dbname", "client_encoding",
	"fallback_application_name", NULL};
	const char *const values[] = {options->conninfo, "UTF8", "themis-keyring",
	NULL};
	TcServer   *server = calloc(1, sizeof(TcServer));

	*ret_server = server;
	if (server == NULL)
	{
		tool_error("out of memory");
		return TC_TOOL_FAILED;
	}
	server->conn = connect_as(names, values, uid, gid);
	if (server->conn == NULL)
	{
		tool_error("could not connect as the owner of the keyring");
		return TC_TOOL_FAILED;
	}
	if (PQstatus(server->conn) != CONNECTION_OK)
		return server_failed("could not connect", PQerrorMessage(server->conn));
	/* Whatever is in other schemas, nothing of it shall be called. */
	if (command(server, "SELECT pg_catalog.set_config('search_path', 'pg_catalog', false)",
				NULL, "could not set search_path") != TC_TOOL_OK)
		return TC_TOOL_FAILED;

	server->roots = query(server,
						  "SELECT name, record, fingerprint"
						  " FROM themis_crypt.root_records() ORDER BY name",
						  NULL, "could not read the root records");
	if (server->roots == NULL)
		return TC_TOOL_FAILED;
	if (PQnfields(server->roots) != 3 || PQftype(server->roots, 1) != BYTEA_OID)
	{
		tool_error("the server gives root records in another form than expected");
		return TC_TOOL_FAILED;
	}
	return TC_TOOL_OK;
}

void
tool_server_close(TcServer *server)
{
	if (server == NULL)
		return;
	PQclear(server->roots);
	PQfinish(server->conn);
	free(server);
}

int
tool_server_nroots(const TcServer *server)
{
	return PQntuples(server->roots);
}

/* What is shown to the operator must not control the terminal. */
static const char *
printable(char *text)
{
	for (char *at = text; *at != '\0'; at++)
		if ((unsigned char) *at < 0x20 || (unsigned char) *at == 0x7F)
			*at = '?';
	return text;
}

TcServerRoot
tool_server_root(const TcServer *server, int i)
{
	TcServerRoot root;

	root.name = printable(PQgetvalue(server->roots, i, 0));
	root.record = tc_span(PQgetvalue(server->roots, i, 1),
						  (size_t) PQgetlength(server->roots, i, 1));
	root.fingerprint = printable(PQgetvalue(server->roots, i, 2));
	return root;
}

int
tool_server_replace(TcServer *server, TcSpan record)
{
	return command(server, "SELECT themis_crypt.replace_root_record($1)", &record,
				   "could not replace the root record");
}

int
tool_server_unlock(TcServer *server)
{
	return command(server, "SELECT themis_crypt.unlock()", NULL,
				   "could not unlock the server");
}
