/*-------------------------------------------------------------------------
 *
 * plan_group.h
 *	  The key of grouped expressions, where a query uses them again.
 *
 * From PostgreSQL 18 on the output and HAVING of a query with GROUP BY refer to
 * grouped expressions as columns of a range table entry.  Such a column has the
 * type modifier of the expression only where exprTypmod() knows that: not for
 * CASE without ELSE, for instance.
 *
 *	Errors	none.
 *	Uses	plan_probe.h (typmods of expressions), column_ddl.h (types).
 *
 * src/plan_group.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_PLAN_GROUP_H
#define TC_PLAN_GROUP_H

#include "postgres.h"

#include "nodes/parsenodes.h"

/*
 * Give the references to grouped expressions of this query, which may stand in
 * its sublinks, the type modifier that tc_expr_typmod() finds.  It is changed
 * in place; a second time does no harm.
 */
extern void tc_plan_group(Query *query);

#endif							/* TC_PLAN_GROUP_H */
