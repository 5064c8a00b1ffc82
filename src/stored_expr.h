/*-------------------------------------------------------------------------
 *
 * stored_expr.h
 *	  Expressions in catalogs: what must not be stored in them.
 *
 * A literal of type encrypted is a pending value, made for the statement it
 * stands in.  In a default, view, rule, constraint, policy, trigger, function
 * or domain it would stay for ever, so it is refused there; a plaintext
 * literal that is visible in the catalog is the user's own explicit choice.
 * A cast that opens values is refused in materialized views and extended
 * statistics, which would store what it opens.  Constraints, defaults and
 * indexes are evaluated without having been planned, so whatever they compare
 * is looked at here.
 *
 *	Errors	0A000 with a hint; 42883 and 42P18 for comparisons.
 *	Uses	plan_probe.h.
 *
 * src/stored_expr.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_STORED_EXPR_H
#define TC_STORED_EXPR_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * After an object was created or altered; other objects are ignored.  Gives
 * back the typmods of type encrypted that occur in its expressions, as an
 * integer List.
 */
extern List *tc_stored_expr_check(Oid classid, Oid objectid, int subid);

#endif							/* TC_STORED_EXPR_H */
