/*-------------------------------------------------------------------------
 *
 * probe.h
 *	  Plaintexts as probes, to be compared with the values of a column.
 *
 * A probe (envelope.h) has the token that the plaintext would have in a
 * column, and no plaintext.  What is no value of the column's key already
 * becomes one here, at run time, for the role that runs the statement.
 *
 *	Owns	nothing; results are palloc'd in the current context.
 *	Errors	42501 without USAGE; 22P02 and the like for literals that the
 *			column's type does not take; 42883 for other types, other keys,
 *			and columns that are not searchable.
 *	Uses	sealdatum.h, comparable.h, typmod.h.
 *
 * src/probe.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_PROBE_H
#define TC_PROBE_H

#include "postgres.h"

/* From a datum of a plaintext type (or varchar, bpchar, name). */
extern struct varlena *tc_probe_plain(Datum value, Oid typid, int32 typmod);

/*
 * From a value of type encrypted: itself if it was sealed for such a column,
 * for which no privilege is needed; a probe of it if it is pending.
 */
extern struct varlena *tc_probe_value(struct varlena *value, int32 typmod);

/*
 * 0A000 for a collation (or InvalidOid) that may call different texts equal:
 * tokens do not.
 */
extern void tc_probe_refuse_collation(Oid collation);

#endif							/* TC_PROBE_H */
