/*-------------------------------------------------------------------------
 *
 * index_limit.c
 *	  A hint for values that are too long for a btree index.
 *
 * The error is raised while buffers are locked, so whether encrypted columns
 * are concerned must be known by then, or be seen without a catalog.
 *
 * src/index_limit.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "column_ddl.h"
#include "compat.h"
#include "index_limit.h"

static ExecutorRun_hook_type next_run;
static ProcessUtility_hook_type next_utility;

/* Whether the error at hand is about the size of an index entry. */
static bool
is_about_size(void)
{
	MemoryContext old;
	ErrorData  *error;
	const char *id;
	bool		is;

	if (geterrcode() != ERRCODE_PROGRAM_LIMIT_EXCEEDED)
		return false;
	old = MemoryContextSwitchTo(CurTransactionContext);
	error = CopyErrorData();
	id = error->message_id != NULL ? error->message_id : "";
	is = strncmp(id, "index row size ", strlen("index row size ")) == 0 ||
		strncmp(id, "index row requires ", strlen("index row requires ")) == 0;
	FreeErrorData(error);
	MemoryContextSwitchTo(old);
	return is;
}

static void
give_hint(void)
{
	errhint("Values larger than 1/3 of a buffer page cannot be indexed by btree.\n"
			"Index a searchable column USING hash, or make it unique with EXCLUDE USING hash (column WITH =).");
}

static bool
has_encrypted_column(Relation rel)
{
	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		if (TupleDescAttr(RelationGetDescr(rel), i)->atttypid == tc_known_encrypted_type())
			return true;
	}
	return false;
}

static bool
any_has_encrypted_column(List *results)
{
	ListCell   *cell;

	foreach(cell, results)
	{
		if (has_encrypted_column(((ResultRelInfo *) lfirst(cell))->ri_RelationDesc))
			return true;
	}
	return false;
}

static void
hint_in_executor(void *arg)
{
	EState	   *estate = ((QueryDesc *) arg)->estate;

	if (is_about_size() &&
		(any_has_encrypted_column(estate->es_opened_result_relations) ||
		 any_has_encrypted_column(estate->es_tuple_routing_result_relations)))
		give_hint();
}

static void
hint_in_utility(void *arg)
{
	if (is_about_size())
		give_hint();
}

static void
executor_run(TC_EXECUTOR_RUN_PARAMS)
{
	ErrorContextCallback callback = {error_context_stack, hint_in_executor, query};

	error_context_stack = &callback;
	if (next_run != NULL)
		next_run(TC_EXECUTOR_RUN_ARGS);
	else
		standard_ExecutorRun(TC_EXECUTOR_RUN_ARGS);
	error_context_stack = callback.previous;
}

/* Whether a statement may put entries of encrypted columns into indexes. */
static bool
fills_indexes(Node *stmt)
{
	RangeVar   *relation = NULL;
	Oid			relid;

	if (IsA(stmt, CopyStmt) && ((CopyStmt *) stmt)->is_from)
		relation = ((CopyStmt *) stmt)->relation;
	else if (IsA(stmt, IndexStmt))
		relation = ((IndexStmt *) stmt)->relation;
	else if (IsA(stmt, AlterTableStmt))
		relation = ((AlterTableStmt *) stmt)->relation;
	if (relation == NULL || !OidIsValid(tc_encrypted_type()))
		return false;
	relid = RangeVarGetRelid(relation, NoLock, true);
	return OidIsValid(relid) && tc_relation_is_encrypted(relid);
}

static void
utility(PlannedStmt *planned, const char *query, bool read_only_tree,
		ProcessUtilityContext context, ParamListInfo params,
		QueryEnvironment *env, DestReceiver *dest, QueryCompletion *completion)
{
	ErrorContextCallback callback = {error_context_stack, hint_in_utility, NULL};

	if (fills_indexes(planned->utilityStmt))
		error_context_stack = &callback;
	if (next_utility != NULL)
		next_utility(planned, query, read_only_tree, context, params, env, dest,
					 completion);
	else
		standard_ProcessUtility(planned, query, read_only_tree, context, params,
								env, dest, completion);
	error_context_stack = callback.previous;
}

void
tc_index_limit_init(void)
{
	next_run = ExecutorRun_hook;
	ExecutorRun_hook = executor_run;
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = utility;
}
