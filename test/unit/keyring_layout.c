/*-------------------------------------------------------------------------
 *
 * keyring_layout.c
 *	  The keyring file against its description.
 *
 * Goal of this test:
 * - A file put together by hand from the description opens, so that our
 *   reader and writer do not merely agree with each other.
 * - Each field out of its bounds is refused, and as what.
 *
 * test/unit/keyring_layout.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "aead.h"
#include "keyring_sample.h"

/*
 * A keyring written by hand, with one slot of provider "p", no policy and
 * the blob "B", from the description of the format and libsodium alone.
 */
typedef struct ByHand
{
	uint8_t		file[4096];
	size_t		len;
	uint8_t		secret[32];
} ByHand;

static void
append(ByHand *by_hand, const void *bytes, size_t len)
{
	memcpy(by_hand->file + by_hand->len, bytes, len);
	by_hand->len += len;
}

/* kdf() of the format: keyed BLAKE2b over label and fields with lengths. */
static void
hand_kdf(const uint8_t *key, const char *label, const uint8_t *first, uint32_t first_len,
		 const uint8_t *second, uint32_t second_len, uint8_t *out, size_t out_len)
{
	crypto_generichash_state state;
	uint8_t		lens[3][4] = {{(uint8_t) strlen(label), 0},
	{(uint8_t) first_len, 0}, {(uint8_t) second_len, 0}};

	crypto_generichash_init(&state, key, key == NULL ? 0 : 32, out_len);
	crypto_generichash_update(&state, lens[0], 2);
	crypto_generichash_update(&state, (const uint8_t *) label, strlen(label));
	if (first != NULL)
	{
		crypto_generichash_update(&state, lens[1], 4);
		crypto_generichash_update(&state, first, first_len);
	}
	if (second != NULL)
	{
		crypto_generichash_update(&state, lens[2], 4);
		crypto_generichash_update(&state, second, second_len);
	}
	crypto_generichash_final(&state, out, out_len);
}

static void
write_by_hand(ByHand *by_hand, const uint8_t *seed, const void *plain, size_t plain_len,
			  uint8_t stream_tag)
{
	crypto_secretstream_xchacha20poly1305_state state;
	uint8_t		pair_seed[32];
	uint8_t		public_key[32];
	uint8_t		secret_key[32];
	uint8_t		id[16];
	uint8_t		kind = 1;
	uint8_t		file_key[32];
	uint8_t		wrap_key[32];
	uint8_t		nonce[24];
	uint8_t		wrapped[48];
	uint8_t		ad[24 + 27];
	uint8_t		stream[24 + 3584];
	unsigned long long len;

	memset(by_hand, 0, sizeof(*by_hand));
	fill(by_hand->secret, 32, 40);
	fill(file_key, 32, 41);
	fill(nonce, 24, 42);
	hand_kdf(seed, "themis/box-root/v1", NULL, 0, NULL, 0, pair_seed, 32);
	crypto_box_seed_keypair(public_key, secret_key, pair_seed);
	hand_kdf(NULL, "themis/recipient/v1", &kind, 1, public_key, 32, id, 16);

	append(by_hand, "TCKRING1", 8);
	append(by_hand, id, 16);
	append(by_hand, "\1\0", 2);
	append(by_hand, "\1p\2" "0123456789abcdef" "\0\0" "\1\0\0\0B", 1 + 1 + 1 + 16 + 2 + 4 + 1);
	memcpy(ad, by_hand->file, 24);
	memcpy(ad + 24, by_hand->file + 26, 26);
	hand_kdf(by_hand->secret, "themis/slot-wrap/v1", id, 16, NULL, 0, wrap_key, 32);
	crypto_aead_xchacha20poly1305_ietf_encrypt(wrapped, &len, file_key, 32, ad, 24 + 26, NULL,
											   nonce, wrap_key);
	append(by_hand, nonce, 24);
	append(by_hand, wrapped, 48);

	crypto_secretstream_xchacha20poly1305_init_push(&state, stream, file_key);
	crypto_secretstream_xchacha20poly1305_push(&state, stream + 24, &len, plain, plain_len,
											   by_hand->file, by_hand->len, stream_tag);
	append(by_hand, stream, 24 + len);
}

static TcResult
open_by_hand(const uint8_t *seed, const void *plain, size_t plain_len, uint8_t stream_tag,
			 TcKeyringPayload *ret_payload)
{
	ByHand		by_hand;
	TcKeyring	keyring;
	TcResult	result;

	write_by_hand(&by_hand, seed, plain, plain_len, stream_tag);
	result = tc_keyring_parse(tc_span(by_hand.file, by_hand.len), &keyring);
	if (result == TC_OK)
		result = tc_keyring_open(&keyring, 0, by_hand.secret, ret_payload, NULL);
	return result;
}

