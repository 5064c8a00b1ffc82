/*-------------------------------------------------------------------------
 *
 * plaintype.c
 *	  The plaintext types of encrypted columns, and their bytes.
 *
 * src/plaintype.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sodium.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"
#include "plaintype.h"

#define ASCII_BLOCK		64		/* bytes of text to look at before giving up */

static const TcPlainType types[] =
{
	{TC_TYPE_TEXT, TEXTOID, "text"},
	{2, BYTEAOID, "bytea"},
	{3, JSONOID, "json"},
	{4, JSONBOID, "jsonb"},
	{5, BOOLOID, "bool"},
	{6, INT2OID, "int2"},
	{7, INT4OID, "int4"},
	{8, INT8OID, "int8"},
	{9, FLOAT4OID, "float4"},
	{10, FLOAT8OID, "float8"},
	{11, NUMERICOID, "numeric"},
	{12, DATEOID, "date"},
	{13, TIMEOID, "time"},
	{14, TIMESTAMPOID, "timestamp"},
	{15, TIMESTAMPTZOID, "timestamptz"},
	{16, INTERVALOID, "interval"},
	{17, UUIDOID, "uuid"},
	{18, INETOID, "inet"},
};

/* What the grammar makes of other spellings that are one word. */
static const struct
{
	const char *alias;
	const char *name;
}			aliases[] =
{
	{"varchar", "text"},
	{"bpchar", "text"},
	{"boolean", "bool"},
	{"smallint", "int2"},
	{"integer", "int4"},
	{"int", "int4"},
	{"bigint", "int8"},
	{"real", "float4"},
	{"decimal", "numeric"},
};

const TcPlainType *
tc_plaintype_by_code(uint8 code)
{
	return code >= 1 && code <= lengthof(types) ? &types[code - 1] : NULL;
}

const TcPlainType *
tc_plaintype_by_name(const char *name)
{
	for (size_t i = 0; i < lengthof(aliases); i++)
	{
		if (strcmp(aliases[i].alias, name) == 0)
			name = aliases[i].name;
	}
	for (size_t i = 0; i < lengthof(types); i++)
	{
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	}
	return NULL;
}

const TcPlainType *
tc_plaintype_by_oid(Oid typid)
{
	if (typid == VARCHAROID || typid == BPCHAROID || typid == NAMEOID)
		typid = TEXTOID;
	for (size_t i = 0; i < lengthof(types); i++)
	{
		if (types[i].typid == typid)
			return &types[i];
	}
	return NULL;
}

/* What the catalog says of a type: of PostgreSQL's own, so it stays. */
typedef struct TypeFacts
{
	bool		known;
	int16		len;
	bool		byval;
	FmgrInfo	input;
	FmgrInfo	receive;
	FmgrInfo	send;
	Oid			input_param;	/* of both input functions */
} TypeFacts;

static void
look_up_facts(const TcPlainType *type, TypeFacts *facts)
{
	Oid			function;
	bool		isvarlena;

	get_typlenbyval(type->typid, &facts->len, &facts->byval);
	getTypeBinaryOutputInfo(type->typid, &function, &isvarlena);
	fmgr_info_cxt(function, &facts->send, TopMemoryContext);
	getTypeBinaryInputInfo(type->typid, &function, &facts->input_param);
	fmgr_info_cxt(function, &facts->receive, TopMemoryContext);
	getTypeInputInfo(type->typid, &function, &facts->input_param);
	fmgr_info_cxt(function, &facts->input, TopMemoryContext);
	facts->known = true;
}

/* Looked up once in a backend: each row wants them. */
static inline TypeFacts *
facts_of(const TcPlainType *type)
{
	static TypeFacts all[lengthof(types)];
	TypeFacts  *facts = &all[type - types];

	if (unlikely(!facts->known))
		look_up_facts(type, facts);
	return facts;
}

/* Whether a type is sealed as text in UTF-8. */
static bool
is_textual(const TcPlainType *type)
{
	return type->typid == TEXTOID || type->typid == JSONOID ||
		type->typid == JSONBOID;
}

void
tc_plain_free(struct varlena *plain)
{
	sodium_memzero(plain, VARSIZE_ANY(plain));
	pfree(plain);
}

/* A varlena whose data are these bytes. */
static struct varlena *
make_varlena(const char *bytes, size_t len)
{
	struct varlena *result = palloc(VARHDRSZ + len);

	SET_VARSIZE(result, VARHDRSZ + len);
	memcpy(VARDATA(result), bytes, len);
	return result;
}

