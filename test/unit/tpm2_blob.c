/*-------------------------------------------------------------------------
 *
 * tpm2_blob.c
 *	  The leaves of the provider tpm2: blobs, lists of PCRs, lines with PINs.
 *
 * Goal of this test: a blob is taken only as it was written.  Whatever is
 * altered, cut off or added is refused, also where the checksum was made right
 * again, unless it is another blob that could have been written.
 *
 * test/unit/tpm2_blob.c
 *
 *-------------------------------------------------------------------------
 */
#include "pin.h"
#include "tap.h"
#include "tpm2_sample.h"

/*
 * Written by one of the first programs, when there was no policy and the kind
 * of TPM was not recorded.
 */
static const char first_blob[] =
"54435432010000000022000bd81b11c907ac030a3a0a627123bfd3baa0083735"
"374bc806de5288a38d3d284e002e0008000b00000452000000100020d6b1d80c"
"d593d0ed3659737fc0300e1531a230df693fa670f1c7900362704ea3009e0020"
"94bfe517ae3d42a1674907c8b4174f0babc14795b8233e1fe7ef3696304fd6c0"
"0010908aa35e1b093445a4dda6d8b9f2656254022111d93b9a1f08a073080fbb"
"834f484a7a44d17c622e5ef9e91b7ee3008fd6c9ffa4d16c02f91b8f8d3b9d1a"
"e586c2538ed969e36fdef7c08c4b919e83f67161eca3d7ce93c869eb627caf4f"
"9b444162ba511c33cdad9238eb9da2d7f600b098a1da59dcad9245095ec8cdaf";

/* Decode from a copy that ends where the bytes end. */
static TcExit
decode(const uint8_t *bytes, size_t len, TcBlob *ret_blob)
{
	uint8_t    *copy = exact_copy(bytes, len);
	TcReason	reason = {""};
	TcExit		code = tc_blob_decode(copy, len, ret_blob, &reason);

	free(copy);
	return code;
}

/* Is this refused, or at least one of the blobs that are written so? */
static bool
is_refused(const uint8_t *bytes, size_t len, size_t *taken)
{
	const TcBlob zeros = {0};
	uint8_t		again[TC_BLOB_MAX];
	size_t		again_len = 0;
	TcReason	reason = {""};
	TcBlob		blob;

	if (decode(bytes, len, &blob) == TC_EXIT_DAMAGED)
		return memcmp(&blob, &zeros, sizeof(blob)) == 0;
	(*taken)++;
	return tc_blob_encode(&blob, again, &again_len, &reason) == TC_EXIT_OK &&
		again_len == len && memcmp(again, bytes, len) == 0;
}

