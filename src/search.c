/*-------------------------------------------------------------------------
 *
 * search.c
 *	  Equality of encrypted values: operators and operator classes.
 *
 * All functions here look at the bytes of values alone: no key, no privilege,
 * nothing opened.  They are LEAKPROOF: what they raise depends on headers, which
 * are no secret.  That is for what is no sealed value, above all a literal that
 * nothing has bound to a key, and for values whose bytes do not tell whether
 * they are equal.  That a plaintext becomes comparable at all is the business of
 * probe.c.
 *
 * src/search.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "port/pg_bswap.h"
#include "replication/logicalworker.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/sortsupport.h"

#include "compat.h"
#include "envelope.h"
#include "errors.h"

/* An argument, as far as it has to be in memory to be compared. */
typedef struct Operand
{
	TcSpan		bytes;
	struct varlena *copy;		/* to be freed, or NULL */
} Operand;

static void
refuse_unbound(TcBound bound)
{
	if (bound == TC_BOUND_NOT)
		tc_error_form(TC_MALFORMED);
	tc_error_unbound();
}

/*
 * Of a value out of line only the head is fetched, unless it has no token and
 * all of it counts.
 */
static Operand
fetch_operand(Datum datum)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(datum);
	Operand		operand = {.copy = NULL};
	TcBound		bound;

	if (unlikely(VARATT_IS_EXTERNAL(value) || VARATT_IS_COMPRESSED(value)))
		value = operand.copy = PG_DETOAST_DATUM_SLICE(datum, 0, TC_PROBE_BYTES);
	operand.bytes = tc_span(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	bound = tc_envelope_bound(operand.bytes);
	if (likely(bound == TC_BOUND_SEARCHABLE || bound == TC_BOUND_PROBE))
		return operand;
	if (bound != TC_BOUND_UNSEARCHABLE)
		refuse_unbound(bound);
	if (operand.copy != NULL)
	{
		pfree(operand.copy);
		operand.copy = PG_DETOAST_DATUM_COPY(datum);
		operand.bytes = tc_span(VARDATA_ANY(operand.copy),
								VARSIZE_ANY_EXHDR(operand.copy));
	}
	return operand;
}

/*
 * Whether somebody asks for the same bytes, and for no more: ANALYZE, of arrays
 * and rows, or a subscription that looks for a row of the publisher's.
 */
static bool
bytes_will_do(void)
{
	MemoryContext context;

	if (IsLogicalWorker())
		return true;
	for (context = CurrentMemoryContext; context != NULL; context = context->parent)
	{
		if (strcmp(context->name, "Analyze") == 0)
			return true;
	}
	return false;
}

/*
 * To sort or to hash, as DISTINCT does with rows that the planner could not
 * look into: without tokens equal values would silently be different.
 */
static void
require_token(const Operand *operand)
{
	if (unlikely(tc_envelope_bound(operand->bytes) == TC_BOUND_UNSEARCHABLE) &&
		!bytes_will_do())
		tc_error_incomparable();
}

/* Tokens of different keys are different, whatever they are made of. */
static bool
have_tokens(const Operand *a, const Operand *b)
{
	return tc_envelope_bound(a->bytes) != TC_BOUND_UNSEARCHABLE &&
		tc_envelope_bound(b->bytes) != TC_BOUND_UNSEARCHABLE;
}

static inline void
free_operand(Operand *operand)
{
	if (unlikely(operand->copy != NULL))
		pfree(operand->copy);
}

/* For indexes and sorts, which want nothing left behind. */
static int
compare(Datum a, Datum b)
{
	Operand		left = fetch_operand(a);
	Operand		right = fetch_operand(b);
	int			order = tc_envelope_compare(left.bytes, right.bytes);

	if (unlikely(order != 0 && !tc_envelope_comparable(left.bytes, right.bytes)) &&
		!bytes_will_do())
		tc_error_incomparable();
	free_operand(&left);
	free_operand(&right);
	return order;
}

/*
 * In an expression that nobody planned, such as COPY ... WHERE or WHEN of a
 * trigger, values that cannot be equal would silently be different.  What the
 * executor compares by itself, rows of replicas or OLD and NEW as a whole, goes
 * by bytes if there are no tokens: there no expression is at hand.
 */
