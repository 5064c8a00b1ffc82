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
#define FLAGS_KNOWN			TC_FLAG_SEARCHABLE
#define TYPE_CODE_MAX		18	/* inet; FORMAT, "Plaintext types" */

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
	if (header->algorithm > TC_ALG_AES256GCM ||
		(header->flags & ~FLAGS_KNOWN) != 0 ||
		header->type_code > TYPE_CODE_MAX)
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
	TcReader	reader = tc_reader(value);
	TcHeader	header;
	TcResult	result;
	uint8_t		format;
	uint8_t		how;

	format = tc_read_u8(&reader);
	how = tc_read_u8(&reader);
	header.algorithm = how & ALGORITHM_MASK;
	header.flags = how & FLAGS_MASK;
	header.type_code = tc_read_u8(&reader);
	header.key_id = (uint32_t) tc_read_uint(&reader, 3);
	header.version = tc_read_u16(&reader);

	if (reader.failed || format < TC_SEALED_FIRST_MIN)
		return TC_MALFORMED;
	if (format != TC_FORMAT_1)
		return TC_UNSUPPORTED;
	result = check_header(&header);
	if (result == TC_OK)
		*ret_header = header;
	return result;
}

/* Read what a pending value has between its header and its nonce. */
static TcResult
read_transit(TcReader *reader, TcEnvelope *envelope)
{
	size_t		role_len;

	envelope->transit_version = tc_read_u16(reader);
	role_len = tc_read_u8(reader);
	envelope->role = tc_read_span(reader, role_len);

	if (reader->failed || envelope->transit_version == 0 ||
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
	TcReader	reader = tc_reader(value);
	TcEnvelope	envelope = {0};
	TcResult	result;

	result = tc_envelope_read_header(value, &envelope.header);
	if (result != TC_OK)
		return result;
	(void) tc_read_span(&reader, TC_HEADER_BYTES);

	if (is_pending(&envelope.header))
	{
		result = read_transit(&reader, &envelope);
		if (result != TC_OK)
			return result;
	}
	else if (envelope.header.flags & TC_FLAG_SEARCHABLE)
		(void) tc_read_span(&reader, TC_TOKEN_BYTES);

	envelope.ad = tc_span(value.data, value.len - reader.left);
	envelope.nonce = tc_read_span(&reader, TC_NONCE_BYTES);
	if (reader.failed || reader.left < TC_TAG_BYTES)
		return TC_MALFORMED;
	if (reader.left - TC_TAG_BYTES > TC_PLAIN_MAX)
		return TC_TOO_LARGE;
	envelope.body = tc_read_span(&reader, reader.left);
	*ret_envelope = envelope;
	return TC_OK;
}
