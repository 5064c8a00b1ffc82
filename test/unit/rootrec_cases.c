/*-------------------------------------------------------------------------
 *
 * rootrec_cases.c
 *	  A root record opens for its recipients, and only as it was written.
 *
 * test/unit/rootrec_cases.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "rootrec.h"
#include "tap.h"

#define PREV_BYTES	92
#define ROOT_VERSION 3
#define MACHINES	3

static uint8_t seeds[TC_RECIPIENTS_MAX + 1][TC_SEED_BYTES];
static TcKeyPair pairs[TC_RECIPIENTS_MAX + 1];
static uint8_t root[TC_KEY_BYTES];
static uint8_t attestations[2][TC_MAC_BYTES];
static uint8_t prev[16000];

static void
setup(void)
{
	fill(root, sizeof(root), 1);
	fill(prev, sizeof(prev), 2);
	for (uint32_t i = 0; i <= TC_RECIPIENTS_MAX; i++)
	{
		fill(seeds[i], TC_SEED_BYTES, 100 + i);
		if (tc_identity_pair(seeds[i], &pairs[i]) != TC_OK)
			bail("no pair");
	}
}

/* A record for the first n recipients, not yet written. */
static void
make(TcRootRecord *record, int n, size_t name_len)
{
	memset(record, 0, sizeof(*record));
	fill(record->realm, TC_UUID_BYTES, 5);
	record->root_version = ROOT_VERSION;
	record->nentries = n;
	for (int i = 0; i < n && i < TC_RECIPIENTS_MAX; i++)
	{
		TcRecipient *recipient = &record->entries[i].recipient;

		recipient->kind = TC_KIND_X25519;
		recipient->role = i == 0 ? TC_ROLE_MACHINE : TC_ROLE_RECOVERY;
		memcpy(recipient->public_key, pairs[i].public_key, TC_X25519_BYTES);
		recipient->name_len = (uint8_t) name_len;
		memset(recipient->name, 'a' + i % 26, name_len);
	}
}

static void
attest(TcRootRecord *record, int entry)
{
	uint8_t		kcv[TC_KCV_BYTES];

	if (tc_kcv(root, TC_PURPOSE_ROOT, kcv) != TC_OK ||
		tc_record_attest(seeds[entry], record->realm, record->root_version, kcv, attestations[entry]) != TC_OK)
		bail("no attestation");
	record->entries[entry].attestation = tc_span(attestations[entry], TC_MAC_BYTES);
}

/* Parse a copy of just its size, which the record borrows and outlives. */
static TcResult
parse(const uint8_t *bytes, size_t len, TcRootRecord *record, uint8_t **ret_copy)
{
	TcResult	result;

	*ret_copy = exact_copy(bytes, len);
	memset(record, 0x55, sizeof(*record));
	result = tc_record_parse(tc_span(*ret_copy, len), record);
	if (result != TC_OK && !all_zero((const uint8_t *) record, sizeof(*record)))
		bail("a refused record left something");
	return result;
}

static TcResult
parse_only(const uint8_t *bytes, size_t len)
{
	static TcRootRecord record;
	uint8_t    *copy;
	TcResult	result = parse(bytes, len, &record, &copy);

	free(copy);
	return result;
}

/* Parse and open; what fails must leave zeros. */
static TcResult
open_as(const uint8_t *bytes, size_t len, int who, uint8_t *ret_root)
{
	static TcRootRecord record;
	uint8_t    *copy;
	TcResult	result = parse(bytes, len, &record, &copy);

	memset(ret_root, 0x55, TC_KEY_BYTES);
	if (result == TC_OK)
	{
		result = tc_record_open(&record, &pairs[who], ret_root);
		if (result != TC_OK && !all_zero(ret_root, TC_KEY_BYTES))
			bail("a failed opening left bytes of a root");
	}
	free(copy);
	return result;
}

static size_t
build(const TcRootRecord *record, uint8_t *bytes)
{
	size_t		len;

	if (tc_record_build(record, root, bytes, &len) != TC_OK)
		bail("no record");
	return len;
}

