/*-------------------------------------------------------------------------
 *
 * search_ddl.c
 *	  Where equality of a column is relied upon: indexes, keys, partitions.
 *
 * src/search_ddl.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "column_ddl.h"
#include "compat.h"
#include "search_ddl.h"
#include "typeparts.h"
#include "typmod.h"

/* Name, base type and its modifier of a column, as this command sees them. */
typedef struct Column
{
	NameData	name;
	Oid			typid;
	int32		typmod;
} Column;

static Column
column_of(Oid relid, AttrNumber attnum)
{
	Relation	rel = table_open(AttributeRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData keys[2];
	HeapTuple	tuple;
	Column		column = {.typid = InvalidOid, .typmod = -1};

	ScanKeyInit(&keys[0], Anum_pg_attribute_attrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_pg_attribute_attnum, BTEqualStrategyNumber,
				F_INT2EQ, Int16GetDatum(attnum));
	scan = systable_beginscan(rel, AttributeRelidNumIndexId, true, SnapshotSelf,
							  2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_attribute att = (Form_pg_attribute) GETSTRUCT(tuple);

		column.name = att->attname;
		column.typmod = att->atttypmod;
		column.typid = getBaseTypeAndTypmod(att->atttypid, &column.typmod);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return column;
}

/*
 * 0A000 unless a column, or an expression if "name" is NULL, can be told equal,
 * which "purpose" needs.  "rebuilt": for an index that has been there before.
 */
static void
require_equality(const char *name, Oid typid, int32 typmod, const char *purpose,
				 bool rebuilt)
{
	if (tc_type_has_equality(typid, typmod, &typmod))
		return;
	if (typmod < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("expression of type encrypted without a key cannot be used in %s",
						purpose),
				 errhint("Its type must be a domain over encrypted(key, type, searchable).")));
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 name != NULL ?
			 errmsg("column \"%s\" is not searchable and cannot be used in %s",
					name, purpose) :
			 errmsg("expression is not searchable and cannot be used in %s", purpose),
			 rebuilt ?
			 errhint("Drop its indexes and keys first, or make its type %s.",
					 tc_typmod_searchable(typmod)) :
			 errhint("Its type must be %s.", tc_typmod_searchable(typmod))));
}

void
tc_search_ddl_index(Oid indexid, bool rebuilt)
{
	Relation	rel = table_open(IndexRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_index_indexrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(indexid));
	scan = systable_beginscan(rel, IndexRelidIndexId, true, SnapshotSelf, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_index index = (Form_pg_index) GETSTRUCT(tuple);

		/* included columns are only stored */
		for (int i = 0; i < index->indnkeyatts; i++)
		{
			AttrNumber	attnum = index->indkey.values[i];
			Column		column = attnum != 0 ?
				column_of(index->indrelid, attnum) :
				column_of(indexid, (AttrNumber) (i + 1));

			require_equality(attnum != 0 ? NameStr(column.name) : NULL,
							 column.typid, column.typmod, "an index or key",
							 rebuilt);
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/* The column numbers in one of pg_constraint's arrays. */
static int
column_numbers(HeapTuple tuple, Relation rel, AttrNumber attnum,
			   int16 *ret_numbers)
{
	bool		isnull;
	Datum		datum = heap_getattr(tuple, attnum, RelationGetDescr(rel), &isnull);
	ArrayType  *array;
	int			n;

	if (isnull)
		return 0;
	array = DatumGetArrayTypeP(datum);
	n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (n > INDEX_MAX_KEYS)
		elog(ERROR, "a foreign key has too many columns");
	memcpy(ret_numbers, ARR_DATA_PTR(array), n * sizeof(int16));
	return n;
}

/*
 * Whether a key changed is told by bytes there, and an equal value that was
 * sealed anew has others: references to it would be lost.
 */
static void
refuse_losing_references(Form_pg_constraint con)
{
	if (con->confupdtype != FKCONSTR_ACTION_SETNULL &&
		con->confupdtype != FKCONSTR_ACTION_SETDEFAULT)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("foreign key constraint \"%s\" cannot be implemented",
					NameStr(con->conname)),
			 errdetail("Writing an equal value to an encrypted key column would set the columns that reference it."),
			 errhint("Use ON UPDATE CASCADE or NO ACTION.")));
}

/* Both ends of a foreign key must have tokens that can be equal. */
static void
check_foreign_key(HeapTuple tuple, Relation rel)
{
	Form_pg_constraint con = (Form_pg_constraint) GETSTRUCT(tuple);
	int16		from[INDEX_MAX_KEYS];
	int16		to[INDEX_MAX_KEYS];
	int			n = column_numbers(tuple, rel, Anum_pg_constraint_conkey, from);

	if (column_numbers(tuple, rel, Anum_pg_constraint_confkey, to) != n)
		elog(ERROR, "a foreign key has other columns than its target");
	for (int i = 0; i < n; i++)
	{
		Column		a = column_of(con->conrelid, from[i]);
		Column		b = column_of(con->confrelid, to[i]);

		if (!tc_type_has_encrypted(a.typid) && !tc_type_has_encrypted(b.typid))
			continue;
		refuse_losing_references(con);
		if (a.typid == b.typid && a.typmod == b.typmod)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("foreign key constraint \"%s\" cannot be implemented",
						NameStr(con->conname)),
				 errdetail("Key columns \"%s\" and \"%s\" are of incompatible types: %s and %s.",
						   NameStr(a.name), NameStr(b.name),
						   format_type_with_typemod(a.typid, a.typmod),
						   format_type_with_typemod(b.typid, b.typmod)),
				 errhint("Both must have the same key and plaintext type, and be searchable.")));
	}
}

