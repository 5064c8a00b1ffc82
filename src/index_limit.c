/*-------------------------------------------------------------------------
 *
 * index_limit.c
 *	  A hint for values that are too long for a btree index.
 *
 * The error is raised while buffers are locked: no catalog can be read then.
 * It mostly names the index.  In the executor that is open, and says of which
 * types its keys are; of a utility statement it is looked up before.
 *
 * src/index_limit.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "parser/parse_type.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "column_ddl.h"
#include "compat.h"
#include "index_limit.h"

static ExecutorRun_hook_type next_run;
static ProcessUtility_hook_type next_utility;

/* The indexes that a utility statement may fill with encrypted keys. */
typedef struct Filled
{
	bool		any;			/* whatever index the error names */
	List	   *names;
} Filled;

static bool
starts_with(const char *str, const char *start)
{
	return str != NULL && strncmp(str, start, strlen(start)) == 0;
}

/*
 * The name of the index whose limit the error at hand is about, palloc'd; empty
 * if the error does not say.  NULL for other errors.
 */
static char *
index_at_limit(void)
{
	MemoryContext old;
	ErrorData  *error;
	char	   *name = NULL;

	if (geterrcode() != ERRCODE_PROGRAM_LIMIT_EXCEEDED)
		return NULL;
	old = MemoryContextSwitchTo(CurTransactionContext);
	error = CopyErrorData();
	if (starts_with(error->message_id, "index row size ") ||
		starts_with(error->message_id, "index row requires "))
		name = pstrdup(error->constraint_name != NULL ? error->constraint_name : "");
	FreeErrorData(error);
	MemoryContextSwitchTo(old);
	return name;
}

static bool
is_named(const char *index, const char *name)
{
	return index[0] == '\0' || strcmp(index, name) == 0;
}

static void
give_hint(void)
{
	errhint("Values larger than 1/3 of a buffer page cannot be indexed by btree.\n"
			"Index a searchable column USING hash, or make it unique with EXCLUDE USING hash (column WITH =).");
}

/* Whether an open index is a btree with an encrypted key. */
static bool
has_encrypted_key(Relation index)
{
	if (index->rd_rel->relam != BTREE_AM_OID)
		return false;
	for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
	{
		if (index->rd_opcintype[i] == tc_known_encrypted_type())
			return true;
	}
	return false;
}

static bool
any_has_encrypted_key(List *results, const char *name)
{
	ListCell   *cell;

	foreach(cell, results)
	{
		ResultRelInfo *result = lfirst(cell);

		for (int i = 0; i < result->ri_NumIndices; i++)
		{
			Relation	index = result->ri_IndexRelationDescs[i];

			if (index != NULL && is_named(name, RelationGetRelationName(index)) &&
				has_encrypted_key(index))
				return true;
		}
	}
	return false;
}

static void hint_in_executor(void *arg);
static void hint_in_utility(void *arg);

/* Whether no statement of ours runs inside this one, as of a trigger. */
static bool
is_innermost(void *arg, void (*self) (void *))
{
	ErrorContextCallback *callback = error_context_stack;

	while (callback->arg != arg || callback->callback != self)
	{
		if (callback->callback == hint_in_executor ||
			callback->callback == hint_in_utility)
			return false;
		callback = callback->previous;
	}
	return true;
}

static void
hint_in_executor(void *arg)
{
	EState	   *estate = ((QueryDesc *) arg)->estate;
	char	   *name = index_at_limit();

	if (name == NULL)
		return;
	if (is_innermost(arg, hint_in_executor) &&
		(any_has_encrypted_key(estate->es_opened_result_relations, name) ||
		 any_has_encrypted_key(estate->es_tuple_routing_result_relations, name)))
		give_hint();
	pfree(name);
}

