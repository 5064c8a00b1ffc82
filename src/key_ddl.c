/*-------------------------------------------------------------------------
 *
 * key_ddl.c
 *	  CREATE, ALTER and DROP SERVER for encryption keys.
 *
 * src/key_ddl.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_foreign_server.h"
#include "commands/extension.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/bufmgr.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "client_output.h"
#include "column_ddl.h"
#include "compat.h"
#include "guc.h"
#include "key_ddl.h"
#include "keycat.h"
#include "keymake.h"
#include "search_ddl.h"

static ProcessUtility_hook_type next_utility;
static object_access_hook_type next_object_access;

/*
 * What one of our functions is about to write.  Recognised by comparison and
 * not by a flag, because event triggers run their own statements inside.
 */
static AlterForeignServerStmt *announced;

/* Whether CREATE SERVER came with material, as from a dump. */
static bool restoring_key;

/* Keys that went with the statement that is running. */
static int	keys_dropped;

/* Whether a server belongs to our wrapper. */
static bool
server_is_ours(Oid serverid)
{
	HeapTuple	tuple;
	bool		ours;

	if (!OidIsValid(serverid))
		return false;
	tuple = SearchSysCache1(FOREIGNSERVEROID, ObjectIdGetDatum(serverid));
	if (!HeapTupleIsValid(tuple))
		return false;
	ours = ((Form_pg_foreign_server) GETSTRUCT(tuple))->srvfdw == tc_keycat_wrapper();
	ReleaseSysCache(tuple);
	return ours;
}

/* The server of ours with this name, or InvalidOid. */
static Oid
our_server(const char *name)
{
	Oid			serverid = get_foreign_server_oid(name, true);

	return server_is_ours(serverid) ? serverid : InvalidOid;
}

/* Names of roots are reserved, and "#" for ids in typmods. */
static void
refuse_reserved_name(const char *name)
{
	if (tc_name_is_root(name) || name[0] == '#')
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("encryption key name \"%s\" is reserved", name)));
}

static void
refuse_on_root(const char *name)
{
	if (tc_name_is_root(name) && OidIsValid(our_server(name)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("root of encryption keys \"%s\" cannot be changed by this statement",
						name)));
}

/* Who may write key material: a superuser, or the wrapper's owner. */
static void
require_material_right(void)
{
	if (superuser() || tc_owns_fdw(tc_keycat_wrapper(), GetUserId()))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to set key material"),
			 errdetail("Only a superuser or the owner of foreign-data wrapper \"%s\" may restore keys.",
					   TC_WRAPPER_NAME),
			 errhint("Leave out all options but \"algorithm\", \"index_algorithm\" and \"compression\" to make a new key.")));
}

/* Whether CREATE SERVER is ours to fill in; otherwise core has the word. */
static bool
wants_new_key(const CreateForeignServerStmt *stmt)
{
	/* exists already: core's error or notice */
	if (OidIsValid(get_foreign_server_oid(stmt->servername, true)))
		return false;
	/* core's permission error, before anything is made */
	return tc_fdw_usage_ok(tc_keycat_wrapper(), GetUserId());
}

/* Fill in or check CREATE SERVER; gives back the statement to execute. */
static CreateForeignServerStmt *
prepare_create(const CreateForeignServerStmt *stmt)
{
	CreateForeignServerStmt *copy;
	const char *unknown;
	const char *repeated;

	restoring_key = tc_keyopts_have_material(stmt->options);
	unknown = tc_keyopts_unknown(stmt->options);
	if (unknown != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("invalid option \"%s\"", unknown),
				 errhint("The options for a new encryption key are \"algorithm\", \"index_algorithm\" and \"compression\".")));
	if (restoring_key)
	{
		require_material_right();
		if (!OidIsValid(get_foreign_server_oid(stmt->servername, true)))
			tc_check_material(stmt->options, stmt->servername, InvalidOid);
		return unconstify(CreateForeignServerStmt *, stmt);
	}
	if (!wants_new_key(stmt))
		return unconstify(CreateForeignServerStmt *, stmt);

	/* core would say so, but does not see these options */
	repeated = tc_keyopts_repeated(stmt->options);
	if (repeated != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("option \"%s\" provided more than once", repeated)));
	PreventCommandIfReadOnly("CREATE SERVER");
	PreventCommandDuringRecovery("CREATE SERVER");

	refuse_reserved_name(stmt->servername);
	copy = copyObject(unconstify(CreateForeignServerStmt *, stmt));
	copy->options = tc_make_key(stmt->options);
	if (superuser())
		ereport(NOTICE,
				(errmsg("role \"%s\" is a superuser, and as the owner of encryption key \"%s\" may use it",
						GetUserNameFromId(GetUserId(), false), stmt->servername),
				 errhint("Let another role own keys, or REVOKE USAGE ON FOREIGN SERVER from the owner.")));
	return copy;
}