void
tc_search_ddl_constraint(Oid conid)
{
	Relation	rel = table_open(ConstraintRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_constraint_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(conid));
	scan = systable_beginscan(rel, ConstraintOidIndexId, true, SnapshotSelf, 1,
							  &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple) &&
		((Form_pg_constraint) GETSTRUCT(tuple))->contype == CONSTRAINT_FOREIGN)
		check_foreign_key(tuple, rel);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

void
tc_search_ddl_partitioned(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	PartitionKey key = RelationGetPartitionKey(rel);

	for (int i = 0; key != NULL && i < key->partnatts; i++)
	{
		AttrNumber	attnum = key->partattrs[i];
		int32		typmod = key->parttypmod[i];
		Oid			typid = getBaseTypeAndTypmod(key->parttypid[i], &typmod);

		if (key->strategy == PARTITION_STRATEGY_RANGE &&
			tc_type_has_encrypted(typid))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					 errmsg("encrypted columns cannot be partitioned by range"),
					 errdetail("Sealed values have no order."),
					 errhint("Partition a searchable column by HASH or LIST.")));
		require_equality(attnum != 0 ?
						 NameStr(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attname) :
						 NULL, typid, typmod, "a partition key", false);
	}
	table_close(rel, NoLock);
}

/* Whether columns or types are made of a row type, but for its array type. */
static bool
is_used(Oid rowtype)
{
	Relation	rel = table_open(DependRelationId, AccessShareLock);
	Oid			types[2] = {rowtype, get_array_type(rowtype)};
	bool		used = false;

	for (int i = 0; i < 2 && !used; i++)
	{
		SysScanDesc scan;
		ScanKeyData keys[2];
		HeapTuple	tuple;

		ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber,
					F_OIDEQ, ObjectIdGetDatum(TypeRelationId));
		ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber,
					F_OIDEQ, ObjectIdGetDatum(types[i]));
		scan = systable_beginscan(rel, DependReferenceIndexId, true, NULL, 2, keys);
		while (!used && HeapTupleIsValid(tuple = systable_getnext(scan)))
		{
			Form_pg_depend depend = (Form_pg_depend) GETSTRUCT(tuple);

			used = depend->classid == RelationRelationId ||
				(depend->classid == TypeRelationId && depend->objid != types[1]);
		}
		systable_endscan(scan);
	}
	table_close(rel, AccessShareLock);
	return used;
}

static void
check_all_indexes(void)
{
	Relation	rel = table_open(IndexRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	List	   *indexes = NIL;
	ListCell   *cell;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		indexes = lappend_oid(indexes, ((Form_pg_index) GETSTRUCT(tuple))->indexrelid);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	foreach(cell, indexes)
		tc_search_ddl_index(lfirst_oid(cell), true);
	list_free(indexes);
}

void
tc_search_ddl_altered(const AlterTableStmt *stmt)
{
	Oid			relid;
	Oid			rowtype;
	ListCell   *cell;
	int32		typmod;
	bool		grows = false;

	foreach(cell, stmt->cmds)
		grows |= lfirst_node(AlterTableCmd, cell)->subtype == AT_AddColumn;
	if (!grows || !OidIsValid(tc_encrypted_type()))
		return;
	relid = RangeVarGetRelid(stmt->relation, NoLock, true);
	if (!OidIsValid(relid))
		return;
	rowtype = get_rel_type_id(relid);
	if (OidIsValid(rowtype) && !tc_type_has_equality(rowtype, -1, &typmod) &&
		is_used(rowtype))
		check_all_indexes();
}
