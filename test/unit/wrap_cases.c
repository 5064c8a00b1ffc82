/*-------------------------------------------------------------------------
 *
 * wrap_cases.c
 *	  A wrapped key opens for its own identity and root, and for no other.
 *
 * test/unit/wrap_cases.c
 *
 *-------------------------------------------------------------------------
 */
#include "tap.h"
#include "wrap.h"

#define ROOT_VERSION	7
#define IDENTITY_FIELDS	6

static uint8_t root[TC_KEY_BYTES];
static uint8_t key[TC_KEY_BYTES];
static TcKeyIdentity identity;

static void
setup(void)
{
	fill(root, sizeof(root), 1);
	fill(key, sizeof(key), 2);
	fill(identity.realm, TC_UUID_BYTES, 3);
	fill(identity.uuid, TC_UUID_BYTES, 4);
	identity.key_id = 0x010203;
	identity.version = 0x0405;
	identity.purpose = TC_PURPOSE_VALUE;
	identity.algorithm = TC_ALG_XCHACHA20POLY1305;
}

/* Change one bit of one field; false when there is no such bit. */
static bool
change(TcKeyIdentity *changed, int field, size_t bit)
{
	static const size_t bits[IDENTITY_FIELDS] = {128, 128, 32, 16, 8, 8};
	uint8_t		mask = (uint8_t) (1 << bit % 8);

	*changed = identity;
	if (bit >= bits[field])
		return false;
	switch (field)
	{
		case 0:
			changed->realm[bit / 8] ^= mask;
			break;
		case 1:
			changed->uuid[bit / 8] ^= mask;
			break;
		case 2:
			changed->key_id ^= (uint32_t) 1 << bit;
			break;
		case 3:
			changed->version ^= (uint16_t) (1 << bit);
			break;
		case 4:
			changed->purpose ^= mask;
			break;
		default:
			changed->algorithm ^= mask;
			break;
	}
	return true;
}

static const char *const field_names[IDENTITY_FIELDS] = {
	"realm", "uuid", "key id", "version", "purpose", "algorithm"
};

/* Unwrap a copy of just its size; what fails must leave zeros. */
static TcResult
unwrap(const TcKeyIdentity *as, const uint8_t *wrap, size_t len, uint8_t *ret_key)
{
	uint8_t    *copy = exact_copy(wrap, len);
	TcResult	result;

	memset(ret_key, 0x55, TC_KEY_BYTES);
	result = tc_unwrap_key(root, as, tc_span(copy, len), ret_key);
	if (result != TC_OK && !all_zero(ret_key, TC_KEY_BYTES))
		bail("a failed unwrapping left bytes of a key");
	free(copy);
	return result;
}

