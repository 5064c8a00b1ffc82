/*-------------------------------------------------------------------------
 *
 * keyring_file.c
 *	  The keyring file: built, opened, and tampered with.  Its layout is
 *	  tested in keyring_layout.c, its life on disk in keyring_disk.c.
 *
 * Goal of this test:
 * - What is built opens again, through each slot with its own secret only.
 * - No altered, cut, extended or mixed file opens, whichever byte it is.
 * - What cannot be opened leaves zeros.
 *
 * test/unit/keyring_file.c
 *
 *-------------------------------------------------------------------------
 */
#include "aead.h"
#include "keyring_sample.h"

static bool
same_payload(const TcKeyringPayload *a, const TcKeyringPayload *b)
{
	return memcmp(a->seed, b->seed, TC_SEED_BYTES) == 0 &&
		a->npins == b->npins &&
		memcmp(a->pins, b->pins, sizeof(a->pins)) == 0 &&
		a->nenrolled == b->nenrolled &&
		memcmp(a->enrolled, b->enrolled, sizeof(a->enrolled)) == 0;
}

static void
test_round_trip(int nslots, int npins, int nenrolled)
{
	static Sample sample;
	TcKeyringPayload payload;
	TcKeyring	keyring;
	uint8_t		file_key[TC_KEY_BYTES];
	uint8_t		id[TC_RECIPIENT_ID_BYTES];
	int			bad = 0;

	make_sample(&sample, 1, nslots, npins, nenrolled);
	if (!ok(build(&sample) == TC_OK &&
			tc_keyring_parse(tc_span(sample.file, sample.len), &keyring) == TC_OK,
			"%d slots, %d pins, %d enrolled: built and parsed", nslots, npins, nenrolled))
		return;
	for (int i = 0; i < nslots; i++)
	{
		const TcKeyringSlot *slot = &keyring.slots[i];
		const TcKeyringNewSlot *meant = &sample.slots[i];

		if (strcmp(slot->provider, meant->provider) != 0 || slot->binding != meant->binding ||
			memcmp(slot->type_id, meant->type_id, TC_TYPE_ID_BYTES) != 0 ||
			slot->policy.len != meant->policy.len || slot->blob.len != meant->blob.len ||
			memcmp(slot->policy.data, meant->policy.data, slot->policy.len) != 0 ||
			memcmp(slot->blob.data, meant->blob.data, slot->blob.len) != 0)
			bad++;
	}
	ok(bad == 0 && keyring.nslots == nslots, "each slot says what it was given");
	for (int i = 0; i < nslots; i++)
		if (tc_keyring_open(&keyring, i, sample.secrets[i], &payload, file_key) != TC_OK ||
			!same_payload(&payload, &sample.payload) ||
			memcmp(file_key, sample.file_key, TC_KEY_BYTES) != 0)
			bad++;
	ok(bad == 0, "each slot opens it, payload and file key");
	ok(tc_keyring_open(&keyring, 0, sample.secrets[0], &payload, NULL) == TC_OK,
	   "also where the file key is not wanted");
	ok(tc_keyring_instance_id(sample.payload.seed, id) == TC_OK &&
	   memcmp(id, keyring.instance_id, sizeof(id)) == 0, "the instance id is that of the seed");
}

static void
test_secrets(void)
{
	static Sample sample;
	TcKeyringPayload payload;
	uint8_t		file_key[TC_KEY_BYTES];
	uint8_t		secret[TC_PROVIDER_SECRET_BYTES];
	TcSpan		file;
	int			bad = 0;

	make_sample(&sample, 2, 3, 1, 1);
	if (build(&sample) != TC_OK)
		bail("no keyring");
	file = tc_span(sample.file, sample.len);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			if ((open_bytes(file, i, sample.secrets[j], &payload, file_key) == TC_OK) != (i == j))
				bad++;
	ok(bad == 0, "a slot opens with its own secret only");
	for (int bit = 0; bit < 256; bit++)
	{
		memcpy(secret, sample.secrets[0], sizeof(secret));
		secret[bit / 8] ^= (uint8_t) (1 << bit % 8);
		if (open_bytes(file, 0, secret, &payload, file_key) != TC_REJECTED)
			bad++;
	}
	ok(bad == 0, "each flipped bit of a secret is refused");
	ok(open_bytes(file, -1, sample.secrets[0], &payload, file_key) == TC_REJECTED &&
	   open_bytes(file, 3, sample.secrets[0], &payload, file_key) == TC_REJECTED &&
	   open_bytes(file, 99, sample.secrets[0], &payload, file_key) == TC_REJECTED,
	   "a slot that is not there is refused");
}

static void
test_alterations(void)
{
	static Sample sample;
	uint8_t    *copy;
	int			opened = 0;

	make_sample(&sample, 3, 2, 1, 1);
	if (build(&sample) != TC_OK || count_opened(&sample, tc_span(sample.file, sample.len)) != 2)
		bail("no keyring");
	for (size_t bit = 0; bit < sample.len * 8; bit++)
	{
		copy = exact_copy(sample.file, sample.len);
		copy[bit / 8] ^= (uint8_t) (1 << bit % 8);
		opened += count_opened(&sample, tc_span(copy, sample.len));
		free(copy);
	}
	ok(opened == 0, "each flipped bit of %zu bytes is refused by both slots", sample.len);

	for (size_t len = 0; len < sample.len; len++)
	{
		copy = exact_copy(sample.file, len);
		opened += count_opened(&sample, tc_span(copy, len));
		free(copy);
	}
	ok(opened == 0, "cut at any length it is refused");
	for (size_t more = 1; more < 300; more++)
	{
		copy = exact_copy(sample.file, TC_KEYRING_MAX);
		opened += count_opened(&sample, tc_span(copy, sample.len + more));
		free(copy);
	}
	ok(opened == 0, "with more bytes behind it is refused");
	/* One byte taken out, or put in, anywhere. */
	for (size_t at = 0; at < sample.len; at++)
	{
		copy = exact_copy(sample.file, sample.len + 1);
		memmove(copy + at, copy + at + 1, sample.len - at);
		opened += count_opened(&sample, tc_span(copy, sample.len - 1));
		memcpy(copy, sample.file, sample.len);
		memmove(copy + at + 1, copy + at, sample.len - at);
		opened += count_opened(&sample, tc_span(copy, sample.len + 1));
		free(copy);
	}
	ok(opened == 0, "a byte less or more anywhere is refused");
}

