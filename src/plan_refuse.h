/*-------------------------------------------------------------------------
 *
 * plan_refuse.h
 *	  What queries ask of encrypted values that sealed values cannot do.
 *
 * PostgreSQL knows from an operator class that a type can be sorted and
 * grouped.  Ours exists for indexes and joins: it sorts by tokens, which
 * nobody means who writes ORDER BY, and it finds no equals among values
 * without tokens, which GROUP BY would take for an answer.
 *
 * Of a record the type does not tell what is in it, so its columns are followed
 * to where they come from.  Not seen are records that come out of a function or
 * a variable of PL/pgSQL: these are sorted by tokens.
 *
 *	Errors	42883 with a hint; 42P18 where the key is unknown.
 *	Uses	typeparts.h, column_ddl.h (types), typmod.h.
 *
 * src/plan_refuse.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_PLAN_REFUSE_H
#define TC_PLAN_REFUSE_H

#include "postgres.h"

#include "nodes/parsenodes.h"

/* A query and those around it, from the inside; NULL ends the list. */
typedef struct TcQueries
{
	Query	   *query;
	const struct TcQueries *outer;
} TcQueries;

/* Look at the clauses of the first query, not at its subqueries or expressions. */
extern void tc_refuse_clauses(const TcQueries *queries);

/* Look at one node of an expression of the first query, not at what is below it. */
extern void tc_refuse_node(Node *node, const TcQueries *queries);

#endif							/* TC_PLAN_REFUSE_H */
