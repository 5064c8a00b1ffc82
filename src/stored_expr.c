/*-------------------------------------------------------------------------
 *
 * stored_expr.c
 *	  Expressions in catalogs: what must not be stored in them.
 *
 * src/stored_expr.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "column_ddl.h"
#include "compat.h"
#include "envelope.h"
#include "plan_probe.h"
#include "stored_expr.h"

/* Where expressions stand: by the oid of the object. */
static const struct
{
	Oid			classid;
	Oid			indexid;
	AttrNumber	oid;
	AttrNumber	exprs[2];		/* 0 = none */
	const char *what;
}			places[] =
{
	{RewriteRelationId, RewriteOidIndexId, Anum_pg_rewrite_oid,
	{Anum_pg_rewrite_ev_action, Anum_pg_rewrite_ev_qual}, "a view or rule"},
	{ConstraintRelationId, ConstraintOidIndexId, Anum_pg_constraint_oid,
	{Anum_pg_constraint_conbin, 0}, "a constraint"},
	{PolicyRelationId, PolicyOidIndexId, Anum_pg_policy_oid,
	{Anum_pg_policy_polqual, Anum_pg_policy_polwithcheck}, "a policy"},
	{TriggerRelationId, TriggerOidIndexId, Anum_pg_trigger_oid,
	{Anum_pg_trigger_tgqual, 0}, "a trigger"},
	{ProcedureRelationId, ProcedureOidIndexId, Anum_pg_proc_oid,
	{Anum_pg_proc_prosqlbody, Anum_pg_proc_proargdefaults}, "a function"},
	{TypeRelationId, TypeOidIndexId, Anum_pg_type_oid,
	{Anum_pg_type_typdefaultbin, 0}, "a domain"},
	{StatisticExtRelationId, StatisticExtOidIndexId, Anum_pg_statistic_ext_oid,
	{Anum_pg_statistic_ext_stxexprs, 0}, "extended statistics"},
	/* these two by their relation */
	{IndexRelationId, IndexRelidIndexId, Anum_pg_index_indexrelid,
	{Anum_pg_index_indexprs, Anum_pg_index_indpred}, "an index"},
	{PartitionedRelationId, PartitionedRelidIndexId, Anum_pg_partitioned_table_partrelid,
	{Anum_pg_partitioned_table_partexprs, 0}, "a partition key"},
};

typedef struct Findings
{
	bool		pending;		/* a literal of type encrypted */
	bool		opening;		/* a cast that opens values */
	bool		searching;		/* a comparison with a plaintext */
	List	   *typmods;		/* of type encrypted */
	List	   *exprs;			/* all that were looked at */
} Findings;

/* Whether a datum of type encrypted is a pending value. */
static bool
is_pending(Datum datum)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);
	TcHeader	header;

	/* whatever cannot be read is no sealed value either: refuse it too */
	return tc_envelope_read_header(tc_span(VARDATA_ANY(value),
										   VARSIZE_ANY_EXHDR(value)),
								   &header) != TC_OK ||
		header.version == TC_VERSION_PENDING;
}

static bool
array_has_pending(Datum datum, Oid elemtype)
{
	Datum	   *elems;
	bool	   *nulls;
	int			nelems;

	deconstruct_array(DatumGetArrayTypeP(datum), elemtype, -1, false,
					  TYPALIGN_INT, &elems, &nulls, &nelems);
	for (int i = 0; i < nelems; i++)
	{
		if (!nulls[i] && is_pending(elems[i]))
			return true;
	}
	return false;
}

/* Whether a function is one of our casts from encrypted. */
static bool
opens_values(Oid funcid, List *args)
{
	return list_length(args) == 1 &&
		exprType(linitial(args)) == tc_encrypted_type() &&
		get_func_rettype(funcid) != tc_encrypted_type();
}

/* Whether these are the operands of a comparison with a plaintext. */
static bool
searches_values(List *args)
{
	return list_length(args) == 2 &&
		tc_type_is_encrypted(getBaseType(exprType(linitial(args)))) !=
		tc_type_is_encrypted(getBaseType(exprType(lsecond(args))));
}

/* Whether exprType() can be asked about a node. */
static bool
is_expression(Node *node)
{
	switch (nodeTag(node))
	{
		case T_Const:
		case T_FuncExpr:
		case T_Param:
		case T_Var:
		case T_RelabelType:
		case T_CaseExpr:
		case T_CoalesceExpr:
		case T_ArrayCoerceExpr:
			return true;
		default:
			return tc_is_json_expr(node);
	}
}

static void
add_typmod(Findings *findings, Oid typid, int32 typmod)
{
	if (typmod >= 0 && tc_type_is_encrypted(typid))
		findings->typmods = list_append_unique_int(findings->typmods, typmod);
}

/* The columns that a function or XMLTABLE in FROM was given. */
static void
add_columns(Findings *findings, List *types, List *typmods)
{
	ListCell   *type;
	ListCell   *typmod;

	forboth(type, types, typmod, typmods)
		add_typmod(findings, lfirst_oid(type), lfirst_int(typmod));
}

