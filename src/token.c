/*-------------------------------------------------------------------------
 *
 * token.c
 *	  Blind tokens.  The contract is in token.h.
 *
 * src/token.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "registers.h"
#include "token.h"

/* More than our frame and libsodium's below it use: 1500 and 200, measured. */
#define BLAKE2B_STACK_BYTES 2048
#define SIPHASH_STACK_BYTES 512

/* A minimal libsodium lacks it; its header says so. */
#ifdef crypto_shorthash_siphashx24_BYTES
#define HAVE_SIPHASH128
_Static_assert(TC_TOKEN_BYTES == crypto_shorthash_siphashx24_BYTES &&
			   TC_KEY_BYTES >= crypto_shorthash_siphashx24_KEYBYTES,
			   "SipHash has no such token, or a longer key");
#endif

_Static_assert(TC_TOKEN_BYTES == crypto_generichash_blake2b_BYTES_MIN,
			   "BLAKE2b has no such token");

bool
tc_token_supports(uint8_t algorithm)
{
#ifdef HAVE_SIPHASH128
	if (algorithm == TC_INDEX_SIPHASH128)
		return true;
#endif
	return algorithm == TC_INDEX_BLAKE2B;
}

TcResult
tc_token_subkey(const uint8_t key[TC_KEY_BYTES], uint8_t type_code,
				uint8_t ret_subkey[TC_KEY_BYTES])
{
	TcSpan		field = tc_span(&type_code, 1);

	return tc_kdf(key, TC_LABEL_TOKEN, &field, 1, ret_subkey, TC_KEY_BYTES);
}

/*
 * BLAKE2b with the subkey as a prefix, not as its key: that saves a block, and
 * BLAKE2b has no length extension (RFC 7693, section 4).
 */
static bool
blake2b_token(const uint8_t *subkey, TcSpan canonical, uint8_t *ret_token)
{
	crypto_generichash_blake2b_state state;
	bool		ok;

	ok = crypto_generichash_blake2b_init(&state, NULL, 0, TC_TOKEN_BYTES) == 0 &&
		crypto_generichash_blake2b_update(&state, subkey, TC_KEY_BYTES) == 0 &&
		(canonical.len == 0 ||
		 crypto_generichash_blake2b_update(&state, canonical.data,
										   canonical.len) == 0) &&
		crypto_generichash_blake2b_final(&state, ret_token, TC_TOKEN_BYTES) == 0;
	sodium_memzero(&state, sizeof(state));
	return ok;
}

#ifdef HAVE_SIPHASH128
/* SipHash-2-4 of 128 bits, with the first half of the subkey as its key. */
static bool
siphash128_token(const uint8_t *subkey, TcSpan canonical, uint8_t *ret_token)
{
	static const uint8_t nothing[1];

	return crypto_shorthash_siphashx24(ret_token,
									   canonical.len > 0 ? canonical.data : nothing,
									   canonical.len, subkey) == 0;
}
#endif

TcResult
tc_token_make(uint8_t algorithm, const uint8_t subkey[TC_KEY_BYTES],
			  TcSpan canonical, uint8_t ret_token[TC_TOKEN_BYTES])
{
	bool		ok = false;

	/* libsodium leaves subkey and plaintext below us, as in kdf.c */
	if (algorithm == TC_INDEX_BLAKE2B)
	{
		ok = blake2b_token(subkey, canonical, ret_token);
		sodium_stackzero(BLAKE2B_STACK_BYTES);
	}
#ifdef HAVE_SIPHASH128
	else if (algorithm == TC_INDEX_SIPHASH128)
	{
		ok = siphash128_token(subkey, canonical, ret_token);
		sodium_stackzero(SIPHASH_STACK_BYTES);
	}
#endif
	tc_wipe_all_registers();
	if (!ok)
		sodium_memzero(ret_token, TC_TOKEN_BYTES);
	return ok ? TC_OK : TC_UNSUPPORTED;
}
