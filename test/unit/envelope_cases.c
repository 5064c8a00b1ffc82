/*-------------------------------------------------------------------------
 *
 * envelope_cases.c
 *	  What is a sealed value by its form, and what is not.
 *
 * test/unit/envelope_cases.c
 *
 *-------------------------------------------------------------------------
 */
#include "envelope.h"
#include "tap.h"

#define TYPES_KNOWN	18
#define OVERHEAD	(TC_NONCE_BYTES + TC_TAG_BYTES)
#define LARGE_OVERHEAD	(TC_NONCE_MAX + TC_TAG_MAX)

static const TcHeader plain_header = {TC_ALG_XCHACHA20POLY1305, 0, 1, 0x030201, 0x0504};
static const TcHeader searchable_header = {TC_ALG_XCHACHA20POLY1305, TC_FLAG_SEARCHABLE, 18, 0xFFFFFF, 0xFFFF};
static const TcHeader gcm_header = {TC_ALG_AES256GCM, 0, 1, 0x030201, 0x0504};
static const TcHeader aegis_header = {TC_ALG_AEGIS256, TC_FLAG_SEARCHABLE, 18, 0xFFFFFF, 0xFFFF};
static const TcHeader pending_header = {TC_ALG_XCHACHA20POLY1305, 0, 0, 1, 0};

/* Parse a copy of just its size; the envelope's spans must lie in it. */
static TcResult
parse(const uint8_t *bytes, size_t len, TcEnvelope *envelope)
{
	uint8_t    *copy = exact_copy(bytes, len);
	TcResult	result;

	memset(envelope, 0x55, sizeof(*envelope));
	result = tc_envelope_parse(tc_span(copy, len), envelope);
	if (result == TC_OK &&
		(envelope->ad.data != copy || envelope->nonce.data != copy + envelope->ad.len ||
		 envelope->nonce.len != (envelope->header.algorithm == TC_ALG_AEGIS256 ? 32 : 24) ||
		 envelope->body.len < (envelope->header.algorithm == TC_ALG_AEGIS256 ? 32 : 16) ||
		 envelope->body.data != envelope->nonce.data + envelope->nonce.len ||
		 envelope->body.data + envelope->body.len != copy + len))
		bail("the spans of an envelope do not tile it");
	free(copy);
	return result;
}

static TcResult
parse_quietly(const uint8_t *bytes, size_t len)
{
	TcEnvelope	envelope;

	return parse(bytes, len, &envelope);
}

/* Write a value of header, what comes before the nonce, and a body. */
static size_t
make(const TcHeader *header, const char *role, size_t plain_len, uint8_t *ret)
{
	size_t		prefix = tc_envelope_prefix_len(header, role ? strlen(role) : 0);
	size_t		overhead = header->algorithm == TC_ALG_AEGIS256 ? LARGE_OVERHEAD : OVERHEAD;
	size_t		len = prefix + overhead + plain_len;

	fill(ret, len, (uint32_t) len);
	tc_envelope_write_header(header, ret);
	if (header->version == TC_VERSION_PENDING)
	{
		ret[8] = 0x34;
		ret[9] = 0x12;
		ret[10] = (uint8_t) strlen(role);
		memcpy(ret + 11, role, strlen(role));
	}
	return len;
}

static bool
same_header(const TcHeader *a, const TcHeader *b)
{
	return a->algorithm == b->algorithm && a->flags == b->flags &&
		a->type_code == b->type_code && a->key_id == b->key_id && a->version == b->version;
}

