/*-------------------------------------------------------------------------
 *
 * column_ddl.h
 *	  Encrypted columns: each names its key, and holds on to it.
 *
 * An object access hook looks at every table, composite type and domain that
 * is created or altered.  A column of type encrypted without a key is
 * refused.  A dependency on the server is recorded for the table as a whole
 * (for a column, ALTER COLUMN TYPE would trip over it), so that pg_dump puts
 * keys first and DROP SERVER finds its users.  Functions whose body or
 * defaults name a key depend on it, too.
 *
 *	Owns	pg_depend rows from relations, types and functions to our servers.
 *	Errors	42704 for a column without a key.
 *	Uses	keycat.h, typmod.h, stored_expr.h.
 *
 * src/column_ddl.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_COLUMN_DDL_H
#define TC_COLUMN_DDL_H

#include "postgres.h"

#include "nodes/parsenodes.h"

/* Install the hook; once, from _PG_init. */
extern void tc_column_ddl_init(void);

/* The type encrypted, or InvalidOid without the extension in this database. */
extern Oid	tc_encrypted_type(void);

/* The same as of the last look, where no catalog may be read. */
extern Oid	tc_known_encrypted_type(void);

/* Whether a type is encrypted, or an array of that. */
extern bool tc_type_is_encrypted(Oid typid);

/* Whether a relation has encrypted columns. */
extern bool tc_relation_is_encrypted(Oid relid);

/*
 * How many relations and types that depended on a key have been dropped
 * since tc_column_ddl_reset().  DROP SERVER ... CASCADE is judged by it.
 */
extern int	tc_column_ddl_dropped(void);
extern void tc_column_ddl_reset(void);

/*
 * After CREATE TABLE: the hook comes too early to see a partition key, so it
 * is looked at here.
 */
extern void tc_column_ddl_created(const CreateStmt *stmt);

/* A key was restored: tables that named it by its id alone depend on it now. */
extern void tc_column_ddl_adopt(uint32 key_id);

/*
 * 0A000 for a cast of a user's own from or to the type: core would take its
 * result for a value of the column's key, without our coercion.
 */
extern void tc_column_ddl_refuse_cast(const CreateCastStmt *stmt);

/* 0A000 for a range: the order of tokens, which btree has, means nothing. */
extern void tc_column_ddl_refuse_range(const CreateRangeStmt *stmt);

/*
 * NOTICE if a statement is about to encrypt a column in place: the plaintext
 * that it held is still elsewhere.
 */
extern void tc_column_ddl_warn(const AlterTableStmt *stmt);

#endif							/* TC_COLUMN_DDL_H */
