/*-------------------------------------------------------------------------
 *
 * typeparts.h
 *	  What is encrypted inside a type: domains, arrays, rows, ranges.
 *
 * PostgreSQL compares arrays, rows and ranges by their parts, so what holds
 * for encrypted columns holds for types that have encrypted parts, however
 * deep.  Parts are read as the catalog caches have them.
 *
 *	Errors	none.
 *	Uses	column_ddl.h (our type), typmod.h.
 *
 * src/typeparts.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TYPEPARTS_H
#define TC_TYPEPARTS_H

#include "postgres.h"

/* Whether values of a type are encrypted, or have parts that are. */
extern bool tc_type_has_encrypted(Oid typid);

/*
 * Whether values of a type can be told equal: all that is encrypted in them
 * is searchable, under a key that is known.  If not, *ret_typmod is the
 * modifier of what is in the way, or -1 if that has none.
 */
extern bool tc_type_has_equality(Oid typid, int32 typmod, int32 *ret_typmod);

#endif							/* TC_TYPEPARTS_H */
