/*-------------------------------------------------------------------------
 *
 * sealdatum.c
 *	  Seal and open datums of SQL types, for the faces of the type.
 *
 * src/sealdatum.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/copyfrom_internal.h"
#include "utils/builtins.h"

#include <sodium.h>

#include "canonical.h"
#include "compat.h"
#include "errors.h"
#include "sealdatum.h"
#include "typmod.h"

void
tc_hide_plaintext(void *arg)
{
	ErrorContextCallback *outer;

	errhidecontext(true);
	errhidestmt(true);
	for (outer = error_context_stack; outer != NULL; outer = outer->previous)
	{
		if (outer->callback == CopyFromErrorCallback)
		{
			CopyFromState copy = outer->arg;

			/* of a binary COPY it only names the column */
			if (!copy->opts.binary && copy->cur_attname != NULL)
			{
				errcontext("column %s", copy->cur_attname);
				copy->cur_attname = NULL;
			}
			copy->line_buf_valid = false;
		}
	}
}

static TcSpan
span_of(struct varlena *plain)
{
	return tc_span(VARDATA_ANY(plain), VARSIZE_ANY_EXHDR(plain));
}

/* The blind token of a value whose bytes are "plain". */
static void
make_token(const TcPlainType *type, Datum value, struct varlena *plain,
		   uint32 key_id, uint8 *ret_token)
{
	bool		is_plain;
	struct varlena *canonical = tc_canonical(type, value, plain, &is_plain);

	if (is_plain)
	{
		tc_value_token(key_id, type->code, span_of(plain), ret_token);
		return;
	}
	PG_TRY();
	{
		tc_value_token(key_id, type->code, span_of(canonical), ret_token);
	}
	PG_FINALLY();
	{
		tc_plain_free(canonical);
	}
	PG_END_TRY();
}

void
tc_datum_token(const TcPlainType *type, Datum value, uint32 key_id,
			   uint8 ret_token[TC_TOKEN_BYTES])
{
	bool		borrowed;
	struct varlena *plain = tc_plain_from_datum(type, value, &borrowed);

	if (borrowed)
	{
		make_token(type, value, plain, key_id, ret_token);
		return;
	}
	PG_TRY();
	{
		make_token(type, value, plain, key_id, ret_token);
	}
	PG_FINALLY();
	{
		tc_plain_free(plain);
	}
	PG_END_TRY();
}

/* Seal a value whose bytes are "plain", for a column or (typmod < 0) pending. */
static struct varlena *
seal_bytes(const TcPlainType *type, Datum value, struct varlena *plain,
		   int32 typmod)
{
	uint32		key_id = tc_typmod_key_id(typmod);
	uint8		token[TC_TOKEN_BYTES];

	if (typmod < 0)
		return tc_pending_seal(type->code, span_of(plain));
	if (tc_typmod_search(typmod) == TC_SEARCH_NONE)
		return tc_value_seal(key_id, type->code, span_of(plain), NULL);
	make_token(type, value, plain, key_id, token);
	return tc_value_seal(key_id, type->code, span_of(plain), token);
}

struct varlena *
tc_datum_seal(const TcPlainType *type, Datum value, int32 typmod)
{
	bool		borrowed;
	struct varlena *plain = tc_plain_from_datum(type, value, &borrowed);
	struct varlena *volatile result = NULL;

	if (borrowed)
		return seal_bytes(type, value, plain, typmod);

	PG_TRY();
	{
		result = seal_bytes(type, value, plain, typmod);
	}
	PG_FINALLY();
	{
		tc_plain_free(plain);
	}
	PG_END_TRY();
	return result;
}

struct varlena *
tc_datum_seal_and_wipe(const TcPlainType *type, Datum value, int32 typmod)
{
	struct varlena *volatile result = NULL;

	PG_TRY();
	{
		result = tc_datum_seal(type, value, typmod);
	}
	PG_FINALLY();
	{
		tc_plain_wipe_datum(type, value);
	}
	PG_END_TRY();
	return result;
}

const TcPlainType *
tc_column_type(int32 typmod)
{
	const TcPlainType *type = tc_plaintype_by_code(tc_typmod_type_code(typmod));

	if (type == NULL || tc_typmod_search(typmod) > TC_SEARCH_EQUAL ||
		(tc_typmod_search(typmod) == TC_SEARCH_EQUAL &&
		 !tc_type_is_searchable(type)))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column of type encrypted has a modifier that is not supported here")));
	return type;
}

Datum
tc_datum_open(const TcEnvelope *envelope, const TcPlainType *type)
{
	struct varlena *plain = envelope->header.version == TC_VERSION_PENDING ?
		tc_pending_open(envelope) : tc_value_open(envelope);

	return tc_plain_to_datum(type, plain);
}

Datum
tc_datum_open_untyped(const TcEnvelope *envelope, const TcPlainType *type)
{
	bool		octets = envelope->header.type_code == TC_TYPE_OCTETS;
	const TcPlainType *as = tc_plaintype_by_code(octets ? TC_TYPE_BYTEA : TC_TYPE_TEXT);
	Datum		opened = tc_datum_open(envelope, as);
	struct varlena *bytes = (struct varlena *) DatumGetPointer(opened);
	volatile Datum value = (Datum) 0;
	char	   *volatile str = NULL;

	PG_TRY();
	{
		if (octets)
			value = tc_plain_receive(type, VARDATA_ANY(bytes) + 1,
									 (int) VARSIZE_ANY_EXHDR(bytes) - 1,
									 (uint8) VARDATA_ANY(bytes)[0]);
		else
		{
			str = text_to_cstring(bytes);
			value = tc_plain_input(type, str);
		}
	}
	PG_FINALLY();
	{
		if (str != NULL)
			sodium_memzero(str, strlen(str));
		tc_plain_wipe_datum(as, opened);
	}
	PG_END_TRY();
	return value;
}

struct varlena *
tc_datum_reseal(const TcEnvelope *envelope, int32 typmod)
{
	const TcPlainType *to = tc_column_type(typmod);
	const TcPlainType *from = tc_plaintype_by_code(envelope->header.type_code);
	TcKey	   *key = tc_key_by_id(tc_typmod_key_id(typmod));
	bool		isnull = false;
	Datum		opened;
	Datum		value;
	struct varlena *volatile result = NULL;

	/* Refuse before anything is opened. */
	if (key == NULL || key->is_root)
		tc_error_unknown_key(tc_typmod_key_id(typmod));
	tc_key_require_usage(key);

	if (from == NULL)
		return tc_datum_seal_and_wipe(to, tc_datum_open_untyped(envelope, to), typmod);
	opened = tc_datum_open(envelope, from);
	if (from == to)
		return tc_datum_seal_and_wipe(to, opened, typmod);

	PG_TRY();
	{
		value = tc_plain_convert(opened, from->typid, to->typid,
								 COERCION_ASSIGNMENT, &isnull);
		if (!isnull)
			result = value == opened ? tc_datum_seal(to, value, typmod) :
				tc_datum_seal_and_wipe(to, value, typmod);
	}
	PG_FINALLY();
	{
		tc_plain_wipe_datum(from, opened);
	}
	PG_END_TRY();
	return result;
}
