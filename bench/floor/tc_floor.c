/*-------------------------------------------------------------------------
 *
 * tc_floor.c
 *	  The floor that themis_crypt is measured against: a C function in
 *	  PostgreSQL that makes one call of libsodium, with a fixed key, and does
 *	  nothing else.  Not for use.
 *
 * bench/floor/tc_floor.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sodium.h>

#include "fmgr.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

PG_MODULE_MAGIC;

#define NONCE	crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG		crypto_aead_xchacha20poly1305_ietf_ABYTES

static const unsigned char key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES] = {1};

PG_FUNCTION_INFO_V1(tc_floor_seal);
Datum
tc_floor_seal(PG_FUNCTION_ARGS)
{
	struct varlena *plain = PG_GETARG_VARLENA_PP(0);
	size_t		len = VARSIZE_ANY_EXHDR(plain);
	bytea	   *sealed = palloc(VARHDRSZ + NONCE + len + TAG);
	unsigned char *nonce = (unsigned char *) VARDATA(sealed);
	static uint64 counter;

	SET_VARSIZE(sealed, VARHDRSZ + NONCE + len + TAG);
	memset(nonce, 0, NONCE);
	counter++;
	memcpy(nonce, &counter, sizeof(counter));
	if (crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE, NULL,
												   (unsigned char *) VARDATA_ANY(plain), len,
												   NULL, 0, NULL, nonce, key) != 0)
		elog(ERROR, "could not seal");
	PG_RETURN_BYTEA_P(sealed);
}

PG_FUNCTION_INFO_V1(tc_floor_open);
Datum
tc_floor_open(PG_FUNCTION_ARGS)
{
	struct varlena *sealed = PG_GETARG_VARLENA_PP(0);
	unsigned char *nonce = (unsigned char *) VARDATA_ANY(sealed);
	size_t		len = VARSIZE_ANY_EXHDR(sealed) - NONCE;
	text	   *plain = palloc(VARHDRSZ + len - TAG);

	SET_VARSIZE(plain, VARHDRSZ + len - TAG);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *) VARDATA(plain), NULL, NULL,
												   nonce + NONCE, len, NULL, 0,
												   nonce, key) != 0)
		elog(ERROR, "could not open");
	PG_RETURN_TEXT_P(plain);
}

/*
 * The same with the subkey of HChaCha20 ready, and 8 bytes of associated data:
 * all that is left where a whole scan is under one salt.  What themis_crypt
 * takes beyond this is its own: header, key, privilege, slot, generation.
 */
PG_FUNCTION_INFO_V1(tc_floor_seal_subkey);
Datum
tc_floor_seal_subkey(PG_FUNCTION_ARGS)
{
	struct varlena *plain = PG_GETARG_VARLENA_PP(0);
	size_t		len = VARSIZE_ANY_EXHDR(plain);
	bytea	   *sealed = palloc(VARHDRSZ + 8 + NONCE + len + TAG);
	unsigned char *ad = (unsigned char *) VARDATA(sealed);
	static uint64 counter;

	SET_VARSIZE(sealed, VARHDRSZ + 8 + NONCE + len + TAG);
	memset(ad, 0, 8 + NONCE);
	counter++;
	memcpy(ad + 8 + 16, &counter, sizeof(counter));
	if (crypto_aead_chacha20poly1305_ietf_encrypt(ad + 8 + NONCE, NULL,
												  (unsigned char *) VARDATA_ANY(plain), len,
												  ad, 8, NULL, ad + 8 + 12, key) != 0)
		elog(ERROR, "could not seal");
	PG_RETURN_BYTEA_P(sealed);
}

PG_FUNCTION_INFO_V1(tc_floor_open_subkey);
Datum
tc_floor_open_subkey(PG_FUNCTION_ARGS)
{
	struct varlena *sealed = PG_GETARG_VARLENA_PP(0);
	unsigned char *ad = (unsigned char *) VARDATA_ANY(sealed);
	size_t		len = VARSIZE_ANY_EXHDR(sealed) - 8 - NONCE;
	text	   *plain = palloc(VARHDRSZ + len - TAG);

	SET_VARSIZE(plain, VARHDRSZ + len - TAG);
	if (crypto_aead_chacha20poly1305_ietf_decrypt((unsigned char *) VARDATA(plain), NULL, NULL,
												  ad + 8 + NONCE, len, ad, 8,
												  ad + 8 + 12, key) != 0)
		elog(ERROR, "could not open");
	PG_RETURN_TEXT_P(plain);
}

/*
 * What a searched column stores beside the sealed value, or has in an index:
 * 8 bytes of header, and a token of 16 that is one block of BLAKE2b.
 */
PG_FUNCTION_INFO_V1(tc_floor_token);
Datum
tc_floor_token(PG_FUNCTION_ARGS)
{
	struct varlena *plain = PG_GETARG_VARLENA_PP(0);
	size_t		len = VARSIZE_ANY_EXHDR(plain);
	bytea	   *token = palloc0(VARHDRSZ + 8 + 16);
	unsigned char in[128];

	SET_VARSIZE(token, VARHDRSZ + 8 + 16);
	if (sizeof(key) + len > sizeof(in))
		elog(ERROR, "too long for one block");
	memcpy(in, key, sizeof(key));
	memcpy(in + sizeof(key), VARDATA_ANY(plain), len);
	if (crypto_generichash((unsigned char *) VARDATA(token) + 8, 16,
						   in, sizeof(key) + len, NULL, 0) != 0)
		elog(ERROR, "could not hash");
	PG_RETURN_BYTEA_P(token);
}
