/*-------------------------------------------------------------------------
 *
 * passwrap_cases.c
 *	  A recovery identity under a passphrase: what opens, and what does not.
 *
 * Stretching takes half a second, so it is done a few times only; the other
 * claims are about one stretched passphrase.
 *
 * test/unit/passwrap_cases.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <sodium.h>

#include "armor.h"
#include "passwrap.h"
#include "tap.h"

#define PREFIX_LEN	15			/* "TC-RECOVERY-P1:" */
#define BYTES		137
#define SUMMED		133

static uint8_t seed[TC_SEED_BYTES];
static uint8_t stretched[TC_STRETCHED_BYTES];
static TcPasswrap wrap;
static char text[TC_PASSWRAP_TEXT_MAX];
static uint8_t bytes[BYTES];	/* of text */

/* Write bytes as text, with a checksum that fits. */
static void
write_text(uint8_t changed[BYTES], char ret_text[TC_PASSWRAP_TEXT_MAX])
{
	uint8_t		hash[16];
	TcSpan		fields[2];

	fields[0] = tc_span("protected", 9);
	fields[1] = tc_span(changed, SUMMED);
	if (tc_kdf(NULL, TC_LABEL_IDENTITY, fields, 2, hash, sizeof(hash)) != TC_OK)
		bail("no kdf");
	memcpy(changed + SUMMED, hash, BYTES - SUMMED);
	memcpy(ret_text, text, PREFIX_LEN);
	tc_base64_encode(tc_span(changed, BYTES), ret_text + PREFIX_LEN);
}

/* Parse a copy of just its size. */
static TcResult
parse(const char *from, size_t len, TcPasswrap *ret)
{
	char	   *copy = (char *) exact_copy(from, len);
	TcResult	result = tc_passwrap_parse(copy, len, ret);

	free(copy);
	return result;
}

/* Open with the stretched passphrase; a failure leaves nothing. */
static TcResult
open_wrap(const TcPasswrap *which, uint8_t *got)
{
	TcResult	result;

	memset(got, 0x55, TC_SEED_BYTES);
	result = tc_passwrap_open(which, stretched, got);
	if (result != TC_OK && !all_zero(got, TC_SEED_BYTES))
		bail("a failed opening left bytes of a seed");
	return result;
}

static void
test_form(void)
{
	TcPasswrap	parsed;
	uint8_t		got[TC_SEED_BYTES];
	uint8_t		other[TC_STRETCHED_BYTES];
	size_t		len;

	is_result(tc_passwrap_new(TC_PASSWRAP_PASSES_MIN, TC_PASSWRAP_KIB_MIN, &wrap), TC_OK, "a new wrap");
	is_result(tc_passwrap_stretch(&wrap, "a passphrase", 12, stretched), TC_OK, "a passphrase is stretched");
	is_result(tc_passwrap_seal(&wrap, stretched, seed), TC_OK, "a seed is sealed under it");
	is_result(tc_passwrap_encode(&wrap, text), TC_OK, "as text");
	ok(strlen(text) == 198 && strncmp(text, "TC-RECOVERY-P1:", PREFIX_LEN) == 0 && tc_passwrap_is(text, 198) &&
	   !tc_passwrap_is(text, PREFIX_LEN - 1), "of 198 characters, known by their beginning");
	if (tc_base64_decode(text + PREFIX_LEN, strlen(text) - PREFIX_LEN, bytes, BYTES, &len) != TC_OK || len != BYTES)
		bail("the text is not base64 of its size");

	is_result(parse(text, strlen(text), &parsed), TC_OK, "it is taken apart");
	ok(memcmp(&parsed, &wrap, sizeof(wrap)) == 0, "to what it was");
	is_result(tc_passwrap_stretch(&parsed, "a passphrase", 12, other), TC_OK, "the passphrase is stretched again");
	is_bytes(other, stretched, sizeof(other), "to the same bytes");
	ok(open_wrap(&parsed, got) == TC_OK && memcmp(got, seed, TC_SEED_BYTES) == 0, "and opens to the seed");

	is_result(tc_passwrap_stretch(&parsed, "a passphrasf", 12, other), TC_OK, "another passphrase is stretched");
	ok(tc_passwrap_open(&parsed, other, got) == TC_REJECTED && all_zero(got, TC_SEED_BYTES), "and is rejected");
	ok(tc_identity_decode(text, strlen(text), got) == TC_MALFORMED, "it is no identity in the clear");
}

/* Two of one seed and passphrase have nothing in common. */
static void
test_random(void)
{
	TcPasswrap	other;

	if (tc_passwrap_new(TC_PASSWRAP_PASSES_MIN, TC_PASSWRAP_KIB_MIN, &other) != TC_OK)
		bail("no wrap");
	ok(memcmp(other.salt, wrap.salt, sizeof(wrap.salt)) != 0 && memcmp(other.nonce, wrap.nonce, sizeof(wrap.nonce)) != 0,
	   "salt and nonce are others each time");
}