/*
 * Bring text from one encoding to another, as pg_do_encoding_conversion() and
 * the like, whose errors quote the character that they cannot convert.
 */
static char *
convert_text(const char *str, int len, int encoding, bool to_server)
{
	char	   *volatile result = NULL;

	/* most often there is nothing to convert */
	if (encoding == GetDatabaseEncoding() &&
		(!to_server || pg_verify_mbstr(encoding, str, len, true)))
		return unconstify(char *, str);
	PG_TRY();
	{
		result = to_server ? pg_any_to_server(str, len, encoding) :
			pg_server_to_any(str, len, encoding);
	}
	PG_CATCH();
	{
		int			sqlerrcode = geterrcode();
		const char *from = to_server ? pg_encoding_to_char(encoding) : GetDatabaseEncodingName();
		const char *to = to_server ? GetDatabaseEncodingName() : pg_encoding_to_char(encoding);

		if (ERRCODE_TO_CATEGORY(sqlerrcode) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		FlushErrorState();
		ereport(ERROR,
				(errcode(sqlerrcode),
				 sqlerrcode == ERRCODE_UNTRANSLATABLE_CHARACTER ?
				 errmsg("text in encoding \"%s\" has a character without equivalent in encoding \"%s\"",
						from, to) :
				 errmsg("invalid byte sequence for encoding \"%s\"", from),
				 errdetail("The value is not shown because it is encrypted or to be encrypted.")));
	}
	PG_END_TRY();
	return result;
}

char *
tc_plain_text_to_utf8(const char *str, int len)
{
	return convert_text(str, len, PG_UTF8, false);
}

/* Text of the server as UTF-8; wiped and freed, if it was not borrowed. */
static struct varlena *
convert_to_utf8(struct varlena *server, bool *borrowed)
{
	char	   *volatile utf8 = NULL;
	struct varlena *volatile result = NULL;

	PG_TRY();
	{
		utf8 = tc_plain_text_to_utf8(VARDATA_ANY(server),
									 (int) VARSIZE_ANY_EXHDR(server));
		result = utf8 == VARDATA_ANY(server) ? server :
			make_varlena(utf8, strlen(utf8));
	}
	PG_FINALLY();
	{
		if (utf8 != NULL && utf8 != VARDATA_ANY(server))
			sodium_memzero(utf8, strlen(utf8));
		if (result != server && !*borrowed)
			tc_plain_free(server);
	}
	PG_END_TRY();
	if (result != server)
	{
		pfree(utf8);
		*borrowed = false;
	}
	return result;
}

struct varlena *
tc_plain_from_datum(const TcPlainType *type, Datum value, bool *ret_borrowed)
{
	struct varlena *server;
	Oid			function;
	bool		isvarlena;

	*ret_borrowed = false;
	if (!is_textual(type))
		return SendFunctionCall(&facts_of(type)->send, value);

	if (type->typid == JSONBOID)
	{
		char	   *str;

		getTypeOutputInfo(type->typid, &function, &isvarlena);
		str = OidOutputFunctionCall(function, value);
		server = make_varlena(str, strlen(str));
		sodium_memzero(str, strlen(str));
		pfree(str);
	}
	else
	{
		server = PG_DETOAST_DATUM_PACKED(value);
		*ret_borrowed = (Pointer) server == DatumGetPointer(value);
	}

	if (likely(GetDatabaseEncoding() == PG_UTF8))
		return server;
	return convert_to_utf8(server, ret_borrowed);
}

/* The plaintext's binary form through its type's receive function. */
static Datum
receive(const TcPlainType *type, struct varlena *plain)
{
	TypeFacts  *facts = facts_of(type);
	StringInfoData buf;
	volatile Datum result = (Datum) 0;

	/* receive functions want a terminated, writable buffer */
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA(plain), (int) (VARSIZE(plain) - VARHDRSZ));
	tc_plain_free(plain);
	PG_TRY();
	{
		result = ReceiveFunctionCall(&facts->receive, &buf, facts->input_param, -1);
	}
	PG_FINALLY();
	{
		sodium_memzero(buf.data, (size_t) buf.len);
		pfree(buf.data);
	}
	PG_END_TRY();
	if (buf.cursor != buf.len)
	{
		tc_plain_wipe_datum(type, result);
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("decrypted value has the wrong length for type %s",
						type->name)));
	}
	return result;
}

