/*-------------------------------------------------------------------------
 *
 * index_limit.h
 *	  A hint for values that are too long for a btree index.
 *
 * A btree holds whole sealed values.  PostgreSQL's own error has a hint about
 * hashing plaintexts, which does not help here.
 *
 *	Owns	hooks of the executor and of utility statements.
 *	Errors	none of its own.
 *	Uses	column_ddl.h (types).
 *
 * src/index_limit.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_INDEX_LIMIT_H
#define TC_INDEX_LIMIT_H

/* Install the hooks; once, from _PG_init. */
extern void tc_index_limit_init(void);

#endif							/* TC_INDEX_LIMIT_H */
