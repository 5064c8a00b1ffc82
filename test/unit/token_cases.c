/*-------------------------------------------------------------------------
 *
 * token_cases.c
 *	  Blind tokens are the hashes that FORMAT names, and leave no key behind.
 *
 * Known answers were computed by other code: Python's hashlib for BLAKE2b, and
 * for SipHash the reference vectors of its authors (key 00 01 .., input 00 01
 * ..) with the SipHash of decode.py where they end.
 *
 * test/unit/token_cases.c
 *
 *-------------------------------------------------------------------------
 */
#include <signal.h>
#include <sodium.h>

#include "grab.h"
#include "tap.h"
#include "token.h"

#define LONGEST		100000
#define STACK_SIZE	(256 * 1024)
#define LOOK_BELOW	(16 * 1024)	/* far deeper than any hash goes */
#define WINDOW		8			/* a word of BLAKE2b */

static uint8_t input[LONGEST];
static const uint8_t algorithms[] = {TC_INDEX_BLAKE2B, TC_INDEX_SIPHASH128};

#define FOR_ALGORITHMS(i) \
	for (size_t i = 0; i < sizeof(algorithms); i++) \
		if (tc_token_supports(algorithms[i]))

static void
count_from(uint8_t first, uint8_t *ret, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ret[i] = (uint8_t) (first + i);
}

/* The token of the first bytes of an input of just that size. */
static void
token_of(uint8_t algorithm, const uint8_t *subkey, const uint8_t *bytes, size_t len, uint8_t *ret)
{
	uint8_t    *copy = exact_copy(bytes, len);

	memset(ret, 0x55, TC_TOKEN_BYTES);
	if (tc_token_make(algorithm, subkey, tc_span(copy, len), ret) != TC_OK)
		bail("no token");
	free(copy);
}

static bool
is_hex(const uint8_t *bytes, size_t len, const char *expected)
{
	char		hex[2 * TC_KEY_BYTES + 1];

	sodium_bin2hex(hex, sizeof(hex), bytes, len);
	if (strcmp(hex, expected) == 0)
		return true;
	printf("# got %s, expected %s\n", hex, expected);
	return false;
}

static void
test_subkeys(void)
{
	static const struct
	{
		uint8_t		type_code;
		const char *subkey;
	}			known[] =
	{
		{1, "131343b482050a4ad6c1d824612b7fbe540b2fdcdc3d98c9fa5f1064c8dd6679"},
		{11, "87ce9b48ec7b7baba9246725c3a4e104d720f44066b0ad9ff6b41dad2b204de3"},
		{18, "2e208b4cb600ae1317c0e741820e3261ff06cf4f271e188ea9f62fd2e315d1a0"}
	};
	uint8_t		key[TC_KEY_BYTES];
	static uint8_t subkeys[512][TC_KEY_BYTES];
	size_t		wrong = 0;
	size_t		same = 0;

	count_from(0x40, key, sizeof(key));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		wrong += tc_token_subkey(key, known[i].type_code, subkeys[0]) != TC_OK ||
			!is_hex(subkeys[0], TC_KEY_BYTES, known[i].subkey);
	is_count(wrong, 0, "subkeys: known answers");

	for (int i = 0; i < 512; i++)
	{
		if (i == 256)
			key[31] ^= 0x80;
		if (tc_token_subkey(key, (uint8_t) i, subkeys[i]) != TC_OK)
			bail("no subkey");
		for (int j = 0; j < i; j++)
			same += memcmp(subkeys[i], subkeys[j], 16) == 0;
	}
	is_count(same, 0, "each type code and each key has its own, in the first half already");
}

static void
test_known_answers(void)
{
	static const struct
	{
		size_t		len;
		const char *blake2b;
		const char *siphash128;
	}			known[] =
	{
		{0, "f39a2cad58411cd49f577e5086b8031f", "a3817f04ba25a8e66df67214c7550293"},
		{1, "6a73059c50e33c903c31a0e7be3118df", "da87c1d86b99af44347659119b22fc45"},
		{11, "ca9ea5f48de589940f97e69c431c5059", "0151c568386b6677a2b4dc6f81e5dc18"},
		{96, "8846c9ba94bc6d0441727feca409354b", "e79731444673d4420110d764da2768ca"},
		{97, "d42a697ca602e7ec06d5c1e1f32645c7", "8e0cc2f58dccc2bc763bfe032015d9f4"},
		{1000, "561caefba6c7ef478240d2717202c467", "24dafa789ae03d86536a4b57372f0ba6"},
		{LONGEST, "fc9975737f51175c25ab3676e0b22b81", "9f78fb9e4104b05b6f930136b512eb57"},
	};
	uint8_t		subkey[TC_KEY_BYTES];
	uint8_t		token[TC_TOKEN_BYTES];

	count_from(0, subkey, sizeof(subkey));
	FOR_ALGORITHMS(a)
	{
		bool		blake2b = algorithms[a] == TC_INDEX_BLAKE2B;
		size_t		wrong = 0;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		{
			token_of(algorithms[a], subkey, input, known[i].len, token);
			wrong += !is_hex(token, sizeof(token), blake2b ? known[i].blake2b : known[i].siphash128);
		}
		ok(wrong == 0, "%s: known answers for 0..%d bytes", blake2b ? "blake2b" : "siphash128", LONGEST);
	}
	if (!tc_token_supports(TC_INDEX_SIPHASH128))
		skip("siphash128: known answers", "this libsodium has no SipHash of 128 bits");
}

