/*-------------------------------------------------------------------------
 *
 * probe.c
 *	  Plaintexts as probes, to be compared with the values of a column.
 *
 * src/probe.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include <sodium.h>

#include "column_ddl.h"
#include "comparable.h"
#include "compat.h"
#include "errors.h"
#include "probe.h"
#include "restoring.h"
#include "sealdatum.h"
#include "typmod.h"

/* Make a probe of a plaintext as it is. */
static struct varlena *
make_probe(const TcPlainType *type, Datum value, int32 typmod)
{
	uint32		key_id = tc_typmod_key_id(typmod);
	uint8		token[TC_TOKEN_BYTES];
	struct varlena *probe = palloc(VARHDRSZ + TC_PROBE_BYTES);

	tc_datum_token(type, value, key_id, token);
	SET_VARSIZE(probe, VARHDRSZ + TC_PROBE_BYTES);
	tc_envelope_write_probe(type->code, key_id, token, (uint8 *) VARDATA(probe));
	return probe;
}

/*
 * A plaintext of one type for a column of another.  What the column's type
 * cannot hold equals none of its values: its probe is of its own type, and no
 * value of the column has a token like that.
 */
static struct varlena *
probe_typed(const TcPlainType *from, Datum value, Oid typid, int32 typmod)
{
	const TcPlainType *to = tc_column_type(typmod);
	Datum		converted;
	struct varlena *probe;

	if (tc_comparable(typid, to->typid) == TC_COMPARE_NEVER)
		tc_error_other_type(typmod, typid);
	if (!tc_compare_as(value, typid, to->typid, &converted))
		return make_probe(from, value, typmod);
	probe = make_probe(to, converted, typmod);
	if (converted != value)
		tc_plain_wipe_datum(to, converted);
	return probe;
}

static void
require_searchable(int32 typmod)
{
	if (tc_typmod_search(typmod) != TC_SEARCH_EQUAL)
		tc_error_unsearchable(typmod);
}

/* Needed before anything of a plaintext is looked at. */
static void
require_usage(int32 typmod)
{
	TcKey	   *key = tc_key_by_id(tc_typmod_key_id(typmod));

	if (key == NULL || key->is_root)
		tc_error_unknown_key(tc_typmod_key_id(typmod));
	tc_key_require_usage(key);
}

struct varlena *
tc_probe_plain(Datum value, Oid typid, int32 typmod)
{
	const TcPlainType *from = tc_plaintype_by_oid(typid);

	require_searchable(typmod);
	require_usage(typmod);
	if (from == NULL)
		tc_error_other_type(typmod, typid);
	return probe_typed(from, value, typid, typmod);
}

/* A pending value: opened, then as a plaintext. */
static struct varlena *
probe_pending(const TcEnvelope *envelope, int32 typmod)
{
	const TcPlainType *to = tc_column_type(typmod);
	const TcPlainType *from = tc_plaintype_by_code(envelope->header.type_code);
	bool		untyped = from == NULL;
	Datum		opened;
	struct varlena *volatile probe = NULL;

	require_usage(typmod);
	if (untyped)
		from = tc_plaintype_by_code(TC_TYPE_TEXT);
	opened = tc_datum_open(envelope, from);
	PG_TRY();
	{
		if (!untyped || to == from)
			probe = probe_typed(from, opened, from->typid, typmod);
		else
		{
			char	   *str = text_to_cstring(DatumGetTextPP(opened));
			Datum		value = tc_plain_input(to, str);

			sodium_memzero(str, strlen(str));
			probe = make_probe(to, value, typmod);
			tc_plain_wipe_datum(to, value);
		}
	}
	PG_FINALLY();
	{
		tc_plain_wipe_datum(from, opened);
	}
	PG_END_TRY();
	return probe;
}