static void
test_round_trip(void)
{
	static TcRootRecord record;
	static TcRootRecord got;
	uint8_t		bytes[TC_RECORD_MAX];
	uint8_t		again[TC_RECORD_MAX];
	uint8_t		opened[TC_KEY_BYTES];
	uint8_t    *copy;
	size_t		good = 0;
	size_t		len;
	size_t		again_len;

	make(&record, MACHINES, 20);
	attest(&record, 0);
	record.prev = tc_span(prev, 2 * PREV_BYTES);
	len = build(&record, bytes);
	is_count(len, 4 + 16 + 4 + 16 + 2 + 3 * (1 + 1 + 2 + 32 + 1 + 20 + 2 + 121 + 1) + 32 + 2 + 184 + 32,
			 "a record is as long as FORMAT says");
	is_result(parse(bytes, len, &got, &copy), TC_OK, "it can be taken apart");
	ok(memcmp(got.realm, record.realm, 16) == 0 && got.root_version == ROOT_VERSION && got.nentries == MACHINES &&
	   got.entries[0].attestation.len == 32 && got.entries[1].attestation.len == 0 &&
	   got.prev.len == 184 && memcmp(got.prev.data, prev, 184) == 0 &&
	   got.maced.len == len - 32 && got.mac.len == 32, "its parts are what was written");
	for (int i = 0; i < MACHINES; i++)
		good += memcmp(&got.entries[i].recipient, &record.entries[i].recipient, sizeof(TcRecipient)) == 0 &&
			open_as(bytes, len, i, opened) == TC_OK && memcmp(opened, root, TC_KEY_BYTES) == 0;
	is_count(good, MACHINES, "each recipient is there, and opens it");
	is_result(open_as(bytes, len, MACHINES, opened), TC_UNSUPPORTED, "who is not enrolled is told so");

	again_len = build(&got, again);
	ok(again_len == len && memcmp(again, bytes, len) == 0, "written again, boxes and all, it is the same");
	got.entries[1].box = tc_span(NULL, 0);
	again_len = build(&got, again);
	ok(again_len == len && memcmp(again, bytes, len) != 0 && open_as(again, len, 1, opened) == TC_OK &&
	   open_as(again, len, 2, opened) == TC_OK, "a missing box is made anew, the others are kept");
	free(copy);
}

/*
 * Whatever byte is changed, nobody opens it; and it is never "not enrolled"
 * unless its key changed.
 */
static void
test_alterations(void)
{
	static TcRootRecord record;
	uint8_t		bytes[TC_RECORD_MAX];
	uint8_t		opened[TC_KEY_BYTES];
	size_t		len;
	size_t		opens = 0;
	size_t		told_wrong = 0;
	size_t		key_at = 4 + 16 + 4 + 16 + 2 + 4;
	static const int masks[] = {1, 2, 4, 8, 16, 32, 64, 128, 255};

	make(&record, 2, 5);
	attest(&record, 0);
	record.prev = tc_span(prev, PREV_BYTES);
	len = build(&record, bytes);
	for (size_t at = 0; at < len; at++)
		for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++)
		{
			TcResult	result;

			bytes[at] ^= (uint8_t) masks[i];
			result = open_as(bytes, len, 0, opened);
			opens += result == TC_OK;
			opens += open_as(bytes, len, 1, opened) == TC_OK;
			if (at >= key_at && at < key_at + 32)
				told_wrong += result != TC_UNSUPPORTED;
			else if (at >= key_at + 32 + 6)
				told_wrong += result == TC_UNSUPPORTED && parse_only(bytes, len) == TC_OK;
			bytes[at] ^= (uint8_t) masks[i];
		}
	is_count(opens, 0, "with any byte changed nobody opens it");
	is_count(told_wrong, 0, "only a changed key is \"not enrolled\", all else is \"altered\"");
	for (size_t n = 0; n < len; n++)
		opens += parse_only(bytes, n) != TC_MALFORMED;
	is_count(opens, 0, "every shortening is malformed");
	bytes[len] = 0;
	is_result(parse_only(bytes, len + 1), TC_MALFORMED, "and so is a byte more");
}