/* Text that must be converted, or be read by its type. */
static Datum
convert_from_utf8(const TcPlainType *type, struct varlena *plain)
{
	char	   *utf8 = VARDATA(plain);
	int			len = (int) (VARSIZE(plain) - VARHDRSZ);
	char	   *volatile str = NULL;
	volatile Datum result = (Datum) 0;

	PG_TRY();
	{
		/* this verifies the encoding too, so that no invalid text gets in */
		char	   *converted = convert_text(utf8, len, PG_UTF8, true);

		str = converted == utf8 ? pnstrdup(utf8, (Size) len) : converted;
		result = type->typid == JSONBOID ? tc_plain_input(type, str) :
			PointerGetDatum(make_varlena(str, strlen(str)));
	}
	PG_FINALLY();
	{
		if (str != NULL)
			sodium_memzero(str, strlen(str));
		tc_plain_free(plain);
	}
	PG_END_TRY();
	pfree(str);
	return result;
}

/* Bit 7 of those of eight bytes that are 0 or above 0x7F; others may follow a 0. */
static inline uint64
not_ascii(const char *str, Size len)
{
	uint64		eight = UINT64CONST(0x0101010101010101);

	memcpy(&eight, str, len);
	return (eight | (eight - UINT64CONST(0x0101010101010101))) &
		UINT64CONST(0x8080808080808080);
}

/*
 * Whether text is nothing but ASCII, without zero bytes: valid in any encoding.
 * Quicker for short texts than pg_verify_mbstr(), which then goes byte by byte.
 * PostgreSQL has is_valid_ascii() from 16 on, for whole blocks of 16 bytes.
 */
static inline bool
is_ascii(const char *str, Size len)
{
	uint64		suspect = 0;

	for (; len >= ASCII_BLOCK; str += ASCII_BLOCK, len -= ASCII_BLOCK)
	{
		for (int i = 0; i < ASCII_BLOCK; i += 8)
			suspect |= not_ascii(str + i, 8);
		if (suspect != 0)
			return false;
	}
	for (; len >= 8; str += 8, len -= 8)
		suspect |= not_ascii(str, 8);
	return (suspect | not_ascii(str, len)) == 0;
}

Datum
tc_plain_to_datum(const TcPlainType *type, struct varlena *plain)
{
	const char *str = VARDATA(plain);
	Size		len = VARSIZE(plain) - VARHDRSZ;

	if (!is_textual(type))
		return receive(type, plain);
	if (likely(GetDatabaseEncoding() == PG_UTF8 && type->typid != JSONBOID &&
			   (is_ascii(str, len) ||
				pg_verify_mbstr(PG_UTF8, str, (int) len, true))))
		return PointerGetDatum(plain);
	return convert_from_utf8(type, plain);
}

void
tc_plain_wipe_datum(const TcPlainType *type, Datum value)
{
	TypeFacts  *facts = facts_of(type);

	if (!facts->byval)
		sodium_memzero(DatumGetPointer(value),
					   datumGetSize(value, false, facts->len));
}

/*
 * A type's own function has thrown, and its message may quote the plaintext.
 * Replace it by one that does not, with the same SQLSTATE; errors that are not
 * about the data go on as they are.
 */
static void
rethrow_without_data(Oid typid)
{
	int			sqlerrcode = geterrcode();

	if (ERRCODE_TO_CATEGORY(sqlerrcode) != ERRCODE_DATA_EXCEPTION)
		PG_RE_THROW();
	FlushErrorState();
	ereport(ERROR,
			(errcode(sqlerrcode),
			 errmsg("invalid value for type %s", format_type_be(typid)),
			 errdetail("The value is not shown because it is encrypted or to be encrypted.")));
}

Datum
tc_plain_input(const TcPlainType *type, char *str)
{
	TypeFacts  *facts = facts_of(type);
	volatile Datum result = (Datum) 0;

	PG_TRY();
	{
		result = InputFunctionCall(&facts->input, str,
								   facts->input_param, -1);
	}
	PG_CATCH();
	{
		rethrow_without_data(type->typid);
	}
	PG_END_TRY();
	return result;
}

