/*-------------------------------------------------------------------------
 *
 * client_output.c
 *	  Plaintext for the client of this session, and for nobody else.
 *
 * A row reaches the client in one of two ways.  Either the executor hands it
 * to its destination: then a wrapper around that destination says so for as
 * long as the row is printed.  Or a portal sends rows that were stored before
 * (RETURNING, FETCH, EXECUTE): then neither the executor nor a utility
 * statement is running, but a portal is, which holds rows, and the executor
 * that made them is gone.
 *
 * The executor hooks also read pending invalidations, so that a REVOKE acts
 * on the next statement or FETCH even inside an open transaction.
 *
 * src/client_output.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "replication/walsender.h"
#include "tcop/dest.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "client_output.h"
#include "compat.h"

typedef enum ClientOutput
{
	CLIENT_OUTPUT_SEALED,
	CLIENT_OUTPUT_PLAINTEXT
} ClientOutput;

static const struct config_enum_entry client_output_options[] = {
	{"sealed", CLIENT_OUTPUT_SEALED, false},
	{"plaintext", CLIENT_OUTPUT_PLAINTEXT, false},
	{NULL, 0, false}
};

/* A destination that says when a row passes through it. */
typedef struct SendingReceiver
{
	DestReceiver pub;
	DestReceiver *inner;
} SendingReceiver;

/* An executor that has been started and not ended. */
typedef struct LiveExecutor
{
	dlist_node	node;
	Portal		portal;			/* that started it */
	MemoryContextCallback callback;
} LiveExecutor;

static dlist_head executors = DLIST_STATIC_INIT(executors);

static int	client_output = CLIENT_OUTPUT_SEALED;
static int	depth;				/* executors and utility statements running */
static bool sending;			/* a row passes to the client right now */

static ExecutorStart_hook_type next_start;
static ExecutorRun_hook_type next_run;
static ExecutorFinish_hook_type next_finish;

/*
 * Plaintext is for whoever asks for it, here and now: not for what a file, a
 * database or a role has as its default, where tools that dump or copy would
 * pick it up.
 */
static bool
check_client_output(int *newval, void **extra, GucSource source)
{
	if (*newval == CLIENT_OUTPUT_SEALED || source == PGC_S_SESSION ||
		source == PGC_S_CLIENT || source == PGC_S_INTERACTIVE)
		return true;
	GUC_check_errmsg("themis_crypt.client_output can be set to \"plaintext\" by the session itself only");
	GUC_check_errhint("Use SET, or the options of the connection.");
	return false;
}

/* Programs that read rows in order to store them elsewhere. */
static bool
client_stores_rows(void)
{
	static const char *const names[] =
	{"pg_dump", "pg_dumpall", "postgres_fdw", "citus_internal"};
	const char *name = application_name != NULL ? application_name : "";

	for (size_t i = 0; i < lengthof(names); i++)
	{
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

/* Its executor is gone: no longer an executor of that portal. */
static void
forget_executor(void *arg)
{
	LiveExecutor *live = arg;

	dlist_delete(&live->node);
}

/*
 * Remember the executor for as long as its memory lives, that is, through the
 * ExecutorEnd hooks of others, which print plans.
 */
static void
remember_executor(QueryDesc *query)
{
	LiveExecutor *live = MemoryContextAlloc(query->estate->es_query_cxt,
											sizeof(LiveExecutor));

	live->portal = ActivePortal;
	live->callback.func = forget_executor;
	live->callback.arg = live;
	dlist_push_head(&executors, &live->node);
	MemoryContextRegisterResetCallback(query->estate->es_query_cxt,
									   &live->callback);
}

/*
 * Whether a portal is sending rows that it has stored: it has some, and what
 * made them is over.
 */
static bool
portal_sends(Portal portal)
{
	dlist_iter	iter;

	if (portal == NULL || portal->strategy == PORTAL_MULTI_QUERY ||
		portal->holdStore == NULL ||
		tuplestore_tuple_count(portal->holdStore) == 0)
		return false;
	dlist_foreach(iter, &executors)
	{
		if (dlist_container(LiveExecutor, node, iter.cur)->portal == portal)
			return false;
	}
	return true;
}

bool
tc_client_output_opens(void)
{
	if (likely(client_output == CLIENT_OUTPUT_SEALED))
		return false;
	if (am_walsender || HistoricSnapshotActive() ||
		whereToSendOutput != DestRemote || client_stores_rows())
		return false;
	return sending || (depth == 0 && portal_sends(ActivePortal));
}

int
tc_client_output_enter(void)
{
	return depth++;
}

void
tc_client_output_leave(int before)
{
	depth = before;
}

static bool
send_row(TupleTableSlot *slot, DestReceiver *self)
{
	DestReceiver *inner = ((SendingReceiver *) self)->inner;
	bool		more;

	/* an error in between is noticed in executor_run() */
	sending = true;
	more = inner->receiveSlot(slot, inner);
	sending = false;
	return more;
}

static void
send_startup(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	DestReceiver *inner = ((SendingReceiver *) self)->inner;

	inner->rStartup(inner, operation, typeinfo);
}

static void
send_shutdown(DestReceiver *self)
{
	DestReceiver *inner = ((SendingReceiver *) self)->inner;

	inner->rShutdown(inner);
}

static void
send_destroy(DestReceiver *self)
{
	/* on the stack of executor_run(); the inner one belongs to its maker */
}

static void
executor_start(QueryDesc *query, int eflags)
{
	int			before = tc_client_output_enter();

	AcceptInvalidationMessages();
	PG_TRY();
	{
		if (next_start != NULL)
			next_start(query, eflags);
		else
			standard_ExecutorStart(query, eflags);
		remember_executor(query);
	}
	PG_FINALLY();
	{
		tc_client_output_leave(before);
	}
	PG_END_TRY();
}

static void
executor_run(TC_EXECUTOR_RUN_PARAMS)
{
	DestReceiver *dest = query->dest;
	int			before = tc_client_output_enter();
	bool		was_sending = sending;
	SendingReceiver wrapper = {
		{send_row, send_startup, send_shutdown, send_destroy, dest->mydest}, dest
	};

	AcceptInvalidationMessages();
	sending = false;
	if (dest->mydest == DestRemote || dest->mydest == DestRemoteExecute)
		query->dest = &wrapper.pub;
	PG_TRY();
	{
		if (next_run != NULL)
			next_run(TC_EXECUTOR_RUN_ARGS);
		else
			standard_ExecutorRun(TC_EXECUTOR_RUN_ARGS);
	}
	PG_FINALLY();
	{
		query->dest = dest;
		sending = was_sending;
		tc_client_output_leave(before);
	}
	PG_END_TRY();
}

static void
executor_finish(QueryDesc *query)
{
	int			before = tc_client_output_enter();

	PG_TRY();
	{
		if (next_finish != NULL)
			next_finish(query);
		else
			standard_ExecutorFinish(query);
	}
	PG_FINALLY();
	{
		tc_client_output_leave(before);
	}
	PG_END_TRY();
}

void
tc_client_output_init(void)
{
	DefineCustomEnumVariable("themis_crypt.client_output",
							 "Shows encrypted columns to the client as plaintext.",
							 "Only where the role may use the key; SELECT, RETURNING, FETCH and EXECUTE, not COPY.",
							 &client_output,
							 CLIENT_OUTPUT_SEALED,
							 client_output_options,
							 PGC_USERSET, 0,
							 check_client_output, NULL, NULL);

	next_start = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
	next_run = ExecutorRun_hook;
	ExecutorRun_hook = executor_run;
	next_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = executor_finish;
}
