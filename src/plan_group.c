/*-------------------------------------------------------------------------
 *
 * plan_group.c
 *	  The key of grouped expressions, where a query uses them again.
 *
 * src/plan_group.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"

#include "column_ddl.h"
#include "compat.h"
#include "plan_group.h"
#include "plan_probe.h"

typedef struct Grouped
{
	List	   *exprs;
	int			varno;			/* of the range table entry */
	Index		level;			/* of queries between that and here */
} Grouped;

static bool
set_typmods(Node *node, void *context)
{
	Grouped    *grouped = context;
	bool		stop;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		if (var->varno == grouped->varno && var->varlevelsup == grouped->level &&
			var->varattno > 0 && var->vartypmod < 0 &&
			tc_type_is_encrypted(var->vartype))
			var->vartypmod = tc_expr_typmod(list_nth(grouped->exprs,
													 var->varattno - 1));
		return false;
	}
	if (!IsA(node, Query))
		return expression_tree_walker(node, set_typmods, context);
	grouped->level++;
	stop = query_tree_walker((Query *) node, set_typmods, context, 0);
	grouped->level--;
	return stop;
}

void
tc_plan_group(Query *query)
{
	Grouped		grouped = {.varno = 0};
	ListCell   *cell;

	if (!tc_has_grouped_exprs(query))
		return;
	foreach(cell, query->rtable)
	{
		grouped.varno++;
		grouped.exprs = tc_grouped_exprs(lfirst_node(RangeTblEntry, cell));
		if (grouped.exprs != NIL)
			(void) query_tree_walker(query, set_typmods, &grouped,
									 QTW_IGNORE_RANGE_TABLE);
	}
}
