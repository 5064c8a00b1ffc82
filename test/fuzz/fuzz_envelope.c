/*-------------------------------------------------------------------------
 *
 * fuzz_envelope.c
 *	  Values: their parts are all of them, and what opens seals the same.
 *
 * test/fuzz/fuzz_envelope.c
 *
 *-------------------------------------------------------------------------
 */
#include "aead.h"
#include "../unit/ready.h"
#include "fuzz.h"
#include "wrap.h"

/* The parts lie behind each other and leave nothing out. */
static void
check_parts(const uint8_t *data, size_t size, const TcEnvelope *envelope)
{
	uint8_t		header[TC_HEADER_BYTES];
	const TcSizes *sizes = tc_sizes(envelope->header.algorithm);

	tc_envelope_write_header(&envelope->header, header);
	HOLDS(memcmp(header, data, TC_HEADER_BYTES) == 0);
	HOLDS(envelope->ad.data == data);
	HOLDS(envelope->ad.len == tc_envelope_prefix_len(&envelope->header, envelope->role.len));
	HOLDS(envelope->nonce.data == data + envelope->ad.len && envelope->nonce.len == sizes->nonce);
	HOLDS(envelope->body.data == envelope->nonce.data + sizes->nonce);
	HOLDS(envelope->body.len >= sizes->tag && envelope->body.data + envelope->body.len == data + size);
	HOLDS(envelope->header.key_id >= 1 && envelope->header.key_id <= TC_KEY_ID_MAX);
	if (envelope->header.version == TC_VERSION_PENDING)
		HOLDS(envelope->transit_version > 0 && envelope->role.len >= 1 &&
			  envelope->role.len <= TC_ROLE_NAME_MAX && envelope->header.flags == 0);
	else
		HOLDS(envelope->transit_version == 0 && envelope->role.len == 0 && envelope->header.type_code > 0);
}

/* Open with the keys of the vectors; what opens is sealed to the same bytes. */
static void
check_opening(const TcEnvelope *envelope)
{
	TcKeyIdentity identity = {.purpose = TC_PURPOSE_VALUE};
	uint8_t		dek[TC_KEY_BYTES];
	uint8_t		key[TC_KEY_BYTES];
	uint8_t		subkey[TC_KEY_BYTES];
	uint8_t    *plain = malloc(envelope->body.len);
	uint8_t    *again = malloc(envelope->body.len);
	size_t		plain_len = envelope->body.len - tc_sizes(envelope->header.algorithm)->tag;
	TcResult	result;

	count_from(0xA0, identity.realm, TC_UUID_BYTES);
	count_from(0xB0, identity.uuid, TC_UUID_BYTES);
	count_from(0x00, dek, sizeof(dek));
	identity.version = envelope->header.version;
	identity.algorithm = envelope->header.algorithm;
	HOLDS(tc_slot_key(dek, &identity, key) == TC_OK);
	result = tc_aead_subkey(identity.algorithm, key, envelope->nonce.data, subkey);
	HOLDS(result == (tc_aead_supports(identity.algorithm) ? TC_OK : TC_UNSUPPORTED));
	if (result == TC_OK)
		result = tc_aead_open(identity.algorithm, ready(identity.algorithm, subkey), envelope->nonce.data,
							  envelope->ad, envelope->body, plain);
	if (result == TC_OK)
	{
		HOLDS(tc_aead_seal(identity.algorithm, ready(identity.algorithm, subkey), envelope->nonce.data, envelope->ad,
						   tc_span(plain, plain_len), again) == TC_OK);
		HOLDS(memcmp(again, envelope->body.data, envelope->body.len) == 0);
	}
	free(plain);
	free(again);
}

static int
sign(int number)
{
	return number < 0 ? -1 : number > 0;
}

/* Equality of the halves of the input, and of one with its probe. */
static void
check_order(const uint8_t *data, size_t size)
{
	uint8_t    *left = malloc(size + 1);
	uint8_t    *right = malloc(size + 1);
	size_t		left_len = size / 2;
	size_t		right_len = size - left_len;
	TcSpan		a = tc_span(left, left_len);
	TcSpan		b = tc_span(right, right_len);

	memcpy(left, data, left_len);
	memcpy(right, data + left_len, right_len);
	HOLDS((left_len >= TC_PROBE_BYTES && left[0] == TC_FORMAT_1) == (tc_envelope_bound(a) != TC_BOUND_NOT));
	if (left_len >= TC_PROBE_BYTES && right_len >= TC_PROBE_BYTES)
	{
		uint8_t		probe[TC_PROBE_BYTES];
		TcSpan		p = tc_span(probe, sizeof(probe));
		TcSpan		hashed_a = tc_envelope_hashed(a);
		TcSpan		hashed_b = tc_envelope_hashed(b);
		int			order = sign(tc_envelope_compare(a, b));

		HOLDS(order == -sign(tc_envelope_compare(b, a)));
		HOLDS(tc_envelope_compare(a, a) == 0);
		HOLDS(hashed_a.data == left + TC_HEADER_BYTES && hashed_a.len <= left_len - TC_HEADER_BYTES);
		HOLDS(order != 0 || (hashed_a.len == hashed_b.len &&
							 memcmp(hashed_a.data, hashed_b.data, hashed_a.len) == 0));
		tc_envelope_write_probe(left[2], (uint32_t) (left[3] | left[4] << 8 | left[5] << 16),
								left + TC_HEADER_BYTES, probe);
		HOLDS((tc_envelope_compare(a, p) == 0) == ((left[1] & TC_FLAG_SEARCHABLE) != 0));
	}
	free(left);
	free(right);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TcEnvelope	envelope;
	TcHeader	header;
	TcResult	result = tc_envelope_parse(tc_span(data, size), &envelope);
	TcResult	header_result = tc_envelope_read_header(tc_span(data, size), &header);

	HOLDS(result == TC_OK || result == TC_MALFORMED || result == TC_UNSUPPORTED);
	check_order(data, size);
	if (result == TC_OK)
		HOLDS(tc_envelope_bound(tc_span(data, size)) != TC_BOUND_PROBE);
	if (header_result != TC_OK)
		HOLDS(result == header_result);
	if (result == TC_OK)
	{
		check_parts(data, size, &envelope);
		check_opening(&envelope);
	}
	return 0;
}
