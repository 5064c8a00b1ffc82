/*-------------------------------------------------------------------------
 *
 * encrypted.c
 *	  The type encrypted: input, output, casts.
 *
 * Plaintext becomes a value of the column's key in one of two ways.  COPY and
 * the like call the input function with the column's typmod: it seals or
 * refuses.  Literals and casts come without one: they become pending values,
 * sealed under the transit key, and the length coercion (which PostgreSQL
 * applies on every path into a column) seals them under the column's key.
 * A typed expression takes one step instead of two: the coercion's support
 * function merges cast and coercion when the query is planned.
 *
 * src/encrypted.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_cast.h"
#include "catalog/pg_type.h"
#include "commands/copyfrom_internal.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "parser/parse_func.h"
#include "replication/logicalworker.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "armor.h"
#include "client_output.h"
#include "compat.h"
#include "errors.h"
#include "guc.h"
#include "plaintype.h"
#include "sealing.h"
#include "typmod.h"

/*
 * An error comes up around a plaintext: keep the text of the statement, in
 * which it may stand, out of the server log, and the column's value out of
 * what COPY has to say.
 */
static void
hide_plaintext(void *arg)
{
	ErrorContextCallback *outer;

	errhidecontext(true);
	errhidestmt(true);
	for (outer = error_context_stack; outer != NULL; outer = outer->previous)
	{
		if (outer->callback == CopyFromErrorCallback)
		{
			CopyFromState copy = outer->arg;

			copy->cur_attname = NULL;
			copy->line_buf_valid = false;
		}
	}
}

#define HIDING_PLAINTEXT(expression) \
	do { \
		ErrorContextCallback hiding = {error_context_stack, hide_plaintext, NULL}; \
		\
		error_context_stack = &hiding; \
		expression; \
		error_context_stack = hiding.previous; \
	} while (0)

/* Seal the bytes of a plaintext, for a column or (typmod < 0) pending. */
static struct varlena *
seal_bytes(const TcPlainType *type, struct varlena *plain, int32 typmod)
{
	TcSpan		bytes = tc_span(VARDATA_ANY(plain), VARSIZE_ANY_EXHDR(plain));

	return typmod < 0 ? tc_pending_seal(type->code, bytes) :
		tc_value_seal(tc_typmod_key_id(typmod), type->code, bytes);
}

/* Seal a datum of a plaintext type; no copy of it is left behind. */
static pg_noinline struct varlena *
seal_datum(const TcPlainType *type, Datum value, int32 typmod)
{
	bool		borrowed;
	struct varlena *plain = tc_plain_from_datum(type, value, &borrowed);
	struct varlena *volatile result = NULL;

	if (borrowed)
		return seal_bytes(type, plain, typmod);

	PG_TRY();
	{
		result = seal_bytes(type, plain, typmod);
	}
	PG_FINALLY();
	{
		tc_plain_free(plain);
	}
	PG_END_TRY();
	return result;
}

/* The same for a datum of our own, which is wiped, whatever happens. */
static pg_noinline struct varlena *
seal_and_wipe(const TcPlainType *type, Datum value, int32 typmod)
{
	struct varlena *volatile result = NULL;

	PG_TRY();
	{
		result = seal_datum(type, value, typmod);
	}
	PG_FINALLY();
	{
		tc_plain_wipe_datum(type, value);
	}
	PG_END_TRY();
	return result;
}

