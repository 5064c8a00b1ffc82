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
#include "fuzz.h"
#include "wrap.h"

/* The parts lie behind each other and leave nothing out. */
static void
check_parts(const uint8_t *data, size_t size, const TcEnvelope *envelope)
{
	uint8_t		header[TC_HEADER_BYTES];

	tc_envelope_write_header(&envelope->header, header);
	HOLDS(memcmp(header, data, TC_HEADER_BYTES) == 0);
	HOLDS(envelope->ad.data == data);
	HOLDS(envelope->ad.len == tc_envelope_prefix_len(&envelope->header, envelope->role.len));
	HOLDS(envelope->nonce.data == data + envelope->ad.len && envelope->nonce.len == TC_NONCE_BYTES);
	HOLDS(envelope->body.data == envelope->nonce.data + TC_NONCE_BYTES);
	HOLDS(envelope->body.len >= TC_TAG_BYTES && envelope->body.data + envelope->body.len == data + size);
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
	size_t		plain_len = envelope->body.len - TC_TAG_BYTES;
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
		result = tc_aead_open(identity.algorithm, subkey, envelope->nonce.data,
							  envelope->ad, envelope->body, plain);
	if (result == TC_OK)
	{
		HOLDS(tc_aead_seal(identity.algorithm, subkey, envelope->nonce.data, envelope->ad,
						   tc_span(plain, plain_len), again) == TC_OK);
		HOLDS(memcmp(again, envelope->body.data, envelope->body.len) == 0);
	}
	free(plain);
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TcEnvelope	envelope;
	TcHeader	header;
	TcResult	result = tc_envelope_parse(tc_span(data, size), &envelope);
	TcResult	header_result = tc_envelope_read_header(tc_span(data, size), &header);

	HOLDS(result == TC_OK || result == TC_MALFORMED || result == TC_UNSUPPORTED);
	if (header_result != TC_OK)
		HOLDS(result == header_result);
	if (result == TC_OK)
	{
		check_parts(data, size, &envelope);
		check_opening(&envelope);
	}
	return 0;
}