/* Build, change one thing behind the reader's back, and compute the MAC anew. */
static size_t
remac(uint8_t *bytes, size_t len)
{
	uint8_t		subkey[TC_KEY_BYTES];
	TcSpan		maced = tc_span(bytes, len - TC_MAC_BYTES);

	if (tc_kdf(root, TC_LABEL_RECORD_MAC, NULL, 0, subkey, 32) != TC_OK ||
		tc_kdf(subkey, TC_LABEL_RECORD_MAC, &maced, 1, bytes + len - TC_MAC_BYTES, 32) != TC_OK)
		bail("no mac");
	return len;
}

static void
test_fields(void)
{
	static TcRootRecord record;
	uint8_t		bytes[TC_RECORD_MAX];
	uint8_t		changed[TC_RECORD_MAX];
	uint8_t		opened[TC_KEY_BYTES];
	size_t		len;
	size_t		wrong = 0;
	const size_t entries_at = 4 + 16 + 4 + 16 + 2;
	const size_t box_at = entries_at + 4 + 32 + 1 + 5;

	make(&record, 2, 5);
	len = build(&record, bytes);
	memcpy(changed, bytes, len);
	ok(open_as(changed, remac(changed, len), 0, opened) == TC_OK, "the MAC made by hand is that of the record");
	for (size_t at = 4; at < 40; at++)
	{
		memcpy(changed, bytes, len);
		changed[at] ^= 1;
		wrong += open_as(changed, remac(changed, len), 0, opened) != TC_REJECTED;
	}
	is_count(wrong, 0, "realm, version and KCV must fit the box, even under a genuine MAC");
	memcpy(changed, bytes, len);
	memset(changed + 20, 0, 4);
	is_result(parse_only(changed, len), TC_MALFORMED, "the root version 0 is none");
	changed[20] = 1;
	is_result(parse_only(changed, len), TC_OK, "1 is one");
	memcpy(changed, bytes, len);
	changed[box_at] = 120;
	is_result(parse_only(changed, len), TC_MALFORMED, "a box has 121 bytes");
	changed[box_at] = 121;
	changed[box_at + 2 + 121] = 31;
	is_result(parse_only(changed, len), TC_MALFORMED, "an attestation 32 or none");
	memcpy(changed, bytes, len);
	changed[entries_at] = 2;
	is_result(parse_only(changed, len), TC_UNSUPPORTED, "a recipient of another kind is of a later version");
	changed[entries_at] = 1;
	memcpy(changed + entries_at + (len - 32 - 2 - entries_at) / 2, changed + entries_at, 4 + 32);
	is_result(parse_only(changed, len), TC_MALFORMED, "no public key stands there twice");
	memcpy(changed, bytes, len);
	changed[40] = 0;
	is_result(parse_only(changed, len), TC_MALFORMED, "a record has recipients");
	changed[40] = 65;
	is_result(parse_only(changed, len), TC_TOO_LARGE, "at most 64");
	changed[40] = 2;
	changed[3] = '2';
	is_result(parse_only(changed, len), TC_MALFORMED, "another magic is none of ours");
}

/* Parse a record of one recipient whose parts have these lengths. */
static TcResult
parse_lengths(size_t box_len, size_t attestation_len, size_t prev_len)
{
	static TcRootRecord record;
	uint8_t		bytes[TC_RECORD_MAX];
	TcWriter	writer = tc_writer(bytes, sizeof(bytes));

	make(&record, 1, 5);
	tc_write_bytes(&writer, "TCR1", 4);
	tc_write_bytes(&writer, record.realm, TC_UUID_BYTES);
	tc_write_u32(&writer, 1);
	tc_write_bytes(&writer, prev, TC_KCV_BYTES);
	tc_write_u16(&writer, 1);
	tc_recipient_write(&writer, &record.entries[0].recipient);
	tc_write_u16(&writer, (uint16_t) box_len);
	tc_write_bytes(&writer, prev, box_len);
	tc_write_u8(&writer, (uint8_t) attestation_len);
	tc_write_bytes(&writer, prev, attestation_len);
	tc_write_u16(&writer, (uint16_t) prev_len);
	tc_write_bytes(&writer, prev, prev_len);
	tc_write_bytes(&writer, prev, TC_MAC_BYTES);
	if (writer.failed)
		bail("a record does not fit");
	return parse_only(bytes, writer.used);
}