static bool
look_at(Node *node, Findings *findings)
{
	if (node == NULL)
		return false;
	if (is_expression(node))
		add_typmod(findings, exprType(node), exprTypmod(node));
	if (IsA(node, Const) && !((Const *) node)->constisnull)
	{
		Const	   *literal = (Const *) node;
		Oid			base = getBaseType(literal->consttype);
		Oid			elem = get_element_type(base);

		if (base == tc_encrypted_type())
			findings->pending |= is_pending(literal->constvalue);
		else if (OidIsValid(elem) && getBaseType(elem) == tc_encrypted_type())
			findings->pending |= array_has_pending(literal->constvalue, elem);
	}
	else if (IsA(node, FuncExpr))
		findings->opening |= opens_values(((FuncExpr *) node)->funcid,
										  ((FuncExpr *) node)->args);
	else if (IsA(node, OpExpr))
		findings->searching |= searches_values(((OpExpr *) node)->args);
	else if (IsA(node, ScalarArrayOpExpr))
		findings->searching |= searches_values(((ScalarArrayOpExpr *) node)->args);
	else if (IsA(node, RangeTblFunction))
		add_columns(findings, ((RangeTblFunction *) node)->funccoltypes,
					((RangeTblFunction *) node)->funccoltypmods);
	else if (IsA(node, TableFunc))
		add_columns(findings, ((TableFunc *) node)->coltypes,
					((TableFunc *) node)->coltypmods);
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, look_at, findings, 0);
	return expression_tree_walker(node, look_at, findings);
}

/* Look at one expression column of a catalog row. */
static void
look_at_column(HeapTuple tuple, Relation rel, AttrNumber attnum,
			   Findings *findings)
{
	Datum		datum;
	bool		isnull;

	if (attnum == 0)
		return;
	datum = heap_getattr(tuple, attnum, RelationGetDescr(rel), &isnull);
	if (!isnull)
	{
		Node	   *expr = stringToNode(TextDatumGetCString(datum));

		findings->exprs = lappend(findings->exprs, expr);
		(void) look_at(expr, findings);
	}
}

static void
refuse_pending(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("literal of type encrypted cannot be stored in %s", what),
			 errhint("Cast the literal to its plaintext type, as in 'x'::text; it will then stand readable in the catalog.")));
}

static void
refuse_opening(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("encrypted values cannot be opened in %s", what),
			 errdetail("The plaintext would be stored.")));
}

/* The planner's hooks never see these expressions. */
static void
check_comparisons(List *exprs)
{
	ListCell   *cell;

	foreach(cell, exprs)
		tc_plan_check((Node *) lfirst(cell));
}

/* Whether a rule belongs to a materialized view. */
static bool
rule_of_matview(HeapTuple tuple)
{
	Oid			relid = ((Form_pg_rewrite) GETSTRUCT(tuple))->ev_class;

	return get_rel_relkind(relid) == RELKIND_MATVIEW;
}

/* A column default has no oid in the hook: table and column instead. */
static void
check_default(Oid relid, int attnum)
{
	Relation	rel = table_open(AttrDefaultRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData keys[2];
	HeapTuple	tuple;
	Findings	findings = {0};

	ScanKeyInit(&keys[0], Anum_pg_attrdef_adrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_pg_attrdef_adnum, BTEqualStrategyNumber,
				F_INT2EQ, Int16GetDatum((int16) attnum));
	scan = systable_beginscan(rel, AttrDefaultIndexId, true, SnapshotSelf, 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		look_at_column(tuple, rel, Anum_pg_attrdef_adbin, &findings);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	if (findings.pending)
		refuse_pending("a default");
	check_comparisons(findings.exprs);
}

static List *
check_place(int place, Oid objectid)
{
	Relation	rel = table_open(places[place].classid, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	Findings	findings = {0};
	const char *stores = NULL;

	ScanKeyInit(&key, places[place].oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(objectid));
	scan = systable_beginscan(rel, places[place].indexid, true, SnapshotSelf,
							  1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		for (int i = 0; i < 2; i++)
			look_at_column(tuple, rel, places[place].exprs[i], &findings);
		if (places[place].classid == StatisticExtRelationId)
		{
			/* would store how frequent the plaintext is, beside it */
			findings.opening |= findings.searching;
			stores = "extended statistics";
		}
		else if (places[place].classid == RewriteRelationId && findings.opening &&
				 rule_of_matview(tuple))
			stores = "a materialized view";
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);

	if (findings.pending)
		refuse_pending(places[place].what);
	if (findings.opening && stores != NULL)
		refuse_opening(stores);
	if (places[place].classid == ConstraintRelationId ||
		places[place].classid == IndexRelationId)
		check_comparisons(findings.exprs);
	return findings.typmods;
}

List *
tc_stored_expr_check(Oid classid, Oid objectid, int subid)
{
	if (classid == AttrDefaultRelationId)
	{
		check_default(objectid, subid);
		return NIL;
	}
	if (classid == RelationRelationId)
		classid = IndexRelationId;
	for (int i = 0; i < (int) lengthof(places); i++)
	{
		if (places[i].classid == classid)
			return check_place(i, objectid);
	}
	return NIL;
}
