/*-------------------------------------------------------------------------
 *
 * encrypted_cast.c
 *	  The type encrypted: casts, and what stands in for casts of core.
 *
 * A cast to encrypted gives a pending value, and the length coercion, which
 * knows the column, seals it under the column's key.  When a query is planned
 * the coercion's support function makes one sealing of both, so that only
 * literals and parameters without a type are ever sealed twice.
 *
 * src/encrypted_cast.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_cast.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "armor.h"
#include "compat.h"
#include "encrypted.h"
#include "errors.h"
#include "restoring.h"
#include "sealdatum.h"
#include "typmod.h"

/* Armor of 9 bytes, so of a whole header: prefix and 12 characters. */
#define ARMORED_HEADER_LEN (TC_ARMOR_PREFIX_LEN + 12)

/* What a cast function converts from or to, found once per call site. */
typedef struct CastInfo
{
	Oid			typid;
	const TcPlainType *type;	/* what a value of that type is sealed as */
} CastInfo;

static const CastInfo *
cast_info(FmgrInfo *flinfo, Oid typid)
{
	CastInfo   *info = flinfo->fn_extra;

	if (unlikely(info == NULL))
	{
		info = MemoryContextAlloc(flinfo->fn_mcxt, sizeof(CastInfo));
		info->typid = typid;
		info->type = tc_plaintype_by_oid(typid);
		if (info->type == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("type %s cannot be encrypted", format_type_be(typid))));
		flinfo->fn_extra = info;
	}
	return info;
}

/* For a function with one argument: its type as declared. */
static const CastInfo *
argument_info(FmgrInfo *flinfo)
{
	Oid		   *argtypes;
	int			nargs;

	if (likely(flinfo->fn_extra != NULL))
		return flinfo->fn_extra;
	(void) get_func_signature(flinfo->fn_oid, &argtypes, &nargs);
	return cast_info(flinfo, argtypes[0]);
}

static const CastInfo *
result_info(FmgrInfo *flinfo)
{
	if (likely(flinfo->fn_extra != NULL))
		return flinfo->fn_extra;
	return cast_info(flinfo, get_func_rettype(flinfo->fn_oid));
}

/*
 * A value of a plaintext type as the type we seal it as: bpchar without its
 * padding, name as text; varchar is text already.
 */
static Datum
as_plain_type(Datum value, const CastInfo *info)
{
	if (info->typid == BPCHAROID || info->typid == NAMEOID)
	{
		bool		isnull = false;

		value = tc_plain_convert(value, info->typid, info->type->typid,
								 COERCION_ASSIGNMENT, &isnull);
		if (isnull)
			elog(ERROR, "conversion to text gave NULL");
	}
	return value;
}

/*
 * Refuse text that is a sealed value, or begins with one, as a plaintext.
 * Somebody read the column without opening it and writes that back.  "value"
 * is of the plaintext type, as as_plain_type() gives it: a name is no varlena.
 */
static void
refuse_sealed_text(const TcPlainType *type, Datum value)
{
	struct varlena *plain;
	const char *str;
	uint8		bytes[TC_HEADER_BYTES + 1];
	size_t		len;
	TcHeader	header;

	if (type->code != TC_TYPE_TEXT)
		return;
	plain = (struct varlena *) DatumGetPointer(value);
	if (VARATT_IS_EXTERNAL(plain) || VARATT_IS_COMPRESSED(plain))
		plain = PG_DETOAST_DATUM_SLICE(value, 0, ARMORED_HEADER_LEN);
	str = VARDATA_ANY(plain);
	if (VARSIZE_ANY_EXHDR(plain) < ARMORED_HEADER_LEN ||
		!tc_armor_is(str, ARMORED_HEADER_LEN))
		return;
	if (tc_armor_decode(str, ARMORED_HEADER_LEN, bytes, sizeof(bytes), &len) != TC_OK ||
		tc_envelope_read_header(tc_span(bytes, len), &header) != TC_OK)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("value is sealed already and would be sealed again"),
			 errhint("Open it first, as in (column::text || 'x').")));
}

