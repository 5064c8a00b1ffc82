/*-------------------------------------------------------------------------
 *
 * comparable.h
 *	  What may be compared with a searchable column, and how.
 *
 * A column is searched by tokens of its own type.  A value of another type
 * finds rows if it can be made one of the column's type such that these are
 * equal if and only if PostgreSQL's "=" of the two types says so.
 *
 *	Owns	nothing.
 *	Errors	those of PostgreSQL's casts, without their data.
 *	Uses	plaintype.h, canonical.h, and functions of the types.
 *
 * src/comparable.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_COMPARABLE_H
#define TC_COMPARABLE_H

#include "postgres.h"

typedef enum TcComparable
{
	TC_COMPARE_SAME,			/* one type */
	TC_COMPARE_WIDENS,			/* by an implicit cast of PostgreSQL */
	TC_COMPARE_NARROWS,			/* among int2, int4, int8 and numeric */
	TC_COMPARE_NEVER
} TcComparable;

/*
 * How a value of type "from", not a domain, compares with a column of the
 * plaintext type "to".  TC_COMPARE_NEVER also if "to" is not searchable.
 */
extern TcComparable tc_comparable(Oid from, Oid to);

/*
 * A value as the column's type, or false if that cannot hold it: then it
 * equals nothing.  *ret_value is "value" itself, or, if by reference, a new
 * one of the caller's.  Types that do not compare must not get here.
 */
extern bool tc_compare_as(Datum value, Oid from, Oid to, Datum *ret_value);

#endif							/* TC_COMPARABLE_H */
