/*-------------------------------------------------------------------------
 *
 * search_ddl.h
 *	  Where equality of a column is relied upon: indexes, keys, partitions.
 *
 * PostgreSQL sees operator classes and takes any column of the type.  Here a
 * column must be searchable, and both ends of a foreign key must have the same
 * modifier.  The checks look at what has just been made, whichever statement
 * made it.
 *
 *	Errors	0A000 for columns that are not searchable, 42804 for foreign keys,
 *			42P17 for partitions by range.
 *	Uses	typeparts.h, column_ddl.h (types), typmod.h.
 *
 * src/search_ddl.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_SEARCH_DDL_H
#define TC_SEARCH_DDL_H

#include "postgres.h"

#include "nodes/parsenodes.h"

/*
 * From the object access hook: an index, or a constraint, has been made.
 * "rebuilt": PostgreSQL makes an index anew because its column's type changes.
 */
extern void tc_search_ddl_index(Oid indexid, bool rebuilt);
extern void tc_search_ddl_constraint(Oid conid);

/* A partitioned table has been made, and its key is visible. */
extern void tc_search_ddl_partitioned(Oid relid);

/*
 * After ALTER TABLE or ALTER TYPE: columns that were added may be in indexes
 * through a row type.
 */
extern void tc_search_ddl_altered(const AlterTableStmt *stmt);

#endif							/* TC_SEARCH_DDL_H */
