/*-------------------------------------------------------------------------
 *
 * column_ddl.c
 *	  Encrypted columns: each names its key, and holds on to it.
 *
 * The hook runs in the middle of a command, so catalogs are read with
 * SnapshotSelf: what this command has written counts.
 *
 * src/column_ddl.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "parser/parse_type.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "column_ddl.h"
#include "compat.h"
#include "keycat.h"
#include "search_ddl.h"
#include "stored_expr.h"
#include "typeparts.h"
#include "typmod.h"

static object_access_hook_type next_object_access;
static int	dropped;

/* Our type and its array type, looked up once until types change. */
static Oid	encrypted_type;
static Oid	encrypted_array;
static bool types_known;

static void
types_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	types_known = false;
}

static void
look_up_types(void)
{
	if (types_known)
		return;
	types_known = true;
	encrypted_type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									 CStringGetDatum("encrypted"),
									 ObjectIdGetDatum(PG_CATALOG_NAMESPACE));
	encrypted_array = OidIsValid(encrypted_type) ?
		get_array_type(encrypted_type) : InvalidOid;
}

Oid
tc_encrypted_type(void)
{
	look_up_types();
	return encrypted_type;
}

Oid
tc_known_encrypted_type(void)
{
	return encrypted_type;
}

bool
tc_type_is_encrypted(Oid typid)
{
	look_up_types();
	return OidIsValid(typid) &&
		(typid == encrypted_type || typid == encrypted_array);
}

bool
tc_relation_is_encrypted(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	int			natts;

	if (!HeapTupleIsValid(tuple))
		return false;
	natts = ((Form_pg_class) GETSTRUCT(tuple))->relnatts;
	ReleaseSysCache(tuple);
	for (int attnum = 1; attnum <= natts; attnum++)
	{
		Oid			typid = get_atttype(relid, (AttrNumber) attnum);

		/* of a dropped column it is 0 */
		if (OidIsValid(typid) && tc_type_is_encrypted(getBaseType(typid)))
			return true;
	}
	return false;
}

static void
refuse_keyless(const char *kind, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("%s \"%s\" of type encrypted has no encryption key", kind, name),
			 errhint("Write encrypted(key) or encrypted(key, type).")));
}

/* The server of a typmod's key, or InvalidOid if it does not exist here. */
static Oid
server_of(int32 typmod)
{
	TcKey	   *key = tc_key_by_id(tc_typmod_key_id(typmod));

	return key != NULL && !key->is_root ? key->serverid : InvalidOid;
}

/*
 * The servers that a relation's columns need, but for column "except";
 * refuses columns without a key.
 */
static List *
servers_of_columns(Oid relid, int except)
{
	Relation	rel = table_open(AttributeRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	List	   *servers = NIL;

	ScanKeyInit(&key, Anum_pg_attribute_attrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, AttributeRelidNumIndexId, true, SnapshotSelf,
							  1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_attribute att = (Form_pg_attribute) GETSTRUCT(tuple);

		if (att->attnum <= 0 || att->attisdropped || att->attnum == except ||
			!tc_type_is_encrypted(att->atttypid))
			continue;
		if (att->atttypmod < 0)
			refuse_keyless("column", NameStr(att->attname));
		servers = list_append_unique_oid(servers, server_of(att->atttypmod));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return list_delete_oid(servers, InvalidOid);
}

/* The servers of ours that an object depends on by now. */
static List *
recorded_servers(Oid classid, Oid objid)
{
	Oid			wrapper = tc_keycat_wrapper();
	Relation	rel = table_open(DependRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData keys[2];
	HeapTuple	tuple;
	List	   *servers = NIL;
	List	   *ours = NIL;
	ListCell   *cell;

	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(classid));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(objid));
	scan = systable_beginscan(rel, DependDependerIndexId, true, SnapshotSelf,
							  2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend depend = (Form_pg_depend) GETSTRUCT(tuple);

		if (depend->refclassid == ForeignServerRelationId && depend->objsubid == 0)
			servers = list_append_unique_oid(servers, depend->refobjid);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);

	/* a foreign table has its own server there, too */
	foreach(cell, servers)
	{
		HeapTuple	server = SearchSysCache1(FOREIGNSERVEROID,
											 ObjectIdGetDatum(lfirst_oid(cell)));

		if (!HeapTupleIsValid(server))
			continue;
		if (((Form_pg_foreign_server) GETSTRUCT(server))->srvfdw == wrapper)
			ours = lappend_oid(ours, lfirst_oid(cell));
		ReleaseSysCache(server);
	}
	list_free(servers);
	return ours;
}

/* Make the recorded dependencies those that are needed. */
static void
update_dependencies(Oid classid, Oid objid, List *needed)
{
	List	   *recorded = recorded_servers(classid, objid);
	ObjectAddress object;
	ListCell   *cell;

	ObjectAddressSet(object, classid, objid);
	foreach(cell, recorded)
	{
		if (!list_member_oid(needed, lfirst_oid(cell)))
			deleteDependencyRecordsForSpecific(classid, objid, DEPENDENCY_NORMAL,
											   ForeignServerRelationId,
											   lfirst_oid(cell));
	}
	foreach(cell, needed)
	{
		ObjectAddress server;

		ObjectAddressSet(server, ForeignServerRelationId, lfirst_oid(cell));
		if (list_member_oid(recorded, lfirst_oid(cell)))
			continue;

		/* whoever is dropping the key is waited for */
		LockDatabaseObject(ForeignServerRelationId, lfirst_oid(cell), 0,
						   AccessShareLock);
		if (!SearchSysCacheExists1(FOREIGNSERVEROID,
								   ObjectIdGetDatum(lfirst_oid(cell))))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("encryption key was concurrently dropped")));
		recordDependencyOn(&object, &server, DEPENDENCY_NORMAL);
	}
}