/* Alter a blob in every way that is small. */
static void
test_alterations(uint8_t policy)
{
	TcBlob		blob = sample_blob(policy);
	TcBlob		back;
	TcReason	reason = {""};
	uint8_t		bytes[TC_BLOB_MAX + 64];
	uint8_t		altered[TC_BLOB_MAX + 64];
	size_t		len = 0;
	size_t		body;
	size_t		taken = 0;
	size_t		refused = 0;
	size_t		tried = 0;

	if (tc_blob_encode(&blob, bytes, &len, &reason) != TC_EXIT_OK)
		bail("the sample is not written");
	ok(decode(bytes, len, &back) == TC_EXIT_OK && back.policy == policy && back.tpm_kind == TC_TPM_DEVICE &&
	   memcmp(&back.pcrs, &blob.pcrs, sizeof(TcPcrs)) == 0 &&
	   memcmp(&back.priv, &blob.priv, sizeof(TPM2B_PRIVATE)) == 0 &&
	   memcmp(&back.srk_name, &blob.srk_name, sizeof(TPM2B_NAME)) == 0,
	   "policy %d: %zu bytes are written and read", policy, len);
	body = len - BLOB_CRC_LEN;

	for (size_t bit = 0; bit < 8 * len; bit++)
	{
		memcpy(altered, bytes, len);
		altered[bit / 8] ^= (uint8_t) (1 << bit % 8);
		refused += is_refused(altered, len, &taken);
		put_blob_crc(altered, body);
		if (bit / 8 < body)
			refused += is_refused(altered, len, &taken);
		tried += bit / 8 < body ? 2 : 1;
	}
	is_count(refused, tried, "each flipped bit is refused or another blob");

	/* Names, policies, private areas, values of PCRs may have any bytes. */
	ok(taken > 0 && taken < tried / 2, "%zu of %zu are other blobs", taken, tried);

	taken = refused = 0;
	for (size_t cut = 0; cut < len; cut++)
	{
		refused += is_refused(bytes, cut, &taken);
		memcpy(altered, bytes, len);
		if (cut >= body)
			continue;
		put_blob_crc(altered, cut);
		refused += is_refused(altered, cut + BLOB_CRC_LEN, &taken);
	}
	is_count(refused, len + body, "each shorter length is refused");
	is_count(taken, 0, "and none of them is another blob");

	refused = 0;
	for (size_t more = 1; more <= 40; more++)
	{
		memset(altered, 0, sizeof(altered));
		memcpy(altered, bytes, body);
		put_blob_crc(altered, body + more);
		refused += is_refused(altered, len + more, &taken);
	}
	is_count(refused, 40, "so is each longer one");
	is_count(taken, 0, "and none of them is another blob");

	/* All values of the bytes that say what follows. */
	taken = refused = 0;
	for (size_t at = 4; at < 8; at++)
	{
		for (unsigned value = 0; value < 256; value++)
		{
			memcpy(altered, bytes, len);
			altered[at] = (uint8_t) value;
			put_blob_crc(altered, body);
			refused += is_refused(altered, len, &taken);
		}
	}
	is_count(refused, 4 * 256, "all versions, policies, kinds and reserved bytes");
	is_count(taken, 6, "are refused but one version, one policy, three kinds, one reserved");
}

/* Attributes that belong to another policy open another way to the object. */
static void
test_attributes(void)
{
	size_t		refused = 0;
	size_t		taken = 0;
	uint8_t		bytes[TC_BLOB_MAX];
	size_t		len;
	TcReason	reason = {""};

	for (uint8_t policy = 0; policy <= TC_POLICY_ALL; policy++)
	{
		for (int bit = 0; bit < 32; bit++)
		{
			TcBlob		blob = sample_blob(policy);

			blob.pub.publicArea.objectAttributes ^= UINT32_C(1) << bit;
			if (tc_blob_encode(&blob, bytes, &len, &reason) == TC_EXIT_OK)
				refused += is_refused(bytes, len, &taken);
			else
				refused++;
		}
	}
	is_count(refused, 4 * 32, "each other attribute is refused");
	is_count(taken, 0, "and none is another blob");
	ok((tc_blob_attributes(0) & TPMA_OBJECT_USERWITHAUTH) != 0 &&
	   (tc_blob_attributes(1) & TPMA_OBJECT_USERWITHAUTH) == 0 &&
	   (tc_blob_attributes(2) & TPMA_OBJECT_USERWITHAUTH) == 0 &&
	   (tc_blob_attributes(3) & TPMA_OBJECT_USERWITHAUTH) == 0,
	   "the password is a way to an object without policy only");
	ok((tc_blob_attributes(1) & TPMA_OBJECT_NODA) != 0 &&
	   (tc_blob_attributes(2) & TPMA_OBJECT_NODA) == 0 &&
	   (tc_blob_attributes(3) & TPMA_OBJECT_NODA) == 0,
	   "a PIN is never exempt from the lockout");
}

static void
test_first_blob(void)
{
	uint8_t		bytes[sizeof(first_blob) / 2];
	size_t		len = sizeof(bytes);
	uint8_t		again[TC_BLOB_MAX];
	size_t		again_len = 0;
	TcReason	reason = {""};
	TcBlob		blob;

	for (size_t i = 0; i < len; i++)
	{
		unsigned	value;

		if (sscanf(first_blob + 2 * i, "%2x", &value) != 1)
			bail("the vector is not hexadecimal");
		bytes[i] = (uint8_t) value;
	}
	ok(decode(bytes, len, &blob) == TC_EXIT_OK && blob.policy == 0 &&
	   blob.tpm_kind == TC_TPM_UNRECORDED, "a blob of the first programs is read");
	ok(tc_blob_encode(&blob, again, &again_len, &reason) == TC_EXIT_OK &&
	   again_len == len && memcmp(again, bytes, len) == 0, "byte for byte");
}

