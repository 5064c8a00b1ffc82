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
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "parser/parse_relation.h"
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

/* A column that a look has followed to where it comes from. */
typedef struct Seen
{
	Query	   *query;
	int			varno;
	AttrNumber	attno;
} Seen;

/* One look at what is sorted or compared. */
typedef struct Look
{
	bool		orders;			/* else equality is all that is wanted */
	List	   *seen;			/* of Seen: queries share subqueries, and recurse */
} Look;

static void check_expr(Node *expr, const TcQueries *queries, Look *look);

static void
check_exprs(List *exprs, const TcQueries *queries, Look *look)
{
	ListCell   *cell;

	foreach(cell, exprs)
		check_expr(lfirst(cell), queries, look);
}

static bool
seen_before(Look *look, Query *query, const Var *var)
{
	Seen	   *seen;
	ListCell   *cell;

	foreach(cell, look->seen)
	{
		seen = lfirst(cell);
		if (seen->query == query && seen->varno == (int) var->varno &&
			seen->attno == var->varattno)
			return true;
	}
	seen = palloc(sizeof(Seen));
	seen->query = query;
	seen->varno = (int) var->varno;
	seen->attno = var->varattno;
	look->seen = lappend(look->seen, seen);
	return false;
}

static void check_output(Query *query, AttrNumber attno, const TcQueries *outer,
						 Look *look);

/* The same column of each part of a set operation. */
static void
check_output_of_parts(Node *node, AttrNumber attno, const TcQueries *queries,
					  Look *look)
{
	RangeTblEntry *rte;

	check_stack_depth();
	if (IsA(node, SetOperationStmt))
	{
		check_output_of_parts(((SetOperationStmt *) node)->larg, attno, queries, look);
		check_output_of_parts(((SetOperationStmt *) node)->rarg, attno, queries, look);
		return;
	}
	rte = rt_fetch(castNode(RangeTblRef, node)->rtindex, queries->query->rtable);
	if (rte->subquery != NULL)
		check_output(rte->subquery, attno, queries, look);
}

/* A column that a query gives, or with 0 all of them. */
static void
check_output(Query *query, AttrNumber attno, const TcQueries *outer, Look *look)
{
	TcQueries	queries = {.query = query, .outer = outer};
	ListCell   *cell;

	check_stack_depth();
	foreach(cell, query->commandType == CMD_SELECT ? query->targetList :
			query->returningList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (!entry->resjunk && (attno == 0 || entry->resno == attno))
			check_expr((Node *) entry->expr, &queries, look);
	}
}

static const TcQueries *
queries_above(const TcQueries *queries, Index levels)
{
	for (; levels > 0 && queries != NULL; levels--)
		queries = queries->outer;
	return queries;
}

static void
check_cte(const RangeTblEntry *rte, AttrNumber attno, const TcQueries *queries,
		  Look *look)
{
	ListCell   *cell;

	queries = queries_above(queries, rte->ctelevelsup);
	foreach(cell, queries != NULL ? queries->query->cteList : NIL)
	{
		CommonTableExpr *cte = lfirst_node(CommonTableExpr, cell);

		if (strcmp(cte->ctename, rte->ctename) == 0)
			check_output(castNode(Query, cte->ctequery), attno, queries, look);
	}
}

/* A column of type record, or a whole row: look where it comes from. */
static void
check_record_var(Var *var, const TcQueries *queries, Look *look)
{
	RangeTblEntry *rte;
	List	   *exprs = NIL;
	ListCell   *cell;

	CHECK_FOR_INTERRUPTS();
	queries = queries_above(queries, var->varlevelsup);
	if (queries == NULL || seen_before(look, queries->query, var))
		return;
	rte = rt_fetch(var->varno, queries->query->rtable);
	if (rte->rtekind == RTE_SUBQUERY && rte->subquery == NULL)
		return;					/* pulled up, and seen before that */
	if (queries->query->setOperations != NULL)
	{
		/* the columns of the whole are said to be those of the first part */
		check_output_of_parts(queries->query->setOperations, var->varattno, queries,
							  look);
		return;
	}
	if (var->varattno <= 0)
	{
		tc_expand_rte(rte, var->varno, &exprs);
		check_exprs(exprs, queries, look);
		return;
	}
	switch (rte->rtekind)
	{
		case RTE_SUBQUERY:
			check_output(rte->subquery, var->varattno, queries, look);
			break;
		case RTE_CTE:
			check_cte(rte, var->varattno, queries, look);
			break;
		case RTE_JOIN:
			check_expr(list_nth(rte->joinaliasvars, var->varattno - 1), queries, look);
			break;
		case RTE_VALUES:
			foreach(cell, rte->values_lists)
				check_expr(list_nth(lfirst(cell), var->varattno - 1), queries, look);
			break;
		default:
			exprs = tc_grouped_exprs(rte);
			if (exprs != NIL)
				check_expr(list_nth(exprs, var->varattno - 1), queries, look);
			break;
	}
}