static void
test_changed(void)
{
	TcPasswrap	parsed;
	uint8_t		got[TC_SEED_BYTES];
	char		changed_text[TC_PASSWRAP_TEXT_MAX];
	size_t		taken = 0;
	size_t		opened = 0;
	size_t		parsed_at_all = 0;

	/* As it comes: the checksum finds it, whatever else. */
	for (size_t at = 0; at < strlen(text); at++)
		for (int byte = 0; byte < 256; byte++)
		{
			memcpy(changed_text, text, sizeof(text));
			changed_text[at] = (char) byte;
			taken += (char) byte != text[at] && parse(changed_text, strlen(text), &parsed) == TC_OK;
		}
	is_count(taken, 0, "with any character changed it is refused before anything is stretched");
	for (size_t len = 0; len < strlen(text); len++)
		taken += parse(text, len, &parsed) == TC_OK;
	memcpy(changed_text, text, sizeof(text));
	memcpy(changed_text + strlen(text), "\n", 2);
	taken += parse(changed_text, strlen(text) + 1, &parsed) == TC_OK;
	taken += parse(text, strlen(text) + 1, &parsed) == TC_OK;
	is_count(taken, 0, "and at any other length");

	/* With a checksum that fits: the commitment or the tag finds it. */
	for (size_t at = 0; at < SUMMED; at++)
		for (int mask = 1; mask < 256; mask <<= 1)
		{
			uint8_t		changed[BYTES];

			memcpy(changed, bytes, BYTES);
			changed[at] ^= (uint8_t) mask;
			write_text(changed, changed_text);
			if (parse(changed_text, strlen(changed_text), &parsed) != TC_OK)
				continue;
			parsed_at_all++;
			opened += open_wrap(&parsed, got) != TC_REJECTED;
		}
	is_count(opened, 0, "with any bit and the checksum changed it is rejected");
	ok(parsed_at_all >= 8 * (16 + 24 + 32 + 48), "which %zu of them were, the others refused before", parsed_at_all);
}

static void
test_limits(void)
{
	static const struct
	{
		uint8_t		kdf;
		uint32_t	passes;
		uint32_t	kib;
		TcResult	result;
	}			cases[] = {
		{1, 3, 262144, TC_OK}, {1, 10, 1048576, TC_OK}, {1, 2, 262144, TC_MALFORMED},
		{1, 0, 262144, TC_MALFORMED}, {1, 3, 262143, TC_MALFORMED}, {1, 3, 0, TC_MALFORMED},
		{1, 11, 262144, TC_TOO_LARGE}, {1, 3, 1048577, TC_TOO_LARGE}, {1, UINT32_MAX, 262144, TC_TOO_LARGE},
		{1, 3, UINT32_MAX, TC_TOO_LARGE}, {0, 3, 262144, TC_UNSUPPORTED}, {2, 3, 262144, TC_UNSUPPORTED}};
	size_t		wrong = 0;
	TcPasswrap	got;
	uint8_t		out[TC_STRETCHED_BYTES];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		uint8_t		changed[BYTES];
		char		changed_text[TC_PASSWRAP_TEXT_MAX];
		TcWriter	writer = tc_writer(changed + 4, 9);
		TcPasswrap	made = wrap;

		memcpy(changed, bytes, BYTES);
		tc_write_u8(&writer, cases[i].kdf);
		tc_write_u32(&writer, cases[i].passes);
		tc_write_u32(&writer, cases[i].kib);
		write_text(changed, changed_text);
		wrong += parse(changed_text, strlen(changed_text), &got) != cases[i].result;
		if (cases[i].kdf != 1)
			continue;
		wrong += tc_passwrap_new(cases[i].passes, cases[i].kib, &got) != cases[i].result;
		made.passes = cases[i].passes;
		made.kib = cases[i].kib;
		wrong += tc_passwrap_encode(&made, changed_text) != cases[i].result;
		if (cases[i].result != TC_OK)
			wrong += tc_passwrap_stretch(&made, "x", 1, out) != cases[i].result;
	}
	is_count(wrong, 0, "costs outside the limits are refused: read, made, written or used");
	is_result(tc_passwrap_stretch(&wrap, "", 0, out), TC_MALFORMED, "there is no empty passphrase");
	char		long_one[TC_PASSPHRASE_MAX + 1];

	memset(long_one, 'p', sizeof(long_one));
	is_result(tc_passwrap_stretch(&wrap, long_one, sizeof(long_one), out), TC_TOO_LARGE, "and none of 1025 bytes");
}

/* Without the memory it says so; it does not go on with less. */
static void
test_memory(void)
{
	const char *what = "where there is no memory for it, that is a failure of the system";
#ifdef __SANITIZE_ADDRESS__
	skip(what, "the address sanitizer needs more than that itself");
#else
	struct rlimit limit = {128 << 20, 128 << 20};
	uint8_t		out[TC_STRETCHED_BYTES];
	int			status = 0;
	pid_t		pid = fork();

	if (pid == 0)
		_exit(setrlimit(RLIMIT_AS, &limit) == 0 &&
			  tc_passwrap_stretch(&wrap, "x", 1, out) == TC_SYSTEM && errno == ENOMEM ? 0 : 1);
	ok(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", what);
#endif
}

int
main(void)
{
	if (tc_aead_init() != TC_OK)
		bail("no libsodium");
	fill(seed, sizeof(seed), 5);
	test_form();
	test_random();
	test_changed();
	test_limits();
	test_memory();
	return done();
}