static void
test_pcrs(void)
{
	static const char *const good[] = {"0", "7", "23", "0,7", "7,0", "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23"};
	static const char *const bad[] = {"", ",", "24", "7,", ",7", "7,7", "07,7", "+7", "-1", " 7", "7 ", "0x7", "007", "7;0", "4294967303", "1,2,3,1"};
	TcReason	reason = {""};
	char		text[TC_PCR_TEXT_MAX];
	uint32_t	set;
	size_t		count = 0;
	TcPcrs		a = sample_blob(TC_POLICY_PCR).pcrs;
	TcPcrs		b = a;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		count += tc_pcr_parse(good[i], &set, &reason) == TC_EXIT_OK;
	is_count(count, sizeof(good) / sizeof(good[0]), "lists of PCRs are read");
	tc_pcr_text(set, text);
	ok(set == 0xffffff && strcmp(text, good[5]) == 0, "and the longest written");
	ok(tc_pcr_parse("7,0", &set, &reason) == TC_EXIT_OK && set == 0x81, "in any order");
	count = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		count += tc_pcr_parse(bad[i], &set, &reason) == TC_EXIT_USAGE;
	is_count(count, sizeof(bad) / sizeof(bad[0]), "what is no list is refused");

	ok(tc_pcr_changed(&a, &b) == 0, "the same values: none has changed");
	b.value[7][31] ^= 1;
	b.value[8][0] ^= 1;
	ok(tc_pcr_changed(&a, &b) == 1u << 7, "a bit has changed, and one that is not selected");
	ok(!tc_pcr_blank(&a), "values are not blank");
	memset(a.value, 0, sizeof(a.value));
	ok(tc_pcr_blank(&a), "zeros are");
	memset(a.value[23], 0xff, TC_PCR_VALUE_BYTES);
	ok(tc_pcr_blank(&a), "ones are");
	a.value[23][5] = 0xfe;
	ok(!tc_pcr_blank(&a), "almost is not");
}

/* Take the PIN from a copy that ends where the input ends. */
static TcExit
take(const char *input, size_t len, char *ret_pin, size_t *ret_rest)
{
	uint8_t    *copy = exact_copy((const uint8_t *) input, len);
	TcReason	reason = {""};
	TcPin		pin = {0};
	TcExit		code = tc_pin_take_line(copy, &len, &pin, &reason);

	memcpy(ret_pin, pin.bytes, pin.len);
	ret_pin[pin.len] = '\0';
	*ret_rest = len;
	free(copy);
	return code;
}

static void
test_pins(void)
{
	char		pin[TC_PIN_MAX + 1];
	size_t		rest;

	ok(take("1234\nrest", 9, pin, &rest) == TC_EXIT_OK && strcmp(pin, "1234") == 0 && rest == 4,
	   "the first line is the PIN");
	ok(take("1234\n\n\n", 7, pin, &rest) == TC_EXIT_OK && rest == 2, "line ends behind it are not");
	ok(take("1234\n", 5, pin, &rest) == TC_EXIT_OK && rest == 0, "nothing may follow");
	ok(take("1234", 4, pin, &rest) == TC_EXIT_USAGE && pin[0] == '\0', "no line");
	ok(take("\n", 1, pin, &rest) == TC_EXIT_USAGE, "an empty line");
	ok(take("123\n", 4, pin, &rest) == TC_EXIT_USAGE, "3 bytes");
	ok(take("12345678901234567890123456789012\n", 33, pin, &rest) == TC_EXIT_OK, "32 bytes");
	ok(take("123456789012345678901234567890123\n", 34, pin, &rest) == TC_EXIT_USAGE, "33 bytes");
	ok(take("1234\0\n", 6, pin, &rest) == TC_EXIT_USAGE, "a zero byte");
}

int
main(void)
{
	for (uint8_t policy = 0; policy <= TC_POLICY_ALL; policy++)
		test_alterations(policy);
	test_attributes();
	test_first_blob();
	test_pcrs();
	test_pins();
	return done();
}