static void
test_layout(void)
{
	static const uint8_t expected[8] = {0xF9, 0x01, 1, 0x01, 0x02, 0x03, 0x04, 0x05};
	static const uint8_t expected_searchable[8] = {0xF9, 0x11, 18, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
	uint8_t		bytes[300];
	TcEnvelope	envelope;
	size_t		len;

	tc_envelope_write_header(&plain_header, bytes);
	is_bytes(bytes, expected, 8, "a header byte by byte");
	tc_envelope_write_header(&searchable_header, bytes);
	is_bytes(bytes, expected_searchable, 8, "the largest one, searchable");

	len = make(&plain_header, NULL, 0, bytes);
	is_count(len, 48, "an empty plaintext costs 48 bytes");
	is_result(parse(bytes, len, &envelope), TC_OK, "and is a value");
	ok(same_header(&envelope.header, &plain_header) && envelope.ad.len == 8 && envelope.body.len == 16 &&
	   envelope.transit_version == 0 && envelope.role.len == 0, "with these parts");
	len = make(&plain_header, NULL, 100, bytes);
	ok(parse(bytes, len, &envelope) == TC_OK && envelope.body.len == 116, "100 bytes too");

	len = make(&searchable_header, NULL, 0, bytes);
	is_count(len, 64, "a searchable one 64");
	is_result(parse(bytes, len, &envelope), TC_OK, "and is a value");
	ok(same_header(&envelope.header, &searchable_header) && envelope.ad.len == 24 &&
	   envelope.body.len == 16, "whose token is authenticated");

	len = make(&gcm_header, NULL, 0, bytes);
	ok(parse(bytes, len, &envelope) == TC_OK && len == 48 && same_header(&envelope.header, &gcm_header),
	   "aes256gcm costs the same");
	len = make(&aegis_header, NULL, 100, bytes);
	ok(parse(bytes, len, &envelope) == TC_OK && len == 188 && same_header(&envelope.header, &aegis_header) &&
	   envelope.ad.len == 24 && envelope.nonce.len == 32 && envelope.body.len == 132,
	   "aegis256, searchable, 88, for a nonce and a tag of 32");

	len = make(&pending_header, "alice", 3, bytes);
	is_count(len, 8 + 2 + 1 + 5 + 24 + 3 + 16, "a pending value has its role's name");
	is_result(parse(bytes, len, &envelope), TC_OK, "and is a value");
	ok(same_header(&envelope.header, &pending_header) && envelope.ad.len == 16 &&
	   envelope.transit_version == 0x1234 && envelope.role.len == 5 && envelope.body.len == 19,
	   "with these parts");
}

/* All 65536 pairs of second and third byte, against the rules of FORMAT. */
static void
test_algorithms_flags_types(void)
{
	uint8_t		bytes[300];
	size_t		len = make(&plain_header, NULL, 60, bytes);
	size_t		wrong = 0;
	size_t		taken = 0;

	for (int how = 0; how < 256; how++)
		for (int type = 0; type < 256; type++)
		{
			int			algorithm = how & 0x0F;
			TcResult	expected = TC_OK;
			TcResult	got;

			if (algorithm == 0)
				expected = TC_MALFORMED;
			else if (algorithm > 3 || (how & 0xA0) || type > TYPES_KNOWN)
				expected = TC_UNSUPPORTED;
			else if (type == 0)
				expected = TC_MALFORMED;
			bytes[1] = (uint8_t) how;
			bytes[2] = (uint8_t) type;
			got = parse_quietly(bytes, len);
			wrong += got != expected;
			taken += got == TC_OK;
		}
	is_count(wrong, 0, "algorithms, flags and type codes: each combination judged by FORMAT");
	is_count(taken, 3 * 4 * TYPES_KNOWN, "three algorithms, two flags and 18 types are known");
}

static void
test_first_bytes(void)
{
	uint8_t		bytes[300];
	size_t		len = make(&plain_header, NULL, 30, bytes);
	size_t		wrong = 0;

	for (int first = 0; first < 256; first++)
	{
		TcResult	expected = first == 0xF9 ? TC_OK : first >= 0xF8 ? TC_UNSUPPORTED : TC_MALFORMED;

		bytes[0] = (uint8_t) first;
		wrong += parse_quietly(bytes, len) != expected;
	}
	is_count(wrong, 0, "0xF9 is ours, 0xF8..0xFF are kept for us, no other byte starts a value");
	bytes[0] = 0xF9;
	bytes[3] = bytes[4] = bytes[5] = 0;
	is_result(parse_quietly(bytes, len), TC_MALFORMED, "the key id 0 is none");
	bytes[5] = 1;
	is_result(parse_quietly(bytes, len), TC_OK, "65536 is one");
	bytes[6] = bytes[7] = 0;
	is_result(parse_quietly(bytes, len), TC_MALFORMED, "the version 0 is pending: other fields follow");
}

/* A byte changed anywhere stays in the value, and changes it. */
static void
test_flips(const char *what, const uint8_t *bytes, size_t len)
{
	uint8_t		copy[300];
	TcEnvelope	before;
	size_t		wrong = 0;

	if (parse(bytes, len, &before) != TC_OK)
		bail("no value to flip");
	memcpy(copy, bytes, len);
	for (size_t at = 0; at < len; at++)
		for (int byte = 0; byte < 256; byte++)
		{
			TcEnvelope	envelope;
			uint8_t		header[TC_HEADER_BYTES];

			copy[at] = (uint8_t) byte;
			if (parse(copy, len, &envelope) == TC_OK)
			{
				tc_envelope_write_header(&envelope.header, header);
				wrong += memcmp(header, copy, TC_HEADER_BYTES) != 0 ||
					envelope.ad.len + envelope.nonce.len + envelope.body.len != len ||
					envelope.ad.len != tc_envelope_prefix_len(&envelope.header, envelope.role.len);
			}
			copy[at] = bytes[at];
		}
	ok(wrong == 0, "%s: with any byte changed it is refused, or its parts are all of it", what);
}

static void
test_lengths(const char *what, const uint8_t *bytes, size_t min_len, size_t len)
{
	size_t		wrong = 0;

	for (size_t n = 0; n < min_len; n++)
		wrong += parse_quietly(bytes, n) != TC_MALFORMED;
	ok(wrong == 0, "%s: malformed at every length below %zu", what, min_len);
	wrong = 0;
	for (size_t n = min_len; n <= len; n++)
		wrong += parse_quietly(bytes, n) != TC_OK;
	ok(wrong == 0, "%s: a value at every length from there on", what);
}

static void
test_forms(void)
{
	uint8_t		bytes[300];
	char		role[TC_ROLE_NAME_MAX + 1];
	size_t		len;

	len = make(&plain_header, NULL, 40, bytes);
	test_flips("plain", bytes, len);
	test_lengths("plain", bytes, 48, len);
	len = make(&searchable_header, NULL, 40, bytes);
	test_flips("searchable", bytes, len);
	test_lengths("searchable", bytes, 64, len);
	len = make(&gcm_header, NULL, 40, bytes);
	test_flips("aes256gcm", bytes, len);
	test_lengths("aes256gcm", bytes, 48, len);
	len = make(&aegis_header, NULL, 40, bytes);
	test_flips("aegis256", bytes, len);
	test_lengths("aegis256", bytes, 24 + 64, len);
	len = make(&pending_header, "a", 40, bytes);
	test_flips("pending", bytes, len);
	test_lengths("pending", bytes, 8 + 3 + 1 + OVERHEAD, len);
	memset(role, 'r', TC_ROLE_NAME_MAX);
	role[TC_ROLE_NAME_MAX] = '\0';
	len = make(&pending_header, role, 40, bytes);
	test_lengths("pending, the longest role", bytes, 8 + 3 + 63 + OVERHEAD, len);
}

static void
test_pending(void)
{
	uint8_t		bytes[300];
	size_t		len = make(&pending_header, "alice", 80, bytes);
	size_t		taken = 0;

	for (int type = 0; type < 256; type++)
	{
		bytes[2] = (uint8_t) type;
		taken += parse_quietly(bytes, len) == TC_OK;
	}
	is_count(taken, TYPES_KNOWN + 2, "a pending value may leave its type open, in two ways");
	bytes[2] = 0;
	bytes[1] |= TC_FLAG_SEARCHABLE;
	is_result(parse_quietly(bytes, len), TC_MALFORMED, "it is never searchable");
	bytes[1] &= 0x0F;
	bytes[8] = bytes[9] = 0;
	is_result(parse_quietly(bytes, len), TC_MALFORMED, "the transit version 0 is none");
	bytes[9] = 1;
	bytes[10] = 0;
	is_result(parse_quietly(bytes, len), TC_MALFORMED, "nor is a role without a name");
	bytes[10] = 5;
	bytes[13] = 0;
	is_result(parse_quietly(bytes, len), TC_MALFORMED, "a name with a zero byte is none");
	memset(bytes + 11, 'r', 64);
	bytes[10] = 63;
	is_result(parse_quietly(bytes, len), TC_OK, "one of 63 bytes is one");
	bytes[10] = 64;
	is_result(parse_quietly(bytes, len), TC_MALFORMED, "one of 64 is not");
	bytes[10] = 255;
	is_result(parse_quietly(bytes, len), TC_MALFORMED, "nor one beyond the end");
	ok(tc_envelope_prefix_len(&pending_header, 63) == 74, "its nonce starts behind the name");
}

/* The header alone, at the start of anything. */
static void
test_header_alone(void)
{
	uint8_t		bytes[8];
	TcHeader	header = {9, 9, 9, 9, 9};
	uint8_t    *copy;

	tc_envelope_write_header(&searchable_header, bytes);
	copy = exact_copy(bytes, 8);
	is_result(tc_envelope_read_header(tc_span(copy, 8), &header), TC_OK, "8 bytes are enough for a header");
	ok(same_header(&header, &searchable_header), "it comes back");
	header.algorithm = 9;
	is_result(tc_envelope_read_header(tc_span(copy, 7), &header), TC_MALFORMED, "7 bytes are not");
	ok(header.algorithm == 9, "what is refused leaves the answer alone");
	is_result(tc_envelope_read_header(tc_span(NULL, 0), &header), TC_MALFORMED, "nor is NULL");
	is_result(parse_quietly(NULL, 0), TC_MALFORMED, "which is no value either");
	free(copy);
}

/* The limit, on pages that are never touched behind the header. */
static void
test_limit(void)
{
	size_t		len = TC_HEADER_BYTES + OVERHEAD + TC_PLAIN_MAX;
	size_t		aegis_len = TC_PROBE_BYTES + LARGE_OVERHEAD + TC_PLAIN_MAX;
	uint8_t    *bytes = calloc(1, aegis_len + 1);
	TcEnvelope	envelope;

	if (bytes == NULL)
		bail("out of memory");
	tc_envelope_write_header(&plain_header, bytes);
	is_result(tc_envelope_parse(tc_span(bytes, len), &envelope), TC_OK, "256 MiB of plaintext are a value");
	is_result(tc_envelope_parse(tc_span(bytes, len + 1), &envelope), TC_TOO_LARGE, "one byte more is too large");
	tc_envelope_write_header(&aegis_header, bytes);
	is_result(tc_envelope_parse(tc_span(bytes, aegis_len), &envelope), TC_OK, "so they are under aegis256");
	is_result(tc_envelope_parse(tc_span(bytes, aegis_len + 1), &envelope), TC_TOO_LARGE, "and one byte more is too large");
	free(bytes);
}

static TcBound
bound_of(const uint8_t *bytes, size_t len)
{
	uint8_t    *copy = exact_copy(bytes, len);
	TcBound		bound = tc_envelope_bound(tc_span(copy, len));

	free(copy);
	return bound;
}

static void
test_probe(void)
{
	static const uint8_t expected[8] = {0xF9, 0x10, 5, 0x56, 0x34, 0x12, 0, 0};
	uint8_t		token[TC_TOKEN_BYTES];
	uint8_t		probe[TC_PROBE_BYTES + 1];
	uint8_t		longer[300] = {0};
	size_t		taken = 0;

	fill(token, sizeof(token), 1);
	probe[TC_PROBE_BYTES] = 0x55;
	tc_envelope_write_probe(5, 0x123456, token, probe);
	is_bytes(probe, expected, 8, "the header of a probe byte by byte");
	ok(memcmp(probe + 8, token, sizeof(token)) == 0 && probe[TC_PROBE_BYTES] == 0x55,
	   "its token behind it, and nothing else");
	ok(bound_of(probe, TC_PROBE_BYTES) == TC_BOUND_PROBE, "it is known as one");
	memcpy(longer, probe, TC_PROBE_BYTES);
	for (size_t len = 0; len <= sizeof(longer); len++)
		taken += parse_quietly(longer, len) == TC_OK;
	for (int algorithm = 0; algorithm < 16; algorithm++)
	{
		longer[1] = (uint8_t) (TC_FLAG_SEARCHABLE | algorithm);
		taken += parse_quietly(longer, sizeof(longer)) == TC_OK;
	}
	is_count(taken, 0, "whatever its length or algorithm, it is no value that could be stored");
}

static void
test_bound(void)
{
	uint8_t		bytes[300];
	size_t		len = make(&searchable_header, NULL, 0, bytes);
	size_t		wrong = 0;

	ok(bound_of(bytes, len) == TC_BOUND_SEARCHABLE, "a searchable value is one");
	for (size_t n = 0; n <= len; n++)
		wrong += bound_of(bytes, n) != (n < TC_PROBE_BYTES ? TC_BOUND_NOT : TC_BOUND_SEARCHABLE);
	is_count(wrong, 0, "its first 24 bytes say so, fewer do not");
	wrong = 0;
	for (int first = 0; first < 256; first++)
	{
		bytes[0] = (uint8_t) first;
		wrong += bound_of(bytes, len) != (first == 0xF9 ? TC_BOUND_SEARCHABLE : TC_BOUND_NOT);
	}
	is_count(wrong, 0, "no other format has a token that we know");
	len = make(&plain_header, NULL, 0, bytes);
	ok(bound_of(bytes, len) == TC_BOUND_UNSEARCHABLE, "a value without a token is not searchable");
	bytes[6] = 0;
	ok(bound_of(bytes, len) == TC_BOUND_UNSEARCHABLE, "nor in version 1280");
	len = make(&pending_header, "alice", 0, bytes);
	ok(bound_of(bytes, len) == TC_BOUND_PENDING, "a pending value is pending");
	ok(bound_of(NULL, 0) == TC_BOUND_NOT, "nothing is nothing");
}

/* Values of few tokens, keys, types, versions and nonces, so that many meet. */
#define MET			400
typedef struct Met
{
	uint8_t    *bytes;
	size_t		len;
	bool		searchable;
} Met;

static void
meet(Met *met, uint32_t seed)
{
	TcHeader	header = {TC_ALG_XCHACHA20POLY1305, 0, 1, 1, 1};
	uint8_t		bytes[100];
	uint8_t		dice[8];

	fill(dice, sizeof(dice), seed);
	header.algorithm = (uint8_t) (1 + dice[0] % 3);
	header.flags = dice[1] % 3 == 0 ? 0 : TC_FLAG_SEARCHABLE;
	header.type_code = (uint8_t) (1 + dice[2] % 2);
	header.key_id = dice[3] % 2 ? 0x010000 : 1;
	header.version = (uint16_t) (1 + dice[4] % 2);
	met->searchable = header.flags != 0;
	met->len = 48 + dice[5] % 2;
	memset(bytes, 0, sizeof(bytes));
	if (met->searchable && dice[6] % 2)
	{
		static const uint8_t no_token[TC_TOKEN_BYTES];

		tc_envelope_write_probe(header.type_code, header.key_id, no_token, bytes);
		met->len = TC_PROBE_BYTES;
	}
	else
	{
		tc_envelope_write_header(&header, bytes);
		bytes[40] = dice[6] & 2;	/* nonce or tag: nobody's concern, or all */
	}
	bytes[8] = dice[7] & 0x80;	/* of the token, or of the nonce */
	bytes[23] = dice[7] & 1;
	met->bytes = exact_copy(bytes, met->len);
}

/* What FORMAT and envelope.h call equal. */
static bool
are_equal(const Met *a, const Met *b)
{
	if (a->searchable && b->searchable)
		return memcmp(a->bytes + 8, b->bytes + 8, TC_TOKEN_BYTES) == 0 &&
			memcmp(a->bytes + 2, b->bytes + 2, 4) == 0;
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static int
sign(int number)
{
	return number < 0 ? -1 : number > 0;
}

static void
test_order(void)
{
	static Met	met[MET];
	static signed char order[MET][MET];
	size_t		equal = 0;
	size_t		wrong = 0;
	size_t		hashes = 0;

	for (uint32_t i = 0; i < MET; i++)
		meet(&met[i], i + 1);
	for (int i = 0; i < MET; i++)
		for (int j = 0; j < MET; j++)
		{
			TcSpan		a = tc_span(met[i].bytes, met[i].len);
			TcSpan		b = tc_span(met[j].bytes, met[j].len);
			TcSpan		hashed_a = tc_envelope_hashed(a);
			TcSpan		hashed_b = tc_envelope_hashed(b);

			order[i][j] = (signed char) sign(tc_envelope_compare(a, b));
			wrong += (order[i][j] == 0) != are_equal(&met[i], &met[j]);
			equal += i != j && order[i][j] == 0;
			if (order[i][j] == 0)
				hashes += hashed_a.len != hashed_b.len ||
					memcmp(hashed_a.data, hashed_b.data, hashed_a.len) != 0;
			hashes += hashed_a.data < a.data || hashed_a.data + hashed_a.len > a.data + a.len;
		}
	is_count(wrong, 0, "0 for one token, key and type whatever else differs, and for the same bytes; else not");
	ok(equal > MET, "of %d values %zu pairs are equal", MET, equal);
	is_count(hashes, 0, "equal values hash the same bytes of their own");
	wrong = 0;
	for (int i = 0; i < MET; i++)
		for (int j = 0; j < MET; j++)
			wrong += order[i][j] != -order[j][i];
	is_count(wrong, 0, "the order turned round is the other one");
	wrong = 0;
	for (int i = 0; i < MET; i++)
		for (int j = 0; j < MET; j++)
			for (int k = 0; order[i][j] <= 0 && k < MET; k++)
				if (order[j][k] <= 0)
					wrong += order[i][k] > 0 || (order[i][k] == 0 && (order[i][j] || order[j][k]));
	is_count(wrong, 0, "and it leads from one to the next and never back");
	for (int i = 0; i < MET; i++)
		free(met[i].bytes);
}

/* One bit of a searchable value changed, and whether it is another one. */
static void
test_order_of_bits(void)
{
	uint8_t		bytes[300];
	uint8_t		changed[300];
	size_t		len = make(&searchable_header, NULL, 10, bytes);
	size_t		wrong = 0;

	memcpy(changed, bytes, len);
	for (size_t bit = 0; bit < 8 * len; bit++)
	{
		size_t		at = bit / 8;
		bool		counts = (at >= 2 && at < 6) || (at >= 8 && at < 24) || bit == 8 + 4;

		changed[at] ^= (uint8_t) (1 << bit % 8);
		wrong += (tc_envelope_compare(tc_span(bytes, len), tc_span(changed, len)) != 0) != counts;
		changed[at] ^= (uint8_t) (1 << bit % 8);
	}
	is_count(wrong, 0, "every bit of token, key and type counts, and no bit of algorithm, version, nonce and text");
	len = make(&plain_header, NULL, 10, bytes);
	memcpy(changed, bytes, len);
	wrong = 0;
	for (size_t bit = 0; bit < 8 * len; bit++)
	{
		changed[bit / 8] ^= (uint8_t) (1 << bit % 8);
		wrong += tc_envelope_compare(tc_span(bytes, len), tc_span(changed, len)) == 0;
		changed[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	is_count(wrong, 0, "without a token, every bit counts");
	ok(tc_envelope_compare(tc_span(bytes, len), tc_span(bytes, len - 1)) == 1 &&
	   tc_envelope_compare(tc_span(bytes, len - 1), tc_span(bytes, len)) == -1, "and the length does");
}

/* What a damaged page may hold still has bounds. */
static void
test_hashed_lengths(void)
{
	uint8_t		bytes[300];
	size_t		wrong = 0;

	for (int searchable = 0; searchable < 2; searchable++)
	{
		(void) make(searchable ? &searchable_header : &plain_header, NULL, 40, bytes);
		for (size_t len = TC_PROBE_BYTES; len < 100; len++)
		{
			uint8_t    *copy = exact_copy(bytes, len);
			TcSpan		hashed = tc_envelope_hashed(tc_span(copy, len));
			size_t		expected = searchable ? 16 : len < 32 ? len - 8 : 24;

			wrong += hashed.data != copy + 8 || hashed.len != expected;
			free(copy);
		}
	}
	is_count(wrong, 0, "the token is hashed, or the nonce as far as it goes");
}

int
main(void)
{
	test_layout();
	test_algorithms_flags_types();
	test_first_bytes();
	test_forms();
	test_pending();
	test_header_alone();
	test_limit();
	test_probe();
	test_bound();
	test_order();
	test_order_of_bits();
	test_hashed_lengths();
	return done();
}
