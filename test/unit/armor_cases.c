/*-------------------------------------------------------------------------
 *
 * armor_cases.c
 *	  One value has one spelling, and every other one is refused.
 *
 * test/unit/armor_cases.c
 *
 *-------------------------------------------------------------------------
 */
#include "armor.h"
#include "tap.h"

#define VALUE_MAX	200

static const char alphabet[] =
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Decode a copy of just its size, into room of just the size needed. */
static TcResult
decode(const char *text, size_t len, uint8_t *ret_value, size_t *ret_len)
{
	char	   *copy = (char *) exact_copy(text, len);
	uint8_t    *room = malloc(len * 3 / 4 + 1);
	TcResult	result;

	*ret_len = 0;
	result = tc_armor_decode(copy, len, room, len * 3 / 4, ret_len);
	if (result == TC_OK)
		memcpy(ret_value, room, *ret_len);
	free(copy);
	free(room);
	return result;
}

/* Encode and decode values of every length up to VALUE_MAX. */
static void
test_round_trips(void)
{
	size_t		good = 0;
	size_t		lengths = 0;

	for (size_t len = 0; len <= VALUE_MAX; len++)
	{
		uint8_t		value[VALUE_MAX];
		uint8_t		back[VALUE_MAX + 10];
		char		text[VALUE_MAX * 2];
		uint8_t    *copy;
		size_t		back_len;

		fill(value, len, (uint32_t) len);
		copy = exact_copy(value, len);
		memset(text, 'x', sizeof(text));
		tc_armor_encode(tc_span(copy, len), text);
		free(copy);
		if (strlen(text) == tc_armor_len(len) && text[tc_armor_len(len) + 1] == 'x')
			lengths++;
		if (decode(text, strlen(text), back, &back_len) == TC_OK &&
			back_len == len && memcmp(back, value, len) == 0)
			good++;
	}
	is_count(good, VALUE_MAX + 1, "values of 0..200 bytes come back");
	is_count(lengths, VALUE_MAX + 1, "their armor is as long as announced, with its zero");
}

static void
test_known(void)
{
	static const struct
	{
		const char *value;
		const char *text;
	}			known[] = {
		/* RFC 4648, section 10, without padding */
		{"", "tc1:"}, {"f", "tc1:Zg"}, {"fo", "tc1:Zm8"}, {"foo", "tc1:Zm9v"},
		{"foob", "tc1:Zm9vYg"}, {"fooba", "tc1:Zm9vYmE"}, {"foobar", "tc1:Zm9vYmFy"},
		{"\xff\xef\xbe", "tc1:_---"}
	};
	size_t		good = 0;
	size_t		n = sizeof(known) / sizeof(known[0]);

	for (size_t i = 0; i < n; i++)
	{
		char		text[32];

		tc_armor_encode(tc_span(known[i].value, strlen(known[i].value)), text);
		if (strcmp(text, known[i].text) == 0)
			good++;
		else
			printf("# %s is not %s\n", text, known[i].text);
	}
	is_count(good, n, "the examples of RFC 4648, and both characters of its section 5");
}

/* Every byte in every place of a text: refused, or another value's armor. */
static void
test_substitutions(size_t value_len)
{
	uint8_t		value[64];
	uint8_t		back[64];
	char		text[100];
	size_t		len = tc_armor_len(value_len);
	size_t		back_len;
	size_t		wrong = 0;
	size_t		taken = 0;

	fill(value, value_len, 7);
	tc_armor_encode(tc_span(value, value_len), text);
	for (size_t at = 0; at < len; at++)
		for (int byte = 0; byte < 256; byte++)
		{
			char		was = text[at];
			char		again[100];
			bool		spelled = at >= TC_ARMOR_PREFIX_LEN && byte != 0 &&
				strchr(alphabet, byte) != NULL;

			if ((char) byte == was)
				continue;
			text[at] = (char) byte;
			if (decode(text, len, back, &back_len) == TC_OK)
			{
				taken++;
				tc_armor_encode(tc_span(back, back_len), again);
				if (!spelled || strlen(again) != len || memcmp(again, text, len) != 0 ||
					memcmp(back, value, value_len) == 0)
					wrong++;
			}
			else if (spelled && at + 1 < len)
				wrong++;
			text[at] = was;
		}
	ok(wrong == 0 && taken > 0,
	   "%zu bytes: each substitution is refused or the only spelling of another value",
	   value_len);
}

