/*-------------------------------------------------------------------------
 *
 * encrypted.c
 *	  The type encrypted: input and output.
 *
 * Plaintext becomes a value of the column's key in one of two ways.  COPY and
 * the like call the input function with the column's typmod: it seals or
 * refuses.  Literals and casts come without one: they become pending values,
 * sealed under the transit key, and the length coercion (which PostgreSQL
 * applies on every path into a column; see encrypted_cast.c) seals them under
 * the column's key.
 *
 * src/encrypted.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "replication/logicalworker.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include <sodium.h>

#include "armor.h"
#include "client_output.h"
#include "compat.h"
#include "encrypted.h"
#include "errors.h"
#include "guc.h"
#include "sealdatum.h"
#include "typmod.h"

/* Seal text as it was typed or sent, in the server's encoding. */
static struct varlena *
seal_text_form(char *str, int32 typmod)
{
	const TcPlainType *type;

	if (typmod < 0)
	{
		char	   *utf8 = tc_plain_text_to_utf8(str, (int) strlen(str));
		struct varlena *value = tc_pending_seal(TC_TYPE_UNTYPED,
												tc_span(utf8, strlen(utf8)));

		if (utf8 != str)
			sodium_memzero(utf8, strlen(utf8));
		return value;
	}
	type = tc_column_type(typmod);
	return tc_datum_seal_and_wipe(type, tc_plain_input(type, str), typmod);
}

/*
 * Refuse a sealed value from outside, unless it is a restore or replication,
 * or the session asked for this and the role could open the value itself.
 * Otherwise whoever has got hold of a sealed value, and may put text into an
 * application, could have the application open it.
 */
static void
require_sealed_input(const TcHeader *header)
{
	TcKey	   *key;

	if (tc_restore || IsBinaryUpgrade || IsLogicalWorker())
		return;
	if (!tc_sealed_input)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("sealed value is not accepted as input"),
				 errhint("Set themis_crypt.restore to restore a dump, or themis_crypt.sealed_input where all input can be trusted.")));
	if (header->version == TC_VERSION_PENDING)
		return;
	key = tc_key_by_id(header->key_id);
	if (key == NULL || key->is_root)
		tc_error_unknown_key(header->key_id);
	tc_key_require_usage(key);
}

/* A pending value is for the role that made it, and nobody else. */
static bool
is_own_pending(const TcEnvelope *envelope)
{
	char	   *role = GetUserNameFromId(GetUserId(), false);

	return envelope->role.len == strlen(role) &&
		memcmp(envelope->role.data, role, envelope->role.len) == 0;
}

static void
require_own_pending(const TcEnvelope *envelope)
{
	if (!is_own_pending(envelope))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for pending value of another role")));
}

/* Take in a sealed value that came as text or binary; "value" is ours. */
static struct varlena *
bring_in(struct varlena *value, int32 typmod)
{
	TcEnvelope	envelope;

	tc_value_parse(value, &envelope);
	require_sealed_input(&envelope.header);
	if (envelope.header.version == TC_VERSION_PENDING)
	{
		require_own_pending(&envelope);
		if (typmod < 0)
			return value;

		/* both come from text input, which never gives NULL */
		value = tc_datum_reseal(&envelope, typmod);
		if (value == NULL)
			elog(ERROR, "conversion gave NULL");
		return value;
	}
	if (typmod >= 0 && !tc_typmod_fits(typmod, &envelope.header))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("sealed value does not belong to a column of type encrypted%s",
						tc_typmod_text(typmod)),
				 errdetail("It was sealed under another key or for another type.")));
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

/* Take in text: armor, or a plaintext. */
static struct varlena *
take_text(char *str, size_t len, int32 typmod)
{
	if (tc_armor_is(str, len))
		return bring_in(from_armor(str, len), typmod);
	return seal_text_form(str, typmod);
}

PG_FUNCTION_INFO_V1(themis_crypt_encrypted_in);

Datum
themis_crypt_encrypted_in(PG_FUNCTION_ARGS)
{
	char	   *str = PG_GETARG_CSTRING(0);
	struct varlena *value;

	TC_HIDING_PLAINTEXT(value = take_text(str, strlen(str), PG_GETARG_INT32(2)));
	PG_RETURN_POINTER(value);
}

/* Seal plaintext in binary form, which without a column nobody can read yet. */
static struct varlena *
seal_octets(StringInfo buf, int len, int32 typmod)
{
	const char *bytes = pq_getmsgbytes(buf, len);
	const TcPlainType *type;
	struct varlena *plain;
	struct varlena *volatile value = NULL;

	if (typmod >= 0)
	{
		type = tc_column_type(typmod);
		return tc_datum_seal_and_wipe(type, tc_plain_receive(type, bytes, len,
															  pg_get_client_encoding()),
									  typmod);
	}
	plain = palloc(VARHDRSZ + 1 + (Size) len);
	SET_VARSIZE(plain, VARHDRSZ + 1 + len);
	VARDATA(plain)[0] = (char) pg_get_client_encoding();
	memcpy(VARDATA(plain) + 1, bytes, (size_t) len);
	PG_TRY();
	{
		value = tc_pending_seal(TC_TYPE_OCTETS,
								tc_span(VARDATA(plain), 1 + (size_t) len));
	}
	PG_FINALLY();
	{
		tc_plain_free(plain);
	}
	PG_END_TRY();
	return value;
}