/* The kind of a relation, as this command sees it; 0 if there is none. */
static char
relation_kind(Oid relid)
{
	Relation	rel = table_open(RelationRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	char		kind = 0;

	ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, ClassOidIndexId, true, SnapshotSelf, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		kind = ((Form_pg_class) GETSTRUCT(tuple))->relkind;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return kind;
}

/*
 * A relation was made or altered, or column "except" is about to go.
 * "internal": not as a statement said, but as a part of it.
 */
static void
check_relation(Oid relid, int except, bool internal)
{
	switch (relation_kind(relid))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_FOREIGN_TABLE:
		case RELKIND_COMPOSITE_TYPE:
		case RELKIND_MATVIEW:
			update_dependencies(RelationRelationId, relid,
								servers_of_columns(relid, except));
			break;
		case RELKIND_VIEW:
			/* stores nothing, but may have been a table */
			update_dependencies(RelationRelationId, relid, NIL);
			break;
		case RELKIND_INDEX:
		case RELKIND_PARTITIONED_INDEX:
			tc_search_ddl_index(relid, internal);
			break;
		default:
			break;
	}
}

/* The servers of the keys that an expression's casts name. */
static List *
servers_of_typmods(List *typmods)
{
	List	   *servers = NIL;
	ListCell   *cell;

	foreach(cell, typmods)
		servers = list_append_unique_oid(servers, server_of(lfirst_int(cell)));
	return list_delete_oid(servers, InvalidOid);
}

