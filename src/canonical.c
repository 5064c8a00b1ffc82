/*-------------------------------------------------------------------------
 *
 * canonical.c
 *	  The bytes of a plaintext that its blind token is made of.
 *
 * Only numeric, interval and jsonb have values that are equal and are sent
 * differently.  Of the others: PostgreSQL compares text by its bytes unless a
 * collation is nondeterministic, and encrypted columns have no collation; an
 * inet's family, length of prefix and all bits of its address count, and
 * inet_send never says cidr; 24:00 is not 00:00; infinities are numbers.
 *
 * src/canonical.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sodium.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "canonical.h"
#include "compat.h"

/* A canonical form in the making: a varlena that grows and leaves no trace. */
typedef struct Form
{
	char	   *bytes;
	Size		used;			/* counts the varlena's header */
	Size		size;
} Form;

/* Where a key and its value stand in the form of an object. */
typedef struct Pair
{
	Size		key;			/* the key's characters */
	Size		key_len;
	Size		len;			/* of all of the pair, from the key's header */
} Pair;

/* What stands before a key's characters. */
#define KEY_HEADER sizeof(uint32)

static void put_container(Form *form, JsonbContainer *container);

bool
tc_type_is_searchable(const TcPlainType *type)
{
	return type->typid != JSONOID && type->typid != FLOAT4OID &&
		type->typid != FLOAT8OID;
}

static void
form_init(Form *form, Size size)
{
	form->used = VARHDRSZ;
	form->size = VARHDRSZ + size;
	form->bytes = palloc(form->size);
}

static struct varlena *
form_done(Form *form)
{
	SET_VARSIZE(form->bytes, form->used);
	return (struct varlena *) form->bytes;
}

/* Room for len more bytes, to be filled by the caller. */
static char *
put_room(Form *form, Size len)
{
	char	   *room;

	if (len > form->size - form->used)
	{
		Size		size = Max(form->used + len, Min(form->size * 2, MaxAllocSize));
		char	   *bytes = palloc(size);

		memcpy(bytes, form->bytes, form->used);
		sodium_memzero(form->bytes, form->used);
		pfree(form->bytes);
		form->bytes = bytes;
		form->size = size;
	}
	room = form->bytes + form->used;
	form->used += len;
	return room;
}

static void
put_tag(Form *form, char tag)
{
	*put_room(form, 1) = tag;
}

/* Little-endian, as the integers of our formats are. */
static void
put_u32(Form *form, uint32 value)
{
	char	   *room = put_room(form, sizeof(uint32));

	for (int i = 0; i < 4; i++)
		room[i] = (char) (value >> 8 * i);
}

/* The 16-bit integers of which numeric_send's result is made. */
static int
sent_int16(const char *sent, size_t index)
{
	uint16		value;

	memcpy(&value, sent + 2 * index, sizeof(value));
	return (int16) pg_ntoh16(value);
}

static void
put_int16(Form *form, int value)
{
	uint16		sent = pg_hton16((uint16) value);

	memcpy(put_room(form, sizeof(sent)), &sent, sizeof(sent));
}

/*
 * What numeric_send gives is the number of base-10000 digits, the weight of
 * the first, the sign, the display scale, and the digits.  The scale is not of
 * the value; leading and trailing zeros should not occur, but hash_numeric()
 * does not rely on that either.
 */
static void
put_numeric(Form *form, const char *sent)
{
	const char *digits = sent + 8;
	size_t		ndigits = (size_t) sent_int16(sent, 0);
	int			weight = sent_int16(sent, 1);
	int			sign = sent_int16(sent, 2);

	while (ndigits > 0 && sent_int16(digits, 0) == 0)
	{
		digits += 2;
		ndigits--;
		weight--;
	}
	while (ndigits > 0 && sent_int16(digits, ndigits - 1) == 0)
		ndigits--;
	put_int16(form, (int) ndigits);
	put_int16(form, ndigits == 0 ? 0 : weight);
	put_int16(form, sign);
	put_int16(form, 0);
	memcpy(put_room(form, 2 * ndigits), digits, 2 * ndigits);
}

/*
 * The span of an interval in microseconds, a month having 30 days and a day 24
 * hours: what interval_cmp_value() computes, as 128 bits, big-endian.  The
 * infinite intervals of PostgreSQL 17 have the extreme spans, and no others do.
 *
 * A day has 10546875 << 13 microseconds; the days of all months, times that
 * first factor, fit into 64 bits.
 */
static void
put_interval(Form *form, const char *sent)
{
	uint64		time;
	uint32		day;
	uint32		month;
	int64		days;
	uint64		low;
	uint64		high;

	memcpy(&time, sent, sizeof(time));
	memcpy(&day, sent + 8, sizeof(day));
	memcpy(&month, sent + 12, sizeof(month));
	time = pg_ntoh64(time);
	days = (int64) (int32) pg_ntoh32(month) * 30 + (int32) pg_ntoh32(day);
	days *= 10546875;

	low = ((uint64) days << 13) + time;
	high = (uint64) (days >> 51);
	if (low < time)
		high++;
	if ((int64) time < 0)
		high--;
	high = pg_hton64(high);
	low = pg_hton64(low);
	memcpy(put_room(form, sizeof(high)), &high, sizeof(high));
	memcpy(put_room(form, sizeof(low)), &low, sizeof(low));
}

