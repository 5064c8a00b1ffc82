/*-------------------------------------------------------------------------
 *
 * kdf.c
 *	  Derived keys and fingerprints.  The contract is in kdf.h.
 *
 * src/kdf.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "kdf.h"
#include "registers.h"

#define STACK_BYTES 4096		/* more than libsodium uses for a hash */

_Static_assert(TC_KEY_BYTES == crypto_generichash_KEYBYTES &&
			   TC_KEY_BYTES == crypto_generichash_BYTES,
			   "a key is no BLAKE2b key");
_Static_assert(TC_KCV_BYTES >= crypto_generichash_BYTES_MIN &&
			   TC_MAC_BYTES <= crypto_generichash_BYTES_MAX,
			   "BLAKE2b has no such output");
_Static_assert(crypto_generichash_BYTES_MIN == 16 &&
			   crypto_generichash_BYTES_MAX == 64,
			   "tc_kdf promises 16..64 bytes");

/* Add "len" as so many bytes, then the bytes. */
static bool
add_field(crypto_generichash_state *state, const void *bytes, size_t len,
		  int len_bytes)
{
	uint8_t		prefix[4];
	TcWriter	writer = tc_writer(prefix, sizeof(prefix));

	if ((uint64_t) len >> (8 * len_bytes) != 0)
		return false;
	tc_write_uint(&writer, len, len_bytes);
	if (crypto_generichash_update(state, prefix, writer.used) != 0)
		return false;
	return len == 0 || crypto_generichash_update(state, bytes, len) == 0;
}

TcResult
tc_kdf(const uint8_t *key, const char *label, const TcSpan *fields,
	   int nfields, uint8_t *ret_out, size_t out_len)
{
	crypto_generichash_state state;
	uint8_t		out[crypto_generichash_BYTES_MAX];
	bool		ok;

	if (out_len < crypto_generichash_BYTES_MIN || out_len > sizeof(out))
		return TC_UNSUPPORTED;

	ok = crypto_generichash_init(&state, key, key != NULL ? TC_KEY_BYTES : 0,
								 out_len) == 0 &&
		add_field(&state, label, strlen(label), 2);
	for (int i = 0; ok && i < nfields; i++)
		ok = add_field(&state, fields[i].data, fields[i].len, 4);
	ok = ok && crypto_generichash_final(&state, out, out_len) == 0;
	if (ok)
		memcpy(ret_out, out, out_len);

	sodium_memzero(&state, sizeof(state));
	sodium_memzero(out, sizeof(out));

	/* crypto_generichash_final leaves a copy of its output below us. */
	sodium_stackzero(STACK_BYTES);
	tc_wipe_all_registers();
	return ok ? TC_OK : TC_UNSUPPORTED;
}

TcResult
tc_kcv(const uint8_t key[TC_KEY_BYTES], TcPurpose purpose,
	   uint8_t ret_kcv[TC_KCV_BYTES])
{
	uint8_t		purpose_byte = (uint8_t) purpose;
	TcSpan		field = tc_span(&purpose_byte, 1);

	return tc_kdf(key, TC_LABEL_KCV, &field, 1, ret_kcv, TC_KCV_BYTES);
}