/* CREATE SERVER of any wrapper: ours are filled in, others leave our names. */
static CreateForeignServerStmt *
guard_create(CreateForeignServerStmt *stmt)
{
	if (!OidIsValid(tc_keycat_wrapper()))
		return stmt;
	if (strcmp(stmt->fdwname, TC_WRAPPER_NAME) != 0)
	{
		if (tc_name_is_root(stmt->servername))
			refuse_reserved_name(stmt->servername);
		return stmt;
	}

	/* pg_dump leaves out what belongs to an extension */
	if (creating_extension)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("encryption keys cannot be made by an extension"),
				 errdetail("A dump would hold the values, but not the key.")));
	return prepare_create(stmt);
}

static void
guard_membership(const AlterExtensionContentsStmt *stmt)
{
	if (stmt->objtype == OBJECT_FOREIGN_SERVER && stmt->action > 0 &&
		OidIsValid(our_server(strVal(stmt->object))))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("encryption key \"%s\" cannot belong to an extension",
						strVal(stmt->object)),
				 errdetail("A dump would hold the values, but not the key.")));
}

static void
guard_alter(const AlterForeignServerStmt *stmt)
{
	Oid			serverid = our_server(stmt->servername);
	bool		material = tc_keyopts_have_material(stmt->options);

	if (!OidIsValid(serverid) || stmt->options == NIL)
		return;
	if (announced != NULL && strcmp(announced->servername, stmt->servername) == 0 &&
		equal(announced->options, stmt->options))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("options of encryption key \"%s\" cannot be changed by ALTER SERVER",
					stmt->servername),
			 material ?
			 errdetail("They hold the key in wrapped form; a change would make values unreadable.") :
			 errdetail("How a key seals, compresses and makes tokens is chosen when it is made."),
			 material ? 0 :
			 errhint("Make another key, and move values to it with ALTER TABLE ... ALTER COLUMN ... TYPE encrypted(...).")));
}

static void
guard_grant(const GrantStmt *stmt)
{
	ListCell   *cell;

	if (stmt->objtype != OBJECT_FOREIGN_SERVER ||
		stmt->targtype != ACL_TARGET_OBJECT)
		return;
	foreach(cell, stmt->objects)
		refuse_on_root(strVal(lfirst(cell)));
}

/* Everything here finds the wrapper by its name. */
static void
refuse_on_wrapper(const char *name)
{
	if (strcmp(name, TC_WRAPPER_NAME) == 0 && OidIsValid(tc_keycat_wrapper()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("foreign-data wrapper \"%s\" cannot be changed", name)));
}

static void
guard_rename(const RenameStmt *stmt)
{
	if (stmt->renameType == OBJECT_FDW)
		refuse_on_wrapper(strVal(stmt->object));
	if (stmt->renameType != OBJECT_FOREIGN_SERVER ||
		!OidIsValid(tc_keycat_wrapper()))
		return;
	if (!OidIsValid(our_server(strVal(stmt->object))))
	{
		if (tc_name_is_root(stmt->newname))
			refuse_reserved_name(stmt->newname);
		return;
	}
	refuse_on_root(strVal(stmt->object));
	refuse_reserved_name(stmt->newname);
}

/* Nothing but keys belongs to our servers. */
static void
refuse_attachment(const char *servername, const char *what)
{
	if (OidIsValid(our_server(servername)))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("foreign server \"%s\" is an encryption key and has no %s",
						servername, what)));
}

