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
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "optimizer/optimizer.h"
#include "pgtime.h"
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
#include "keyacl.h"
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
	struct varlena *volatile probe = NULL;

	if (tc_comparable(typid, to->typid) == TC_COMPARE_NEVER)
		tc_error_other_type(typmod, typid);
	if (!tc_compare_as(value, typid, to->typid, &converted))
		return make_probe(from, value, typmod);
	if (converted == value)
		return make_probe(to, value, typmod);
	PG_TRY();
	{
		probe = make_probe(to, converted, typmod);
	}
	PG_FINALLY();
	{
		tc_plain_wipe_datum(to, converted);
	}
	PG_END_TRY();
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
	Datum		opened;
	struct varlena *volatile probe = NULL;

	require_usage(typmod);
	opened = from == NULL ? tc_datum_open_untyped(envelope, to) :
		tc_datum_open(envelope, from);
	PG_TRY();
	{
		if (from == NULL)
			probe = make_probe(to, opened, typmod);
		else
			probe = probe_typed(from, opened, from->typid, typmod);
	}
	PG_FINALLY();
	{
		tc_plain_wipe_datum(from == NULL ? to : from, opened);
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

void
tc_probe_refuse_collation(Oid collation)
{
	if (OidIsValid(collation) && !get_collation_isdeterministic(collation))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("nondeterministic collations are not supported for encrypted columns"),
				 errhint("Compare opened values, as in column::text, or write COLLATE \"C\".")));
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

/*
 * What a probe function remembers at its call site: the last argument and what
 * was made of it.  A filter over many rows has the same one each time.  A site
 * in PL/pgSQL lives as long as the transaction, so all that the result depends
 * on may have changed since.
 */
typedef struct ProbeSite
{
	Oid			typid;
	int16		len;
	bool		byval;
	bool		repeats;		/* no column in it */
	bool		known;
	Datum		argument;
	int32		typmod;
	struct varlena *result;
	Oid			role;			/* whose right to the key was looked at, */
	uint64		grants;			/* and which generation of grants */
	TcSlotRef	slot;			/* of the index key: live until lock() */
	pg_tz	   *zone;			/* which timestamps are converted by */
	MemoryContextCallback forget;
} ProbeSite;

/* A remembered argument may be plaintext. */
static void
wipe_argument(ProbeSite *site)
{
	if (site->known && !site->byval)
		sodium_memzero(DatumGetPointer(site->argument),
					   datumGetSize(site->argument, false, site->len));
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
	if (flinfo->fn_expr == NULL || !IsA(flinfo->fn_expr, FuncExpr))
		elog(ERROR, "a probe is made in plans only");
	site->typid = getBaseType(get_fn_expr_argtype(flinfo, 0));
	get_typlenbyval(site->typid, &site->len, &site->byval);
	site->repeats = !contain_var_clause(linitial(((FuncExpr *) flinfo->fn_expr)->args));
	site->forget.func = forget_site;
	site->forget.arg = site;
	MemoryContextRegisterResetCallback(flinfo->fn_mcxt, &site->forget);
	flinfo->fn_extra = site;
	return site;
}

/* Remember a result, and the (detoasted) argument it was made of. */
static void
remember(ProbeSite *site, FmgrInfo *flinfo, Datum argument, int32 typmod,
		 struct varlena *result)
{
	TcKey	   *key = tc_key_by_id(tc_typmod_key_id(typmod));
	MemoryContext old;

	wipe_argument(site);
	if (key == NULL)
		return;
	old = MemoryContextSwitchTo(flinfo->fn_mcxt);
	if (!site->byval && DatumGetPointer(site->argument) != NULL)
		pfree(DatumGetPointer(site->argument));
	site->argument = (Datum) 0;
	if (site->result != NULL)
		pfree(site->result);
	site->result = NULL;
	site->result = palloc(VARSIZE_ANY(result));
	memcpy(site->result, result, VARSIZE_ANY(result));
	site->argument = datumCopy(argument, site->byval, site->len);
	site->typmod = typmod;
	site->role = GetUserId();
	site->grants = tc_acl_generation();
	site->slot = key->index.slot;
	site->zone = session_timezone;
	site->known = true;
	MemoryContextSwitchTo(old);
}

/* Whether the remembered result is what would be made now. */
static bool
remembers(const ProbeSite *site, Datum argument, int32 typmod)
{
	return site->known && site->typmod == typmod &&
		site->role == GetUserId() && site->grants == tc_acl_generation() &&
		site->zone == session_timezone && tc_slot_live(&site->slot) &&
		datumIsEqual(site->argument, argument, site->byval, site->len);
}

typedef struct varlena *(*ProbeMaker) (Datum argument, Oid typid, int32 typmod);

/* The body of both probe functions. */
static Datum
probe_argument(FunctionCallInfo fcinfo, ProbeMaker make)
{
	ProbeSite  *site = probe_site(fcinfo->flinfo);
	Datum		argument = PG_GETARG_DATUM(0);
	int32		typmod = PG_GETARG_INT32(1);
	struct varlena *result;

	if (tc_restoring_without(tc_typmod_key_id(typmod)))
		PG_RETURN_NULL();
	if (!site->repeats)
		PG_RETURN_POINTER(make(argument, site->typid, typmod));
	if (site->len == -1)
		argument = PointerGetDatum(PG_DETOAST_DATUM_PACKED(argument));
	if (remembers(site, argument, typmod))
		PG_RETURN_POINTER(site->result);
	result = make(argument, site->typid, typmod);
	if (PointerGetDatum(result) != argument)	/* else sealed for the column */
		remember(site, fcinfo->flinfo, argument, typmod, result);
	PG_RETURN_POINTER(result);
}

PG_FUNCTION_INFO_V1(themis_crypt_probe);

/* What plan_probe.c puts around the other side of a comparison. */
Datum
themis_crypt_probe(PG_FUNCTION_ARGS)
{
	return probe_argument(fcinfo, probe_datum);
}

static struct varlena *
probe_elements(Datum argument, Oid typid, int32 typmod)
{
	ArrayType  *array = DatumGetArrayTypeP(argument);
	Oid			elemtype = getBaseType(ARR_ELEMTYPE(array));
	int16		len;
	bool		byval;
	char		align;
	Datum	   *elems;
	bool	   *nulls;
	int			nelems;
	int			lower = 1;

	get_typlenbyvalalign(elemtype, &len, &byval, &align);
	deconstruct_array(array, elemtype, len, byval, align, &elems, &nulls, &nelems);
	for (int i = 0; i < nelems; i++)
	{
		if (!nulls[i])
			elems[i] = PointerGetDatum(probe_datum(elems[i], elemtype, typmod));
	}

	/* dimensions do not matter to = ANY */
	return (struct varlena *) construct_md_array(elems, nulls, nelems > 0 ? 1 : 0,
												 &nelems, &lower,
												 tc_encrypted_type(), -1, false,
												 TYPALIGN_INT);
}

PG_FUNCTION_INFO_V1(themis_crypt_probe_array);

/* The same for each element of an array. */
Datum
themis_crypt_probe_array(PG_FUNCTION_ARGS)
{
	return probe_argument(fcinfo, probe_elements);
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
	tc_probe_refuse_collation(PG_GET_COLLATION());
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
