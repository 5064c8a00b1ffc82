/*-------------------------------------------------------------------------
 *
 * plan_refuse.c
 *	  What queries ask of encrypted values that sealed values cannot do.
 *
 * src/plan_refuse.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "column_ddl.h"
#include "errors.h"
#include "plan_probe.h"
#include "plan_refuse.h"
#include "typmod.h"

static void
refuse_order(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("could not identify an ordering operator for type encrypted"),
			 errdetail("Sealed values have no order."),
			 errhint("Sort or compare opened values, as in ORDER BY column::text.")));
}

static void require_equality(Oid typid, int32 typmod);

/* The columns of a composite type, for DISTINCT over whole rows and the like. */
static void
require_equality_of_row(Oid typid)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(typid, -1);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped)
			require_equality(att->atttypid, att->atttypmod);
	}
	ReleaseTupleDesc(desc);
}

/* Refuse a type whose values cannot be told equal or different by bytes. */
static void
require_equality(Oid typid, int32 typmod)
{
	typid = getBaseTypeAndTypmod(typid, &typmod);
	if (tc_type_is_encrypted(typid))
	{
		if (typmod < 0)
			tc_error_unbound();
		if (tc_typmod_search(typmod) != TC_SEARCH_EQUAL)
			tc_error_unsearchable(typmod);
	}
	else if (get_typtype(typid) == TYPTYPE_COMPOSITE)
		require_equality_of_row(typid);
}

/* Whether values of a type are ordered by tokens, at least in parts. */
static bool
is_ordered_by_us(Oid typid)
{
	TupleDesc	desc;
	bool		found = false;

	typid = getBaseType(typid);
	if (tc_type_is_encrypted(typid))
		return true;
	if (typid < FirstNormalObjectId || get_typtype(typid) != TYPTYPE_COMPOSITE)
		return false;
	desc = lookup_rowtype_tupdesc(typid, -1);
	for (int i = 0; i < desc->natts && !found; i++)
		found = !TupleDescAttr(desc, i)->attisdropped &&
			is_ordered_by_us(TupleDescAttr(desc, i)->atttypid);
	ReleaseTupleDesc(desc);
	return found;
}

/* Sort clauses that name entries of a target list. */
static void
check_clauses(List *clauses, List *tlist, bool orders)
{
	ListCell   *cell;

	foreach(cell, clauses)
	{
		Node	   *expr = get_sortgroupclause_expr(lfirst(cell), tlist);
		Oid			typid = exprType(expr);

		/* quick for the types of core, which hold nothing of ours */
		if (typid < FirstNormalObjectId)
			continue;
		if (orders && is_ordered_by_us(typid))
			refuse_order();
		if (!orders)
			require_equality(typid, tc_expr_typmod(expr));
	}
}

/* UNION, INTERSECT and EXCEPT, but for UNION ALL. */
static void
check_set_operation(Node *node)
{
	SetOperationStmt *operation = (SetOperationStmt *) node;
	ListCell   *type;
	ListCell   *typmod;

	if (node == NULL || !IsA(node, SetOperationStmt))
		return;
	if (operation->groupClauses != NIL)
	{
		forboth(type, operation->colTypes, typmod, operation->colTypmods)
			require_equality(lfirst_oid(type), lfirst_int(typmod));
	}
	check_set_operation(operation->larg);
	check_set_operation(operation->rarg);
}

void
tc_refuse_clauses(Query *query)
{
	ListCell   *cell;

	check_clauses(query->sortClause, query->targetList, true);
	check_clauses(query->groupClause, query->targetList, false);
	check_clauses(query->distinctClause, query->targetList, false);
	foreach(cell, query->windowClause)
	{
		WindowClause *window = lfirst_node(WindowClause, cell);

		check_clauses(window->partitionClause, query->targetList, false);
		check_clauses(window->orderClause, query->targetList, true);
	}
	check_set_operation(query->setOperations);
}

/* Functions of core that compare elements of an array, or whole rows. */
static bool
compares_inside(Oid funcid)
{
	switch (funcid)
	{
		case F_ARRAY_EQ:
		case F_ARRAY_NE:
		case F_ARRAYOVERLAP:
		case F_ARRAYCONTAINS:
		case F_ARRAYCONTAINED:
		case F_ARRAY_POSITION_ANYCOMPATIBLEARRAY_ANYCOMPATIBLE:
		case F_ARRAY_POSITION_ANYCOMPATIBLEARRAY_ANYCOMPATIBLE_INT4:
		case F_ARRAY_POSITIONS:
		case F_ARRAY_REMOVE:
		case F_ARRAY_REPLACE:
		case F_RECORD_EQ:
		case F_RECORD_NE:
			return true;
		default:
			return false;
	}
}

static bool
orders_inside(Oid funcid)
{
	switch (funcid)
	{
		case F_ARRAY_LT:
		case F_ARRAY_LE:
		case F_ARRAY_GE:
		case F_ARRAY_GT:
		case F_ARRAY_LARGER:
		case F_ARRAY_SMALLER:
		case F_MAX_ANYARRAY:
		case F_MIN_ANYARRAY:
		case F_RECORD_LT:
		case F_RECORD_LE:
		case F_RECORD_GE:
		case F_RECORD_GT:
		case F_WIDTH_BUCKET_ANYCOMPATIBLE_ANYCOMPATIBLEARRAY:
			return true;
		default:
			return false;
	}
}

static void
check_call(Oid funcid, List *args)
{
	bool		orders = orders_inside(funcid);
	ListCell   *cell;

	if (!orders && !compares_inside(funcid))
		return;
	foreach(cell, args)
	{
		Node	   *arg = lfirst(cell);
		Oid			typid;

		if (IsA(arg, TargetEntry))
			arg = (Node *) ((TargetEntry *) arg)->expr;
		typid = exprType(arg);
		if (typid < FirstNormalObjectId)
			continue;
		if (orders && is_ordered_by_us(typid))
			refuse_order();
		if (!orders)
			require_equality(typid, tc_expr_typmod(arg));
	}
}

void
tc_refuse_node(Node *node)
{
	switch (nodeTag(node))
	{
		case T_Aggref:
			check_clauses(((Aggref *) node)->aggorder, ((Aggref *) node)->args, true);
			check_clauses(((Aggref *) node)->aggdistinct, ((Aggref *) node)->args, false);
			check_call(((Aggref *) node)->aggfnoid, ((Aggref *) node)->args);
			break;
		case T_MinMaxExpr:
			if (is_ordered_by_us(((MinMaxExpr *) node)->minmaxtype))
				refuse_order();
			break;
		case T_FuncExpr:
			check_call(((FuncExpr *) node)->funcid, ((FuncExpr *) node)->args);
			break;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			/* the same struct under three names */
			set_opfuncid((OpExpr *) node);
			check_call(((OpExpr *) node)->opfuncid, ((OpExpr *) node)->args);
			break;
		default:
			break;
	}
}