/* Length and characters in UTF-8. */
static void
put_string(Form *form, const JsonbValue *string)
{
	const char *str = string->val.string.val;
	size_t		len = (size_t) string->val.string.len;
	char	   *utf8 = tc_plain_text_to_utf8(str, (int) len);

	if (utf8 != str)
		len = strlen(utf8);
	put_u32(form, (uint32) len);
	memcpy(put_room(form, len), utf8, len);
	if (utf8 != str)
	{
		sodium_memzero(utf8, len);
		pfree(utf8);
	}
}

static void
put_value(Form *form, const JsonbValue *value)
{
	struct varlena *sent;

	switch (value->type)
	{
		case jbvNull:
			put_tag(form, 'n');
			break;
		case jbvBool:
			put_tag(form, value->val.boolean ? 't' : 'f');
			break;
		case jbvNumeric:
			put_tag(form, 'd');
			sent = (struct varlena *)
				DatumGetPointer(DirectFunctionCall1(numeric_send,
													NumericGetDatum(value->val.numeric)));
			put_numeric(form, VARDATA(sent));
			tc_plain_free(sent);
			break;
		case jbvString:
			put_tag(form, 's');
			put_string(form, value);
			break;
		case jbvBinary:
			put_container(form, value->val.binary.data);
			break;
		default:
			elog(ERROR, "unexpected type of jsonb value: %d", (int) value->type);
	}
}

/* By length, then by bytes, as jsonb sorts keys. */
static int
compare_keys(const void *left, const void *right, void *arg)
{
	const Pair *a = left;
	const Pair *b = right;
	const char *bytes = arg;

	if (a->key_len != b->key_len)
		return a->key_len < b->key_len ? -1 : 1;
	return memcmp(bytes + a->key, bytes + b->key, a->key_len);
}

/* Bring the pairs of an object into the order of their keys in UTF-8. */
static void
sort_pairs(Form *form, Pair *pairs, uint32 npairs)
{
	Size		start = pairs[0].key - KEY_HEADER;
	Size		len = form->used - start;
	Size		used = 0;
	char	   *sorted = palloc(len);

	qsort_arg(pairs, npairs, sizeof(Pair), compare_keys, form->bytes);
	for (uint32 i = 0; i < npairs; i++)
	{
		memcpy(sorted + used, form->bytes + pairs[i].key - KEY_HEADER, pairs[i].len);
		used += pairs[i].len;
	}
	memcpy(form->bytes + start, sorted, len);
	sodium_memzero(sorted, len);
	pfree(sorted);
}

/*
 * Keys are sorted and unique, but sorted by their bytes in the database's
 * encoding, and tokens must be the same in a database with another one.
 */
static void
put_pairs(Form *form, JsonbIterator **it, uint32 npairs)
{
	bool		is_sorted = GetDatabaseEncoding() == PG_UTF8 || npairs < 2;
	Pair	   *pairs = is_sorted ? NULL : palloc(npairs * sizeof(Pair));
	JsonbValue	value;

	for (uint32 i = 0; i < npairs; i++)
	{
		Size		key = form->used + KEY_HEADER;
		Size		key_len;

		(void) JsonbIteratorNext(it, &value, true);
		put_string(form, &value);
		key_len = form->used - key;
		(void) JsonbIteratorNext(it, &value, true);
		put_value(form, &value);
		if (!is_sorted)
			pairs[i] = (Pair) {key, key_len, form->used - key + KEY_HEADER};
	}
	if (!is_sorted)
	{
		sort_pairs(form, pairs, npairs);
		pfree(pairs);
	}
}

/* An array or object with all in it, or the scalar that is the whole value. */
static void
put_container(Form *form, JsonbContainer *container)
{
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbValue	value;

	check_stack_depth();
	if (JsonbIteratorNext(&it, &value, true) == WJB_BEGIN_OBJECT)
	{
		uint32		npairs = (uint32) value.val.object.nPairs;

		put_tag(form, '{');
		put_u32(form, npairs);
		put_pairs(form, &it, npairs);
	}
	else
	{
		uint32		nelems = (uint32) value.val.array.nElems;

		if (!value.val.array.rawScalar)
		{
			put_tag(form, '[');
			put_u32(form, nelems);
		}
		for (uint32 i = 0; i < nelems; i++)
		{
			(void) JsonbIteratorNext(&it, &value, true);
			put_value(form, &value);
		}
	}
	/* the end, where the iterator frees itself */
	(void) JsonbIteratorNext(&it, &value, true);
}

static struct varlena *
canonical_jsonb(Datum value)
{
	Jsonb	   *jsonb = DatumGetJsonbP(value);
	Size		size = VARSIZE(jsonb);
	Form		form;

	/* never grows in UTF-8: "", 5 bytes for 4 of jsonb, is the worst case */
	form_init(&form, size + size / 4 + 16);
	put_container(&form, &jsonb->root);
	if ((Pointer) jsonb != DatumGetPointer(value))
		tc_plain_free((struct varlena *) jsonb);
	return form_done(&form);
}

struct varlena *
tc_canonical(const TcPlainType *type, Datum value, struct varlena *plain,
			 bool *ret_is_plain)
{
	Form		form;

	*ret_is_plain = false;
	switch (type->typid)
	{
		case NUMERICOID:
			form_init(&form, VARSIZE_ANY_EXHDR(plain));
			put_numeric(&form, VARDATA_ANY(plain));
			return form_done(&form);
		case INTERVALOID:
			form_init(&form, 16);
			put_interval(&form, VARDATA_ANY(plain));
			return form_done(&form);
		case JSONBOID:
			return canonical_jsonb(value);
		default:
			Assert(tc_type_is_searchable(type));
			*ret_is_plain = true;
			return plain;
	}
}
