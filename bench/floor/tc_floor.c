/*-------------------------------------------------------------------------
 *
 * tc_floor.c
 *	  The floor that themis_crypt is measured against: C functions in
 *	  PostgreSQL that make one call of libsodium, with a fixed key whose
 *	  schedule is ready, on the same bytes, and do nothing else.  Not for use.
 *
 * What a floor stores is as long as a value of themis_crypt, and made of the
 * same parts: 8 bytes of header, 16 of a token if it is searchable, nonce,
 * ciphertext, tag; header and token are the associated data.  What themis_crypt
 * takes beyond a floor is its own: header, key, privilege, slot, generation.
 *
 * A floor has the name of its algorithm, or
 *
 *	subkey			xchacha20poly1305 with the subkey of HChaCha20 ready: what is
 *					left where a whole scan is under one salt
 *	aes256gcm_salt	aes256gcm under a subkey that HChaCha20 makes, and a
 *					schedule that is expanded, for each value
 *
 * and, if it is searchable, that of its tokens behind it.
 *
 * bench/floor/tc_floor.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sodium.h>

#include "fmgr.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

PG_MODULE_MAGIC;

#define HEADER		8
#define TOKEN		16

static const unsigned char key[32] = {1};
static crypto_aead_aes256gcm_state aes_schedule;

typedef int (*Encrypt) (unsigned char *sealed, unsigned long long *sealed_len,
						const unsigned char *plain, unsigned long long plain_len,
						const unsigned char *ad, unsigned long long ad_len,
						const unsigned char *nsec, const unsigned char *nonce,
						const unsigned char *a_key);
typedef int (*Decrypt) (unsigned char *plain, unsigned long long *plain_len,
						unsigned char *nsec,
						const unsigned char *sealed, unsigned long long sealed_len,
						const unsigned char *ad, unsigned long long ad_len,
						const unsigned char *nonce, const unsigned char *a_key);
typedef void (*Tokenize) (unsigned char *ret_token, const char *plain, size_t len);

typedef struct Cipher
{
	size_t		nonce;			/* bytes of it that are stored */
	size_t		nonce_at;		/* where that of the call begins in them */
	size_t		tag;
	Encrypt		encrypt;
	Decrypt		decrypt;
} Cipher;

extern void _PG_init(void);

void
_PG_init(void)
{
	if (sodium_init() < 0)
		elog(ERROR, "could not initialize libsodium");
	if (crypto_aead_aes256gcm_is_available())
		crypto_aead_aes256gcm_beforenm(&aes_schedule, key);
}

/* --- ciphers whose calls have another shape -------------------------------- */

static int
aes_encrypt(unsigned char *sealed, unsigned long long *sealed_len,
			const unsigned char *plain, unsigned long long plain_len,
			const unsigned char *ad, unsigned long long ad_len,
			const unsigned char *nsec, const unsigned char *nonce,
			const unsigned char *a_key)
{
	return crypto_aead_aes256gcm_encrypt_afternm(sealed, sealed_len, plain, plain_len,
												 ad, ad_len, nsec, nonce, &aes_schedule);
}

static int
aes_decrypt(unsigned char *plain, unsigned long long *plain_len, unsigned char *nsec,
			const unsigned char *sealed, unsigned long long sealed_len,
			const unsigned char *ad, unsigned long long ad_len,
			const unsigned char *nonce, const unsigned char *a_key)
{
	return crypto_aead_aes256gcm_decrypt_afternm(plain, plain_len, nsec, sealed, sealed_len,
												 ad, ad_len, nonce, &aes_schedule);
}

static void
salt_schedule(const unsigned char *nonce, crypto_aead_aes256gcm_state *ret_schedule)
{
	unsigned char subkey[32];

	/* the salt is what is stored before the nonce of the call, and four of it */
	crypto_core_hchacha20(subkey, nonce - 12, key, NULL);
	crypto_aead_aes256gcm_beforenm(ret_schedule, subkey);
}

static int
aes_salt_encrypt(unsigned char *sealed, unsigned long long *sealed_len,
				 const unsigned char *plain, unsigned long long plain_len,
				 const unsigned char *ad, unsigned long long ad_len,
				 const unsigned char *nsec, const unsigned char *nonce,
				 const unsigned char *a_key)
{
	crypto_aead_aes256gcm_state schedule;

	salt_schedule(nonce, &schedule);
	return crypto_aead_aes256gcm_encrypt_afternm(sealed, sealed_len, plain, plain_len,
												 ad, ad_len, nsec, nonce, &schedule);
}