static int
compare_in_expression(FunctionCallInfo fcinfo)
{
	Operand		left = fetch_operand(PG_GETARG_DATUM(0));
	Operand		right = fetch_operand(PG_GETARG_DATUM(1));
	int			order = tc_envelope_compare(left.bytes, right.bytes);

	if (unlikely(order != 0 && !tc_envelope_comparable(left.bytes, right.bytes)) &&
		(have_tokens(&left, &right) ||
		 (fcinfo->flinfo != NULL && fcinfo->flinfo->fn_expr != NULL)))
		tc_error_incomparable();
	free_operand(&left);
	free_operand(&right);
	return order;
}

#define COMPARISON(name, order, operator) \
	PG_FUNCTION_INFO_V1(themis_crypt_##name); \
	Datum \
	themis_crypt_##name(PG_FUNCTION_ARGS) \
	{ \
		PG_RETURN_BOOL((order) operator 0); \
	} \
	extern int	no_such_variable

#define ORDER_OF_TOKENS compare(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1))

COMPARISON(eq, compare_in_expression(fcinfo), ==);
COMPARISON(ne, compare_in_expression(fcinfo), !=);
COMPARISON(lt, ORDER_OF_TOKENS, <);
COMPARISON(le, ORDER_OF_TOKENS, <=);
COMPARISON(ge, ORDER_OF_TOKENS, >=);
COMPARISON(gt, ORDER_OF_TOKENS, >);

PG_FUNCTION_INFO_V1(themis_crypt_cmp);

/* Support function 1 of btree. */
Datum
themis_crypt_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

static int
compare_sorting(Datum a, Datum b, SortSupport ssup)
{
	return compare(a, b);
}

/* The first bytes that tc_envelope_compare() looks at, as a number. */
static Datum
abbreviate(Datum datum, SortSupport ssup)
{
	Operand		operand = fetch_operand(datum);
	uint64		head;

	memcpy(&head, operand.bytes.data + TC_HEADER_BYTES, sizeof(head));
	free_operand(&operand);
#if SIZEOF_DATUM == 8
	return UInt64GetDatum(pg_ntoh64(head));
#else
	return UInt32GetDatum((uint32) (pg_ntoh64(head) >> 32));
#endif
}

static int
compare_abbreviated(Datum a, Datum b, SortSupport ssup)
{
	return a < b ? -1 : a > b;
}

/* Tokens are random: their heads differ wherever the values do. */
static bool
never_abort(int memtupcount, SortSupport ssup)
{
	return false;
}

PG_FUNCTION_INFO_V1(themis_crypt_sortsupport);

/* Support function 2 of btree. */
Datum
themis_crypt_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);

	ssup->comparator = compare_sorting;
	if (ssup->abbreviate)
	{
		ssup->comparator = compare_abbreviated;
		ssup->abbrev_converter = abbreviate;
		ssup->abbrev_abort = never_abort;
		ssup->abbrev_full_comparator = compare_sorting;
	}
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(themis_crypt_hash);

/* Support function 1 of hash. */
Datum
themis_crypt_hash(PG_FUNCTION_ARGS)
{
	Operand		operand = fetch_operand(PG_GETARG_DATUM(0));
	TcSpan		bytes = tc_envelope_hashed(operand.bytes);
	Datum		hash = hash_any(bytes.data, (int) bytes.len);

	require_token(&operand);
	free_operand(&operand);
	return hash;
}

PG_FUNCTION_INFO_V1(themis_crypt_hash_extended);

/* Support function 2 of hash. */
Datum
themis_crypt_hash_extended(PG_FUNCTION_ARGS)
{
	Operand		operand = fetch_operand(PG_GETARG_DATUM(0));
	TcSpan		bytes = tc_envelope_hashed(operand.bytes);
	Datum		hash = hash_any_extended(bytes.data, (int) bytes.len,
										 (uint64) PG_GETARG_INT64(1));

	require_token(&operand);
	free_operand(&operand);
	return hash;
}
