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
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "column_ddl.h"
#include "compat.h"
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

static void check_expr(Node *expr, const TcQueries *queries, bool orders);

static void
check_exprs(List *exprs, const TcQueries *queries, bool orders)
{
	ListCell   *cell;

	foreach(cell, exprs)
		check_expr(lfirst(cell), queries, orders);
}

/* A column of a query's result, or with 0 all of them, in what is sorted. */
static void
check_result(Query *query, AttrNumber attno, const TcQueries *outer)
{
	TcQueries	queries = {.query = query, .outer = outer};
	ListCell   *cell;

	check_stack_depth();
	foreach(cell, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (!entry->resjunk && (attno == 0 || entry->resno == attno))
			check_expr((Node *) entry->expr, &queries, true);
	}
}

static const TcQueries *
queries_above(const TcQueries *queries, Index levels)
{
	for (; levels > 0 && queries != NULL; levels--)
		queries = queries->outer;
	return queries;
}

/* A column of type record, in what is sorted: look where it comes from. */
static void
check_record_var(Var *var, const TcQueries *queries)
{
	RangeTblEntry *rte;
	List	   *exprs;
	ListCell   *cell;

	queries = queries_above(queries, var->varlevelsup);
	if (queries == NULL)
		return;
	rte = rt_fetch(var->varno, queries->query->rtable);
	switch (rte->rtekind)
	{
		case RTE_SUBQUERY:
			if (rte->subquery != NULL)	/* else pulled up, and seen before */
				check_result(rte->subquery, var->varattno, queries);
			break;
		case RTE_CTE:
			queries = queries_above(queries, rte->ctelevelsup);
			foreach(cell, queries != NULL ? queries->query->cteList : NIL)
			{
				CommonTableExpr *cte = lfirst_node(CommonTableExpr, cell);

				if (strcmp(cte->ctename, rte->ctename) == 0)
					check_result(castNode(Query, cte->ctequery), var->varattno,
								 queries);
			}
			break;
		case RTE_JOIN:
			if (var->varattno > 0)
				check_expr(list_nth(rte->joinaliasvars, var->varattno - 1),
						   queries, true);
			else
				check_exprs(rte->joinaliasvars, queries, true);
			break;
		case RTE_VALUES:
			foreach(cell, rte->values_lists)
			{
				if (var->varattno > 0)
					check_expr(list_nth(lfirst(cell), var->varattno - 1),
							   queries, true);
				else
					check_exprs(lfirst(cell), queries, true);
			}
			break;
		default:
			exprs = tc_grouped_exprs(rte);
			if (exprs != NIL && var->varattno > 0)
				check_expr(list_nth(exprs, var->varattno - 1), queries, true);
			break;
	}
}

/*
 * What the type record does not tell is found in the expression.  For equality
 * the values do it themselves when they are hashed or compared.
 */
static void
check_record(Node *expr, const TcQueries *queries, bool orders)
{
	check_exprs(tc_expr_branches(expr), queries, orders);
	if (!orders)
		return;
	if (IsA(expr, Var))
		check_record_var((Var *) expr, queries);
	else if (IsA(expr, SubLink))
		check_result(castNode(Query, ((SubLink *) expr)->subselect), 1, queries);
}

/* An expression that is to be sorted, or to be compared. */
static void
check_expr(Node *expr, const TcQueries *queries, bool orders)
{
	Oid			typid;

	if (expr == NULL)			/* of a join, a column that was dropped */
		return;
	typid = exprType(expr);
	if (IsA(expr, RowExpr))
	{
		check_exprs(((RowExpr *) expr)->args, queries, orders);
		return;
	}
	if (typid == RECORDOID || typid == RECORDARRAYOID)
	{
		check_record(expr, queries, orders);
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
check_clauses(List *clauses, List *tlist, const TcQueries *queries, bool orders)
{
	ListCell   *cell;

	foreach(cell, clauses)
		check_expr(get_sortgroupclause_expr(lfirst(cell), tlist), queries, orders);
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
tc_refuse_clauses(const TcQueries *queries)
{
	Query	   *query = queries->query;
	ListCell   *cell;

	check_clauses(query->sortClause, query->targetList, queries, true);
	check_clauses(query->groupClause, query->targetList, queries, false);
	check_clauses(query->distinctClause, query->targetList, queries, false);
	foreach(cell, query->windowClause)
	{
		WindowClause *window = lfirst_node(WindowClause, cell);

		check_clauses(window->partitionClause, query->targetList, queries, false);
		check_clauses(window->orderClause, query->targetList, queries, true);
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
check_call(Oid funcid, List *args, const TcQueries *queries)
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
		check_expr(arg, queries, orders);
	}
}

void
tc_refuse_node(Node *node, const TcQueries *queries)
{
	switch (nodeTag(node))
	{
		case T_Aggref:
			check_clauses(((Aggref *) node)->aggorder, ((Aggref *) node)->args, queries, true);
			check_clauses(((Aggref *) node)->aggdistinct, ((Aggref *) node)->args, queries, false);
			check_call(((Aggref *) node)->aggfnoid, ((Aggref *) node)->args, queries);
			break;
		case T_MinMaxExpr:
			check_exprs(((MinMaxExpr *) node)->args, queries, true);
			break;
		case T_ScalarArrayOpExpr:
			set_sa_opfuncid((ScalarArrayOpExpr *) node);
			check_call(((ScalarArrayOpExpr *) node)->opfuncid,
					   ((ScalarArrayOpExpr *) node)->args, queries);
			break;
		case T_FuncExpr:
			check_call(((FuncExpr *) node)->funcid, ((FuncExpr *) node)->args, queries);
			break;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			/* the same struct under three names */
			set_opfuncid((OpExpr *) node);
			check_call(((OpExpr *) node)->opfuncid, ((OpExpr *) node)->args, queries);
			break;
		default:
			break;
	}
}
