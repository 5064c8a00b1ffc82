/*-------------------------------------------------------------------------
 *
 * canonical.h
 *	  The bytes of a plaintext that its blind token is made of.
 *
 * PostgreSQL has values that are equal and not the same: 1.0 and 1.00, one
 * month and 30 days.  The canonical bytes of two values of one type are the
 * same if and only if its "=" says that they are equal (FORMAT, "Canonical
 * forms").  They are made for tokens only; what is sealed keeps its form.
 *
 *	Owns	nothing.
 *	Errors	those of the encoding's conversion; 54001 for a jsonb that is
 *			nested too deeply.
 *	Uses	plaintype.h, and the insides of jsonb.
 *
 * src/canonical.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_CANONICAL_H
#define TC_CANONICAL_H

#include "postgres.h"

#include "plaintype.h"

/*
 * Whether columns of this type may be searchable: all but json, which has no
 * equality, and float4 and float8, whose equality is not one to rely on.
 */
extern bool tc_type_is_searchable(const TcPlainType *type);

/*
 * The canonical bytes of a value of a searchable type.  "plain" is what
 * tc_plain_from_datum() gave for it.  Where these are canonical already the
 * result is "plain" itself and *ret_is_plain true; or else it is a varlena of
 * the caller's, to be freed with tc_plain_free().
 */
extern struct varlena *tc_canonical(const TcPlainType *type, Datum value,
									struct varlena *plain, bool *ret_is_plain);

#endif							/* TC_CANONICAL_H */