/* Refuse what must not be done; gives back the statement to execute. */
static Node *
guard_statement(Node *stmt)
{
	switch (nodeTag(stmt))
	{
		case T_CreateForeignServerStmt:
			return (Node *) guard_create((CreateForeignServerStmt *) stmt);
		case T_CreateCastStmt:
			tc_column_ddl_refuse_cast((CreateCastStmt *) stmt);
			break;
		case T_CreateRangeStmt:
			tc_column_ddl_refuse_range((CreateRangeStmt *) stmt);
			break;
		case T_AlterExtensionContentsStmt:
			guard_membership((AlterExtensionContentsStmt *) stmt);
			break;
		case T_AlterForeignServerStmt:
			guard_alter((AlterForeignServerStmt *) stmt);
			break;
		case T_AlterFdwStmt:
			refuse_on_wrapper(((AlterFdwStmt *) stmt)->fdwname);
			break;
		case T_AlterTableStmt:
			tc_column_ddl_warn((AlterTableStmt *) stmt);
			break;
		case T_GrantStmt:
			guard_grant((GrantStmt *) stmt);
			break;
		case T_RenameStmt:
			guard_rename((RenameStmt *) stmt);
			break;
		case T_CreateUserMappingStmt:
			refuse_attachment(((CreateUserMappingStmt *) stmt)->servername,
							  "user mappings");
			break;
		case T_CreateForeignTableStmt:
			refuse_attachment(((CreateForeignTableStmt *) stmt)->servername,
							  "foreign tables");
			break;
		default:
			break;
	}
	return stmt;
}

/* Whether a COPY reads plaintext of encrypted columns. */
static bool
copies_plaintext(Node *stmt)
{
	CopyStmt   *copy = (CopyStmt *) stmt;

	return IsA(stmt, CopyStmt) && copy->is_from && copy->relation != NULL &&
		OidIsValid(tc_encrypted_type()) &&
		tc_relation_is_encrypted(RangeVarGetRelid(copy->relation, NoLock, true));
}

/* Keep the lines of such a COPY out of the server log, on errors of others. */
static void
hide_copy_lines(void *arg)
{
	errhidecontext(true);
}

static void
execute(PlannedStmt *planned, const char *query, bool read_only_tree,
		ProcessUtilityContext context, ParamListInfo params,
		QueryEnvironment *env, DestReceiver *dest, QueryCompletion *completion)
{
	if (next_utility != NULL)
		next_utility(planned, query, read_only_tree, context, params, env, dest,
					 completion);
	else
		standard_ProcessUtility(planned, query, read_only_tree, context, params,
								env, dest, completion);
}

static void
utility(PlannedStmt *planned, const char *query, bool read_only_tree,
		ProcessUtilityContext context, ParamListInfo params,
		QueryEnvironment *env, DestReceiver *dest, QueryCompletion *completion)
{
	Node	   *stmt = planned->utilityStmt;
	bool		in_transaction = IsTransactionState();
	Node	   *guarded = in_transaction ? guard_statement(stmt) : stmt;
	ErrorContextCallback hiding = {error_context_stack, hide_copy_lines, NULL};
	int			before;

	if (guarded != stmt)
	{
		planned = copyObject(planned);
		planned->utilityStmt = guarded;
	}
	if (in_transaction && copies_plaintext(stmt))
		error_context_stack = &hiding;
	before = tc_client_output_enter();
	if (before == 0)
	{
		tc_column_ddl_reset();
		keys_dropped = 0;
	}
	PG_TRY();
	{
		execute(planned, query, read_only_tree, context, params, env, dest,
				completion);
		if (IsA(stmt, CreateStmt))
			tc_column_ddl_created((CreateStmt *) stmt);
		else if (IsA(stmt, AlterTableStmt))
			tc_search_ddl_altered((AlterTableStmt *) stmt);
	}
	PG_FINALLY();
	{
		tc_client_output_leave(before);
	}
	PG_END_TRY();
	error_context_stack = hiding.previous;
}

/*
 * A server of ours is about to go, by DROP, CASCADE or DROP OWNED.  What it
 * says of itself is enough: one that is damaged can be dropped, too.
 */
static void
guard_drop(Oid serverid)
{
	ForeignServer *server = GetForeignServer(serverid);

	if (tc_keyopts_get(server->options, "id") == NULL)
		return;
	if (!tc_allow_drop_key)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("cannot drop encryption key \"%s\"", server->servername),
				 errdetail("Every value sealed under it, in backups too, would be unreadable for ever."),
				 errhint("If that is what you want, SET themis_crypt.allow_drop_key = on.")));
	if (tc_column_ddl_dropped() > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop encryption key \"%s\" together with what it encrypts",
						server->servername),
				 errdetail("CASCADE would drop tables or types with encrypted columns."),
				 errhint("Drop those columns or tables first.")));
	if (!tc_name_is_root(server->servername))
	{
		keys_dropped++;
		return;
	}
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be superuser to drop the root of encryption keys")));
	if (keys_dropped > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop the root of encryption keys together with keys"),
				 errhint("Drop the keys first, one by one.")));
}