static struct varlena *
seal_pending(Datum value, const CastInfo *info)
{
	Datum		plain = as_plain_type(value, info);

	refuse_sealed_text(info->type, plain);
	return tc_datum_seal(info->type, plain, -1);
}

PG_FUNCTION_INFO_V1(themis_crypt_from_plain);

/* The cast from a plaintext type: a pending value. */
Datum
themis_crypt_from_plain(PG_FUNCTION_ARGS)
{
	const CastInfo *info = argument_info(fcinfo->flinfo);
	struct varlena *value;

	TC_HIDING_PLAINTEXT(value = seal_pending(PG_GETARG_DATUM(0), info));
	PG_RETURN_POINTER(value);
}

/*
 * Open a value as a datum of a plaintext type; errors show nothing of it.
 * *ret_isnull is set if a cast gives NULL, or a restore is to go on.
 */
static Datum
open_as(struct varlena *value, const CastInfo *info, bool *ret_isnull)
{
	const TcPlainType *from;
	TcEnvelope	envelope;
	Datum		plain;
	Datum		result;

	tc_value_parse(value, &envelope);
	*ret_isnull = tc_restoring_without(envelope.header.key_id);
	if (*ret_isnull)
		return (Datum) 0;
	from = tc_plaintype_by_code(envelope.header.type_code);
	if (envelope.header.version == TC_VERSION_PENDING || from == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("value is not sealed under a key yet"),
				 errhint("Cast it to encrypted(key, type) first, or open the other values of the expression.")));
	plain = tc_datum_open(&envelope, from);
	if (from->typid == info->typid)
		return plain;
	result = tc_plain_convert(plain, from->typid, info->typid, COERCION_EXPLICIT,
							  ret_isnull);
	if (*ret_isnull || result != plain)
		tc_plain_wipe_datum(from, plain);
	return result;
}

PG_FUNCTION_INFO_V1(themis_crypt_to_plain);

/* The cast to a plaintext type. */
Datum
themis_crypt_to_plain(PG_FUNCTION_ARGS)
{
	const CastInfo *info = result_info(fcinfo->flinfo);
	bool		isnull = false;
	Datum		result;

	TC_HIDING_PLAINTEXT(result = open_as(PG_GETARG_VARLENA_PP(0), info, &isnull));
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}

PG_FUNCTION_INFO_V1(themis_crypt_coerce);

/* The length coercion: see the head of this file. */
Datum
themis_crypt_coerce(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	int32		typmod = PG_GETARG_INT32(1);
	TcEnvelope	envelope;

	if (typmod < 0)
		PG_RETURN_POINTER(value);
	tc_value_parse(value, &envelope);
	if (tc_typmod_fits(typmod, &envelope.header))
		PG_RETURN_POINTER(value);
	TC_HIDING_PLAINTEXT(value = tc_datum_reseal(&envelope, typmod));
	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(value);
}

/*
 * Seal a value of some plaintext type for a column of maybe another; NULL if
 * the conversion gives NULL.
 */
static struct varlena *
seal_typed(Datum value, const CastInfo *info, int32 typmod)
{
	const TcPlainType *to = tc_column_type(typmod);
	Datum		plain = as_plain_type(value, info);
	bool		isnull = false;
	Datum		converted;

	refuse_sealed_text(info->type, plain);
	converted = tc_plain_convert(plain, info->type->typid, to->typid,
								 COERCION_ASSIGNMENT, &isnull);
	if (isnull)
		return NULL;
	return converted == value ? tc_datum_seal(to, converted, typmod) :
		tc_datum_seal_and_wipe(to, converted, typmod);
}

PG_FUNCTION_INFO_V1(themis_crypt_seal);

