/*-------------------------------------------------------------------------
 *
 * aead.c
 *	  The only calls of an AEAD.  The contract is in aead.h.
 *
 * src/aead.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "aead.h"
#include "registers.h"

#define INNER_NONCE_BYTES	crypto_aead_chacha20poly1305_ietf_NPUBBYTES
#define COUNTER_BYTES		(TC_NONCE_BYTES - TC_SALT_BYTES)

#ifdef crypto_aead_aegis256_KEYBYTES
#define HAVE_AEGIS256
#endif

/*
 * What libsodium leaves on the stack below its caller, measured.  ChaCha20 for
 * longer texts is vector code, which leaves the key spread: none below 256
 * bytes, and not deeper than 4096.  AES-GCM leaves round keys and GHASH's key,
 * AEGIS its state, neither deeper than 700 bytes.
 */
#define VECTOR_BYTES		256
#define VECTOR_STACK_BYTES	4096
#define AES_STACK_BYTES		1024

_Static_assert(TC_KEY_BYTES == crypto_aead_chacha20poly1305_ietf_KEYBYTES &&
			   TC_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
			   TC_KEY_BYTES == crypto_aead_aes256gcm_KEYBYTES &&
			   TC_KEY_BYTES == crypto_core_hchacha20_KEYBYTES &&
			   TC_KEY_BYTES == crypto_core_hchacha20_OUTPUTBYTES,
			   "a key is no key of the AEAD");
_Static_assert(TC_TAG_BYTES == crypto_aead_chacha20poly1305_ietf_ABYTES &&
			   TC_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES &&
			   TC_TAG_BYTES == crypto_aead_aes256gcm_ABYTES,
			   "the AEAD has another tag");
_Static_assert(TC_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
			   TC_SALT_BYTES == crypto_core_hchacha20_INPUTBYTES &&
			   INNER_NONCE_BYTES == crypto_aead_aes256gcm_NPUBBYTES &&
			   INNER_NONCE_BYTES == 4 + COUNTER_BYTES,
			   "the AEAD has another nonce");
_Static_assert(TC_PLAIN_MAX <=
			   crypto_aead_chacha20poly1305_ietf_MESSAGEBYTES_MAX &&
			   TC_PLAIN_MAX <= crypto_aead_aes256gcm_MESSAGEBYTES_MAX,
			   "libsodium would abort on a long plaintext");
_Static_assert(TC_SCHEDULE_BYTES == sizeof(crypto_aead_aes256gcm_state) &&
			   _Alignof(crypto_aead_aes256gcm_state) <= 16,
			   "a key schedule is another");
#ifdef HAVE_AEGIS256
_Static_assert(TC_KEY_BYTES == crypto_aead_aegis256_KEYBYTES &&
			   TC_TAG_MAX == crypto_aead_aegis256_ABYTES &&
			   TC_NONCE_MAX == crypto_aead_aegis256_NPUBBYTES &&
			   TC_PLAIN_MAX <= crypto_aead_aegis256_MESSAGEBYTES_MAX,
			   "AEGIS-256 has other sizes");
#endif

static void
wipe_traces(uint8_t algorithm, size_t len)
{
	if (algorithm != TC_ALG_XCHACHA20POLY1305)
		sodium_stackzero(AES_STACK_BYTES);
	else if (len >= VECTOR_BYTES)
		sodium_stackzero(VECTOR_STACK_BYTES);
	tc_wipe_registers();
}

/* Give libsodium an address even where there are no bytes. */
static const uint8_t *
address_of(TcSpan span)
{
	static const uint8_t nothing[1] = {0};

	return span.len > 0 ? span.data : nothing;
}

/* Build the nonce that is used under a subkey. */
static void
inner_nonce(const uint8_t *nonce, uint8_t ret_inner[INNER_NONCE_BYTES])
{
	memset(ret_inner, 0, 4);
	memcpy(ret_inner + 4, nonce + TC_SALT_BYTES, COUNTER_BYTES);
}

/* Zero what an opening that failed would have written. */
static void
zero_plain(size_t tag_len, TcSpan body, uint8_t *ret_plain)
{
	if (body.len > tag_len)
		sodium_memzero(ret_plain, body.len - tag_len);
}