/* All else in order, each length alone decides. */
static void
test_lengths(void)
{
	size_t		taken = 0;
	size_t		wrong = 0;

	for (size_t len = 0; len < 300; len++)
		wrong += (parse_lengths(len, 32, 92) == TC_OK) != (len == 121);
	is_count(wrong, 0, "a box of any length but 121 is refused");
	for (size_t len = 0; len < 256; len++)
		wrong += (parse_lengths(121, len, 0) == TC_OK) != (len == 0 || len == 32);
	is_count(wrong, 0, "an attestation of any length but 0 and 32 is refused");
	for (size_t len = 0; len <= 920; len++)
		taken += parse_lengths(121, 32, len) == TC_OK;
	ok(taken == 11 && parse_lengths(121, 0, 920) == TC_OK && parse_lengths(121, 0, 91) == TC_MALFORMED,
	   "former roots come whole");
}

static void
test_limits(void)
{
	static TcRootRecord record;
	uint8_t		bytes[TC_RECORD_MAX];
	static uint8_t longer[TC_RECORD_MAX + 1];
	uint8_t		opened[TC_KEY_BYTES];
	size_t		len = 99;

	make(&record, TC_RECIPIENTS_MAX, 63);
	len = build(&record, bytes);
	ok(open_as(bytes, len, 0, opened) == TC_OK && open_as(bytes, len, 63, opened) == TC_OK,
	   "64 recipients with the longest names: %zu bytes", len);
	record.prev = tc_span(prev, PREV_BYTES * ((TC_RECORD_MAX - len) / PREV_BYTES));
	len = build(&record, bytes);
	is_result(open_as(bytes, len, 5, opened), TC_OK, "and as many former roots as fit");
	record.prev.len += PREV_BYTES;
	is_result(tc_record_build(&record, root, bytes, &len), TC_TOO_LARGE, "one more does not");
	is_result(parse_only(longer, sizeof(longer)), TC_TOO_LARGE, "nor are more than 16384 bytes read");
	is_result(parse_only(NULL, 0), TC_MALFORMED, "nothing is no record");

	make(&record, TC_RECIPIENTS_MAX + 1, 5);
	is_result(tc_record_build(&record, root, bytes, &len), TC_TOO_LARGE, "65 recipients are not written");
	make(&record, 0, 5);
	is_result(tc_record_build(&record, root, bytes, &len), TC_MALFORMED, "nor none");
	record.nentries = -1;
	is_result(tc_record_build(&record, root, bytes, &len), TC_MALFORMED, "nor fewer");
	make(&record, 2, 5);
	record.root_version = 0;
	is_result(tc_record_build(&record, root, bytes, &len), TC_MALFORMED, "nor the root version 0");
	make(&record, 2, 5);
	record.entries[1].recipient = record.entries[0].recipient;
	is_result(tc_record_build(&record, root, bytes, &len), TC_MALFORMED, "nor a recipient twice");
	make(&record, 2, 0);
	is_result(tc_record_build(&record, root, bytes, &len), TC_MALFORMED, "nor one without a name");
	make(&record, 2, 5);
	record.entries[0].recipient.kind = TC_KIND_XWING;
	is_result(tc_record_build(&record, root, bytes, &len), TC_UNSUPPORTED, "nor one of a later kind");
	make(&record, 2, 5);
	record.entries[0].box = tc_span(prev, 120);
	is_result(tc_record_build(&record, root, bytes, &len), TC_MALFORMED, "nor a box of another length");
	make(&record, 2, 5);
	record.entries[1].attestation = tc_span(prev, 31);
	is_result(tc_record_build(&record, root, bytes, &len), TC_MALFORMED, "nor such an attestation");
	make(&record, 2, 5);
	record.prev = tc_span(prev, PREV_BYTES - 1);
	is_result(tc_record_build(&record, root, bytes, &len), TC_MALFORMED, "nor a part of a former root");
	make(&record, 2, 5);
	memset(record.entries[1].recipient.public_key, 0, 32);
	is_result(tc_record_build(&record, root, bytes, &len), TC_MALFORMED, "nor the public key of everybody");
}