static void
hint_in_utility(void *arg)
{
	Filled	   *filled = arg;
	char	   *name = index_at_limit();
	bool		is_ours;
	ListCell   *cell;

	if (name == NULL)
		return;
	is_ours = filled->any;
	foreach(cell, filled->names)
		is_ours |= is_named(name, lfirst(cell));
	if (is_ours && is_innermost(arg, hint_in_utility))
		give_hint();
	pfree(name);
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

static bool
is_encrypted(Oid typid)
{
	return OidIsValid(typid) && getBaseType(typid) == tc_encrypted_type();
}

/* The names of a relation's indexes with encrypted keys. */
static List *
encrypted_indexes(Oid relid)
{
	Relation	rel = table_open(IndexRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	List	   *names = NIL;

	ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, IndexIndrelidIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_index index = (Form_pg_index) GETSTRUCT(tuple);

		for (int i = 1; i <= index->indnkeyatts; i++)
		{
			if (is_encrypted(get_atttype(index->indexrelid, (AttrNumber) i)))
				names = lappend(names, get_rel_name(index->indexrelid));
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return names;
}

static bool
is_encrypted_column(Oid relid, const char *name)
{
	return is_encrypted(get_atttype(relid, get_attnum(relid, name)));
}

/* Whether CREATE INDEX is about an encrypted column, or may be. */
static bool
indexes_encrypted(const IndexStmt *stmt, Oid relid)
{
	ListCell   *cell;

	foreach(cell, stmt->indexParams)
	{
		IndexElem  *elem = lfirst_node(IndexElem, cell);

		if (elem->name != NULL ? is_encrypted_column(relid, elem->name) :
			tc_relation_is_encrypted(relid))
			return true;
	}
	return false;
}

/* Whether ALTER TABLE encrypts a column, or makes an index of such a one. */
static bool
alters_encrypted(const AlterTableStmt *stmt, Oid relid)
{
	ListCell   *cell;
	ListCell   *key;

	foreach(cell, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, cell);

		if (cmd->subtype == AT_AlterColumnType)
		{
			TypeName   *name = castNode(ColumnDef, cmd->def)->typeName;

			if (is_encrypted(LookupTypeNameOid(NULL, name, true)))
				return true;
		}
		else if (cmd->subtype == AT_AddConstraint)
		{
			foreach(key, castNode(Constraint, cmd->def)->keys)
			{
				if (is_encrypted_column(relid, strVal(lfirst(key))))
					return true;
			}
		}
	}
	return false;
}

static Filled
look_up_filled(Node *stmt)
{
	Filled		filled = {false, NIL};
	RangeVar   *relation = NULL;
	Oid			relid;

	if (IsA(stmt, CopyStmt) && ((CopyStmt *) stmt)->is_from)
		relation = ((CopyStmt *) stmt)->relation;
	else if (IsA(stmt, IndexStmt))
		relation = ((IndexStmt *) stmt)->relation;
	else if (IsA(stmt, AlterTableStmt))
		relation = ((AlterTableStmt *) stmt)->relation;
	else if (IsA(stmt, RefreshMatViewStmt))
		relation = ((RefreshMatViewStmt *) stmt)->relation;
	if (relation == NULL || !OidIsValid(tc_encrypted_type()))
		return filled;
	relid = RangeVarGetRelid(relation, NoLock, true);
	if (!OidIsValid(relid))
		return filled;
	if (IsA(stmt, IndexStmt))
		filled.any = indexes_encrypted((IndexStmt *) stmt, relid);
	else if (IsA(stmt, AlterTableStmt))
		filled.any = alters_encrypted((AlterTableStmt *) stmt, relid);
	else if (tc_relation_is_encrypted(relid))
		filled.names = encrypted_indexes(relid);

	/* an index of a partition has a name of its own */
	if (filled.names != NIL && get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
		filled.any = true;
	return filled;
}

static void
utility(PlannedStmt *planned, const char *query, bool read_only_tree,
		ProcessUtilityContext context, ParamListInfo params,
		QueryEnvironment *env, DestReceiver *dest, QueryCompletion *completion)
{
	Filled		filled = look_up_filled(planned->utilityStmt);
	ErrorContextCallback callback = {error_context_stack, hint_in_utility, &filled};

	if (filled.any || filled.names != NIL)
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
