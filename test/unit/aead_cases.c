/*-------------------------------------------------------------------------
 *
 * aead_cases.c
 *	  Each algorithm is what FORMAT says, and refuses what was altered.
 *
 * Beside libsodium's one-call constructions stands the AEAD of aead.h, byte for
 * byte: a subkey and the rest of the nonce are XChaCha20-Poly1305 to the letter.
 * What was altered does not open and leaves zeros.  All of it for each algorithm
 * that this libsodium and CPU have.
 *
 * test/unit/aead_cases.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "aead.h"
#include "ready.h"
#include "tap.h"

#define LONGEST		70000

static uint8_t alg;
static size_t nonce_len;
static size_t tag_len;
static uint8_t *plain;
static uint8_t *theirs;
static uint8_t *back;

/* What libsodium makes of it, in one call from the whole key and nonce. */
static void
seal_by_libsodium(const uint8_t *key, const uint8_t *nonce, const uint8_t *ad, size_t ad_len,
				  size_t plain_len, unsigned long long *ret_len)
{
	uint8_t		subkey[32];
	uint8_t		inner[12] = {0};

	switch (alg)
	{
		case TC_ALG_XCHACHA20POLY1305:
			crypto_aead_xchacha20poly1305_ietf_encrypt(theirs, ret_len, plain, plain_len, ad, ad_len, NULL, nonce, key);
			break;
		case TC_ALG_AES256GCM:
			crypto_core_hchacha20(subkey, nonce, key, NULL);
			memcpy(inner + 4, nonce + 16, 8);
			crypto_aead_aes256gcm_encrypt(theirs, ret_len, plain, plain_len, ad, ad_len, NULL, inner, subkey);
			break;
#ifdef crypto_aead_aegis256_KEYBYTES
		case TC_ALG_AEGIS256:
			crypto_aead_aegis256_encrypt(theirs, ret_len, plain, plain_len, ad, ad_len, NULL, nonce, key);
			break;
#endif
		default:
			bail("an algorithm that this test does not know");
	}
}

/* Seal by our ways and by libsodium's, and open each other's. */
static bool
agree(size_t plain_len, size_t ad_len, uint32_t seed)
{
	uint8_t		key[32];
	uint8_t		nonce[TC_NONCE_MAX];
	uint8_t		subkey[32];
	uint8_t		ad[1024];
	uint8_t    *message;
	uint8_t    *ours = malloc(plain_len + tag_len);
	unsigned long long len;
	bool		good;

	fill(key, 32, seed);
	fill(nonce, sizeof(nonce), seed + 1);
	fill(ad, ad_len, seed + 2);
	fill(plain, plain_len, seed + 3);
	message = exact_copy(plain, plain_len);
	seal_by_libsodium(key, nonce, ad, ad_len, plain_len, &len);
	good = tc_aead_subkey(alg, key, nonce, subkey) == TC_OK &&
		tc_aead_seal(alg, ready(alg, subkey), nonce, tc_span(ad_len ? ad : NULL, ad_len),
					 tc_span(message, plain_len), ours) == TC_OK &&
		len == plain_len + tag_len && memcmp(ours, theirs, plain_len + tag_len) == 0;

	memset(back, 0x55, LONGEST);
	good = good && tc_aead_open(alg, ready(alg, subkey), nonce, tc_span(ad, ad_len), tc_span(theirs, plain_len + tag_len),
								back) == TC_OK &&
		memcmp(back, plain, plain_len) == 0 && back[plain_len] == 0x55;

	if (alg == TC_ALG_XCHACHA20POLY1305)
	{
		memset(ours, 0, plain_len + tag_len);
		good = good && tc_aead_wrap(key, nonce, tc_span(ad, ad_len), tc_span(message, plain_len), ours) == TC_OK &&
			memcmp(ours, theirs, plain_len + tag_len) == 0;
		memset(back, 0x55, LONGEST);
		good = good && tc_aead_unwrap(key, nonce, tc_span(ad, ad_len), tc_span(ours, plain_len + tag_len), back) == TC_OK &&
			memcmp(back, plain, plain_len) == 0 && back[plain_len] == 0x55;
	}
	if (!good)
		printf("# plaintext of %zu, associated data of %zu\n", plain_len, ad_len);
	free(message);
	free(ours);
	return good;
}

