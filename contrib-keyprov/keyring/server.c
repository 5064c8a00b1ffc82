/*-------------------------------------------------------------------------
 *
 * server.c
 *	  What the tool asks of a PostgreSQL server.  Contracts: server.h.
 *
 * contrib-keyprov/keyring/server.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "secretmem.h"

#include "server.h"

#define BYTEA_OID	17
#define TEXT_OID	25
#define PARAMS_MAX	3

struct TcServer
{
	PGconn	   *conn;
	PGresult   *roots;
	PGresult   *databases;
	char		name[256];		/* of the database, printable */
	char		prefix[300];
};

/*
 * What is shown to the operator must not control the terminal: neither with
 * ASCII nor with U+0080..U+009F, which some terminals obey.  Text is UTF-8.
 */
static char *
printable(char *text)
{
	for (unsigned char *at = (unsigned char *) text; *at != '\0'; at++)
	{
		if (*at < 0x20 || *at == 0x7F)
			*at = '?';
		else if (*at == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F)
			at[0] = at[1] = '?';
	}
	return text;
}

/* Print what libpq says, in lines, without the last line end. */
static void
print_message(const TcServer *server, const char *what, const char *message)
{
	char	   *copy = strdup(message);
	char	   *rest = copy;
	char	   *line;

	line = copy == NULL ? NULL : strsep(&rest, "\n");
	tool_error("%s%s: %s", server->prefix, what,
			   line == NULL ? "out of memory" : printable(line));
	while (rest != NULL && rest[0] != '\0')
	{
		line = strsep(&rest, "\n");
		fprintf(stderr, "%s\n", printable(line));
	}
	free(copy);
}

static int
server_failed(const TcServer *server, const char *what, const char *message)
{
	const char *super;

	print_message(server, what, message);
	super = server->conn == NULL ? NULL :
		PQparameterStatus(server->conn, "is_superuser");
	if (super != NULL && strcmp(super, "off") == 0)
		tool_hint("Connect as a superuser of the database.");
	return TC_TOOL_FAILED;
}

/* A warning of the server's, for libpq. */
static void
take_notice(void *arg, const char *message)
{
	print_message(arg, "the server says", message);
}

/*
 * Run a query that answers rows, all in binary: that of text is the text.
 * NULL after a message.
 */
static PGresult *
query(TcServer *server, const char *sql, Oid type, const TcSpan *params,
	  int nparams, const char *what)
{
	Oid			types[PARAMS_MAX];
	const char *values[PARAMS_MAX];
	int			lengths[PARAMS_MAX];
	int			formats[PARAMS_MAX];
	PGresult   *result;

	for (int i = 0; i < nparams; i++)
	{
		types[i] = type;
		values[i] = (const char *) params[i].data;
		lengths[i] = (int) params[i].len;
		formats[i] = 1;
	}
	result = PQexecParams(server->conn, sql, nparams, types, values, lengths,
						  formats, 1);
	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	server_failed(server, what, PQerrorMessage(server->conn));
	PQclear(result);
	return NULL;
}

static TcSpan
text_span(const char *text)
{
	return tc_span(text, text != NULL ? strlen(text) : 0);
}

