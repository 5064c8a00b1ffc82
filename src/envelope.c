/*-------------------------------------------------------------------------
 *
 * envelope.c
 *	  The bytes around a sealed value.  The contract is in envelope.h.
 *
 * src/envelope.c
 *
 *-------------------------------------------------------------------------
 */
#include "envelope.h"

#define ALGORITHM_MASK		0x0F
#define FLAGS_MASK			0xF0
#define FLAGS_KNOWN			(TC_FLAG_SEARCHABLE | TC_FLAG_COMPRESSED)
#define TYPE_CODE_MAX		18	/* inet; FORMAT, "Plaintext types" */
#define TYPE_CODE_OCTETS	31	/* in pending values only */

/* Where the fields of the header lie; tc_envelope_write_header() agrees. */
#define HOW_AT				1
#define TYPE_AT				2
#define TYPE_AND_KEY_BYTES	4
#define KEY_AT				3
#define KEY_BYTES			3
#define VERSION_AT			6

_Static_assert(1 + 1 + 1 + 3 + 2 == TC_HEADER_BYTES,
			   "the header has other fields");

static bool
is_pending(const TcHeader *header)
{
	return header->version == TC_VERSION_PENDING;
}

size_t
tc_envelope_prefix_len(const TcHeader *header, size_t role_len)
{
	if (is_pending(header))
		return TC_HEADER_BYTES + 2 + 1 + role_len;
	if (header->flags & TC_FLAG_SEARCHABLE)
		return TC_HEADER_BYTES + TC_TOKEN_BYTES;
	return TC_HEADER_BYTES;
}

void
tc_envelope_write_header(const TcHeader *header,
						 uint8_t ret_bytes[TC_HEADER_BYTES])
{
	TcWriter	writer = tc_writer(ret_bytes, TC_HEADER_BYTES);

	tc_write_u8(&writer, TC_FORMAT_1);
	tc_write_u8(&writer, (uint8_t) ((header->algorithm & ALGORITHM_MASK) |
									(header->flags & FLAGS_MASK)));
	tc_write_u8(&writer, header->type_code);
	tc_write_uint(&writer, header->key_id, 3);
	tc_write_u16(&writer, header->version);
}

/* Judge the fields of a header of our format. */
static TcResult
check_header(const TcHeader *header)
{
	if (header->algorithm == 0 || header->key_id == 0)
		return TC_MALFORMED;
	if (header->algorithm > TC_ALG_AEGIS256 ||
		(header->flags & ~FLAGS_KNOWN) != 0 ||
		(header->type_code > TYPE_CODE_MAX &&
		 !(is_pending(header) && header->type_code == TYPE_CODE_OCTETS)))
		return TC_UNSUPPORTED;

	/*
	 * Only a pending value may leave its type open, and none has a token: its
	 * key is no column's.
	 */
	if (is_pending(header) ? header->flags != 0 : header->type_code == 0)
		return TC_MALFORMED;
	return TC_OK;
}

TcResult
tc_envelope_read_header(TcSpan value, TcHeader *ret_header)
{
	const uint8_t *bytes = value.data;

	if (value.len < TC_HEADER_BYTES || bytes[0] < TC_SEALED_FIRST_MIN)
		return TC_MALFORMED;
	if (bytes[0] != TC_FORMAT_1)
		return TC_UNSUPPORTED;
	ret_header->algorithm = bytes[HOW_AT] & ALGORITHM_MASK;
	ret_header->flags = bytes[HOW_AT] & FLAGS_MASK;
	ret_header->type_code = bytes[TYPE_AT];
	ret_header->key_id = bytes[KEY_AT] | (uint32_t) bytes[KEY_AT + 1] << 8 |
		(uint32_t) bytes[KEY_AT + 2] << 16;
	ret_header->version = (uint16_t) (bytes[VERSION_AT] | bytes[VERSION_AT + 1] << 8);
	return check_header(ret_header);
}

/* Read what a pending value has between its header and its nonce. */
static TcResult
read_transit(TcSpan value, TcEnvelope *envelope)
{
	TcReader	reader = tc_reader(value);
	size_t		role_len;

	(void) tc_read_span(&reader, TC_HEADER_BYTES);
	envelope->transit_version = tc_read_u16(&reader);
	role_len = tc_read_u8(&reader);
	envelope->role = tc_read_span(&reader, role_len);

	if (reader.failed || envelope->transit_version == 0 ||
		role_len == 0 || role_len > TC_ROLE_NAME_MAX)
		return TC_MALFORMED;

	/* With a zero byte in it, it would compare equal to a shorter name. */
	if (memchr(envelope->role.data, 0, role_len) != NULL)
		return TC_MALFORMED;
	return TC_OK;
}