/* What a polymorphic expression may have got its records from. */
static List *
arguments(Node *expr)
{
	switch (nodeTag(expr))
	{
		case T_FuncExpr:
			return ((FuncExpr *) expr)->args;
		case T_OpExpr:
			return ((OpExpr *) expr)->args;
		case T_Aggref:
			return get_tlist_exprs(((Aggref *) expr)->args, true);
		case T_WindowFunc:
			return ((WindowFunc *) expr)->args;
		case T_MinMaxExpr:
			return ((MinMaxExpr *) expr)->args;
		case T_SubscriptingRef:
			return list_make1(((SubscriptingRef *) expr)->refexpr);
		case T_PlaceHolderVar:
			return list_make1(((PlaceHolderVar *) expr)->phexpr);
		default:
			return NIL;
	}
}

static bool
is_record(Oid typid)
{
	return typid == RECORDOID || typid == RECORDARRAYOID;
}

/*
 * What the type record does not tell is found in the expression.  For equality
 * the values do it themselves when they are hashed or compared.
 */
static void
check_record(Node *expr, const TcQueries *queries, Look *look)
{
	ListCell   *cell;

	check_exprs(tc_expr_branches(expr), queries, look);
	if (!look->orders)
		return;
	if (IsA(expr, Var))
		check_record_var((Var *) expr, queries, look);
	else if (IsA(expr, SubLink))
		check_output(castNode(Query, ((SubLink *) expr)->subselect), 1, queries, look);
	foreach(cell, arguments(expr))
	{
		if (is_record(exprType(lfirst(cell))))
			check_expr(lfirst(cell), queries, look);
	}
}

/* An expression that is to be sorted, or to be compared. */
static void
check_expr(Node *expr, const TcQueries *queries, Look *look)
{
	Oid			typid;

	check_stack_depth();
	if (expr == NULL)			/* of a join, a column that was dropped */
		return;
	typid = exprType(expr);
	if (IsA(expr, RowExpr))
		check_exprs(((RowExpr *) expr)->args, queries, look);
	else if (is_record(typid))
		check_record(expr, queries, look);
	else if (typid < FirstNormalObjectId)
		return;					/* quick: core's types hold nothing of ours */
	else if (!look->orders)
		require_equality(typid, tc_expr_typmod(expr));
	else if (tc_type_has_encrypted(typid))
		refuse_order();
}

/* Sort clauses that name entries of a target list. */
static void
check_clauses(List *clauses, List *tlist, const TcQueries *queries, bool orders)
{
	Look		look = {.orders = orders};
	ListCell   *cell;

	foreach(cell, clauses)
		check_expr(get_sortgroupclause_expr(lfirst(cell), tlist), queries, &look);
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
	Look		look = {.orders = orders_inside(funcid)};

	if (look.orders || compares_inside(funcid))
		check_exprs(args, queries, &look);
}

/* x < ANY (SELECT ...): the right side is a parameter in the operator. */
static void
check_sublink(SubLink *sublink, const TcQueries *queries)
{
	Look		look = {.orders = true};
	Node	   *test = sublink->testexpr;

	if (test == NULL)
		return;
	if (IsA(test, OpExpr))
		set_opfuncid((OpExpr *) test);
	if (IsA(test, RowCompareExpr) ||
		(IsA(test, OpExpr) && orders_inside(((OpExpr *) test)->opfuncid)))
		check_output(castNode(Query, sublink->subselect), 0, queries, &look);
}

void
tc_refuse_node(Node *node, const TcQueries *queries)
{
	Look		sorts = {.orders = true};

	switch (nodeTag(node))
	{
		case T_Aggref:
			check_clauses(((Aggref *) node)->aggorder, ((Aggref *) node)->args, queries, true);
			check_clauses(((Aggref *) node)->aggdistinct, ((Aggref *) node)->args, queries, false);
			check_call(((Aggref *) node)->aggfnoid,
					   get_tlist_exprs(((Aggref *) node)->args, true), queries);
			break;
		case T_WindowFunc:
			check_call(((WindowFunc *) node)->winfnoid, ((WindowFunc *) node)->args, queries);
			break;
		case T_MinMaxExpr:
			check_exprs(((MinMaxExpr *) node)->args, queries, &sorts);
			break;
		case T_RowCompareExpr:	/* never = or <> */
			check_exprs(((RowCompareExpr *) node)->largs, queries, &sorts);
			check_exprs(((RowCompareExpr *) node)->rargs, queries, &sorts);
			break;
		case T_SubLink:
			check_sublink((SubLink *) node, queries);
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