static bool have_aes256gcm;

TcResult
tc_aead_init(void)
{
	if (sodium_init() < 0)
		return TC_SYSTEM;
	have_aes256gcm = crypto_aead_aes256gcm_is_available() != 0;
	return TC_OK;
}

bool
tc_aead_supports(uint8_t algorithm)
{
	switch (algorithm)
	{
		case TC_ALG_XCHACHA20POLY1305:
			return true;
		case TC_ALG_AES256GCM:
			return have_aes256gcm;
#ifdef HAVE_AEGIS256
		case TC_ALG_AEGIS256:
			return true;
#endif
		default:
			return false;
	}
}

TcResult
tc_aead_subkey(uint8_t algorithm, const uint8_t key[TC_KEY_BYTES],
			   const uint8_t salt[TC_SALT_BYTES],
			   uint8_t ret_subkey[TC_KEY_BYTES])
{
	int			failed;

	if (!tc_aead_supports(algorithm))
		return TC_UNSUPPORTED;
	if (tc_sizes(algorithm)->subkey_salt == 0)
	{
		memcpy(ret_subkey, key, TC_KEY_BYTES);
		tc_wipe_all_registers();
		return TC_OK;
	}
	failed = crypto_core_hchacha20(ret_subkey, salt, key, NULL);
	tc_wipe_registers();
	if (failed)
	{
		sodium_memzero(ret_subkey, TC_KEY_BYTES);
		return TC_UNSUPPORTED;
	}
	return TC_OK;
}

/*
 * The call of libsodium, from some bytes further down: sodium_stackzero() does
 * not wipe where its own frame is, and there the last round key was found.
 */
static __attribute__((noinline)) int
expand_below(const uint8_t *subkey, uint8_t *ret_schedule)
{
	volatile uint8_t frame[64] = {0};

	return crypto_aead_aes256gcm_beforenm((crypto_aead_aes256gcm_state *) ret_schedule,
										  subkey) + frame[0];
}

TcResult
tc_aead_expand(const uint8_t subkey[TC_KEY_BYTES],
			   uint8_t ret_schedule[TC_SCHEDULE_BYTES])
{
	int			failed;

	if (!tc_aead_supports(TC_ALG_AES256GCM))
		return TC_UNSUPPORTED;
	failed = expand_below(subkey, ret_schedule);
	wipe_traces(TC_ALG_AES256GCM, 0);
	if (failed)
	{
		sodium_memzero(ret_schedule, TC_SCHEDULE_BYTES);
		return TC_UNSUPPORTED;
	}
	return TC_OK;
}

/*
 * The calls of libsodium, all alike: 0 if all went well.  ret_len is what was
 * written.
 */
static int
seal_by(uint8_t algorithm, const uint8_t *ready, const uint8_t *nonce,
		TcSpan ad, TcSpan plain, uint8_t *ret_body,
		unsigned long long *ret_len)
{
	uint8_t		inner[INNER_NONCE_BYTES];

#ifdef HAVE_AEGIS256
	if (algorithm == TC_ALG_AEGIS256)
		return crypto_aead_aegis256_encrypt(ret_body, ret_len,
											address_of(plain), plain.len,
											address_of(ad), ad.len,
											NULL, nonce, ready);
#endif
	inner_nonce(nonce, inner);
	if (algorithm == TC_ALG_AES256GCM)
		return crypto_aead_aes256gcm_encrypt_afternm(ret_body, ret_len,
													 address_of(plain), plain.len,
													 address_of(ad), ad.len,
													 NULL, inner,
													 (const crypto_aead_aes256gcm_state *) ready);
	return crypto_aead_chacha20poly1305_ietf_encrypt(ret_body, ret_len,
													 address_of(plain), plain.len,
													 address_of(ad), ad.len,
													 NULL, inner, ready);
}