TcResult
tc_envelope_parse(TcSpan value, TcEnvelope *ret_envelope)
{
	const TcHeader *header = &ret_envelope->header;
	const TcSizes *sizes;
	size_t		prefix;
	TcResult	result;

	ret_envelope->transit_version = 0;
	ret_envelope->role = tc_span(NULL, 0);
	result = tc_envelope_read_header(value, &ret_envelope->header);
	if (result == TC_OK && is_pending(header))
		result = read_transit(value, ret_envelope);
	if (result != TC_OK)
		return result;

	prefix = tc_envelope_prefix_len(header, ret_envelope->role.len);
	sizes = tc_sizes(header->algorithm);
	if (value.len < prefix + sizes->nonce + sizes->tag)
		return TC_MALFORMED;
	if (value.len - prefix - sizes->nonce - sizes->tag > TC_PLAIN_MAX)
		return TC_TOO_LARGE;
	ret_envelope->ad = tc_span(value.data, prefix);
	ret_envelope->nonce = tc_span(value.data + prefix, sizes->nonce);
	ret_envelope->body = tc_span(value.data + prefix + sizes->nonce,
								 value.len - prefix - sizes->nonce);
	return TC_OK;
}

void
tc_envelope_write_probe(uint8_t type_code, uint32_t key_id,
						const uint8_t token[TC_TOKEN_BYTES],
						uint8_t ret_probe[TC_PROBE_BYTES])
{
	TcHeader	header = {
		.algorithm = 0,
		.flags = TC_FLAG_SEARCHABLE,
		.type_code = type_code,
		.key_id = key_id,
		.version = TC_VERSION_PENDING
	};

	tc_envelope_write_header(&header, ret_probe);
	memcpy(ret_probe + TC_HEADER_BYTES, token, TC_TOKEN_BYTES);
}

TcBound
tc_envelope_bound(TcSpan value)
{
	const uint8_t *bytes = value.data;
	bool		searchable;
	bool		unversioned;

	if (value.len < TC_PROBE_BYTES || bytes[0] != TC_FORMAT_1)
		return TC_BOUND_NOT;
	searchable = (bytes[HOW_AT] & TC_FLAG_SEARCHABLE) != 0;
	unversioned = bytes[VERSION_AT] == 0 && bytes[VERSION_AT + 1] == 0;
	if (unversioned)
		return searchable ? TC_BOUND_PROBE : TC_BOUND_PENDING;
	return searchable ? TC_BOUND_SEARCHABLE : TC_BOUND_UNSEARCHABLE;
}

int
tc_envelope_compare(TcSpan a, TcSpan b)
{
	uint8_t		flag_a = a.data[HOW_AT] & TC_FLAG_SEARCHABLE;
	uint8_t		flag_b = b.data[HOW_AT] & TC_FLAG_SEARCHABLE;
	int			order;

	/* tokens first (or nonces): they differ, nearly always, at once */
	order = memcmp(a.data + TC_HEADER_BYTES, b.data + TC_HEADER_BYTES,
				   TC_TOKEN_BYTES);
	if (order != 0)
		return order;
	if (flag_a != flag_b)
		return flag_a < flag_b ? -1 : 1;
	order = memcmp(a.data + TYPE_AT, b.data + TYPE_AT, TYPE_AND_KEY_BYTES);
	if (order != 0 || flag_a != 0)
		return order;

	/* without tokens: equal only if they are the same value */
	order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
	if (order != 0 || a.len == b.len)
		return order;
	return a.len < b.len ? -1 : 1;
}

bool
tc_envelope_comparable(TcSpan a, TcSpan b)
{
	bool		is_probe = tc_envelope_bound(a) == TC_BOUND_PROBE ||
		tc_envelope_bound(b) == TC_BOUND_PROBE;

	return (a.data[HOW_AT] & b.data[HOW_AT] & TC_FLAG_SEARCHABLE) != 0 &&
		memcmp(a.data + KEY_AT, b.data + KEY_AT, KEY_BYTES) == 0 &&
		(is_probe || a.data[TYPE_AT] == b.data[TYPE_AT]);
}

TcSpan
tc_envelope_hashed(TcSpan value)
{
	bool		searchable = (value.data[HOW_AT] & TC_FLAG_SEARCHABLE) != 0;
	size_t		len = searchable ? TC_TOKEN_BYTES : TC_NONCE_BYTES;

	/* a damaged value may end before */
	if (len > value.len - TC_HEADER_BYTES)
		len = value.len - TC_HEADER_BYTES;
	return tc_span(value.data + TC_HEADER_BYTES, len);
}