struct varlena *
tc_probe_value(struct varlena *value, int32 typmod)
{
	TcSpan		bytes = tc_span(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	TcEnvelope	envelope;

	require_searchable(typmod);
	if (tc_envelope_bound(bytes) == TC_BOUND_PROBE)
		return value;
	tc_value_parse(value, &envelope);
	if (tc_typmod_fits(typmod, &envelope.header))
		return value;
	if (envelope.header.version != TC_VERSION_PENDING)
		tc_error_other_key(typmod, tc_typmod_of(&envelope.header));
	return probe_pending(&envelope, typmod);
}

/*
 * What a probe function remembers at its call site: the last argument and the
 * probe made of it.  A filter over many rows has the same literal or parameter
 * each time.
 */
typedef struct ProbeSite
{
	Oid			typid;
	int16		len;
	bool		byval;
	bool		repeats;		/* argument is a constant or parameter */
	bool		known;
	Datum		argument;
	struct varlena *probe;
	MemoryContextCallback forget;
} ProbeSite;

/* A remembered argument may be plaintext. */
static void
wipe_argument(ProbeSite *site)
{
	if (site->known && !site->byval)
	{
		Pointer		bytes = DatumGetPointer(site->argument);

		sodium_memzero(bytes, datumGetSize(site->argument, false, site->len));
	}
	site->known = false;
}

static void
forget_site(void *arg)
{
	wipe_argument(arg);
}

static ProbeSite *
probe_site(FmgrInfo *flinfo)
{
	ProbeSite  *site = flinfo->fn_extra;

	if (likely(site != NULL))
		return site;
	site = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(ProbeSite));
	site->typid = getBaseType(get_fn_expr_argtype(flinfo, 0));
	if (!OidIsValid(site->typid))
		elog(ERROR, "could not determine the type of a probe's argument");
	get_typlenbyval(site->typid, &site->len, &site->byval);
	site->repeats = get_fn_expr_arg_stable(flinfo, 0);
	site->forget.func = forget_site;
	site->forget.arg = site;
	MemoryContextRegisterResetCallback(flinfo->fn_mcxt, &site->forget);
	flinfo->fn_extra = site;
	return site;
}

/* Remember a probe, and the (detoasted) argument it was made of. */
static void
remember(ProbeSite *site, FmgrInfo *flinfo, Datum argument, struct varlena *probe)
{
	MemoryContext old;
	struct varlena *copy;

	wipe_argument(site);
	old = MemoryContextSwitchTo(flinfo->fn_mcxt);
	if (!site->byval && DatumGetPointer(site->argument) != NULL)
		pfree(DatumGetPointer(site->argument));
	if (site->probe != NULL)
		pfree(site->probe);
	copy = palloc(VARSIZE_ANY(probe));
	memcpy(copy, probe, VARSIZE_ANY(probe));
	site->probe = copy;
	site->argument = datumCopy(argument, site->byval, site->len);
	site->known = true;
	MemoryContextSwitchTo(old);
}

/* One argument as a probe for a column. */
static struct varlena *
probe_datum(Datum value, Oid typid, int32 typmod)
{
	struct varlena *probe;

	if (typid == tc_encrypted_type())
		TC_HIDING_PLAINTEXT(probe = tc_probe_value(PG_DETOAST_DATUM_PACKED(value),
												   typmod));
	else
		TC_HIDING_PLAINTEXT(probe = tc_probe_plain(value, typid, typmod));
	return probe;
}

PG_FUNCTION_INFO_V1(themis_crypt_probe);

/* What plan_probe.c puts around the other side of a comparison. */
Datum
themis_crypt_probe(PG_FUNCTION_ARGS)
{
	ProbeSite  *site = probe_site(fcinfo->flinfo);
	Datum		argument = PG_GETARG_DATUM(0);
	int32		typmod = PG_GETARG_INT32(1);
	struct varlena *probe;

	if (tc_restoring_without(tc_typmod_key_id(typmod)))
		PG_RETURN_NULL();
	if (!site->repeats)
		PG_RETURN_POINTER(probe_datum(argument, site->typid, typmod));
	if (site->len == -1)
		argument = PointerGetDatum(PG_DETOAST_DATUM_PACKED(argument));
	if (site->known && datumIsEqual(site->argument, argument, site->byval, site->len))
	{
		require_usage(typmod);
		PG_RETURN_POINTER(site->probe);
	}
	probe = probe_datum(argument, site->typid, typmod);
	if (VARSIZE_ANY_EXHDR(probe) != TC_PROBE_BYTES)
		PG_RETURN_POINTER(probe);	/* a sealed value, at no cost */
	remember(site, fcinfo->flinfo, argument, probe);
	PG_RETURN_POINTER(probe);
}