static void
refuse(const char *text, TcResult expected, const char *what)
{
	uint8_t		back[200];
	size_t		len;

	is_result(decode(text, strlen(text), back, &len), expected, what);
}

static void
test_spellings(void)
{
	refuse("", TC_MALFORMED, "the empty text is no armor");
	refuse("tc1", TC_MALFORMED, "nor is a part of the prefix");
	refuse("TC1:Zm9v", TC_MALFORMED, "nor a prefix in capitals");
	refuse("tc2:Zm9v", TC_MALFORMED, "nor that of another version");
	refuse(" tc1:Zm9v", TC_MALFORMED, "nor one behind a blank");
	refuse("tc1:Zm9v ", TC_MALFORMED, "a blank behind is refused");
	refuse("tc1:Zm 9v", TC_MALFORMED, "a blank inside too");
	refuse("tc1:Zm9v\n", TC_MALFORMED, "a line end too");
	refuse("tc1:Zm9v\r\n", TC_MALFORMED, "one of Windows too");
	refuse("tc1:Zg==", TC_MALFORMED, "padding is refused");
	refuse("tc1:Zm8=", TC_MALFORMED, "one character of it too");
	refuse("tc1:Zm9v====", TC_MALFORMED, "and where there is none to pad");
	refuse("tc1:=", TC_MALFORMED, "and alone");
	refuse("tc1:_-+/", TC_MALFORMED, "the alphabet of RFC 4648, section 4, is refused");
	refuse("tc1:Zh", TC_MALFORMED, "unused bits in a last character of two are refused");
	refuse("tc1:Zm9", TC_MALFORMED, "and in one of three");
	refuse("tc1:Z", TC_MALFORMED, "one character alone has no byte");
	refuse("tc1:Zm9vA", TC_MALFORMED, "nor one left over");
	refuse("tc1:tc1:", TC_MALFORMED, "a prefix twice is refused");
}

/* Of the 64 last characters, only those without unused bits are taken. */
static void
test_last_characters(void)
{
	uint8_t		back[8];
	size_t		back_len;
	size_t		of_two = 0;
	size_t		of_three = 0;

	for (int i = 0; i < 64; i++)
	{
		char		two[] = "tc1:Zx";
		char		three[] = "tc1:Zmx";

		two[5] = alphabet[i];
		three[6] = alphabet[i];
		of_two += decode(two, 6, back, &back_len) == TC_OK;
		of_three += decode(three, 7, back, &back_len) == TC_OK;
	}
	is_count(of_two, 4, "4 of 64 last characters end a value of one byte");
	is_count(of_three, 16, "16 of 64 end one of two");
}

static void
test_sizes(void)
{
	uint8_t		back[8];
	size_t		len = 99;
	char		zero_inside[] = "tc1:Zm\0v";

	is_result(tc_armor_decode("tc1:Zm9v", 8, back, 3, &len), TC_OK, "three bytes into room for three");
	is_result(tc_armor_decode("tc1:Zm9v", 8, back, 2, &len), TC_TOO_LARGE, "not into room for two");
	is_result(tc_armor_decode("tc1:", 4, NULL, 0, &len), TC_OK, "none into no room");
	is_count(len, 0, "and their length is 0");
	is_result(tc_base64_decode(NULL, 0, NULL, 0, &len), TC_OK, "nor needs the text to be anywhere");
	is_result(tc_armor_decode("tc1:Zg", 6, back, 0, &len), TC_TOO_LARGE, "one does not fit into no room");
	is_result(tc_armor_decode(zero_inside, 8, back, 8, &len), TC_MALFORMED, "a zero byte inside is refused");
	is_result(tc_armor_decode(NULL, 0, back, 8, &len), TC_MALFORMED, "NULL is no armor");
	memset(back, 7, sizeof(back));
	is_result(tc_armor_decode("tc1:Zm9vZm9?", 12, back, 8, &len), TC_MALFORMED, "refused at its last character");
	ok(all_zero(back, 6), "it leaves nothing behind");
	ok(tc_armor_is("tc1:", 4) && tc_armor_is("tc1:?", 5), "armor is known by its prefix");
	ok(!tc_armor_is("tc1", 3) && !tc_armor_is("", 0) && !tc_armor_is(NULL, 0), "and by all of it");
}

int
main(void)
{
	test_round_trips();
	test_known();
	for (size_t len = 1; len <= 6; len++)
		test_substitutions(len);
	test_substitutions(48);
	test_spellings();
	test_last_characters();
	test_sizes();
	return done();
}
