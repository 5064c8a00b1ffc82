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
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "column_ddl.h"
#include "errors.h"
#include "plan_group.h"
#include "plan_probe.h"
#include "plan_refuse.h"
#include "typeparts.h"

static void
refuse_order(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errhidestmt(true), errhidecontext(true),	/* a literal may stand there */
			 errmsg("could not identify an ordering operator for type encrypted"),
			 errdetail("Sealed values have no order."),
			 errhint("Sort or compare opened values, as in ORDER BY column::text.")));
}

/* Refuse a type whose values cannot be told equal or different by bytes. */
static void
require_equality(Oid typid, int32 typmod)
{
	if (tc_type_has_equality(typid, typmod, &typmod))
		return;
	if (typmod < 0)
		tc_error_unbound();
	tc_error_unsearchable(typmod);
}

/* An expression that is to be sorted, or to be compared. */
static void
check_expr(Node *expr, bool orders)
{
	Oid			typid = exprType(expr);
	ListCell   *cell;

	if (IsA(expr, RowExpr))
	{
		foreach(cell, ((RowExpr *) expr)->args)
			check_expr(lfirst(cell), orders);
		return;
	}
	if (typid == RECORDOID || typid == RECORDARRAYOID)
	{
		foreach(cell, tc_expr_branches(expr))
			check_expr(lfirst(cell), orders);
		return;
	}

	/* quick for the types of core, which hold nothing of ours */
	if (typid < FirstNormalObjectId)
		return;
	if (!orders)
		require_equality(typid, tc_expr_typmod(expr));
	else if (tc_type_has_encrypted(typid))
		refuse_order();
}

/* Sort clauses that name entries of a target list. */
static void
check_clauses(List *clauses, List *tlist, bool orders)
{
	ListCell   *cell;

	foreach(cell, clauses)
		check_expr(get_sortgroupclause_expr(lfirst(cell), tlist), orders);
}

/*
 * The n-th column in every part of a set operation, checked on its own: the
 * column of the whole has no typmod if one part is a bare NULL.  All must
 * agree; *typmod is -1 before the first.
 */
static void
check_parts(Query *query, Node *node, int n, int32 *typmod)
{
	Query	   *part;
	Node	   *expr;
	int32		its;

	if (IsA(node, SetOperationStmt))
	{
		check_parts(query, ((SetOperationStmt *) node)->larg, n, typmod);
		check_parts(query, ((SetOperationStmt *) node)->rarg, n, typmod);
		return;
	}
	part = rt_fetch(castNode(RangeTblRef, node)->rtindex, query->rtable)->subquery;
	tc_plan_group(part);
	expr = (Node *) list_nth_node(TargetEntry, part->targetList, n)->expr;
	if (IsA(expr, Const) && ((Const *) expr)->constisnull)
		return;
	its = tc_expr_typmod(expr);
	require_equality(exprType(expr), its);
	if (*typmod >= 0 && its != *typmod)
		tc_error_other_key(*typmod, its);
	*typmod = its;
}

/* UNION, INTERSECT and EXCEPT, but for UNION ALL. */
static void
check_set_operation(Query *query, Node *node)
{
	SetOperationStmt *operation = (SetOperationStmt *) node;
	ListCell   *type;
	ListCell   *typmod;
	int			n = 0;

	if (node == NULL || !IsA(node, SetOperationStmt))
		return;
	forboth(type, operation->colTypes, typmod, operation->colTypmods)
	{
		int32		common = -1;

		if (operation->groupClauses == NIL)
			break;
		if (lfirst_int(typmod) < 0 && tc_type_is_encrypted(lfirst_oid(type)))
			check_parts(query, node, n, &common);
		else
			require_equality(lfirst_oid(type), lfirst_int(typmod));
		n++;
	}
	check_set_operation(query, operation->larg);
	check_set_operation(query, operation->rarg);
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
	check_set_operation(query, query->setOperations);
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
		case F_BTARRAYCMP:
		case F_BTRECORDCMP:
		case F_MAX_ANYARRAY:
		case F_MIN_ANYARRAY:
		case F_RECORD_LT:
		case F_RECORD_LE:
		case F_RECORD_GE:
		case F_RECORD_GT:
		case F_WIDTH_BUCKET_ANYCOMPATIBLE_ANYCOMPATIBLEARRAY:
#ifdef F_ARRAY_SORT_ANYARRAY
		case F_ARRAY_SORT_ANYARRAY:
		case F_ARRAY_SORT_ANYARRAY_BOOL:
		case F_ARRAY_SORT_ANYARRAY_BOOL_BOOL:
#endif
#ifdef F_MAX_RECORD
		case F_MAX_RECORD:
		case F_MIN_RECORD:
		case F_RECORD_LARGER:
		case F_RECORD_SMALLER:
#endif
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

		if (IsA(arg, TargetEntry))
			arg = (Node *) ((TargetEntry *) arg)->expr;
		check_expr(arg, orders);
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
			if (tc_type_has_encrypted(((MinMaxExpr *) node)->minmaxtype))
				refuse_order();
			break;
		case T_ScalarArrayOpExpr:
			set_sa_opfuncid((ScalarArrayOpExpr *) node);
			check_call(((ScalarArrayOpExpr *) node)->opfuncid,
					   ((ScalarArrayOpExpr *) node)->args);
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