static void
test_agreement(void)
{
	static const size_t large[] = {1023, 1024, 1025, 4095, 4096, 65535, 65536, 65537, LONGEST - 1};
	size_t		good = 0;

	for (size_t len = 0; len <= 600; len++)
		good += agree(len, len % 25, (uint32_t) len + 1);
	is_count(good, 601, "plaintexts of 0..600 bytes: the bytes of libsodium");
	good = 0;
	for (size_t i = 0; i < 9; i++)
		good += agree(large[i], 8, (uint32_t) i);
	is_count(good, 9, "and of up to 70000");
	good = 0;
	for (size_t len = 0; len <= 300; len++)
		good += agree(16, len, (uint32_t) len);
	is_count(good, 301, "associated data of 0..300 bytes too");
}

/* One byte changed: rejected, and zeros where the plaintext would be. */
static void
test_alterations(void)
{
	uint8_t		key[32];
	uint8_t		nonce[TC_NONCE_MAX];
	uint8_t		ad[24];
	uint8_t		body[33 + TC_TAG_MAX];
	uint8_t		subkey[32];
	uint8_t    *parts[] = {body, ad, nonce, key};
	size_t		body_len = 33 + tag_len;
	size_t		sizes[] = {body_len, sizeof(ad), nonce_len, sizeof(key)};
	static const char *const names[] = {"ciphertext or tag", "associated data", "nonce", "key"};

	fill(key, 32, 1);
	fill(nonce, nonce_len, 2);
	fill(ad, 24, 3);
	fill(plain, 33, 4);
	if (tc_aead_subkey(alg, key, nonce, subkey) != TC_OK ||
		tc_aead_seal(alg, ready(alg, subkey), nonce, tc_span(ad, 24), tc_span(plain, 33), body) != TC_OK)
		bail("nothing sealed");
	for (size_t part = 0; part < 4; part++)
	{
		size_t		wrong = 0;

		for (size_t at = 0; at < sizes[part]; at++)
			for (int mask = 1; mask < 256; mask++)
			{
				uint8_t		open[33];

				parts[part][at] ^= (uint8_t) mask;
				memset(open, 0x55, 33);
				if (tc_aead_subkey(alg, key, nonce, subkey) != TC_OK ||
					tc_aead_open(alg, ready(alg, subkey), nonce, tc_span(ad, 24), tc_span(body, body_len),
								 open) != TC_REJECTED || !all_zero(open, 33))
					wrong++;
				memset(open, 0x55, 33);
				if (alg == TC_ALG_XCHACHA20POLY1305 &&
					(tc_aead_unwrap(key, nonce, tc_span(ad, 24), tc_span(body, body_len),
									open) != TC_REJECTED || !all_zero(open, 33)))
					wrong++;
				parts[part][at] ^= (uint8_t) mask;
			}
		ok(wrong == 0, "any change of one byte of %s is rejected and leaves zeros", names[part]);
	}
}