/* Against the definition, in one call of libsodium, at every length. */
static void
test_definition(void)
{
	uint8_t		prefixed[TC_KEY_BYTES + 600];
	uint8_t		token[TC_TOKEN_BYTES];
	uint8_t		expected[TC_TOKEN_BYTES];
	size_t		wrong = 0;

	fill(prefixed, sizeof(prefixed), 5);
	for (size_t len = 0; len <= 600; len++)
	{
		crypto_generichash(expected, sizeof(expected), prefixed, TC_KEY_BYTES + len, NULL, 0);
		token_of(TC_INDEX_BLAKE2B, prefixed, prefixed + TC_KEY_BYTES, len, token);
		wrong += memcmp(token, expected, sizeof(token)) != 0;
	}
	is_count(wrong, 0, "blake2b: the hash of subkey and input, for 0..600 bytes");
}

static int
compare_tokens(const void *a, const void *b)
{
	return memcmp(a, b, TC_TOKEN_BYTES);
}

/* How many tokens are the same as another one. */
static size_t
count_same(uint8_t (*tokens)[TC_TOKEN_BYTES], size_t n)
{
	size_t		same = 0;

	qsort(tokens, n, TC_TOKEN_BYTES, compare_tokens);
	for (size_t i = 1; i < n; i++)
		same += memcmp(tokens[i - 1], tokens[i], TC_TOKEN_BYTES) == 0;
	return same;
}

/* What is the same, and what is not. */
static void
test_differences(void)
{
	static uint8_t tokens[40000][TC_TOKEN_BYTES];
	static const uint8_t zeros[1001];
	uint8_t		subkey[TC_KEY_BYTES];
	uint8_t		bytes[200];
	size_t		n = 0;
	size_t		changed = 0;

	fill(subkey, sizeof(subkey), 7);
	FOR_ALGORITHMS(a)
	{
		size_t		used = algorithms[a] == TC_INDEX_BLAKE2B ? 256 : 128;

		fill(bytes, sizeof(bytes), 8);
		for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++)
		{
			bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
			token_of(algorithms[a], subkey, bytes, sizeof(bytes), tokens[n++]);
			bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		}
		for (size_t len = 0; len <= 1000; len++)
			token_of(algorithms[a], subkey, zeros, len, tokens[n++]);
		for (uint32_t i = 1; i <= 10000; i++)
			token_of(algorithms[a], subkey, (uint8_t *) &i, sizeof(i), tokens[n++]);
		token_of(algorithms[a], subkey, bytes, 150, tokens[n++]);
		for (size_t bit = 0; bit < used; bit++)
		{
			subkey[bit / 8] ^= (uint8_t) (1 << bit % 8);
			token_of(algorithms[a], subkey, bytes, 150, tokens[n++]);
			subkey[bit / 8] ^= (uint8_t) (1 << bit % 8);
		}
		for (size_t bit = used; bit < 256; bit++)
		{
			uint8_t		token[TC_TOKEN_BYTES];

			subkey[bit / 8] ^= (uint8_t) (1 << bit % 8);
			token_of(algorithms[a], subkey, bytes, 150, token);
			subkey[bit / 8] ^= (uint8_t) (1 << bit % 8);
			changed += memcmp(token, tokens[n - 1 - used], sizeof(token)) != 0;
		}
	}
	ok(count_same(tokens, n) == 0,
	   "a bit of the input, its length, a bit of the key, the algorithm: each makes another token (%zu)", n);
	is_count(changed, 0, "siphash128 has only the first half of the subkey");
}

static void
test_edges(void)
{
	uint8_t		subkey[TC_KEY_BYTES];
	uint8_t		token[TC_TOKEN_BYTES];
	uint8_t		again[TC_TOKEN_BYTES];
	size_t		wrong = 0;
	size_t		supported = 0;

	fill(subkey, sizeof(subkey), 9);
	FOR_ALGORITHMS(a)
	{
		token_of(algorithms[a], subkey, NULL, 0, token);
		wrong += tc_token_make(algorithms[a], subkey, tc_span("", 0), again) != TC_OK ||
			memcmp(token, again, sizeof(token)) != 0;
	}
	is_count(wrong, 0, "an empty input may be NULL");

	wrong = 0;
	for (int algorithm = 0; algorithm < 256; algorithm++)
	{
		if (tc_token_supports((uint8_t) algorithm))
		{
			supported++;
			wrong += algorithm != TC_INDEX_BLAKE2B && algorithm != TC_INDEX_SIPHASH128;
			continue;
		}
		memset(token, 0x55, sizeof(token));
		wrong += tc_token_make((uint8_t) algorithm, subkey, tc_span(input, 10), token) != TC_UNSUPPORTED ||
			!all_zero(token, sizeof(token));
	}
	ok(wrong == 0 && supported >= 1 && tc_token_supports(TC_INDEX_BLAKE2B),
	   "an algorithm that is not there is unsupported, and leaves zeros (%zu are there)", supported);
}

