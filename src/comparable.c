/*-------------------------------------------------------------------------
 *
 * comparable.c
 *	  What may be compared with a searchable column, and how.
 *
 * A table, and no look into pg_cast: a cast that somebody has made need not
 * agree with equality.  test/t/031_canonical.pl notices implicit casts of a
 * new PostgreSQL.
 *
 * src/comparable.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sodium.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "canonical.h"
#include "comparable.h"
#include "compat.h"
#include "plaintype.h"

/*
 * PostgreSQL compares each of these pairs by casting the left to the right
 * (or by an operator for both that does the same), so equality is that of the
 * right.  The other way round it would not be: timestamp to timestamptz maps
 * the hour that a clock skips and the one after it to the same time, so a
 * timestamptz may equal two timestamps.  The same goes for timestamps against
 * a date in other time zones, and for an interval against a time: 1 day and
 * 24:00 are equal, and the cast of an interval drops its days.
 *
 * Casts to float4 and float8 are left out: columns of these are not searchable.
 */
static const struct
{
	Oid			from;
	Oid			to;
}			wideners[] =
{
	{VARCHAROID, TEXTOID},
	{BPCHAROID, TEXTOID},
	{NAMEOID, TEXTOID},
	{INT2OID, INT4OID},
	{INT2OID, INT8OID},
	{INT2OID, NUMERICOID},
	{INT4OID, INT8OID},
	{INT4OID, NUMERICOID},
	{INT8OID, NUMERICOID},
	{DATEOID, TIMESTAMPOID},
	{DATEOID, TIMESTAMPTZOID},
	{TIMESTAMPOID, TIMESTAMPTZOID},
	{TIMEOID, INTERVALOID},
	{CIDROID, INETOID},
};

TcComparable
tc_comparable(Oid from, Oid to)
{
	const TcPlainType *type = tc_plaintype_by_oid(to);

	if (type == NULL || !tc_type_is_searchable(type))
		return TC_COMPARE_NEVER;
	if (from == to)
		return TC_COMPARE_SAME;
	for (size_t i = 0; i < lengthof(wideners); i++)
	{
		if (wideners[i].from == from && wideners[i].to == to)
			return TC_COMPARE_WIDENS;
		/* numbers without fraction, the other way round */
		if (wideners[i].from == to && wideners[i].to == from &&
			(from == INT4OID || from == INT8OID || from == NUMERICOID))
			return TC_COMPARE_NARROWS;
	}
	return TC_COMPARE_NEVER;
}

static bool
numeric_equals(Numeric a, Numeric b)
{
	return DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(a),
											NumericGetDatum(b)));
}

/* Whether a numeric is between the extremes of int8. */
static bool
numeric_fits(Numeric numeric)
{
	return DatumGetBool(DirectFunctionCall2(numeric_ge, NumericGetDatum(numeric),
											NumericGetDatum(int64_to_numeric(PG_INT64_MIN)))) &&
		DatumGetBool(DirectFunctionCall2(numeric_le, NumericGetDatum(numeric),
										 NumericGetDatum(int64_to_numeric(PG_INT64_MAX))));
}

/* The integer that a numeric equals; false if there is none in int8. */
static bool
numeric_to_integer(Datum value, int64 *ret_integer)
{
	Numeric		numeric = DatumGetNumeric(value);
	bool		is_integer = false;

	/* NaN is above all numbers, so it does not fit */
	if (numeric_fits(numeric))
	{
		/* rounds */
		int64		integer = DatumGetInt64(DirectFunctionCall1(numeric_int8,
																NumericGetDatum(numeric)));
		Numeric		back = int64_to_numeric(integer);

		is_integer = numeric_equals(back, numeric);
		if (is_integer)
			*ret_integer = integer;
		tc_plain_free((struct varlena *) back);
	}
	if ((Pointer) numeric != DatumGetPointer(value))
		tc_plain_free((struct varlena *) numeric);
	return is_integer;
}

static bool
narrow(Datum value, Oid from, Oid to, Datum *ret_value)
{
	int64		integer;

	if (from == INT4OID)
		integer = DatumGetInt32(value);
	else if (from == INT8OID)
		integer = DatumGetInt64(value);
	else if (!numeric_to_integer(value, &integer))
		return false;

	if ((to == INT2OID && integer != (int16) integer) ||
		(to == INT4OID && integer != (int32) integer))
		return false;
	*ret_value = to == INT2OID ? Int16GetDatum((int16) integer) :
		to == INT4OID ? Int32GetDatum((int32) integer) : Int64GetDatum(integer);
	return true;
}

/* By PostgreSQL's cast, but false where that says "out of range". */
static bool
widen(Datum value, Oid from, Oid to, Datum *ret_value)
{
	int			overflow = 0;
	bool		isnull = false;
	Datum		result;

	if (from == DATEOID && to == TIMESTAMPOID)
		result = TimestampGetDatum(date2timestamp_opt_overflow(DatumGetDateADT(value),
															   &overflow));
	else if (from == DATEOID)
		result = TimestampTzGetDatum(date2timestamptz_opt_overflow(DatumGetDateADT(value),
																   &overflow));
	else if (from == TIMESTAMPOID)
		result = TimestampTzGetDatum(timestamp2timestamptz_opt_overflow(DatumGetTimestamp(value),
																		&overflow));
	else
		result = tc_plain_convert(value, from, to, COERCION_IMPLICIT, &isnull);
	if (isnull)
		elog(ERROR, "conversion to %u gave NULL", to);
	if (overflow != 0)
		return false;
	*ret_value = result;
	return true;
}

bool
tc_compare_as(Datum value, Oid from, Oid to, Datum *ret_value)
{
	switch (tc_comparable(from, to))
	{
		case TC_COMPARE_SAME:
			*ret_value = value;
			return true;
		case TC_COMPARE_WIDENS:
			return widen(value, from, to, ret_value);
		case TC_COMPARE_NARROWS:
			return narrow(value, from, to, ret_value);
		case TC_COMPARE_NEVER:
			break;
	}
	elog(ERROR, "a value of type %u does not compare with a column of type %u",
		 from, to);
}