static void
test_lengths(void)
{
	uint8_t		subkey[32];
	uint8_t		nonce[TC_NONCE_MAX];
	uint8_t		body[64 + TC_TAG_MAX];
	size_t		body_len = 64 + tag_len;
	size_t		wrong = 0;

	fill(subkey, 32, 1);
	fill(nonce, nonce_len, 2);
	fill(plain, 64, 3);
	if (tc_aead_seal(alg, ready(alg, subkey), nonce, tc_span("ad", 2), tc_span(plain, 64), body) != TC_OK)
		bail("nothing sealed");
	for (size_t len = 0; len < body_len; len++)
	{
		uint8_t    *copy = exact_copy(body, len);
		uint8_t    *room = malloc(len > tag_len ? len - tag_len : 1);

		if (tc_aead_open(alg, ready(alg, subkey), nonce, tc_span("ad", 2), tc_span(copy, len), room) != TC_REJECTED)
			wrong++;
		if (len > tag_len && !all_zero(room, len - tag_len))
			wrong++;
		free(copy);
		free(room);
	}
	is_count(wrong, 0, "every shortening is rejected, also below the length of a tag");
	wrong = tc_aead_open(alg, ready(alg, subkey), nonce, tc_span("a", 1), tc_span(body, body_len), back) != TC_REJECTED;
	wrong += tc_aead_open(alg, ready(alg, subkey), nonce, tc_span("ad\0", 3), tc_span(body, body_len), back) != TC_REJECTED;
	wrong += tc_aead_open(alg, ready(alg, subkey), nonce, tc_span(NULL, 0), tc_span(body, body_len), back) != TC_REJECTED;
	is_count(wrong, 0, "and so are shorter, longer and no associated data");

	is_result(tc_aead_seal(alg, ready(alg, subkey), nonce, tc_span(NULL, 0), tc_span(NULL, 0), body), TC_OK,
			  "an empty plaintext is sealed");
	is_result(tc_aead_open(alg, ready(alg, subkey), nonce, tc_span(NULL, 0), tc_span(body, tag_len), NULL), TC_OK,
			  "and opened, without room");
	is_result(tc_aead_open(alg, ready(alg, subkey), nonce, tc_span(NULL, 0), tc_span(NULL, 0), NULL), TC_REJECTED,
			  "no bytes at all are rejected");
	is_result(tc_aead_unwrap(subkey, nonce, tc_span(NULL, 0), tc_span(NULL, 0), NULL), TC_REJECTED,
			  "as a wrap, too");
	is_result(tc_aead_seal(alg, ready(alg, subkey), nonce, tc_span(NULL, 0), tc_span(plain, TC_PLAIN_MAX + 1), body),
			  TC_TOO_LARGE, "more than 256 MiB are refused before libsodium sees them");
	fill(body, body_len, 1);
	memcpy(back, body, 64);
	ok(tc_aead_seal(alg, ready(alg, subkey), nonce, tc_span("ad", 2), tc_span(body, 64), body) == TC_OK &&
	   tc_aead_seal(alg, ready(alg, subkey), nonce, tc_span("ad", 2), tc_span(back, 64), theirs) == TC_OK &&
	   memcmp(body, theirs, body_len) == 0, "sealing in place gives the same bytes");
}

/* 256 MiB, the limit itself. */
static void
test_limit(void)
{
	uint8_t    *room = calloc(1, TC_PLAIN_MAX + tag_len + 1);
	uint8_t		subkey[32];
	uint8_t		nonce[TC_NONCE_MAX];

	if (room == NULL)
		bail("out of memory");
	fill(subkey, 32, 1);
	fill(nonce, nonce_len, 2);
	is_result(tc_aead_seal(alg, ready(alg, subkey), nonce, tc_span(NULL, 0), tc_span(room, TC_PLAIN_MAX), room), TC_OK,
			  "256 MiB are sealed");
	is_result(tc_aead_open(alg, ready(alg, subkey), nonce, tc_span(NULL, 0), tc_span(room, TC_PLAIN_MAX + tag_len), room), TC_OK,
			  "and opened");
	ok(all_zero(room, TC_PLAIN_MAX), "to what they were");
	room[0] = 1;
	is_result(tc_aead_open(alg, ready(alg, subkey), nonce, tc_span(NULL, 0), tc_span(room, TC_PLAIN_MAX + tag_len + 1), room),
			  TC_TOO_LARGE, "one byte more is refused");
	ok(room[0] == 0, "and leaves zeros");
	free(room);
}