/* The plaintext type of a column. */
static const TcPlainType *
column_type(int32 typmod)
{
	const TcPlainType *type = tc_plaintype_by_code(tc_typmod_type_code(typmod));

	if (type == NULL || tc_typmod_search(typmod) != TC_SEARCH_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column of type encrypted has a modifier that is not supported here")));
	return type;
}

/* Seal text as it was typed or sent, in the server's encoding. */
static struct varlena *
seal_text_form(char *str, int32 typmod)
{
	const TcPlainType *type;

	if (typmod < 0)
	{
		char	   *utf8 = pg_server_to_any(str, (int) strlen(str), PG_UTF8);

		return tc_pending_seal(TC_TYPE_UNTYPED, tc_span(utf8, strlen(utf8)));
	}
	type = column_type(typmod);
	return seal_and_wipe(type, tc_plain_input(type, str), typmod);
}

/* Open any value, pending or not, as a datum of the type it was sealed as. */
static Datum
open_datum(const TcEnvelope *envelope, const TcPlainType *type)
{
	struct varlena *plain = envelope->header.version == TC_VERSION_PENDING ?
		tc_pending_open(envelope) : tc_value_open(envelope);

	return tc_plain_to_datum(type, plain);
}

/*
 * Seal anew, under the key of a column, a pending value or one of another
 * key, type or search mode.
 */
static struct varlena *
reseal(const TcEnvelope *envelope, int32 typmod)
{
	const TcPlainType *to = column_type(typmod);
	const TcPlainType *from = tc_plaintype_by_code(envelope->header.type_code);
	TcKey	   *key = tc_key_by_id(tc_typmod_key_id(typmod));
	bool		untyped;
	Datum		opened;
	Datum		value;
	struct varlena *volatile result = NULL;

	/* Refuse before anything is opened. */
	if (key == NULL || key->is_root)
		tc_error_unknown_key(tc_typmod_key_id(typmod));
	tc_key_require_usage(key);

	/* an untyped literal becomes what the column's type makes of its text */
	untyped = from == NULL;
	if (untyped)
		from = tc_plaintype_by_code(TC_TYPE_TEXT);
	opened = open_datum(envelope, from);
	if (from == to)
		return seal_and_wipe(to, opened, typmod);

	PG_TRY();
	{
		if (untyped)
			value = tc_plain_input(to, text_to_cstring(DatumGetTextPP(opened)));
		else
			value = tc_plain_convert(opened, from->typid, to->typid,
									 COERCION_ASSIGNMENT);
		result = seal_datum(to, value, typmod);
		if (value != opened)
			tc_plain_wipe_datum(to, value);
	}
	PG_FINALLY();
	{
		tc_plain_wipe_datum(from, opened);
	}
	PG_END_TRY();
	return result;
}

/*
 * Whether the current role may bring in a sealed value from outside: not a
 * way to have it opened by somebody else unless one could open it oneself.
 */
static bool
may_bring_in(const TcHeader *header)
{
	TcKey	   *key;

	if (tc_restore || IsBinaryUpgrade || IsLogicalWorker())
		return true;
	key = tc_key_by_id(header->key_id);
	if (key == NULL || key->is_root)
		tc_error_unknown_key(header->key_id);
	return tc_key_may_use(key);
}

/* Take in a sealed value that came as text or binary; "value" is ours. */
static struct varlena *
bring_in(struct varlena *value, int32 typmod)
{
	TcEnvelope	envelope;

	tc_value_parse(value, &envelope);
	if (envelope.header.version == TC_VERSION_PENDING)
	{
		char	   *role = GetUserNameFromId(GetUserId(), false);

		if (envelope.role.len != strlen(role) ||
			memcmp(envelope.role.data, role, envelope.role.len) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied for pending value of another role")));
		return typmod < 0 ? value : reseal(&envelope, typmod);
	}
	if (!may_bring_in(&envelope.header))
		tc_error_no_usage(tc_key_by_id(envelope.header.key_id)->name, GetUserId());
	if (typmod >= 0 && !tc_typmod_fits(typmod, &envelope.header))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("sealed value does not belong to a column of type encrypted%s",
						tc_typmod_text(typmod)),
				 errdetail("It was sealed under another key, type or search mode.")));
	return value;
}

/* Decode armor into a new datum. */
static struct varlena *
from_armor(const char *str, size_t len)
{
	size_t		size = len / 4 * 3 + 3;
	struct varlena *value = palloc(VARHDRSZ + size);
	size_t		value_len;
	TcResult	result;

	result = tc_armor_decode(str, len, (uint8 *) VARDATA(value), size, &value_len);
	if (result != TC_OK)
		tc_error_form(result);
	SET_VARSIZE(value, VARHDRSZ + value_len);
	return value;
}

PG_FUNCTION_INFO_V1(themis_crypt_encrypted_in);

Datum
themis_crypt_encrypted_in(PG_FUNCTION_ARGS)
{
	char	   *str = PG_GETARG_CSTRING(0);
	int32		typmod = PG_GETARG_INT32(2);
	size_t		len = strlen(str);
	struct varlena *value;

	if (tc_armor_is(str, len))
		value = bring_in(from_armor(str, len), typmod);
	else
		HIDING_PLAINTEXT(value = seal_text_form(str, typmod));
	PG_RETURN_POINTER(value);
}

PG_FUNCTION_INFO_V1(themis_crypt_encrypted_recv);

Datum
themis_crypt_encrypted_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int32		typmod = PG_GETARG_INT32(2);
	int			left = buf->len - buf->cursor;
	struct varlena *value;
	char	   *str;

	if (left > 0 && (uint8) buf->data[buf->cursor] >= TC_SEALED_FIRST_MIN)
	{
		value = palloc(VARHDRSZ + (Size) left);
		SET_VARSIZE(value, VARHDRSZ + left);
		pq_copymsgbytes(buf, VARDATA(value), left);
		PG_RETURN_POINTER(bring_in(value, typmod));
	}
	str = pq_getmsgtext(buf, left, &left);
	if (tc_armor_is(str, (size_t) left))
		value = bring_in(from_armor(str, (size_t) left), typmod);
	else
		HIDING_PLAINTEXT(value = seal_text_form(str, typmod));
	PG_RETURN_POINTER(value);
}

/*
 * The plaintext of a value in its type's text form, if this is for a client
 * that asked for it and the role may use the key; NULL if not.
 */