static int
aes_salt_decrypt(unsigned char *plain, unsigned long long *plain_len, unsigned char *nsec,
				 const unsigned char *sealed, unsigned long long sealed_len,
				 const unsigned char *ad, unsigned long long ad_len,
				 const unsigned char *nonce, const unsigned char *a_key)
{
	crypto_aead_aes256gcm_state schedule;

	salt_schedule(nonce, &schedule);
	return crypto_aead_aes256gcm_decrypt_afternm(plain, plain_len, nsec, sealed, sealed_len,
												 ad, ad_len, nonce, &schedule);
}

static const Cipher xchacha20poly1305 = {24, 0, 16,
	crypto_aead_xchacha20poly1305_ietf_encrypt, crypto_aead_xchacha20poly1305_ietf_decrypt};
static const Cipher subkey = {24, 12, 16,
	crypto_aead_chacha20poly1305_ietf_encrypt, crypto_aead_chacha20poly1305_ietf_decrypt};
static const Cipher aes256gcm = {24, 12, 16, aes_encrypt, aes_decrypt};
static const Cipher aes256gcm_salt = {24, 12, 16, aes_salt_encrypt, aes_salt_decrypt};
#ifdef crypto_aead_aegis256_KEYBYTES
static const Cipher aegis256 = {32, 0, 32,
	crypto_aead_aegis256_encrypt, crypto_aead_aegis256_decrypt};
#endif

/* --- tokens ------------------------------------------------------------------ */

/* Of the key and the text behind it: one block, if they fit. */
static void
blake2b(unsigned char *ret_token, const char *plain, size_t len)
{
	crypto_generichash_state state;
	unsigned char in[128];

	if (sizeof(key) + len <= sizeof(in))
	{
		memcpy(in, key, sizeof(key));
		memcpy(in + sizeof(key), plain, len);
		if (crypto_generichash(ret_token, TOKEN, in, sizeof(key) + len, NULL, 0) != 0)
			elog(ERROR, "could not hash");
	}
	else if (crypto_generichash_init(&state, NULL, 0, TOKEN) != 0 ||
			 crypto_generichash_update(&state, key, sizeof(key)) != 0 ||
			 crypto_generichash_update(&state, (const unsigned char *) plain, len) != 0 ||
			 crypto_generichash_final(&state, ret_token, TOKEN) != 0)
		elog(ERROR, "could not hash");
}

#ifdef crypto_shorthash_siphashx24_BYTES
static void
siphash128(unsigned char *ret_token, const char *plain, size_t len)
{
	if (crypto_shorthash_siphashx24(ret_token, (const unsigned char *) plain, len, key) != 0)
		elog(ERROR, "could not hash");
}
#endif

/* --- what all have in common; each function gets its own copy of it ---------- */

static pg_attribute_always_inline Datum
floor_seal(const char *plain, size_t len, const Cipher *cipher, Tokenize tokenize)
{
	size_t		ad_len = tokenize ? HEADER + TOKEN : HEADER;
	size_t		sealed_len = ad_len + cipher->nonce + len + cipher->tag;
	bytea	   *sealed = palloc(VARHDRSZ + sealed_len);
	unsigned char *ad = (unsigned char *) VARDATA(sealed);
	unsigned char *nonce = ad + ad_len;
	static uint64 counter;

	SET_VARSIZE(sealed, VARHDRSZ + sealed_len);
	memset(ad, 0, ad_len + cipher->nonce);
	if (tokenize)
		tokenize(ad + HEADER, plain, len);
	counter++;
	memcpy(nonce + cipher->nonce - sizeof(counter), &counter, sizeof(counter));
	if (cipher->encrypt(nonce + cipher->nonce, NULL, (const unsigned char *) plain, len,
						ad, ad_len, NULL, nonce + cipher->nonce_at, key) != 0)
		elog(ERROR, "could not seal");
	PG_RETURN_BYTEA_P(sealed);
}

static pg_attribute_always_inline Datum
floor_open(struct varlena *sealed, const Cipher *cipher, Tokenize tokenize)
{
	size_t		ad_len = tokenize ? HEADER + TOKEN : HEADER;
	unsigned char *ad = (unsigned char *) VARDATA_ANY(sealed);
	unsigned char *nonce = ad + ad_len;
	size_t		len = VARSIZE_ANY_EXHDR(sealed) - ad_len - cipher->nonce;
	text	   *plain = palloc(VARHDRSZ + len - cipher->tag);

	SET_VARSIZE(plain, VARHDRSZ + len - cipher->tag);
	if (cipher->decrypt((unsigned char *) VARDATA(plain), NULL, NULL,
						nonce + cipher->nonce, len, ad, ad_len,
						nonce + cipher->nonce_at, key) != 0)
		elog(ERROR, "could not open");
	PG_RETURN_TEXT_P(plain);
}