/* Cast and coercion in one: what the support function below puts in place. */
Datum
themis_crypt_seal(PG_FUNCTION_ARGS)
{
	int32		typmod = PG_GETARG_INT32(1);
	const CastInfo *info;
	struct varlena *value;

	if (typmod < 0 || tc_typmod_key_id(typmod) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid modifier for type encrypted")));
	info = likely(fcinfo->flinfo->fn_extra != NULL) ? fcinfo->flinfo->fn_extra :
		cast_info(fcinfo->flinfo, get_fn_expr_argtype(fcinfo->flinfo, 0));
	TC_HIDING_PLAINTEXT(value = seal_typed(PG_GETARG_DATUM(0), info, typmod));
	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(value);
}

/* The argument of a cast from a plaintext type to encrypted, or NULL. */
static Node *
cast_argument(Node *node, Oid encrypted)
{
	FuncExpr   *cast = (FuncExpr *) node;
	HeapTuple	tuple;
	Oid			source;
	bool		is_cast;

	if (!IsA(node, FuncExpr) || list_length(cast->args) != 1)
		return NULL;
	source = exprType(linitial(cast->args));
	tuple = SearchSysCache2(CASTSOURCETARGET, ObjectIdGetDatum(source),
							ObjectIdGetDatum(encrypted));
	if (!HeapTupleIsValid(tuple))
		return NULL;
	is_cast = ((Form_pg_cast) GETSTRUCT(tuple))->castfunc == cast->funcid;
	ReleaseSysCache(tuple);
	return is_cast && tc_plaintype_by_oid(source) != NULL ?
		linitial(cast->args) : NULL;
}

PG_FUNCTION_INFO_V1(themis_crypt_coerce_support);

/*
 * coerce(encrypted(x), typmod, ..) -> seal(x, typmod), when planning.  In the
 * shape of a cast, so that exprTypmod() finds the typmod: CREATE TABLE AS
 * needs it.
 */
Datum
themis_crypt_coerce_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestSimplify *simplify = (SupportRequestSimplify *) request;
	FuncExpr   *coerce;
	Node	   *argument;
	Oid			argtypes[2] = {ANYOID, INT4OID};
	Oid			seal;

	if (!IsA(request, SupportRequestSimplify))
		PG_RETURN_POINTER(NULL);
	coerce = simplify->fcall;
	if (list_length(coerce->args) != 3 || !IsA(lsecond(coerce->args), Const))
		PG_RETURN_POINTER(NULL);
	argument = cast_argument(linitial(coerce->args), coerce->funcresulttype);
	if (argument == NULL)
		PG_RETURN_POINTER(NULL);
	seal = LookupFuncName(list_make2(makeString("themis_crypt"), makeString("seal")),
						  2, argtypes, true);
	if (!OidIsValid(seal))
		PG_RETURN_POINTER(NULL);
	PG_RETURN_POINTER(makeFuncExpr(seal, coerce->funcresulttype,
								   list_make2(argument, lsecond(coerce->args)),
								   InvalidOid, InvalidOid, COERCE_EXPLICIT_CAST));
}

/*
 * Four functions and operators of PostgreSQL are written in SQL, as a cast to
 * text, and would so open values where nobody asked for it.  These are chosen
 * in their place, and go on with the armor.
 */
static text *
armor_text(struct varlena *value)
{
	return cstring_to_text(tc_encrypted_armor(value));
}

PG_FUNCTION_INFO_V1(themis_crypt_concat_before);

/* encrypted || text */
Datum
themis_crypt_concat_before(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(DirectFunctionCall2(textcat,
										PointerGetDatum(armor_text(PG_GETARG_VARLENA_PP(0))),
										PG_GETARG_DATUM(1)));
}

PG_FUNCTION_INFO_V1(themis_crypt_concat_after);

/* text || encrypted */
Datum
themis_crypt_concat_after(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(DirectFunctionCall2(textcat, PG_GETARG_DATUM(0),
										PointerGetDatum(armor_text(PG_GETARG_VARLENA_PP(1)))));
}

PG_FUNCTION_INFO_V1(themis_crypt_quote);

/* quote_literal(encrypted), and quote_nullable(encrypted) but for NULL */
Datum
themis_crypt_quote(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_TEXT_P(cstring_to_text("NULL"));
	PG_RETURN_DATUM(DirectFunctionCall1(quote_literal,
										PointerGetDatum(armor_text(PG_GETARG_VARLENA_PP(0)))));
}
