/*-------------------------------------------------------------------------
 *
 * fuzz_armor.c
 *	  Texts: whatever is taken has this one spelling.
 *
 * test/fuzz/fuzz_armor.c
 *
 *-------------------------------------------------------------------------
 */
#include "armor.h"
#include "fuzz.h"
#include "recipient.h"

/* Decode as armor; what is taken is written back as it was read. */
static void
read_armor(const char *text, size_t len)
{
	uint8_t    *value = malloc(len + 1);
	char	   *again = malloc(tc_armor_len(len) + 1);
	size_t		value_len;
	TcResult	result = tc_armor_decode(text, len, value, len * 3 / 4, &value_len);

	HOLDS(result == TC_OK || result == TC_MALFORMED);
	if (result == TC_OK)
	{
		HOLDS(tc_armor_is(text, len) && tc_armor_len(value_len) == len);
		tc_armor_encode(tc_span(value, value_len), again);
		HOLDS(memcmp(again, text, len) == 0);
		if (value_len > 0)
			HOLDS(tc_armor_decode(text, len, value, value_len - 1, &value_len) == TC_TOO_LARGE);
	}
	free(value);
	free(again);
}

/* Encode any bytes, and decode them. */
static void
write_armor(const uint8_t *bytes, size_t len)
{
	char	   *text = malloc(tc_armor_len(len) + 1);
	uint8_t    *back = malloc(len + 1);
	size_t		back_len;

	tc_armor_encode(tc_span(bytes, len), text);
	HOLDS(strlen(text) == tc_armor_len(len));
	HOLDS(tc_armor_decode(text, strlen(text), back, len, &back_len) == TC_OK);
	HOLDS(back_len == len && (len == 0 || memcmp(back, bytes, len) == 0));
	free(text);
	free(back);
}

static void
read_texts(const char *text, size_t len)
{
	uint8_t		bytes[32];
	char		again[TC_RECIPIENT_TEXT_MAX];

	if (tc_recipient_decode(text, len, bytes) == TC_OK)
	{
		HOLDS(tc_recipient_encode(bytes, again) == TC_OK);
		HOLDS(strlen(again) == len && memcmp(again, text, len) == 0);
	}
	if (tc_identity_decode(text, len, bytes) == TC_OK)
	{
		HOLDS(tc_identity_encode(bytes, again) == TC_OK);
		HOLDS(strlen(again) == len && memcmp(again, text, len) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_armor((const char *) data, size);
	write_armor(data, size);
	read_texts((const char *) data, size);
	return 0;
}