/* What is not supported, and what each algorithm here depends on. */
static void
test_algorithms(void)
{
	uint8_t		key[32] = {0};
	uint8_t		nonce[TC_NONCE_MAX] = {0};
	uint8_t		subkey[32];
	uint8_t		body[36] = {0};
	size_t		wrong = 0;

	for (int algorithm = 0; algorithm < 256; algorithm++)
	{
		uint8_t		a = (uint8_t) algorithm;
		size_t		open_len = 36 - tc_sizes(a)->tag;
		uint8_t		open[20];

		memset(open, 5, sizeof(open));
		if (tc_aead_supports(a))
			continue;
		wrong += tc_aead_subkey(a, key, nonce, subkey) != TC_UNSUPPORTED;
		wrong += tc_aead_seal(a, key, nonce, tc_span(NULL, 0), tc_span("plai", 4), body) != TC_UNSUPPORTED;
		wrong += tc_aead_open(a, key, nonce, tc_span(NULL, 0), tc_span(body, 36), open) != TC_UNSUPPORTED ||
			!all_zero(open, open_len);
	}
	is_count(wrong, 0, "an algorithm that is not supported is not in any function");
	ok(tc_aead_supports(TC_ALG_XCHACHA20POLY1305), "xchacha20poly1305 is always supported");
	ok(tc_aead_supports(TC_ALG_AES256GCM) == (crypto_aead_aes256gcm_is_available() != 0),
	   "aes256gcm where libsodium says so");
#ifdef crypto_aead_aegis256_KEYBYTES
	ok(tc_aead_supports(TC_ALG_AEGIS256), "aegis256 where libsodium has it");
#else
	ok(!tc_aead_supports(TC_ALG_AEGIS256), "aegis256 not where libsodium lacks it");
#endif
	for (int algorithm = 0; algorithm < 256; algorithm++)
		wrong += algorithm > TC_ALG_AEGIS256 && tc_aead_supports((uint8_t) algorithm);
	ok(wrong == 0 && !tc_aead_supports(0), "and no other");
}

/* draft-irtf-cfrg-xchacha-03, sections 2.2.1 and A.3.1. */
static void
test_draft(void)
{
	static const uint8_t salt[16] = {0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x4a,
	0x00, 0x00, 0x00, 0x00, 0x31, 0x41, 0x59, 0x27};
	static const uint8_t expected[32] = {
		0x82, 0x41, 0x3b, 0x42, 0x27, 0xb2, 0x7b, 0xfe, 0xd3, 0x0e, 0x42, 0x50, 0x8a, 0x87, 0x7d, 0x73,
		0xa0, 0xf9, 0xe4, 0xd5, 0x8a, 0x74, 0xa8, 0x53, 0xc1, 0x2e, 0xc4, 0x13, 0x26, 0xd3, 0xec, 0xdc
	};
	uint8_t		key[32];
	uint8_t		subkey[32];

	for (int i = 0; i < 32; i++)
		key[i] = (uint8_t) i;
	ok(tc_aead_subkey(TC_ALG_XCHACHA20POLY1305, key, salt, subkey) == TC_OK, "the draft's HChaCha20 example");
	is_bytes(subkey, expected, 32, "has the draft's subkey");
}

/* What its authors published opens to their plaintext, and seals to it. */
static void
test_published(uint8_t algorithm, const uint8_t *key, const uint8_t *nonce, TcSpan ad, TcSpan message,
			   const char *hex, const char *what)
{
	uint8_t		body[128];
	uint8_t		ours[128];
	uint8_t		open[128];
	size_t		len = 0;

	if (!tc_aead_supports(algorithm))
	{
		skip(what, "this CPU or libsodium lacks the algorithm");
		return;
	}
	if (sodium_hex2bin(body, sizeof(body), hex, strlen(hex), NULL, &len, NULL) != 0 ||
		len != message.len + tc_sizes(algorithm)->tag)
		bail("a published vector is none");
	ok(tc_aead_seal(algorithm, ready(algorithm, key), nonce, ad, message, ours) == TC_OK && memcmp(ours, body, len) == 0 &&
	   tc_aead_open(algorithm, ready(algorithm, key), nonce, ad, tc_span(body, len), open) == TC_OK &&
	   memcmp(open, message.data, message.len) == 0, "%s", what);
}

