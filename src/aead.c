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

#define IETF_NONCE_BYTES	crypto_aead_chacha20poly1305_ietf_NPUBBYTES
/*
 * For longer texts libsodium uses vector code, which leaves its key spread over
 * the stack below us.  Measured: none below these lengths, and not deeper.
 */
#define VECTOR_BYTES		256
#define STACK_BYTES			4096

#define COUNTER_BYTES		(TC_NONCE_BYTES - TC_SALT_BYTES)

_Static_assert(TC_KEY_BYTES == crypto_aead_chacha20poly1305_ietf_KEYBYTES &&
			   TC_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
			   TC_KEY_BYTES == crypto_core_hchacha20_KEYBYTES &&
			   TC_KEY_BYTES == crypto_core_hchacha20_OUTPUTBYTES,
			   "a key is no key of the AEAD");
_Static_assert(TC_TAG_BYTES == crypto_aead_chacha20poly1305_ietf_ABYTES &&
			   TC_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES,
			   "the AEAD has another tag");
_Static_assert(TC_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
			   TC_SALT_BYTES == crypto_core_hchacha20_INPUTBYTES &&
			   IETF_NONCE_BYTES == 4 + COUNTER_BYTES,
			   "the AEAD has another nonce");
_Static_assert(TC_PLAIN_MAX <=
			   crypto_aead_chacha20poly1305_ietf_MESSAGEBYTES_MAX,
			   "libsodium would abort on a long plaintext");

static void
wipe_stack(size_t len)
{
	if (len >= VECTOR_BYTES)
		sodium_stackzero(STACK_BYTES);
}

/* Give libsodium an address even where there are no bytes. */
static const uint8_t *
address_of(TcSpan span)
{
	static const uint8_t nothing[1] = {0};

	return span.len > 0 ? span.data : nothing;
}

/* Build the nonce that XChaCha20 uses under its subkey. */
static void
inner_nonce(const uint8_t nonce[TC_NONCE_BYTES],
			uint8_t ret_inner[IETF_NONCE_BYTES])
{
	memset(ret_inner, 0, 4);
	memcpy(ret_inner + 4, nonce + TC_SALT_BYTES, COUNTER_BYTES);
}

/* Zero what an opening that failed would have written. */
static void
zero_plain(TcSpan body, uint8_t *ret_plain)
{
	if (body.len > TC_TAG_BYTES)
		sodium_memzero(ret_plain, body.len - TC_TAG_BYTES);
}

TcResult
tc_aead_init(void)
{
	return sodium_init() >= 0 ? TC_OK : TC_SYSTEM;
}

bool
tc_aead_supports(uint8_t algorithm)
{
	return algorithm == TC_ALG_XCHACHA20POLY1305;
}

TcResult
tc_aead_subkey(uint8_t algorithm, const uint8_t key[TC_KEY_BYTES],
			   const uint8_t salt[TC_SALT_BYTES],
			   uint8_t ret_subkey[TC_KEY_BYTES])
{
	if (!tc_aead_supports(algorithm))
		return TC_UNSUPPORTED;
	if (crypto_core_hchacha20(ret_subkey, salt, key, NULL) != 0)
	{
		sodium_memzero(ret_subkey, TC_KEY_BYTES);
		return TC_UNSUPPORTED;
	}
	return TC_OK;
}

TcResult
tc_aead_seal(uint8_t algorithm, const uint8_t subkey[TC_KEY_BYTES],
			 const uint8_t nonce[TC_NONCE_BYTES], TcSpan ad, TcSpan plain,
			 uint8_t *ret_body)
{
	uint8_t		inner[IETF_NONCE_BYTES];
	unsigned long long body_len = 0;

	if (!tc_aead_supports(algorithm))
		return TC_UNSUPPORTED;
	if (plain.len > TC_PLAIN_MAX)
		return TC_TOO_LARGE;
	inner_nonce(nonce, inner);
	if (crypto_aead_chacha20poly1305_ietf_encrypt(ret_body, &body_len,
												  address_of(plain), plain.len,
												  address_of(ad), ad.len,
												  NULL, inner, subkey) != 0 ||
		body_len != plain.len + TC_TAG_BYTES)
	{
		sodium_memzero(ret_body, plain.len + TC_TAG_BYTES);
		wipe_stack(plain.len);
		return TC_UNSUPPORTED;
	}
	wipe_stack(plain.len);
	return TC_OK;
}

TcResult
tc_aead_open(uint8_t algorithm, const uint8_t subkey[TC_KEY_BYTES],
			 const uint8_t nonce[TC_NONCE_BYTES], TcSpan ad, TcSpan body,
			 uint8_t *ret_plain)
{
	uint8_t		none[1];
	uint8_t    *plain = body.len > TC_TAG_BYTES ? ret_plain : none;
	uint8_t		inner[IETF_NONCE_BYTES];
	unsigned long long plain_len = 0;
	TcResult	result = TC_OK;

	inner_nonce(nonce, inner);
	if (!tc_aead_supports(algorithm))
		result = TC_UNSUPPORTED;
	else if (body.len < TC_TAG_BYTES)
		result = TC_REJECTED;
	else if (body.len - TC_TAG_BYTES > TC_PLAIN_MAX)
		result = TC_TOO_LARGE;
	else if (crypto_aead_chacha20poly1305_ietf_decrypt(plain, &plain_len, NULL,
													   body.data, body.len,
													   address_of(ad), ad.len,
													   inner, subkey) != 0 ||
			 plain_len != body.len - TC_TAG_BYTES)
		result = TC_REJECTED;

	if (result != TC_OK)
		zero_plain(body, ret_plain);
	wipe_stack(body.len);
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
		zero_plain(body, ret_plain);
	sodium_memzero(subkey, sizeof(subkey));
	return result;
}
