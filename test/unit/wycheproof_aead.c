/*-------------------------------------------------------------------------
 *
 * wycheproof_aead.c
 *	  Project Wycheproof's XChaCha20-Poly1305 through our own functions.
 *
 * test/unit/wycheproof_aead.c
 *
 *-------------------------------------------------------------------------
 */
#include "aead.h"
#include "wycheproof.h"

#define ALG			TC_ALG_XCHACHA20POLY1305
#define EXECUTED	306
#define REFUSED		9			/* for the size of their nonce */

enum
{
	ID, KEY, IV, AAD, MSG, CT, RESULT, NFIELDS
};

static Field fields[NFIELDS];

static TcSpan
span(int field)
{
	return tc_span(fields[field].bytes, fields[field].len);
}

/* A vector with a nonce of our size: both ways must agree with it. */
static bool
agrees(void)
{
	bool		valid = strcmp(fields[RESULT].text, "valid") == 0;
	size_t		len = fields[MSG].len;
	uint8_t		subkey[TC_KEY_BYTES];
	uint8_t		body[FIELD_MAX];
	uint8_t		plain[FIELD_MAX];
	uint8_t		unwrapped[FIELD_MAX];
	TcResult	expected = valid ? TC_OK : TC_REJECTED;

	if (fields[KEY].len != TC_KEY_BYTES || fields[CT].len != len + TC_TAG_BYTES ||
		tc_aead_subkey(ALG, fields[KEY].bytes, fields[IV].bytes, subkey) != TC_OK ||
		tc_aead_seal(ALG, subkey, fields[IV].bytes, span(AAD), span(MSG), body) != TC_OK ||
		(memcmp(body, fields[CT].bytes, len + TC_TAG_BYTES) == 0) != valid)
		return false;
	if (tc_aead_open(ALG, subkey, fields[IV].bytes, span(AAD), span(CT), plain) != expected ||
		tc_aead_unwrap(fields[KEY].bytes, fields[IV].bytes, span(AAD), span(CT), unwrapped) != expected)
		return false;
	if (valid)
		return memcmp(plain, fields[MSG].bytes, len) == 0 &&
			memcmp(unwrapped, fields[MSG].bytes, len) == 0;
	return all_zero(plain, len) && all_zero(unwrapped, len);
}

/*
 * A vector with another nonce: no function of ours takes one.  Put where a
 * value has its nonce, it must not lead to a plaintext.
 */
static bool
refuses(void)
{
	const TcHeader header = {ALG, 0, 1, 1, 1};
	uint8_t		value[FIELD_MAX * 2];
	uint8_t		plain[FIELD_MAX * 2];
	TcWriter	writer = tc_writer(value, sizeof(value));
	TcEnvelope	envelope;

	tc_envelope_write_header(&header, tc_write_room(&writer, TC_HEADER_BYTES));
	tc_write_bytes(&writer, fields[IV].bytes, fields[IV].len);
	tc_write_bytes(&writer, fields[CT].bytes, fields[CT].len);
	if (tc_envelope_parse(tc_written(&writer), &envelope) != TC_OK)
		return true;
	return tc_aead_unwrap(fields[KEY].bytes, envelope.nonce.data, span(AAD), envelope.body, plain) != TC_OK;
}

int
main(void)
{
	FILE	   *pipe = open_vectors("aead", "xchacha20_poly1305_test.json");
	size_t		executed = 0;
	size_t		refused = 0;
	size_t		wrong = 0;

	if (pipe == NULL)
		return done();
	if (tc_aead_init() != TC_OK)
		bail("no libsodium");
	while (next_vector(pipe, fields, NFIELDS, KEY, CT))
	{
		bool		good;

		if (fields[IV].len == TC_NONCE_BYTES)
			executed++, good = agrees();
		else
			refused++, good = refuses();
		if (!good)
			wrong++, printf("# vector %s\n", fields[ID].text);
	}
	ok(pclose(pipe) == 0, "the vectors were all read");
	is_count(wrong, 0, "every vector agrees, sealed and opened in both ways");
	ok(executed >= EXECUTED, "%zu vectors were executed", executed);
	ok(refused >= REFUSED, "%zu were refused for the size of their nonce", refused);
	return done();
}
