/*-------------------------------------------------------------------------
 *
 * databases.c
 *	  The same work in one database, or in each of a cluster.  The contract is
 *	  in databases.h.
 *
 * contrib-keyprov/keyring/databases.c
 *
 *-------------------------------------------------------------------------
 */
#include "databases.h"
#include "json.h"

/* Work in one database, by name or that of the connection string. */
static int
one_database(const TcOptions *options, uid_t uid, gid_t gid,
			 const char *database, TcDatabaseWork work, void *arg)
{
	TcServer   *server = NULL;
	TcOutcome	outcome = {"failed", "failed"};
	bool		there = false;
	int			code;

	tool_json_object(NULL);
	code = tool_server_open(options, uid, gid, database, &server);
	if (code == TC_TOOL_OK)
		code = tool_server_has_extension(server, &there);
	/* Where we could not connect, its name may not be known. */
	if (server != NULL && tool_server_database(server)[0] == '\0')
	{
		tool_server_close(server);
		server = NULL;
	}
	if (server != NULL)
		tool_json_string("database", tool_server_database(server));
	if (code == TC_TOOL_OK && there)
		code = work(server, arg, &outcome);
	else if (code == TC_TOOL_OK && options->all_databases)
	{
		outcome.word = "skipped";
		outcome.text = "skipped, since it does not have the extension";
	}
	else if (code == TC_TOOL_OK)
	{
		tool_error("database \"%s\" does not have extension themis_crypt",
				   tool_server_database(server));
		code = TC_TOOL_FAILED;
	}
	if (code != TC_TOOL_OK)
		outcome.word = outcome.text = "failed";
	if (server != NULL)
		tool_text("database \"%s\": %s\n", tool_server_database(server),
				  outcome.text);
	tool_json_string("result", outcome.word);
	tool_json_end();
	tool_server_close(server);
	return code;
}

/* Work in each database that the server lists. */
static int
all_databases(const TcOptions *options, uid_t uid, gid_t gid,
			  TcDatabaseWork work, void *arg)
{
	TcServer   *list = NULL;
	int			worst = TC_TOOL_OK;
	int			n = 0;
	int			code;

	code = tool_server_open(options, uid, gid, NULL, &list);
	if (code == TC_TOOL_OK)
		code = tool_server_databases(list, &n);
	if (code == TC_TOOL_OK)
	{
		for (int i = 0; i < n; i++)
		{
			int			one = one_database(options, uid, gid,
										   tool_server_database_name(list, i),
										   work, arg);

			if (one > worst)
				worst = one;
		}
		code = worst;
	}
	tool_server_close(list);
	return code;
}

int
tool_each_database(const TcOptions *options, uid_t uid, gid_t gid,
				   TcDatabaseWork work, void *arg)
{
	int			code;

	tool_json_array("databases");
	code = options->all_databases ?
		all_databases(options, uid, gid, work, arg) :
		one_database(options, uid, gid, NULL, work, arg);
	tool_json_end();
	return code;
}