static void
test_by_hand(void)
{
	static TcKeyringPayload payload;
	uint8_t		seed[32];
	static uint8_t plain[3500] = "TCP1";
	uint8_t		tail[] = {1, 0, 'r', 'r', 'r', 'r', 'r', 'r', 'r', 'r', 'r', 'r', 'r', 'r', 'r',
		'r', 'r', 'r', 5, 1, 0, 0, 'k', 'k', 'k', 'k', 'k', 'k', 'k', 'k', 'k', 'k', 'k', 'k',
	'k', 'k', 'k', 'k', 0, 0};
	size_t		len = 4 + 32 + sizeof(tail);
	uint8_t		final = crypto_secretstream_xchacha20poly1305_TAG_FINAL;

	fill(seed, 32, 43);
	memcpy(plain + 4, seed, 32);
	memcpy(plain + 36, tail, sizeof(tail));
	ok(open_by_hand(seed, plain, len, final, &payload) == TC_OK &&
	   memcmp(payload.seed, seed, 32) == 0 && payload.npins == 1 &&
	   payload.pins[0].root_version == 261 && payload.pins[0].realm[15] == 'r' &&
	   payload.pins[0].kcv[15] == 'k' && payload.nenrolled == 0,
	   "a file written by hand opens, and says what it should");
	is_result(open_by_hand(seed, plain, len, 0, &payload), TC_REJECTED,
			  "a message that is not the final one is refused");
	is_result(open_by_hand(seed, plain, len, crypto_secretstream_xchacha20poly1305_TAG_REKEY,
						   &payload), TC_REJECTED, "also one with another tag");
	is_result(open_by_hand(plain, plain, len, final, &payload), TC_REJECTED,
			  "a seed of another instance is refused");
	is_result(open_by_hand(seed, plain, len + 1, final, &payload), TC_MALFORMED,
			  "a payload with a byte more is refused");
	is_result(open_by_hand(seed, plain, len - 1, final, &payload), TC_MALFORMED,
			  "a payload with a byte less is refused");
	/* As many pins and recipients as may be, and one more, all of them there. */
	for (int more = 0; more <= 1; more++)
	{
		memset(plain + 36, 0, sizeof(plain) - 36);
		plain[36] = (uint8_t) (TC_PINS_MAX + more);
		len = 38 + (size_t) (TC_PINS_MAX + more) * 36 + 2;
		is_result(open_by_hand(seed, plain, len, final, &payload),
				  more == 0 ? TC_OK : TC_MALFORMED, more == 0 ? "64 pins" : "65 pins are refused");
		plain[36] = 0;
		plain[38] = (uint8_t) (TC_ENROLLED_MAX + more);
		for (int i = 0; i < TC_ENROLLED_MAX + more; i++)
			memcpy(plain + 40 + i * 38, "\1\1\40\0kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\1n", 38);
		len = 40 + (size_t) (TC_ENROLLED_MAX + more) * 38;
		is_result(open_by_hand(seed, plain, len, final, &payload), more == 0 ? TC_OK : TC_MALFORMED,
				  more == 0 ? "32 recipients" : "33 recipients are refused");
	}
	/* No pins, and one recipient: kind, role, a key and a name of a byte. */
	memcpy(plain + 36, "\0\0\1\0" "\2\1\1\0k\1n", 11);
	is_result(open_by_hand(seed, plain, 36 + 11, final, &payload), TC_UNSUPPORTED,
			  "a recipient of a kind of a later version is refused");
	plain[3] = '2';
	is_result(open_by_hand(seed, plain, len, final, &payload), TC_UNSUPPORTED,
			  "a payload of a later version is refused");
}

static TcResult
parse_patched(size_t at, const void *bytes, size_t len)
{
	static ByHand by_hand;
	static TcKeyring keyring;
	uint8_t		seed[32];
	uint8_t		plain[40] = "TCP1";

	fill(seed, 32, 43);
	memcpy(plain + 4, seed, 32);
	write_by_hand(&by_hand, seed, plain, sizeof(plain),
				  crypto_secretstream_xchacha20poly1305_TAG_FINAL);
	memcpy(by_hand.file + at, bytes, len);
	return tc_keyring_parse(tc_span(by_hand.file, by_hand.len), &keyring);
}