static void
test_wraps(void)
{
	uint8_t		wrap[TC_WRAP_BYTES];
	uint8_t		again[TC_WRAP_BYTES];
	uint8_t		got[TC_KEY_BYTES];
	uint32_t	version = 0;
	TcKeyIdentity other;
	size_t		wrong = 0;

	if (tc_wrap_key(root, ROOT_VERSION, &identity, key, wrap) != TC_OK ||
		tc_wrap_key(root, ROOT_VERSION, &identity, key, again) != TC_OK)
		bail("no wrap");
	is_result(unwrap(&identity, wrap, sizeof(wrap), got), TC_OK, "a wrap opens");
	is_bytes(got, key, TC_KEY_BYTES, "to the key");
	ok(memcmp(wrap, "TCW1\7\0\0\0", 8) == 0 && memcmp(wrap + 8, again + 8, 24) != 0,
	   "it names its root version, and has its own nonce");
	ok(tc_wrap_root_version(tc_span(wrap, sizeof(wrap)), &version) == TC_OK && version == 7, "which can be read");

	for (int field = 0; field < IDENTITY_FIELDS; field++)
	{
		wrong = 0;
		for (size_t bit = 0; change(&other, field, bit); bit++)
			wrong += unwrap(&other, wrap, sizeof(wrap), got) != TC_REJECTED;
		ok(wrong == 0, "with any bit of the %s changed it is rejected", field_names[field]);
	}

	wrong = 0;
	for (size_t at = 0; at < sizeof(wrap); at++)
		for (int mask = 1; mask < 256; mask++)
		{
			wrap[at] ^= (uint8_t) mask;
			wrong += unwrap(&identity, wrap, sizeof(wrap), got) != (at < 4 ? TC_MALFORMED : TC_REJECTED);
			wrap[at] ^= (uint8_t) mask;
		}
	is_count(wrong, 0, "with any byte of the wrap changed too");

	wrong = 0;
	for (size_t bit = 0; bit < 256; bit++)
	{
		root[bit / 8] ^= (uint8_t) (1 << bit % 8);
		wrong += unwrap(&identity, wrap, sizeof(wrap), got) != TC_REJECTED;
		root[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	is_count(wrong, 0, "and under any other root");
}

static void
test_wrap_lengths(void)
{
	uint8_t		wrap[TC_WRAP_BYTES + 1] = {0};
	uint8_t		got[TC_KEY_BYTES];
	uint32_t	version = 99;
	size_t		wrong = 0;

	if (tc_wrap_key(root, ROOT_VERSION, &identity, key, wrap) != TC_OK)
		bail("no wrap");
	for (size_t len = 0; len <= sizeof(wrap); len++)
		if (len != TC_WRAP_BYTES)
		{
			wrong += unwrap(&identity, wrap, len, got) != TC_MALFORMED;
			wrong += tc_wrap_root_version(tc_span(wrap, len), &version) != TC_MALFORMED;
		}
	is_count(wrong, 0, "a wrap has 80 bytes, no more and no fewer");
	ok(version == 99, "and a refused one names no version");
}

/* An address or a slot key: another one for each change of anything in it. */
static void
test_slots(void)
{
	uint8_t		wrap[TC_WRAP_BYTES];
	uint8_t		address[TC_ADDRESS_BYTES];
	uint8_t		slot_key[TC_KEY_BYTES];
	uint8_t		other_address[TC_ADDRESS_BYTES];
	uint8_t		other_key[TC_KEY_BYTES];
	TcKeyIdentity other;
	size_t		same;

	if (tc_wrap_key(root, ROOT_VERSION, &identity, key, wrap) != TC_OK)
		bail("no wrap");
	is_result(tc_slot_address(&identity, tc_span(wrap, sizeof(wrap)), tc_span(NULL, 0), address), TC_OK, "a wrap has an address");
	is_result(tc_slot_key(key, &identity, slot_key), TC_OK, "and its key a slot key");
	ok(memcmp(slot_key, key, TC_KEY_BYTES) != 0, "which is not the key");
	for (int field = 0; field < IDENTITY_FIELDS; field++)
	{
		same = 0;
		for (size_t bit = 0; change(&other, field, bit); bit++)
		{
			if (tc_slot_address(&other, tc_span(wrap, sizeof(wrap)), tc_span(NULL, 0), other_address) != TC_OK ||
				tc_slot_key(key, &other, other_key) != TC_OK)
				bail("no slot");
			same += memcmp(address, other_address, TC_ADDRESS_BYTES) == 0;
			/* The uuid says more than the key id, which is not in it. */
			if (field != 2)
				same += memcmp(slot_key, other_key, TC_KEY_BYTES) == 0;
		}
		ok(same == 0, "both are others for each bit of the %s", field_names[field]);
	}
	same = 0;
	for (size_t at = 4; at < sizeof(wrap); at++)
	{
		wrap[at] ^= 1;
		if (tc_slot_address(&identity, tc_span(wrap, sizeof(wrap)), tc_span(NULL, 0), other_address) != TC_OK)
			bail("no address");
		same += memcmp(address, other_address, TC_ADDRESS_BYTES) == 0;
		wrap[at] ^= 1;
	}
	is_count(same, 0, "the address is another one for each byte of the wrap");
	if (tc_slot_address(&identity, tc_span(wrap, sizeof(wrap)), tc_span("m", 1), other_address) != TC_OK)
		bail("no address");
	ok(memcmp(address, other_address, TC_ADDRESS_BYTES) != 0, "and another one where the options have a mac");
	is_result(tc_slot_address(&identity, tc_span(wrap, 79), tc_span(NULL, 0), other_address), TC_MALFORMED, "no wrap, no address");
}

static void
test_macs(void)
{
	TcSpan		fields[3];
	uint8_t		mac[TC_KEY_MAC_BYTES];
	uint8_t		other_root[TC_KEY_BYTES];
	size_t		wrong = 0;

	fields[0] = tc_span("key", 3);
	fields[1] = tc_span(NULL, 0);
	fields[2] = tc_span("1", 1);
	is_result(tc_key_mac(root, ROOT_VERSION, fields, 3, mac), TC_OK, "options have a mac");
	ok(memcmp(mac, "\7\0\0\0", 4) == 0, "which names its root version");
	is_result(tc_key_mac_verify(root, fields, 3, tc_span(mac, sizeof(mac))), TC_OK, "and is genuine");
	for (size_t at = 0; at < sizeof(mac); at++)
		for (int mask = 1; mask < 256; mask++)
		{
			mac[at] ^= (uint8_t) mask;
			wrong += tc_key_mac_verify(root, fields, 3, tc_span(mac, sizeof(mac))) != TC_REJECTED;
			mac[at] ^= (uint8_t) mask;
		}
	is_count(wrong, 0, "with any byte changed it is rejected");
	wrong = 0;
	for (size_t len = 0; len < sizeof(mac); len++)
	{
		uint8_t    *copy = exact_copy(mac, len);

		wrong += tc_key_mac_verify(root, fields, 3, tc_span(copy, len)) != TC_MALFORMED;
		free(copy);
	}
	is_count(wrong, 0, "a shorter one is malformed");
	fields[2] = tc_span("2", 1);
	is_result(tc_key_mac_verify(root, fields, 3, tc_span(mac, 36)), TC_REJECTED, "a changed field is rejected");
	fields[2] = tc_span("1", 1);
	is_result(tc_key_mac_verify(root, fields, 2, tc_span(mac, 36)), TC_REJECTED, "a field less too");
	fields[1] = fields[0];
	fields[0] = tc_span(NULL, 0);
	is_result(tc_key_mac_verify(root, fields, 3, tc_span(mac, 36)), TC_REJECTED, "and fields exchanged");
	memcpy(other_root, root, TC_KEY_BYTES);
	other_root[0] ^= 1;
	fields[0] = tc_span("key", 3);
	fields[1] = tc_span(NULL, 0);
	is_result(tc_key_mac_verify(other_root, fields, 3, tc_span(mac, 36)), TC_REJECTED, "and another root");
	is_result(tc_key_mac_verify(root, fields, 3, tc_span(mac, 36)), TC_OK, "the mac itself was fine all along");
}

int
main(void)
{
	setup();
	if (tc_aead_init() != TC_OK)
		bail("no libsodium");
	test_wraps();
	test_wrap_lengths();
	test_slots();
	test_macs();
	return done();
}
