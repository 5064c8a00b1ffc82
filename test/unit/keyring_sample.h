/*-------------------------------------------------------------------------
 *
 * keyring_sample.h
 *	  Keyrings to be tested: made of patterns, built, and opened again.
 *
 * test/unit/keyring_sample.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYRING_SAMPLE_H
#define TC_KEYRING_SAMPLE_H

#include "keyring.h"
#include "tap.h"

#define MAX_SLOTS	TC_KEYRING_SLOTS_MAX

/* What a test keyring is made of. */
typedef struct Sample
{
	TcKeyringPayload payload;
	uint8_t		file_key[TC_KEY_BYTES];
	uint8_t		secrets[MAX_SLOTS][TC_PROVIDER_SECRET_BYTES];
	uint8_t		blobs[MAX_SLOTS][64];
	TcKeyringNewSlot slots[MAX_SLOTS];
	int			nslots;
	uint8_t		file[TC_KEYRING_MAX];
	size_t		len;
} Sample;

TAP_UNUSED static void
make_recipient(TcRecipient *recipient, uint32_t seed, const char *name)
{
	memset(recipient, 0, sizeof(*recipient));
	recipient->kind = TC_KIND_X25519;
	recipient->role = seed % 2 ? TC_ROLE_RECOVERY : TC_ROLE_MACHINE;
	fill(recipient->public_key, TC_X25519_BYTES, seed);
	recipient->name_len = (uint8_t) strlen(name);
	memcpy(recipient->name, name, recipient->name_len);
}

TAP_UNUSED static void
make_sample(Sample *sample, uint32_t seed, int nslots, int npins, int nenrolled)
{
	static const char *const providers[] = {"tpm2", "a", "systemd-creds",
		"0123456789012345678901234567890", "command", "tpm2", "x-1", "-"};

	memset(sample, 0, sizeof(*sample));
	fill(sample->payload.seed, TC_SEED_BYTES, seed);
	fill(sample->file_key, TC_KEY_BYTES, seed + 1);
	sample->payload.npins = npins;
	for (int i = 0; i < npins; i++)
	{
		TcPin	   *pin = &sample->payload.pins[i];

		fill(pin->realm, TC_UUID_BYTES, seed + 100 + (uint32_t) i);
		fill(pin->kcv, TC_KCV_BYTES, seed + 200 + (uint32_t) i);
		pin->root_version = (uint32_t) i * 77777;
	}
	sample->payload.nenrolled = nenrolled;
	for (int i = 0; i < nenrolled; i++)
		make_recipient(&sample->payload.enrolled[i], seed + 300 + (uint32_t) i, "name of it");

	sample->nslots = nslots;
	for (int i = 0; i < nslots; i++)
	{
		TcKeyringNewSlot *slot = &sample->slots[i];

		fill(sample->secrets[i], TC_PROVIDER_SECRET_BYTES, seed + 10 + (uint32_t) i);
		fill(sample->blobs[i], sizeof(sample->blobs[i]), seed + 20 + (uint32_t) i);
		slot->provider = providers[i];
		slot->binding = (uint8_t) (i % 6);
		fill(slot->type_id, TC_TYPE_ID_BYTES, seed + 30 + (uint32_t) i);
		slot->policy = tc_span("pcr 7 ~", (size_t) (7 * (i % 2)));
		slot->blob = tc_span(sample->blobs[i], (size_t) (1 + 9 * i));
		slot->secret = sample->secrets[i];
	}
}

TAP_UNUSED static TcResult
build(Sample *sample)
{
	return tc_keyring_build(&sample->payload, sample->file_key, sample->slots,
							sample->nslots, sample->file, &sample->len);
}

/* Parse and open through a slot; what is given back must be zeros on failure. */
TAP_UNUSED static TcResult
open_bytes(TcSpan file, int slot, const uint8_t *secret,
		   TcKeyringPayload *ret_payload, uint8_t *ret_file_key)
{
	TcKeyring	keyring;
	TcResult	result = tc_keyring_parse(file, &keyring);

	if (result != TC_OK)
		return result;
	memset(ret_payload, 0xEE, sizeof(*ret_payload));
	memset(ret_file_key, 0xEE, TC_KEY_BYTES);
	result = tc_keyring_open(&keyring, slot, secret, ret_payload, ret_file_key);
	if (result != TC_OK &&
		(!all_zero((uint8_t *) ret_payload, sizeof(*ret_payload)) ||
		 !all_zero(ret_file_key, TC_KEY_BYTES)))
	{
		printf("# not wiped on failure\n");
		return TC_OK;			/* counts as a failure of the test */
	}
	return result;
}

/* Open through every slot; how many opened. */
TAP_UNUSED static int
count_opened(const Sample *sample, TcSpan file)
{
	TcKeyringPayload payload;
	uint8_t		file_key[TC_KEY_BYTES];
	int			opened = 0;

	for (int i = 0; i < sample->nslots; i++)
		if (open_bytes(file, i, sample->secrets[i], &payload, file_key) == TC_OK)
			opened++;
	return opened;
}

#endif							/* TC_KEYRING_SAMPLE_H */