static char *
open_for_client(struct varlena *value)
{
	TcEnvelope	envelope;
	const TcPlainType *type;
	TcKey	   *key;
	Oid			function;
	bool		isvarlena;
	Datum		plain;
	char	   *str;

	if (!tc_client_output_opens())
		return NULL;
	tc_value_parse(value, &envelope);
	type = tc_plaintype_by_code(envelope.header.type_code);
	key = tc_key_by_id(envelope.header.key_id);
	if (envelope.header.version == TC_VERSION_PENDING || type == NULL ||
		key == NULL || key->is_root || !tc_key_may_use(key))
		return NULL;
	plain = open_datum(&envelope, type);
	getTypeOutputInfo(type->typid, &function, &isvarlena);
	str = OidOutputFunctionCall(function, plain);
	tc_plain_wipe_datum(type, plain);
	return str;
}

PG_FUNCTION_INFO_V1(themis_crypt_encrypted_out);

Datum
themis_crypt_encrypted_out(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	TcSpan		bytes = tc_span(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	char	   *str = open_for_client(value);

	if (str == NULL)
	{
		str = palloc(tc_armor_len(bytes.len) + 1);
		tc_armor_encode(bytes, str);
	}
	PG_RETURN_CSTRING(str);
}

PG_FUNCTION_INFO_V1(themis_crypt_encrypted_send);

/* For a client that asked for plaintext its text form, as textsend() gives. */
Datum
themis_crypt_encrypted_send(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	char	   *str = open_for_client(value);
	StringInfoData buf;

	pq_begintypsend(&buf);
	if (str != NULL)
		pq_sendtext(&buf, str, (int) strlen(str));
	else
		pq_sendbytes(&buf, VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

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
		return tc_plain_convert(value, info->typid, info->type->typid,
								COERCION_ASSIGNMENT);
	return value;
}

PG_FUNCTION_INFO_V1(themis_crypt_from_plain);

/* The cast from a plaintext type: a pending value. */
Datum
themis_crypt_from_plain(PG_FUNCTION_ARGS)
{
	const CastInfo *info = argument_info(fcinfo->flinfo);
	struct varlena *value;

	HIDING_PLAINTEXT(value = seal_datum(info->type,
										as_plain_type(PG_GETARG_DATUM(0), info),
										-1));
	PG_RETURN_POINTER(value);
}

/*
 * Whether this is a COPY that restores a dump, and no trigger in it.  Only
 * CHECK constraints are evaluated there; they held when the dump was made, and
 * whoever restores need not have the key.
 */
static bool
restoring_rows(void)
{
	ErrorContextCallback *outer;

	if (likely(!tc_restore))
		return false;
	for (outer = error_context_stack; outer != NULL; outer = outer->previous)
	{
		if (outer->callback == CopyFromErrorCallback)
			return DatumGetInt32(OidFunctionCall0(F_PG_TRIGGER_DEPTH)) == 0;
	}
	return false;
}

PG_FUNCTION_INFO_V1(themis_crypt_to_plain);

/* The cast to a plaintext type: opens the value. */
Datum
themis_crypt_to_plain(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	const CastInfo *info = result_info(fcinfo->flinfo);
	const TcPlainType *from;
	TcEnvelope	envelope;
	Datum		plain;
	Datum		result;

	/* a CHECK on NULL holds */
	if (restoring_rows())
		PG_RETURN_NULL();
	tc_value_parse(value, &envelope);
	from = tc_plaintype_by_code(envelope.header.type_code);
	if (envelope.header.version == TC_VERSION_PENDING || from == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("value is not sealed under a key yet"),
				 errhint("Cast it to encrypted(key, type) first.")));
	plain = open_datum(&envelope, from);
	if (from->typid == info->typid)
		PG_RETURN_DATUM(plain);
	result = tc_plain_convert(plain, from->typid, info->typid, COERCION_EXPLICIT);
	if (result != plain)
		tc_plain_wipe_datum(from, plain);
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
	HIDING_PLAINTEXT(value = reseal(&envelope, typmod));
	PG_RETURN_POINTER(value);
}

/* Seal a value of some plaintext type for a column of maybe another. */
static struct varlena *
seal_typed(Datum value, const CastInfo *info, int32 typmod)
{
	const TcPlainType *to = column_type(typmod);
	Datum		plain = as_plain_type(value, info);
	Datum		converted = tc_plain_convert(plain, info->type->typid, to->typid,
											 COERCION_ASSIGNMENT);

	return converted == value ? seal_datum(to, converted, typmod) :
		seal_and_wipe(to, converted, typmod);
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
	info = cast_info(fcinfo->flinfo, get_fn_expr_argtype(fcinfo->flinfo, 0));
	HIDING_PLAINTEXT(value = seal_typed(PG_GETARG_DATUM(0), info, typmod));
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