static void
test_all_published(void)
{
	static const uint8_t zeros[32];
	static const uint8_t key[32] = {0x10, 0x01};
	static const uint8_t nonce[32] = {0x10, 0x00, 0x02};
	uint8_t		numbers[64];

	for (int i = 0; i < 64; i++)
		numbers[i] = (uint8_t) i;
	test_published(TC_ALG_AES256GCM, zeros, zeros, tc_span(zeros, 0), tc_span(zeros, 0),
				   "530f8afbc74536b9a963b4f1c4cb738b", "AES-256-GCM: McGrew and Viega, test case 13");
	test_published(TC_ALG_AES256GCM, zeros, zeros, tc_span(zeros, 0), tc_span(zeros, 16),
				   "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
				   "AES-256-GCM: McGrew and Viega, test case 14");
	test_published(TC_ALG_AEGIS256, key, nonce, tc_span(zeros, 0), tc_span(zeros, 16),
				   "754fc3d8c973246dcc6d741412a4b236"
				   "1181a1d18091082bf0266f66297d167d2e68b845f61a3b0527d31fc7b7b89f13",
				   "draft-irtf-cfrg-aegis-aead, AEGIS-256, test vector 1");
	test_published(TC_ALG_AEGIS256, key, nonce, tc_span(zeros, 0), tc_span(zeros, 0),
				   "6a348c930adbd654896e1666aad67de989ea75ebaa2b82fb588977b1ffec864a", "test vector 2");
	test_published(TC_ALG_AEGIS256, key, nonce, tc_span(numbers, 8), tc_span(numbers, 32),
				   "f373079ed84b2709faee373584585d60accd191db310ef5d8b11833df9dec711"
				   "b7d28d0c3c0ebd409fd22b44160503073a547412da0854bfb9723020dab8da1a", "test vector 3");
	test_published(TC_ALG_AEGIS256, key, nonce, tc_span(numbers, 8), tc_span(numbers, 14),
				   "f373079ed84b2709faee37358458"
				   "8c1cc703c81281bee3f6d9966e14948b4a175b2efbdc31e61a98b4465235c2d9", "test vector 4");
	test_published(TC_ALG_AEGIS256, key, nonce, tc_span(numbers, 42), tc_span(numbers + 16, 40),
				   "57754a7d09963e7c787583a2e7b859bb24fa1e04d49fd550b2511a358e3bca252a9b1b8b30cc4a67"
				   "a3aca270c006094d71c20e6910b5161c0826df233d08919a566ec2c05990f734", "test vector 5");
}

int
main(void)
{
	plain = calloc(1, LONGEST + TC_TAG_MAX);
	theirs = calloc(1, LONGEST + TC_TAG_MAX);
	back = calloc(1, LONGEST + TC_TAG_MAX);
	is_result(tc_aead_init(), TC_OK, "libsodium is ready");
	is_result(tc_aead_init(), TC_OK, "and ready again");
	for (alg = TC_ALG_XCHACHA20POLY1305; alg <= TC_ALG_AEGIS256; alg++)
	{
		if (!tc_aead_supports(alg))
		{
			skip(alg == TC_ALG_AES256GCM ? "aes256gcm" : "aegis256",
				 alg == TC_ALG_AES256GCM ? "libsodium has no AES for this CPU" : "this libsodium lacks it");
			continue;
		}
		printf("# algorithm %d\n", alg);
		nonce_len = tc_sizes(alg)->nonce;
		tag_len = tc_sizes(alg)->tag;
		test_agreement();
		test_alterations();
		test_lengths();
		test_limit();
	}
	test_algorithms();
	test_draft();
	test_all_published();
	free(plain);
	free(theirs);
	free(back);
	return done();
}