/* Text as a client sent it, which may have another encoding. */
static Datum
receive_text(const TcPlainType *type, const char *bytes, int len, int encoding)
{
	char	   *copy = palloc((Size) len + 1);
	char	   *volatile str = copy;
	volatile Datum result = (Datum) 0;

	memcpy(copy, bytes, (size_t) len);
	copy[len] = '\0';
	PG_TRY();
	{
		/* this refuses a zero byte within */
		str = convert_text(copy, len, encoding, true);
		result = tc_plain_input(type, str);
	}
	PG_FINALLY();
	{
		sodium_memzero(str, strlen(str));
		sodium_memzero(copy, (size_t) len);
	}
	PG_END_TRY();
	return result;
}

static void
not_binary_form(const TcPlainType *type)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("incorrect binary data format for type %s",
					format_type_be(type->typid))));
}

Datum
tc_plain_receive(const TcPlainType *type, const char *bytes, int len,
				 int encoding)
{
	TypeFacts  *facts = facts_of(type);
	StringInfoData buf;
	volatile Datum result = (Datum) 0;

	if (type->typid == JSONBOID)
	{
		/* version 1: text */
		if (len < 1 || bytes[0] != 1)
			not_binary_form(type);
		bytes++;
		len--;
	}
	if (is_textual(type))
		return receive_text(type, bytes, len, encoding);

	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, bytes, len);
	PG_TRY();
	{
		result = ReceiveFunctionCall(&facts->receive, &buf, facts->input_param, -1);
	}
	PG_CATCH();
	{
		sodium_memzero(buf.data, (size_t) buf.len);
		rethrow_without_data(type->typid);
	}
	PG_END_TRY();
	sodium_memzero(buf.data, (size_t) buf.len);
	pfree(buf.data);
	if (buf.cursor != buf.len)
	{
		tc_plain_wipe_datum(type, result);
		not_binary_form(type);
	}
	return result;
}

/* Convert through the types' text forms. */
static Datum
convert_via_io(Datum value, Oid from, Oid to)
{
	Oid			function;
	Oid			param;
	bool		isvarlena;
	char	   *str;
	volatile Datum result = (Datum) 0;

	getTypeOutputInfo(from, &function, &isvarlena);
	str = OidOutputFunctionCall(function, value);
	getTypeInputInfo(to, &function, &param);
	PG_TRY();
	{
		result = OidInputFunctionCall(function, str, param, -1);
	}
	PG_FINALLY();
	{
		sodium_memzero(str, strlen(str));
		pfree(str);
	}
	PG_END_TRY();
	return result;
}

/* Call a cast function with as many arguments as it has. */
static Datum
call_cast(Oid function, Datum value, bool is_explicit, bool *ret_isnull)
{
	LOCAL_FCINFO(fcinfo, 3);
	FmgrInfo	flinfo;
	Datum		result;

	fmgr_info(function, &flinfo);
	InitFunctionCallInfoData(*fcinfo, &flinfo, flinfo.fn_nargs, InvalidOid, NULL,
							 NULL);
	fcinfo->args[0].value = value;
	fcinfo->args[1].value = Int32GetDatum(-1);
	fcinfo->args[2].value = BoolGetDatum(is_explicit);
	for (int i = 0; i < 3; i++)
		fcinfo->args[i].isnull = false;
	result = FunctionCallInvoke(fcinfo);
	*ret_isnull = fcinfo->isnull;
	return result;
}

Datum
tc_plain_convert(Datum value, Oid from, Oid to, CoercionContext context,
				 bool *ret_isnull)
{
	CoercionPathType path;
	Oid			function;
	volatile Datum result = (Datum) 0;

	if (from == to)
		return value;
	path = find_coercion_pathway(to, from, context, &function);
	if (path == COERCION_PATH_RELABELTYPE)
		return value;
	if (path != COERCION_PATH_FUNC && path != COERCION_PATH_COERCEVIAIO)
		ereport(ERROR,
				(errcode(context == COERCION_EXPLICIT ?
						 ERRCODE_CANNOT_COERCE : ERRCODE_DATATYPE_MISMATCH),
				 errmsg("cannot cast type %s to %s",
						format_type_be(from), format_type_be(to))));
	PG_TRY();
	{
		result = path == COERCION_PATH_COERCEVIAIO ?
			convert_via_io(value, from, to) :
			call_cast(function, value, context == COERCION_EXPLICIT, ret_isnull);
	}
	PG_CATCH();
	{
		rethrow_without_data(to);
	}
	PG_END_TRY();
	return result;
}