/* Run a query whose answer does not matter. */
static int
command(TcServer *server, const char *sql, const char *what)
{
	PGresult   *result = query(server, sql, TEXT_OID, NULL, 0, what);

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

static void
name_database(TcServer *server, const char *database, bool several)
{
	snprintf(server->name, sizeof(server->name), "%s",
			 database != NULL ? database : "");
	(void) printable(server->name);
	if (several && database != NULL)
		snprintf(server->prefix, sizeof(server->prefix), "database \"%s\", ",
				 server->name);
}

int
tool_server_open(const TcOptions *options, uid_t uid, gid_t gid,
				 const char *database, TcServer **ret_server)
{
	/*
	 * Later ones win over what the connection string says.  Of two "dbname"
	 * the first is the connection string.
	 */
	const char *const names[] = {"dbname", "client_encoding",
		"fallback_application_name", database != NULL ? "dbname" : NULL,
	NULL};
	const char *const values[] = {options->conninfo, "UTF8", "themis-keyring",
	database, NULL};
	TcServer   *server = calloc(1, sizeof(TcServer));

	*ret_server = server;
	if (server == NULL)
	{
		tool_error("out of memory");
		return TC_TOOL_FAILED;
	}
	name_database(server, database, options->all_databases);
	server->conn = connect_as(names, values, uid, gid);
	if (server->conn == NULL)
	{
		tool_error("could not connect as the owner of the keyring");
		return TC_TOOL_FAILED;
	}
	(void) PQsetNoticeProcessor(server->conn, take_notice, server);
	if (PQstatus(server->conn) != CONNECTION_OK)
		return server_failed(server, "could not connect",
							 PQerrorMessage(server->conn));
	if (database == NULL)
		name_database(server, PQdb(server->conn), false);

	/*
	 * Whatever is in other schemas, nothing of it shall be called; and what
	 * the server would say to people, the commands say themselves.
	 */
	return command(server,
				   "SELECT pg_catalog.set_config('search_path', 'pg_catalog', false),"
				   " pg_catalog.set_config('client_min_messages', 'warning', false)",
				   "could not prepare the session");
}

void
tool_server_close(TcServer *server)
{
	if (server == NULL)
		return;
	PQclear(server->roots);
	PQclear(server->databases);
	PQfinish(server->conn);
	free(server);
}

const char *
tool_server_database(const TcServer *server)
{
	return server->name;
}

const char *
tool_server_prefix(const TcServer *server)
{
	return server->prefix;
}

int
tool_server_databases(TcServer *server, int *ret_n)
{
	/* -2 is a database of which DROP DATABASE was cut short. */
	server->databases = query(server,
							  "SELECT datname::text FROM pg_database"
							  " WHERE datallowconn AND datname <> 'template0'"
							  " AND datconnlimit <> -2 ORDER BY datname",
							  TEXT_OID, NULL, 0, "could not read the list of databases");
	if (server->databases == NULL)
		return TC_TOOL_FAILED;
	*ret_n = PQntuples(server->databases);
	return TC_TOOL_OK;
}

const char *
tool_server_database_name(const TcServer *server, int i)
{
	return PQgetvalue(server->databases, i, 0);
}

int
tool_server_has_extension(TcServer *server, bool *ret_has)
{
	PGresult   *result;

	result = query(server,
				   "SELECT FROM pg_extension WHERE extname = 'themis_crypt'",
				   TEXT_OID, NULL, 0, "could not look for the extension");
	if (result == NULL)
		return TC_TOOL_FAILED;
	*ret_has = PQntuples(result) > 0;
	PQclear(result);
	return TC_TOOL_OK;
}

int
tool_server_read_roots(TcServer *server)
{
	server->roots = query(server,
						  "SELECT name, record, fingerprint"
						  " FROM themis_crypt.root_records() ORDER BY name",
						  TEXT_OID, NULL, 0, "could not read the root records");
	if (server->roots == NULL)
		return TC_TOOL_FAILED;
	if (PQnfields(server->roots) == 3 && PQftype(server->roots, 1) == BYTEA_OID)
		return TC_TOOL_OK;
	tool_error("%sthe server gives root records in another form than expected",
			   server->prefix);
	return TC_TOOL_FAILED;
}

int
tool_server_nroots(const TcServer *server)
{
	return PQntuples(server->roots);
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
	PGresult   *result;

	result = query(server, "SELECT themis_crypt.replace_root_record($1)", BYTEA_OID,
				   &record, 1, "could not replace the root record");
	if (result == NULL)
		return TC_TOOL_FAILED;
	PQclear(result);
	return TC_TOOL_OK;
}

int
tool_server_count(TcServer *server, const char *public_key, const char *name,
				  int *ret_roots, int *ret_having)
{
	TcSpan		who = text_span(public_key != NULL ? public_key : name);
	PGresult   *result;

	result = query(server, public_key != NULL ?
				   "SELECT count(DISTINCT root)::text, (count(DISTINCT root) FILTER (WHERE public_key = $1))::text"
				   " FROM themis_crypt.recipients" :
				   "SELECT count(DISTINCT root)::text, (count(DISTINCT root) FILTER (WHERE name = $1))::text"
				   " FROM themis_crypt.recipients",
				   TEXT_OID, &who, 1, "could not read the recipients");
	if (result == NULL)
		return TC_TOOL_FAILED;
	*ret_roots = atoi(PQgetvalue(result, 0, 0));
	*ret_having = atoi(PQgetvalue(result, 0, 1));
	PQclear(result);
	return TC_TOOL_OK;
}

int
tool_server_add(TcServer *server, const char *name, const char *public_key,
				const char *role, const char *fingerprint)
{
	TcSpan		params[3];
	PGresult   *result;
	bool		same;

	params[0] = text_span(name);
	params[1] = text_span(public_key);
	params[2] = text_span(role);
	result = query(server, "SELECT themis_crypt.add_recipient($1, $2, $3)",
				   TEXT_OID, params, 3, "could not add the recipient");
	if (result == NULL)
		return TC_TOOL_FAILED;
	same = strcmp(PQgetvalue(result, 0, 0), fingerprint) == 0;
	PQclear(result);
	if (same)
		return TC_TOOL_OK;
	tool_error("%sthe server gives another fingerprint for the recipient",
			   server->prefix);
	return TC_TOOL_FAILED;
}

int
tool_server_drop(TcServer *server, const char *who, bool no_recovery)
{
	TcSpan		param = text_span(who);
	PGresult   *result;

	if (no_recovery &&
		command(server, "SELECT set_config('themis_crypt.allow_no_recovery', 'on', false)",
				"could not set themis_crypt.allow_no_recovery") != TC_TOOL_OK)
		return TC_TOOL_FAILED;
	result = query(server, "SELECT themis_crypt.drop_recipient($1)", TEXT_OID,
				   &param, 1, "could not drop the recipient");
	if (result == NULL)
		return TC_TOOL_FAILED;
	PQclear(result);
	return TC_TOOL_OK;
}

int
tool_server_unlock(TcServer *server)
{
	return command(server, "SELECT themis_crypt.unlock()",
				   "could not unlock the server");
}
