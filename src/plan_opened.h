/*-------------------------------------------------------------------------
 *
 * plan_opened.h
 *	  Comparisons of opened values, answered without opening them.
 *
 * Whoever reads through a view of casts also searches there: column::text =
 * 'x' would open every row.  For a searchable column the same rows are found
 * by token, so the cast is taken away: column = 'x'.
 *
 *	Errors	none.
 *	Uses	plan_probe.h, column_ddl.h (types), plaintype.h, typmod.h.
 *
 * src/plan_opened.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_PLAN_OPENED_H
#define TC_PLAN_OPENED_H

#include "postgres.h"

#include "nodes/primnodes.h"

/*
 * If one operand of an equality is a searchable column, cast to its own
 * plaintext type, take the column itself.  The operands are changed in place;
 * true if that was so, and then the operator must become ours.  Only "=" of
 * that type on both sides qualifies; the right side may be an array.
 */
extern bool tc_plan_opened(Oid opno, Oid collation, List *args);

#endif							/* TC_PLAN_OPENED_H */