/* Pieces of two genuine keyrings, put together. */
static void
test_mixtures(void)
{
	static Sample a;
	static Sample b;
	static uint8_t mixed[TC_KEYRING_MAX];
	TcKeyring	ka;
	TcKeyring	kb;
	size_t		head;

	/* Of one shape, and under the same provider secrets and file key. */
	make_sample(&a, 4, 2, 1, 1);
	make_sample(&b, 4, 2, 1, 1);
	b.slots[0].provider = b.slots[1].provider = "same";
	a.slots[0].provider = a.slots[1].provider = "same";
	for (int i = 0; i < 2; i++)
	{
		a.slots[i].blob = b.slots[i].blob = tc_span(a.blobs[0], 20);
		a.slots[i].policy = b.slots[i].policy = tc_span(NULL, 0);
	}
	fill(b.payload.seed, TC_SEED_BYTES, 999);
	if (build(&a) != TC_OK || build(&b) != TC_OK || a.len != b.len ||
		tc_keyring_parse(tc_span(a.file, a.len), &ka) != TC_OK ||
		tc_keyring_parse(tc_span(b.file, b.len), &kb) != TC_OK)
		bail("no keyrings");
	head = ka.header.len + 2;

	memcpy(mixed, a.file, a.len);
	memcpy(mixed + head, b.file + head, ka.slots[0].header.len + ka.slots[0].wrapped.len);
	ok(count_opened(&a, tc_span(mixed, a.len)) == 0, "a slot of another keyring is refused");

	memcpy(mixed, a.file, a.len);
	memcpy(mixed + ka.before_payload.len, b.file + ka.before_payload.len, ka.payload.len);
	ok(count_opened(&a, tc_span(mixed, a.len)) == 0, "the payload of another keyring is refused");

	memcpy(mixed, a.file, a.len);
	memcpy(mixed, b.file, ka.header.len);
	ok(count_opened(&a, tc_span(mixed, a.len)) == 0, "the header of another keyring is refused");

	memcpy(mixed, b.file, b.len);
	memcpy(mixed, a.file, ka.before_payload.len);
	ok(count_opened(&a, tc_span(mixed, a.len)) == 0, "all but the payload of another keyring is refused");

	/* Two slots of one file in the other order. */
	head += ka.slots[0].header.len + ka.slots[0].wrapped.len;
	memcpy(mixed, a.file, a.len);
	memcpy(mixed + ka.header.len + 2, a.file + head, head - ka.header.len - 2);
	memcpy(mixed + head, a.file + ka.header.len + 2, head - ka.header.len - 2);
	ok(memcmp(mixed, a.file, a.len) != 0 && count_opened(&a, tc_span(mixed, a.len)) == 0,
	   "slots in another order are refused");
	memcpy(mixed + ka.header.len + 2, a.file + ka.header.len + 2, a.len - ka.header.len - 2);
	ok(count_opened(&a, tc_span(mixed, a.len)) == 2, "(control: put back, it opens)");
}

/* The tool rewrites a payload and keeps the slots. */
static void
test_kept_wraps(void)
{
	static Sample old;
	static Sample new;
	TcKeyring	keyring;
	TcKeyring	rebuilt;

	make_sample(&old, 5, 3, 0, 2);
	if (build(&old) != TC_OK || tc_keyring_parse(tc_span(old.file, old.len), &keyring) != TC_OK)
		bail("no keyring");
	new = old;
	new.payload.npins = 1;
	fill(new.payload.pins[0].realm, TC_UUID_BYTES, 1);
	for (int i = 0; i < 3; i++)
	{
		new.slots[i].secret = NULL;
		new.slots[i].wrapped = keyring.slots[i].wrapped;
	}
	ok(build(&new) == TC_OK &&
	   tc_keyring_parse(tc_span(new.file, new.len), &rebuilt) == TC_OK &&
	   rebuilt.before_payload.len == keyring.before_payload.len &&
	   memcmp(rebuilt.before_payload.data, keyring.before_payload.data,
			  keyring.before_payload.len) == 0, "with kept wraps all before the payload stays");
	ok(count_opened(&new, tc_span(new.file, new.len)) == 3, "and every slot opens");

	new.slots[1].binding ^= 1;
	ok(build(&new) == TC_OK && count_opened(&new, tc_span(new.file, new.len)) == 2,
	   "a wrap kept under a changed slot does not open");
	new.slots[1].wrapped.len--;
	is_result(build(&new), TC_MALFORMED, "a wrap of another length is refused");
}

int
main(void)
{
	if (tc_aead_init() != TC_OK)
		bail("no libsodium");
	test_round_trip(1, 0, 0);
	test_round_trip(3, 2, 1);
	test_round_trip(MAX_SLOTS, 5, 3);
	test_secrets();
	test_alterations();
	test_mixtures();
	test_kept_wraps();
	return done();
}