PG_FUNCTION_INFO_V1(themis_crypt_probe_array);

/* The same for each element of an array. */
Datum
themis_crypt_probe_array(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int32		typmod = PG_GETARG_INT32(1);
	Oid			elemtype = getBaseType(ARR_ELEMTYPE(array));
	Oid			encrypted = tc_encrypted_type();
	int16		len;
	bool		byval;
	char		align;
	Datum	   *elems;
	bool	   *nulls;
	int			nelems;
	int			lower = 1;

	if (tc_restoring_without(tc_typmod_key_id(typmod)))
		PG_RETURN_NULL();
	get_typlenbyvalalign(elemtype, &len, &byval, &align);
	deconstruct_array(array, elemtype, len, byval, align, &elems, &nulls, &nelems);
	for (int i = 0; i < nelems; i++)
	{
		if (!nulls[i])
			elems[i] = PointerGetDatum(probe_datum(elems[i], elemtype, typmod));
	}

	/* dimensions do not matter to = ANY */
	PG_RETURN_ARRAYTYPE_P(construct_md_array(elems, nulls, nelems > 0 ? 1 : 0,
											 &nelems, &lower, encrypted,
											 -1, false, TYPALIGN_INT));
}

/* Which argument of a comparison is of a plaintext type, and which. */
typedef struct PlainSide
{
	int			argno;
	Oid			typid;
} PlainSide;

static const PlainSide *
plain_side(FmgrInfo *flinfo)
{
	PlainSide  *side = flinfo->fn_extra;
	Oid		   *argtypes;
	int			nargs;

	if (likely(side != NULL))
		return side;
	side = MemoryContextAlloc(flinfo->fn_mcxt, sizeof(PlainSide));
	(void) get_func_signature(flinfo->fn_oid, &argtypes, &nargs);
	side->argno = argtypes[0] == tc_encrypted_type() ? 1 : 0;
	side->typid = argtypes[side->argno];
	flinfo->fn_extra = side;
	return side;
}

/*
 * A comparison of both kinds that the planner did not meet, as in CHECK (c =
 * ANY (...)), or could not bind because the value comes out of a function: the
 * value itself says what to compare with.  NULL if a restore is to go on.
 */
static bool
equals_plain(FunctionCallInfo fcinfo)
{
	const PlainSide *side = plain_side(fcinfo->flinfo);
	struct varlena *value = PG_GETARG_VARLENA_PP(1 - side->argno);
	TcEnvelope	envelope;
	struct varlena *probe;

	tc_value_parse(value, &envelope);
	if (envelope.header.version == TC_VERSION_PENDING)
		tc_error_unbound();
	fcinfo->isnull = tc_restoring_without(envelope.header.key_id);
	if (fcinfo->isnull)
		return false;
	probe = probe_datum(PG_GETARG_DATUM(side->argno), side->typid,
						tc_typmod_of(&envelope.header));
	return tc_envelope_compare(tc_span(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)),
							   tc_span(VARDATA_ANY(probe), VARSIZE_ANY_EXHDR(probe))) == 0;
}

PG_FUNCTION_INFO_V1(themis_crypt_eq_plain);

Datum
themis_crypt_eq_plain(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(equals_plain(fcinfo));
}

PG_FUNCTION_INFO_V1(themis_crypt_ne_plain);

Datum
themis_crypt_ne_plain(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!equals_plain(fcinfo));
}
