/*-------------------------------------------------------------------------
 *
 * plan_probe.h
 *	  Comparisons bound to a key while a query is planned.
 *
 * Whatever is compared with a searchable column becomes probe(it, typmod), so
 * that an index can be used and that the comparison itself needs no key.
 *
 *	column = x					by the support function of = and <>
 *	column = ANY (x), IN		by planner_hook, as the other two
 *	IS DISTINCT FROM, NULLIF
 *	column::type = x, IN		by planner_hook
 *	all that in views of casts,	by get_relation_info_hook
 *	and in functions that the
 *	planner puts in place
 *
 * Binding twice changes nothing.
 *
 *	Owns	two hooks of the planner.
 *	Errors	42883 and 42P18 for what cannot be compared, with a hint.
 *	Uses	column_ddl.h (types), plan_refuse.h, probe.h's functions by name.
 *
 * src/plan_probe.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_PLAN_PROBE_H
#define TC_PLAN_PROBE_H

#include "postgres.h"

#include "nodes/primnodes.h"

/* Install the hooks; once, from _PG_init. */
extern void tc_plan_probe_init(void);

/*
 * Raise what binding an expression would raise, and leave it as it is.  For
 * those that the executor evaluates without a query around them.
 */
extern void tc_plan_check(Node *expr);

/* The typmod of an expression of type encrypted, or of an array of that; -1. */
extern int32 tc_expr_typmod(Node *expr);

/* The expressions of which one, or all in an array, are its value; NIL. */
extern List *tc_expr_branches(Node *expr);

#endif							/* TC_PLAN_PROBE_H */