/* What runs on a stack of its own, and how deep that stack was then. */
static struct
{
	uint8_t		algorithm;		/* 0: libsodium's BLAKE2b, and nothing wiped */
	const uint8_t *subkey;
	TcSpan		canonical;
	uint8_t		token[TC_TOKEN_BYTES];
	volatile uintptr_t top;
	uint8_t		registers[REGISTERS_BYTES];
	TcResult	result;
}			job;

static void
run_job(int signal_number)
{
	uint8_t		here;

	job.top = (uintptr_t) &here;
	if (job.algorithm != 0)
	{
		job.result = tc_token_make(job.algorithm, job.subkey, job.canonical, job.token);
		grab_registers(job.registers);
	}
	else
	{
		crypto_generichash_state state;

		job.result = TC_OK;
		crypto_generichash_init(&state, NULL, 0, TC_TOKEN_BYTES);
		crypto_generichash_update(&state, job.subkey, TC_KEY_BYTES);
		crypto_generichash_update(&state, job.canonical.data, job.canonical.len);
		crypto_generichash_final(&state, job.token, TC_TOKEN_BYTES);
		grab_registers(job.registers);
	}
}

/* Whether some word of "secret" lies in bytes. */
static bool
holds_word(const uint8_t *bytes, size_t len, const uint8_t *secret, size_t secret_len)
{
	for (size_t at = 0; at + WINDOW <= len; at++)
		for (size_t word = 0; word + WINDOW <= secret_len; word += WINDOW)
			if (bytes[at] == secret[word] && memcmp(bytes + at, secret + word, WINDOW) == 0)
				return true;
	return false;
}

/* Run a job, and look for its secrets on the stack below it. */
static bool
leaves_nothing(uint8_t algorithm, uint8_t *stack, const uint8_t *subkey, size_t len)
{
	const uint8_t *below;
	size_t		size;

	memset(stack, 0xA5, STACK_SIZE);
	job.algorithm = algorithm;
	job.subkey = subkey;
	job.canonical = tc_span(input, len);
	raise(SIGUSR1);
	if (job.result != TC_OK || job.top <= (uintptr_t) stack || job.top >= (uintptr_t) stack + STACK_SIZE)
		bail("the job did not run on its stack");
	size = job.top - (uintptr_t) stack;
	if (size > LOOK_BELOW)
		size = LOOK_BELOW;
	below = (const uint8_t *) job.top - size;
	return !holds_word(job.registers, sizeof(job.registers), subkey, TC_KEY_BYTES) &&
		!holds_word(below, size, subkey, TC_KEY_BYTES) &&
		!holds_word(below, size, input, len < 400 ? len : 400);
}

static void
test_stack(void)
{
	uint8_t    *stack = malloc(STACK_SIZE);
	stack_t		alternate = {.ss_sp = stack, .ss_size = STACK_SIZE};
	struct sigaction action = {.sa_handler = run_job, .sa_flags = SA_ONSTACK};
	uint8_t		subkey[TC_KEY_BYTES];
	size_t		found = 0;

	if (stack == NULL || sigaltstack(&alternate, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0)
		bail("no stack");
	fill(subkey, sizeof(subkey), 10);
	fill(input, sizeof(input), 11);
	for (size_t len = 0; len <= 90; len += 10)
		found += !leaves_nothing(0, stack, subkey, len);
	is_count(found, 10, "control: BLAKE2b alone leaves words of the key on the stack");
	FOR_ALGORITHMS(a)
	{
		found = 0;
		for (size_t len = 0; len <= 300; len += len < 140 ? 1 : 5)
			found += !leaves_nothing(algorithms[a], stack, subkey, len);
		found += !leaves_nothing(algorithms[a], stack, subkey, 4096);
		found += !leaves_nothing(algorithms[a], stack, subkey, LONGEST);
		ok(found == 0, "algorithm %u leaves no word of key or plaintext there, nor of the key in registers", algorithms[a]);
	}
	alternate.ss_flags = SS_DISABLE;
	if (sigaltstack(&alternate, NULL) != 0)
		bail("the stack stays");
	free(stack);
}

int
main(void)
{
	if (sodium_init() < 0)
		bail("no libsodium");
	count_from(0, input, sizeof(input));
	test_subkeys();
	test_known_answers();
	test_definition();
	test_differences();
	test_edges();
	test_stack();
	return done();
}