/* Whoever writes the catalog puts a root of his own there. */
static void
test_substitution(void)
{
	static TcRootRecord record;
	static TcRootRecord got;
	uint8_t		bytes[TC_RECORD_MAX];
	uint8_t		theirs[TC_KEY_BYTES];
	uint8_t		opened[TC_KEY_BYTES];
	uint8_t    *copy;
	size_t		len;

	fill(theirs, sizeof(theirs), 66);
	make(&record, 1, 5);
	attest(&record, 0);
	if (tc_record_build(&record, theirs, bytes, &len) != TC_OK)
		bail("no record");
	ok(open_as(bytes, len, 0, opened) == TC_OK && memcmp(opened, theirs, 32) == 0,
	   "a substituted root does open: boxes are anonymous");
	if (parse(bytes, len, &got, &copy) != TC_OK)
		bail("no record");
	ok(!tc_record_attested(&got, seeds[0]), "but this machine's attestation of another root is no good there");
	free(copy);
}

static bool
attested(const uint8_t *bytes, size_t len, int who)
{
	static TcRootRecord record;
	uint8_t    *copy;
	bool		result;

	if (parse(bytes, len, &record, &copy) != TC_OK)
		bail("no record");
	result = tc_record_attested(&record, seeds[who]);
	free(copy);
	return result;
}

static void
test_attestations(void)
{
	static TcRootRecord record;
	uint8_t		bytes[TC_RECORD_MAX];
	size_t		len;
	size_t		wrong = 0;

	make(&record, 3, 5);
	attest(&record, 0);
	len = build(&record, bytes);
	ok(attested(bytes, len, 0), "a machine knows its own attestation");
	ok(!attested(bytes, len, 1), "another has none of its own there");
	ok(!attested(bytes, len, 5), "nor has one that is not in the record");

	record.entries[1].attestation = record.entries[0].attestation;
	len = build(&record, bytes);
	ok(!attested(bytes, len, 1), "that of another machine, put in its place, is refused");
	ok(attested(bytes, len, 0), "which the other one's does not mind");

	record.entries[0].attestation = tc_span(NULL, 0);
	len = build(&record, bytes);
	ok(!attested(bytes, len, 0), "nor is its own taken from another's place");
	record.entries[1].attestation = tc_span(NULL, 0);
	attest(&record, 1);
	record.entries[0].attestation = record.entries[1].attestation;
	record.entries[1].attestation = tc_span(NULL, 0);
	len = build(&record, bytes);
	ok(!attested(bytes, len, 1), "also when that is the first");

	if (tc_kcv(root, TC_PURPOSE_ROOT, record.kcv) != TC_OK)
		bail("no KCV");
	record.entries[1].attestation = tc_span(attestations[1], TC_MAC_BYTES);
	ok(tc_record_attested(&record, seeds[1]), "in its own place it is good");
	for (size_t n = 0; n < TC_MAC_BYTES; n++)
	{
		record.entries[1].attestation = tc_span(attestations[1], n);
		wrong += tc_record_attested(&record, seeds[1]);
	}
	is_count(wrong, 0, "a part of a genuine one is none");

	attest(&record, 0);
	record.entries[1].attestation = tc_span(NULL, 0);
	for (size_t bit = 0; bit < 8 * TC_MAC_BYTES; bit++)
	{
		attestations[0][bit / 8] ^= (uint8_t) (1 << bit % 8);
		len = build(&record, bytes);
		wrong += attested(bytes, len, 0);
		attestations[0][bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	is_count(wrong, 0, "with any bit changed it is refused");
	record.root_version++;
	len = build(&record, bytes);
	ok(!attested(bytes, len, 0), "as that of another root version too");
	record.root_version--;
	record.realm[0] ^= 1;
	len = build(&record, bytes);
	ok(!attested(bytes, len, 0), "and that of another realm");
}

int
main(void)
{
	if (sodium_init() < 0)
		bail("no libsodium");
	setup();
	test_round_trip();
	test_alterations();
	test_fields();
	test_lengths();
	test_limits();
	test_substitution();
	test_attestations();
	return done();
}