static void
test_parse(void)
{
	static uint8_t big[TC_KEYRING_MAX + 1];
	TcKeyring	keyring;

	is_result(parse_patched(0, "T", 1), TC_OK, "(control: it parses)");
	is_result(parse_patched(0, "t", 1), TC_MALFORMED, "another magic");
	is_result(parse_patched(7, "2", 1), TC_UNSUPPORTED, "a later version of the file");
	is_result(parse_patched(24, "\0", 1), TC_MALFORMED, "no slots");
	is_result(parse_patched(24, "\2", 1), TC_MALFORMED, "more slots than there are");
	is_result(parse_patched(24, "\11", 1), TC_MALFORMED, "more slots than may be");
	is_result(parse_patched(25, "\1", 1), TC_MALFORMED, "many more slots than may be");
	is_result(parse_patched(26, "\0", 1), TC_MALFORMED, "an empty provider name");
	is_result(parse_patched(26, "\377", 1), TC_MALFORMED, "a long provider name");
	is_result(parse_patched(27, "P", 1), TC_MALFORMED, "an upper-case provider name");
	is_result(parse_patched(27, "/", 1), TC_MALFORMED, "a provider name with a slash");
	is_result(parse_patched(27, "\0", 1), TC_MALFORMED, "a provider name with a zero byte");
	is_result(parse_patched(28, "\6", 1), TC_UNSUPPORTED, "a binding of a later version");
	is_result(parse_patched(46, "\1", 1), TC_MALFORMED, "a policy that runs on into the payload");
	is_result(parse_patched(47, "\0", 1), TC_MALFORMED, "an empty blob");
	is_result(parse_patched(50, "\377", 1), TC_MALFORMED, "a blob of 4 GB");
	is_result(parse_patched(48, "\1", 1), TC_MALFORMED, "a blob longer than the file");
	is_result(tc_keyring_parse(tc_span(NULL, 0), &keyring), TC_MALFORMED, "no bytes");
	memcpy(big, "TCKRING1", 8);
	is_result(tc_keyring_parse(tc_span(big, sizeof(big)), &keyring), TC_TOO_LARGE,
			  "a file that is too large");
	ok(tc_provider_name_ok("tpm2", 4) && tc_provider_name_ok("a-0", 3) &&
	   !tc_provider_name_ok("", 0) && !tc_provider_name_ok("a_b", 3) &&
	   !tc_provider_name_ok("a\0b", 3) && !tc_provider_name_ok("01234567890123456789012345678901", 32),
	   "names of providers");
}

static void
test_limits(void)
{
	static Sample sample;
	static uint8_t blob[TC_PROVIDER_BLOB_MAX + 1];
	static char policy[TC_POLICY_MAX + 2];
	char		name[TC_RECIPIENT_NAME_MAX + 1];

	make_sample(&sample, 6, 2, TC_PINS_MAX, TC_ENROLLED_MAX);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < TC_ENROLLED_MAX; i++)
		make_recipient(&sample.payload.enrolled[i], (uint32_t) i, name);
	memset(policy, '~', sizeof(policy) - 1);
	sample.slots[0].policy = tc_span(policy, TC_POLICY_MAX);
	sample.slots[0].blob = tc_span(blob, TC_PROVIDER_BLOB_MAX);
	ok(build(&sample) == TC_OK && count_opened(&sample, tc_span(sample.file, sample.len)) == 2,
	   "the largest payload, policy and blob fit and open");

	sample.slots[0].blob.len++;
	is_result(build(&sample), TC_MALFORMED, "a larger blob is refused");
	sample.slots[0].blob.len = 0;
	is_result(build(&sample), TC_MALFORMED, "an empty blob is refused");
	sample.slots[0].blob.len = 1;
	sample.slots[0].policy.len++;
	is_result(build(&sample), TC_MALFORMED, "a longer policy is refused");
	sample.slots[0].policy = tc_span("a\nb", 3);
	is_result(build(&sample), TC_MALFORMED, "a policy of other than printable bytes is refused");
	sample.slots[0].policy.len = 0;
	sample.slots[0].binding = 6;
	is_result(build(&sample), TC_MALFORMED, "a binding that is none is refused");
	sample.slots[0].binding = 0;
	sample.slots[0].provider = "../tpm2";
	is_result(build(&sample), TC_MALFORMED, "a provider name with a slash is refused");
	sample.slots[0].provider = "tpm2";
	sample.payload.npins++;
	is_result(build(&sample), TC_TOO_LARGE, "more pins are refused");
	sample.payload.npins = -1;
	is_result(build(&sample), TC_TOO_LARGE, "fewer than none, too");
	sample.payload.npins = 0;
	sample.payload.nenrolled++;
	is_result(build(&sample), TC_TOO_LARGE, "more enrolled recipients are refused");
	sample.payload.nenrolled = 1;
	sample.payload.enrolled[0].name[0] = '"';
	is_result(build(&sample), TC_MALFORMED, "a recipient that is none is refused");

	make_sample(&sample, 6, MAX_SLOTS, 0, 0);
	for (int i = 0; i < MAX_SLOTS; i++)
		sample.slots[i].blob = tc_span(blob, TC_PROVIDER_BLOB_MAX);
	is_result(build(&sample), TC_TOO_LARGE, "more blobs than a file holds are refused");
	sample.nslots = 0;
	is_result(build(&sample), TC_MALFORMED, "no slots are refused");
	sample.nslots = MAX_SLOTS + 1;
	is_result(build(&sample), TC_MALFORMED, "more slots are refused");
}

int
main(void)
{
	if (tc_aead_init() != TC_OK)
		bail("no libsodium");
	test_by_hand();
	test_parse();
	test_limits();
	return done();
}
