/*-------------------------------------------------------------------------
 *
 * wycheproof_gcm.c
 *	  Project Wycheproof's AES-256-GCM: libsodium's, and ours.
 *
 * Our functions take the last 8 of the 12 bytes of a nonce; the others are
 * zero.  So most vectors go to libsodium as they are, and show that what
 * aead_cases.c compares with is right.
 *
 * test/unit/wycheproof_gcm.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "aead.h"
#include "ready.h"
#include "wycheproof.h"

#define EXECUTED	66			/* with a key and a nonce of our sizes */

enum
{
	ID, KEY, IV, AAD, MSG, CT, RESULT, NFIELDS
};

static Field fields[NFIELDS];

static bool
agrees_in_libsodium(bool valid)
{
	uint8_t		plain[FIELD_MAX];
	uint8_t		body[FIELD_MAX];
	unsigned long long len;
	bool		opened;

	opened = crypto_aead_aes256gcm_decrypt(plain, &len, NULL, fields[CT].bytes, fields[CT].len,
										   fields[AAD].bytes, fields[AAD].len,
										   fields[IV].bytes, fields[KEY].bytes) == 0;
	if (opened != valid)
		return false;
	crypto_aead_aes256gcm_encrypt(body, &len, fields[MSG].bytes, fields[MSG].len,
								  fields[AAD].bytes, fields[AAD].len, NULL,
								  fields[IV].bytes, fields[KEY].bytes);
	return (memcmp(body, fields[CT].bytes, fields[CT].len) == 0) == valid &&
		(!valid || memcmp(plain, fields[MSG].bytes, fields[MSG].len) == 0);
}

/* The same by the functions of aead.h, which a nonce of this form suits. */
static bool
agrees(bool valid)
{
	uint8_t		nonce[TC_NONCE_BYTES] = {0};
	uint8_t		plain[FIELD_MAX];
	TcSpan		ad = tc_span(fields[AAD].bytes, fields[AAD].len);
	TcSpan		body = tc_span(fields[CT].bytes, fields[CT].len);
	TcResult	result;

	memcpy(nonce + TC_SALT_BYTES, fields[IV].bytes + 4, 8);
	result = tc_aead_open(TC_ALG_AES256GCM, ready(TC_ALG_AES256GCM, fields[KEY].bytes), nonce, ad, body, plain);
	return valid ? result == TC_OK && memcmp(plain, fields[MSG].bytes, fields[MSG].len) == 0 :
		result == TC_REJECTED && all_zero(plain, fields[MSG].len);
}

int
main(void)
{
	FILE	   *pipe = open_vectors("aead", "aes_gcm_test.json");
	size_t		executed = 0;
	size_t		ours = 0;
	size_t		wrong = 0;

	if (pipe == NULL)
		return done();
	if (tc_aead_init() != TC_OK)
		bail("no libsodium");
	if (!tc_aead_supports(TC_ALG_AES256GCM))
	{
		skip("aes_gcm_test.json", "libsodium has no AES for this CPU");
		(void) pclose(pipe);
		return done();
	}
	while (next_vector(pipe, fields, NFIELDS, KEY, CT))
	{
		bool		valid = strcmp(fields[RESULT].text, "valid") == 0;
		bool		good;

		if (fields[KEY].len != TC_KEY_BYTES || fields[IV].len != 12)
			continue;
		executed++;
		good = agrees_in_libsodium(valid);
		if (all_zero(fields[IV].bytes, 4))
			ours++, good = good && agrees(valid);
		if (!good)
			wrong++, printf("# vector %s\n", fields[ID].text);
	}
	ok(pclose(pipe) == 0, "the vectors were all read");
	is_count(wrong, 0, "every vector agrees, sealed and opened");
	ok(executed >= EXECUTED, "%zu vectors were executed", executed);
	ok(ours >= 1, "%zu by our functions", ours);
	return done();
}