/* A type was made or altered: a domain must name its key, too. */
static void
check_type(Oid typid)
{
	Relation	rel = table_open(TypeRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_type_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(typid));
	scan = systable_beginscan(rel, TypeOidIndexId, true, SnapshotSelf, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_type type = (Form_pg_type) GETSTRUCT(tuple);

		if (type->typtype == TYPTYPE_DOMAIN && tc_type_is_encrypted(type->typbasetype))
		{
			Oid			server;

			if (type->typtypmod < 0)
				refuse_keyless("domain", NameStr(type->typname));
			server = server_of(type->typtypmod);
			update_dependencies(TypeRelationId, typid, OidIsValid(server) ?
								list_make1_oid(server) : NIL);
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

static void
object_access(ObjectAccessType access, Oid classid, Oid objectid, int subid,
			  void *arg)
{
	List	   *typmods;

	if (next_object_access != NULL)
		next_object_access(access, classid, objectid, subid, arg);
	if (access != OAT_POST_CREATE && access != OAT_POST_ALTER && access != OAT_DROP)
		return;
	if (!IsTransactionState() || IsBootstrapProcessingMode() ||
		!OidIsValid(tc_encrypted_type()))
		return;

	if (access == OAT_DROP)
	{
		if (classid == RelationRelationId && subid > 0)
			check_relation(objectid, subid, false);
		else if ((classid == RelationRelationId || classid == TypeRelationId) &&
				 recorded_servers(classid, objectid) != NIL)
			dropped++;
		return;
	}
	if (classid == RelationRelationId)
		check_relation(objectid, 0, access == OAT_POST_CREATE && arg != NULL &&
					   ((ObjectAccessPostCreate *) arg)->is_internal);
	else if (classid == TypeRelationId)
		check_type(objectid);
	else if (classid == ConstraintRelationId)
		tc_search_ddl_constraint(objectid);
	typmods = tc_stored_expr_check(classid, objectid, subid);

	/* pg_dump writes functions before servers unless it is told */
	if (classid == ProcedureRelationId)
		update_dependencies(classid, objectid, servers_of_typmods(typmods));
}

void
tc_column_ddl_created(const CreateStmt *stmt)
{
	Oid			relid;

	if (stmt->partspec == NULL || !OidIsValid(tc_encrypted_type()))
		return;

	/* a temporary table of this name would be found before the new one */
	relid = get_relname_relid(stmt->relation->relname,
							  RangeVarGetCreationNamespace(stmt->relation));
	if (get_rel_relkind(relid) != RELKIND_PARTITIONED_TABLE)
		return;					/* IF NOT EXISTS, and something else does */
	(void) tc_stored_expr_check(PartitionedRelationId, relid, 0);
	tc_search_ddl_partitioned(relid);
}

void
tc_column_ddl_adopt(uint32 key_id)
{
	Relation	rel = table_open(AttributeRelationId, AccessShareLock);
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *relids = NIL;
	ListCell   *cell;

	scan = systable_beginscan(rel, InvalidOid, false, SnapshotSelf, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_attribute att = (Form_pg_attribute) GETSTRUCT(tuple);

		if (att->attnum > 0 && !att->attisdropped && att->atttypmod >= 0 &&
			tc_typmod_key_id(att->atttypmod) == key_id &&
			tc_type_is_encrypted(att->atttypid))
			relids = list_append_unique_oid(relids, att->attrelid);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	foreach(cell, relids)
		check_relation(lfirst_oid(cell), 0, false);
}

/* Whether a type name stands for our type, an array or a domain of it. */
static bool
names_encrypted(const TypeName *name)
{
	Type		type = LookupTypeName(NULL, name, NULL, true);
	bool		ours;

	if (type == NULL)
		return false;
	ours = tc_type_is_encrypted(getBaseType(typeTypeId(type)));
	ReleaseSysCache(type);
	return ours;
}

void
tc_column_ddl_refuse_cast(const CreateCastStmt *stmt)
{
	if (creating_extension || IsBinaryUpgrade ||
		!OidIsValid(tc_encrypted_type()))
		return;
	if (names_encrypted(stmt->sourcetype) || names_encrypted(stmt->targettype))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot create a cast from or to type encrypted"),
				 errdetail("It would be a way around the key of a column.")));
}

void
tc_column_ddl_refuse_range(const CreateRangeStmt *stmt)
{
	ListCell   *cell;

	if (!OidIsValid(tc_encrypted_type()))
		return;
	foreach(cell, stmt->params)
	{
		DefElem    *def = lfirst_node(DefElem, cell);

		if (strcmp(def->defname, "subtype") == 0 && def->arg != NULL &&
			tc_type_has_encrypted(typenameTypeId(NULL, defGetTypeName(def))))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot create a range of type encrypted"),
					 errdetail("Sealed values have no order.")));
	}
}

void
tc_column_ddl_warn(const AlterTableStmt *stmt)
{
	Oid			relid;
	ListCell   *cell;

	if (!OidIsValid(tc_encrypted_type()))
		return;
	relid = RangeVarGetRelid(stmt->relation, NoLock, true);
	foreach(cell, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, cell);
		AttrNumber	attnum;
		Type		type;

		if (cmd->subtype != AT_AlterColumnType || !OidIsValid(relid))
			continue;
		attnum = get_attnum(relid, cmd->name);
		type = LookupTypeName(NULL, castNode(ColumnDef, cmd->def)->typeName,
							  NULL, true);
		if (type == NULL)
			continue;
		if (attnum != InvalidAttrNumber && tc_type_has_encrypted(typeTypeId(type)) &&
			!tc_type_has_encrypted(get_atttype(relid, attnum)))
			ereport(NOTICE,
					(errmsg("plaintext of column \"%s\" remains in the WAL, in backups, and on disk until overwritten",
							cmd->name)));
		ReleaseSysCache(type);
	}
}

int
tc_column_ddl_dropped(void)
{
	return dropped;
}

void
tc_column_ddl_reset(void)
{
	dropped = 0;
}

void
tc_column_ddl_init(void)
{
	next_object_access = object_access_hook;
	object_access_hook = object_access;
	CacheRegisterSyscacheCallback(TYPENAMENSP, types_changed, (Datum) 0);
}