static int
open_by(uint8_t algorithm, const uint8_t *ready, const uint8_t *nonce,
		TcSpan ad, TcSpan body, uint8_t *ret_plain,
		unsigned long long *ret_len)
{
	uint8_t		inner[INNER_NONCE_BYTES];

#ifdef HAVE_AEGIS256
	if (algorithm == TC_ALG_AEGIS256)
		return crypto_aead_aegis256_decrypt(ret_plain, ret_len, NULL,
											body.data, body.len,
											address_of(ad), ad.len,
											nonce, ready);
#endif
	inner_nonce(nonce, inner);
	if (algorithm == TC_ALG_AES256GCM)
		return crypto_aead_aes256gcm_decrypt_afternm(ret_plain, ret_len, NULL,
													 body.data, body.len,
													 address_of(ad), ad.len, inner,
													 (const crypto_aead_aes256gcm_state *) ready);
	return crypto_aead_chacha20poly1305_ietf_decrypt(ret_plain, ret_len, NULL,
													 body.data, body.len,
													 address_of(ad), ad.len,
													 inner, ready);
}

TcResult
tc_aead_seal(uint8_t algorithm, const uint8_t *ready, const uint8_t *nonce,
			 TcSpan ad, TcSpan plain, uint8_t *ret_body)
{
	size_t		body_len = plain.len + tc_sizes(algorithm)->tag;
	unsigned long long len = 0;
	TcResult	result = TC_OK;

	if (!tc_aead_supports(algorithm))
		return TC_UNSUPPORTED;
	if (plain.len > TC_PLAIN_MAX)
		return TC_TOO_LARGE;
	if (seal_by(algorithm, ready, nonce, ad, plain, ret_body, &len) != 0 ||
		len != body_len)
	{
		sodium_memzero(ret_body, body_len);
		result = TC_UNSUPPORTED;
	}
	wipe_traces(algorithm, plain.len);
	return result;
}

TcResult
tc_aead_open(uint8_t algorithm, const uint8_t *ready, const uint8_t *nonce,
			 TcSpan ad, TcSpan body, uint8_t *ret_plain)
{
	size_t		tag_len = tc_sizes(algorithm)->tag;
	uint8_t		none[1];
	uint8_t    *plain = body.len > tag_len ? ret_plain : none;
	unsigned long long len = 0;
	TcResult	result = TC_OK;

	if (!tc_aead_supports(algorithm))
		result = TC_UNSUPPORTED;
	else if (body.len < tag_len)
		result = TC_REJECTED;
	else if (body.len - tag_len > TC_PLAIN_MAX)
		result = TC_TOO_LARGE;
	else if (open_by(algorithm, ready, nonce, ad, body, plain, &len) != 0 ||
			 len != body.len - tag_len)
		result = TC_REJECTED;

	if (result != TC_OK)
		zero_plain(tag_len, body, ret_plain);
	wipe_traces(algorithm, body.len);
	return result;
}

TcResult
tc_aead_wrap(const uint8_t key[TC_KEY_BYTES],
			 const uint8_t nonce[TC_NONCE_BYTES], TcSpan ad, TcSpan plain,
			 uint8_t *ret_body)
{
	uint8_t		subkey[TC_KEY_BYTES];
	TcResult	result;

	result = tc_aead_subkey(TC_ALG_XCHACHA20POLY1305, key, nonce, subkey);
	if (result == TC_OK)
		result = tc_aead_seal(TC_ALG_XCHACHA20POLY1305, subkey, nonce, ad,
							  plain, ret_body);
	sodium_memzero(subkey, sizeof(subkey));
	return result;
}

TcResult
tc_aead_unwrap(const uint8_t key[TC_KEY_BYTES],
			   const uint8_t nonce[TC_NONCE_BYTES], TcSpan ad, TcSpan body,
			   uint8_t *ret_plain)
{
	uint8_t		subkey[TC_KEY_BYTES];
	TcResult	result;

	result = tc_aead_subkey(TC_ALG_XCHACHA20POLY1305, key, nonce, subkey);
	if (result == TC_OK)
		result = tc_aead_open(TC_ALG_XCHACHA20POLY1305, subkey, nonce, ad,
							  body, ret_plain);
	else
		zero_plain(TC_TAG_BYTES, body, ret_plain);
	sodium_memzero(subkey, sizeof(subkey));
	return result;
}
