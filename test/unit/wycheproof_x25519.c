/*-------------------------------------------------------------------------
 *
 * wycheproof_x25519.c
 *	  Project Wycheproof's X25519 through the boxes that roots travel in.
 *
 * Each vector has somebody's public key, a private key and the secret both
 * share.  The public key takes the place of a box's one-time key, and the box
 * is made with the vector's secret, not with X25519: it opens with the private
 * key only if libsodium comes to the same secret.
 *
 * test/unit/wycheproof_x25519.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "recipient.h"
#include "wycheproof.h"

#define EXECUTED	518
#define ZERO_SECRETS 31

enum
{
	ID, PUBLIC, PRIVATE, SHARED, RESULT, FLAGS, NFIELDS
};

static Field fields[NFIELDS];
static uint8_t realm[TC_UUID_BYTES];
static uint8_t root[TC_KEY_BYTES];

/* Make a box by hand, as FORMAT tells it, with a given shared secret. */
static void
make_box(const TcKeyPair *pair, const uint8_t *one_time, const uint8_t *shared,
		 uint8_t ret_box[TC_BOX_BYTES])
{
	static const uint8_t zero[crypto_core_hsalsa20_INPUTBYTES] = {0};
	uint8_t		plain[TC_BOX_PLAIN_BYTES];
	TcWriter	writer = tc_writer(plain, sizeof(plain));
	uint8_t		keys[2 * TC_X25519_BYTES];
	uint8_t		nonce[crypto_box_NONCEBYTES];
	uint8_t		key[crypto_core_hsalsa20_OUTPUTBYTES];

	tc_write_bytes(&writer, "TCB1\1", 5);
	tc_write_bytes(&writer, realm, sizeof(realm));
	tc_write_u32(&writer, 1);
	if (tc_recipient_id(TC_KIND_X25519, tc_span(pair->public_key, TC_X25519_BYTES),
						tc_write_room(&writer, TC_RECIPIENT_ID_BYTES)) != TC_OK)
		bail("no recipient id");
	tc_write_bytes(&writer, root, sizeof(root));

	memcpy(keys, one_time, TC_X25519_BYTES);
	memcpy(keys + TC_X25519_BYTES, pair->public_key, TC_X25519_BYTES);
	memcpy(ret_box, one_time, TC_X25519_BYTES);
	if (crypto_generichash(nonce, sizeof(nonce), keys, sizeof(keys), NULL, 0) != 0 ||
		crypto_core_hsalsa20(key, zero, shared, NULL) != 0 ||
		crypto_secretbox_easy(ret_box + TC_X25519_BYTES, plain, sizeof(plain), nonce, key) != 0)
		bail("no box");
}

/* Whether our functions treat the vector's keys as they must. */
static bool
agrees(bool zero_secret)
{
	TcRecipient recipient = {TC_KIND_X25519, TC_ROLE_MACHINE, {0}, 1, "x"};
	TcKeyPair	pair;
	uint8_t		box[TC_BOX_BYTES];
	uint8_t		got[TC_KEY_BYTES];
	TcResult	result;

	if (fields[PUBLIC].len != 32 || fields[PRIVATE].len != 32 || fields[SHARED].len != 32)
		return false;
	memcpy(pair.secret_key, fields[PRIVATE].bytes, 32);
	if (crypto_scalarmult_base(pair.public_key, pair.secret_key) != 0)
		return false;

	/* A root is boxed to the public key, unless everybody could open it. */
	memcpy(recipient.public_key, fields[PUBLIC].bytes, 32);
	if (tc_box_root(&recipient, realm, 1, root, box) != (zero_secret ? TC_MALFORMED : TC_OK))
		return false;

	/* A box from the public key opens with the private one. */
	make_box(&pair, fields[PUBLIC].bytes, fields[SHARED].bytes, box);
	result = tc_unbox_root(&pair, realm, 1, tc_span(box, sizeof(box)), got);
	if (zero_secret)
		return result == TC_REJECTED && all_zero(got, sizeof(got));
	if (result != TC_OK || memcmp(got, root, sizeof(root)) != 0)
		return false;

	/* And what we box to the private key's owner. */
	memcpy(recipient.public_key, pair.public_key, 32);
	return tc_box_root(&recipient, realm, 1, root, box) == TC_OK &&
		tc_unbox_root(&pair, realm, 1, tc_span(box, sizeof(box)), got) == TC_OK &&
		memcmp(got, root, sizeof(root)) == 0;
}

int
main(void)
{
	FILE	   *pipe = open_vectors("x25519", "x25519_test.json");
	size_t		executed = 0;
	size_t		zero_secrets = 0;
	size_t		wrong = 0;

	if (pipe == NULL)
		return done();
	if (sodium_init() < 0)
		bail("no libsodium");
	fill(realm, sizeof(realm), 1);
	fill(root, sizeof(root), 2);
	while (next_vector(pipe, fields, NFIELDS, PUBLIC, SHARED))
	{
		bool		zero_secret = all_zero(fields[SHARED].bytes, 32);

		executed++;
		zero_secrets += zero_secret;
		if (zero_secret != (strstr(fields[FLAGS].text, "ZeroSharedSecret") != NULL) || !agrees(zero_secret))
			wrong++, printf("# vector %s\n", fields[ID].text);
	}
	ok(pclose(pipe) == 0, "the vectors were all read");
	is_count(wrong, 0, "every vector agrees, boxed and opened");
	ok(executed >= EXECUTED, "%zu vectors were executed", executed);
	ok(zero_secrets >= ZERO_SECRETS, "%zu public keys that share zero with everybody were refused", zero_secrets);
	return done();
}