/* Seal a text, open it, and seal as the input function of a type. */
#define FLOOR(name, cipher, tokenize) \
	PG_FUNCTION_INFO_V1(tc_floor_seal_##name); \
	Datum \
	tc_floor_seal_##name(PG_FUNCTION_ARGS) \
	{ \
		struct varlena *plain = PG_GETARG_VARLENA_PP(0); \
		return floor_seal(VARDATA_ANY(plain), VARSIZE_ANY_EXHDR(plain), &(cipher), tokenize); \
	} \
	PG_FUNCTION_INFO_V1(tc_floor_open_##name); \
	Datum \
	tc_floor_open_##name(PG_FUNCTION_ARGS) \
	{ \
		return floor_open(PG_GETARG_VARLENA_PP(0), &(cipher), tokenize); \
	} \
	PG_FUNCTION_INFO_V1(tc_floor_in_##name); \
	Datum \
	tc_floor_in_##name(PG_FUNCTION_ARGS) \
	{ \
		const char *plain = PG_GETARG_CSTRING(0); \
		return floor_seal(plain, strlen(plain), &(cipher), tokenize); \
	} \
	extern PGDLLEXPORT Datum tc_floor_seal_##name(PG_FUNCTION_ARGS)

FLOOR(xchacha20poly1305, xchacha20poly1305, NULL);
FLOOR(subkey, subkey, NULL);
FLOOR(aes256gcm, aes256gcm, NULL);
FLOOR(aes256gcm_salt, aes256gcm_salt, NULL);
FLOOR(xchacha20poly1305_blake2b, xchacha20poly1305, blake2b);
FLOOR(aes256gcm_blake2b, aes256gcm, blake2b);
#ifdef crypto_shorthash_siphashx24_BYTES
FLOOR(xchacha20poly1305_siphash128, xchacha20poly1305, siphash128);
FLOOR(aes256gcm_siphash128, aes256gcm, siphash128);
#endif
#ifdef crypto_aead_aegis256_KEYBYTES
FLOOR(aegis256, aegis256, NULL);
FLOOR(aegis256_blake2b, aegis256, blake2b);
#ifdef crypto_shorthash_siphashx24_BYTES
FLOOR(aegis256_siphash128, aegis256, siphash128);
#endif
#endif

/* What an index has of a searchable value: header and token. */
static pg_attribute_always_inline Datum
floor_token(struct varlena *plain, Tokenize tokenize)
{
	bytea	   *result = palloc0(VARHDRSZ + HEADER + TOKEN);

	SET_VARSIZE(result, VARHDRSZ + HEADER + TOKEN);
	tokenize((unsigned char *) VARDATA(result) + HEADER,
			 VARDATA_ANY(plain), VARSIZE_ANY_EXHDR(plain));
	PG_RETURN_BYTEA_P(result);
}

PG_FUNCTION_INFO_V1(tc_floor_token_blake2b);
Datum
tc_floor_token_blake2b(PG_FUNCTION_ARGS)
{
	return floor_token(PG_GETARG_VARLENA_PP(0), blake2b);
}

#ifdef crypto_shorthash_siphashx24_BYTES
PG_FUNCTION_INFO_V1(tc_floor_token_siphash128);
Datum
tc_floor_token_siphash128(PG_FUNCTION_ARGS)
{
	return floor_token(PG_GETARG_VARLENA_PP(0), siphash128);
}
#endif

/* A copy of a text: what taking it from where it is stored costs. */
PG_FUNCTION_INFO_V1(tc_floor_copy);
Datum
tc_floor_copy(PG_FUNCTION_ARGS)
{
	struct varlena *plain = PG_GETARG_VARLENA_PP(0);

	PG_RETURN_TEXT_P(cstring_to_text_with_len(VARDATA_ANY(plain), VARSIZE_ANY_EXHDR(plain)));
}

/* Of the library that is loaded. */
PG_FUNCTION_INFO_V1(tc_floor_libsodium);
Datum
tc_floor_libsodium(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(sodium_version_string()));
}
