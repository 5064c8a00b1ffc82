/*-------------------------------------------------------------------------
 *
 * fuzz_passwrap.c
 *	  Protected identities: whatever is taken has this one spelling, costs what
 *	  is allowed, and opens only if it was sealed under the stretched key.
 *
 * test/fuzz/fuzz_passwrap.c
 *
 *-------------------------------------------------------------------------
 */
#include "armor.h"
#include "fuzz.h"
#include "passwrap.h"

#define PREFIX		"TC-RECOVERY-P1:"
#define BYTES		137
#define SUMMED		133

/* Take a text apart, and write it again. */
static void
read_text(const char *text, size_t len)
{
	TcPasswrap	wrap;
	uint8_t		stretched[TC_STRETCHED_BYTES];
	uint8_t		seed[TC_SEED_BYTES];
	char		again[TC_PASSWRAP_TEXT_MAX];

	if (tc_passwrap_parse(text, len, &wrap) != TC_OK)
		return;
	HOLDS(tc_passwrap_is(text, len));
	HOLDS(wrap.passes >= TC_PASSWRAP_PASSES_MIN && wrap.passes <= TC_PASSWRAP_PASSES_MAX);
	HOLDS(wrap.kib >= TC_PASSWRAP_KIB_MIN && wrap.kib <= TC_PASSWRAP_KIB_MAX);
	HOLDS(tc_passwrap_encode(&wrap, again) == TC_OK);
	HOLDS(strlen(again) == len && memcmp(again, text, len) == 0);

	/* The stretched key of the seed input. */
	count_from(0x51, stretched, sizeof(stretched));
	if (tc_passwrap_open(&wrap, stretched, seed) == TC_OK)
	{
		TcPasswrap	sealed = wrap;

		HOLDS(tc_passwrap_seal(&sealed, stretched, seed) == TC_OK);
		HOLDS(memcmp(&sealed, &wrap, sizeof(wrap)) == 0);
	}
}

/* The same behind a prefix and before a checksum that fit. */
static void
read_bytes(const uint8_t *data)
{
	uint8_t		bytes[BYTES];
	uint8_t		hash[16];
	char		text[TC_PASSWRAP_TEXT_MAX] = PREFIX;
	TcSpan		fields[2];

	memcpy(bytes, data, SUMMED);
	fields[0] = tc_span("protected", 9);
	fields[1] = tc_span(bytes, SUMMED);
	HOLDS(tc_kdf(NULL, TC_LABEL_IDENTITY, fields, 2, hash, sizeof(hash)) == TC_OK);
	memcpy(bytes + SUMMED, hash, BYTES - SUMMED);
	tc_base64_encode(tc_span(bytes, BYTES), text + sizeof(PREFIX) - 1);
	read_text(text, strlen(text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_text((const char *) data, size);
	if (size >= SUMMED)
		read_bytes(data);
	return 0;
}