/*
 * Whether binary input is a sealed value.  Text never begins as one does, but
 * binary forms of other types may; they would hardly have all of its form.
 */
static bool
is_sealed(const char *bytes, int len, int32 typmod)
{
	TcEnvelope	envelope;

	if (len == 0 || (uint8) bytes[0] < TC_SEALED_FIRST_MIN)
		return false;
	if (tc_restore || tc_sealed_input || IsBinaryUpgrade || IsLogicalWorker() ||
		(typmod >= 0 && tc_typmod_type_code(typmod) == TC_TYPE_TEXT))
		return true;
	return tc_envelope_parse(tc_span(bytes, (size_t) len), &envelope) == TC_OK;
}

/* Take in the rest of a message: a sealed value, armor, or plaintext. */
static struct varlena *
take_message(StringInfo buf, int32 typmod)
{
	int			left = buf->len - buf->cursor;
	const char *bytes = buf->data + buf->cursor;
	struct varlena *value;

	if (is_sealed(bytes, left, typmod))
	{
		value = palloc(VARHDRSZ + (Size) left);
		SET_VARSIZE(value, VARHDRSZ + left);
		pq_copymsgbytes(buf, VARDATA(value), left);
		return bring_in(value, typmod);
	}
	if (tc_armor_is(bytes, (size_t) left))
		return bring_in(from_armor(pq_getmsgbytes(buf, left), (size_t) left), typmod);
	return seal_octets(buf, left, typmod);
}

PG_FUNCTION_INFO_V1(themis_crypt_encrypted_recv);

Datum
themis_crypt_encrypted_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	struct varlena *value;

	TC_HIDING_PLAINTEXT(value = take_message(buf, PG_GETARG_INT32(2)));
	PG_RETURN_POINTER(value);
}

/*
 * The type of a value that may be opened for the client; NULL if it may not.
 * A literal that met no column, as in COALESCE(column, 'none'), is the
 * client's own.
 */
static const TcPlainType *
type_for_client(const TcEnvelope *envelope)
{
	uint8		code = envelope->header.type_code;
	TcKey	   *key;

	if (envelope->header.version == TC_VERSION_PENDING)
		return is_own_pending(envelope) ?
			tc_plaintype_by_code(code == TC_TYPE_UNTYPED ? TC_TYPE_TEXT : code) : NULL;
	key = tc_key_by_id(envelope->header.key_id);
	return key != NULL && !key->is_root && tc_key_may_use(key) ?
		tc_plaintype_by_code(code) : NULL;
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
	Oid			function;
	bool		isvarlena;
	Datum		plain;
	char	   *str;

	if (!tc_client_output_opens())
		return NULL;
	tc_value_parse(value, &envelope);
	type = type_for_client(&envelope);
	if (type == NULL)
		return NULL;
	plain = tc_datum_open(&envelope, type);
	getTypeOutputInfo(type->typid, &function, &isvarlena);
	str = OidOutputFunctionCall(function, plain);
	tc_plain_wipe_datum(type, plain);
	return str;
}

/* The bytes of a value that is to leave the server, or its memory. */
static TcSpan
bytes_to_show(struct varlena *value)
{
	TcSpan		bytes = tc_span(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));

	if (tc_envelope_bound(bytes) == TC_BOUND_PROBE)
		tc_error_probe();
	return bytes;
}

char *
tc_encrypted_armor(struct varlena *value)
{
	TcSpan		bytes = bytes_to_show(value);
	char	   *str = palloc(tc_armor_len(bytes.len) + 1);

	tc_armor_encode(bytes, str);
	return str;
}

PG_FUNCTION_INFO_V1(themis_crypt_encrypted_out);

Datum
themis_crypt_encrypted_out(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	char	   *str = open_for_client(value);

	PG_RETURN_CSTRING(str != NULL ? str : tc_encrypted_armor(value));
}

PG_FUNCTION_INFO_V1(themis_crypt_encrypted_send);

/* For a client that asked for plaintext its text form, as textsend() gives. */
Datum
themis_crypt_encrypted_send(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	TcSpan		bytes = bytes_to_show(value);
	char	   *str = open_for_client(value);
	StringInfoData buf;

	pq_begintypsend(&buf);
	if (str != NULL)
		pq_sendtext(&buf, str, (int) strlen(str));
	else
		pq_sendbytes(&buf, (const char *) bytes.data, (int) bytes.len);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