/* The owner of a root has to be a superuser, after REASSIGN OWNED too. */
static void
check_root_owner(Oid serverid)
{
	ForeignServer *server = GetForeignServer(serverid);

	if (tc_name_is_root(server->servername) && !superuser_arg(server->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("root of encryption keys \"%s\" can be owned by superusers only",
						server->servername)));
}

/* Tables may have named a key by its id before it was restored. */
static void
adopt_columns(Oid serverid)
{
	TcKey	   *key = tc_key_by_server(serverid);

	if (key != NULL && !key->is_root)
		tc_column_ddl_adopt(key->id);
}

static void
object_access(ObjectAccessType access, Oid classid, Oid objectid, int subid,
			  void *arg)
{
	if (next_object_access != NULL)
		next_object_access(access, classid, objectid, subid, arg);
	if (classid != ForeignServerRelationId || !OidIsValid(tc_keycat_wrapper()))
		return;
	if (access == OAT_POST_CREATE || access == OAT_POST_ALTER)
	{
		/* the new row is not visible before this */
		CommandCounterIncrement();
		if (!server_is_ours(objectid))
			return;
		check_root_owner(objectid);
		if (access == OAT_POST_CREATE)
			tc_key_record_dependencies(objectid);
		if (access == OAT_POST_CREATE && restoring_key)
			adopt_columns(objectid);
	}
	else if (access == OAT_DROP && server_is_ours(objectid))
		guard_drop(objectid);
}

void
tc_key_ddl_init(void)
{
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = utility;
	next_object_access = object_access_hook;
	object_access_hook = object_access;
	tc_keymake_init();
}

/*
 * Lock the row of a server.  ALTER SERVER would fail ("tuple concurrently
 * updated") where another transaction changed the row after it was read: so
 * we wait for that one, and read again.
 */
static void
lock_row(const char *name)
{
	Relation	rel = table_open(ForeignServerRelationId, RowExclusiveLock);
	TM_Result	result = TM_Updated;

	while (result == TM_Updated)
	{
		HeapTuple	tuple;
		TM_FailureData failure;
		Buffer		buffer;

		CHECK_FOR_INTERRUPTS();
		AcceptInvalidationMessages();
		tuple = SearchSysCacheCopy1(FOREIGNSERVERNAME, CStringGetDatum(name));
		if (!HeapTupleIsValid(tuple))
			break;				/* ALTER SERVER will say so */
		result = heap_lock_tuple(rel, tuple, GetCurrentCommandId(true),
								 LockTupleExclusive, LockWaitBlock, false,
								 &buffer, &failure);
		ReleaseBuffer(buffer);
		heap_freetuple(tuple);
	}
	table_close(rel, NoLock);
}

void
tc_key_alter_options(const char *name, List *options)
{
	AlterForeignServerStmt *stmt = makeNode(AlterForeignServerStmt);
	PlannedStmt *planned = makeNode(PlannedStmt);
	AlterForeignServerStmt *before = announced;

	stmt->servername = pstrdup(name);
	stmt->options = options;
	planned->commandType = CMD_UTILITY;
	planned->utilityStmt = (Node *) copyObject(stmt);
	planned->stmt_location = -1;

	lock_row(name);
	announced = stmt;
	PG_TRY();
	{
		ProcessUtility(planned, "ALTER SERVER", false, PROCESS_UTILITY_SUBCOMMAND,
					   NULL, NULL, None_Receiver, NULL);
	}
	PG_FINALLY();
	{
		announced = before;
	}
	PG_END_TRY();
	CommandCounterIncrement();
}

void
tc_key_set_record(const char *name, TcSpan record)
{
	DefElem    *option;

	option = makeDefElem(pstrdup("record"),
						 (Node *) makeString(tc_keyopts_base64(record)), -1);
	option->defaction = DEFELEM_SET;
	tc_key_alter_options(name, list_make1(option));
}
