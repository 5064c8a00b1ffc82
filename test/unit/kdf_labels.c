/*-------------------------------------------------------------------------
 *
 * kdf_labels.c
 *	  No label twice, all of them in FORMAT, hashing as FORMAT says, and no key
 *	  left in registers.
 *
 * test/unit/kdf_labels.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "grab.h"
#include "kdf.h"
#include "tap.h"

#define LABELS_MAX	100
#define LABEL_MAX	100

typedef char Label[LABEL_MAX];

static bool
known(Label *labels, size_t n, const char *label)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(labels[i], label) == 0)
			return true;
	return false;
}

/* Find the labels in a text: "themis/.../v<digits>", each once. */
static size_t
find_labels(const char *text, Label *ret_labels, size_t *ret_repeated)
{
	size_t		n = 0;

	*ret_repeated = 0;
	for (const char *at = strstr(text, "themis/"); at != NULL; at = strstr(at + 1, "themis/"))
	{
		Label		label;
		size_t		len = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789-/");

		if (len >= LABEL_MAX || n == LABELS_MAX)
			bail("a label too long, or too many");
		memcpy(label, at, len);
		label[len] = '\0';
		if (known(ret_labels, n, label))
			(*ret_repeated)++;
		else
			memcpy(ret_labels[n++], label, sizeof(label));
	}
	return n;
}

static char *
read_text(const char *path)
{
	FILE	   *file = fopen(path, "r");
	char	   *text = calloc(1, 1 << 20);

	if (file == NULL || text == NULL)
		bail("a file is not there");
	if (fread(text, 1, (1 << 20) - 1, file) == 0)
		bail("a file is empty");
	fclose(file);
	return text;
}

/* Count the lines of kdf.h that define a label. */
static size_t
count_definitions(const char *text)
{
	size_t		n = 0;

	for (const char *at = strstr(text, "#define TC_LABEL_"); at != NULL;
		 at = strstr(at + 1, "#define TC_LABEL_"))
		n++;
	return n;
}

static void
test_sources(void)
{
	char	   *header = read_text("src/kdf.h");
	char	   *format = read_text("src/FORMAT");
	char	   *table = strstr(format, "\nLabels\n");
	Label		in_header[LABELS_MAX];
	Label		in_format[LABELS_MAX];
	Label		in_table[LABELS_MAX];
	size_t		repeated;
	size_t		n = find_labels(header, in_header, &repeated);
	size_t		n_format;
	size_t		n_table;
	size_t		missing = 0;
	size_t		strange = 0;

	ok(n >= 14 && n == count_definitions(header), "kdf.h defines %zu labels", n);
	is_count(repeated, 0, "none of them is used twice");
	n_format = find_labels(format, in_format, &repeated);
	if (table == NULL)
		bail("FORMAT has no section \"Labels\"");
	n_table = find_labels(table, in_table, &repeated);
	for (size_t i = 0; i < n; i++)
		if (!known(in_table, n_table, in_header[i]))
			missing++, printf("# %s is not in FORMAT\n", in_header[i]);
	for (size_t i = 0; i < n_format; i++)
		if (!known(in_header, n, in_format[i]))
			strange++, printf("# %s is not in kdf.h\n", in_format[i]);
	is_count(missing, 0, "FORMAT, \"Labels\", lists all of them");
	is_count(strange, 0, "and FORMAT speaks of no other");
	free(header);
	free(format);
}

/* A label may be written out in kdf.h only. */
static void
test_no_label_elsewhere(void)
{
	FILE	   *grep = popen("grep -l '\"themis/' src/*.c src/*.h contrib-keyprov/*/*.[ch] 2>/dev/null", "r");
	char		line[4096];
	size_t		others = 0;

	if (grep == NULL)
		bail("no grep");
	while (fgets(line, sizeof(line), grep) != NULL)
		if (strcmp(line, "src/kdf.h\n") != 0)
			others++, printf("# a label is written out in %s", line);
	pclose(grep);
	is_count(others, 0, "no other source writes a label out");
}

/* FORMAT's words, as bytes: hash them in one call of libsodium. */
static void
test_construction(void)
{
	static const uint8_t message[] = {
		13, 0, 't', 'h', 'e', 'm', 'i', 's', '/', 'k', 'c', 'v', '/', 'v', '1',
		3, 0, 0, 0, 'a', 'b', 'c',
		0, 0, 0, 0,
		1, 0, 0, 0, 0xFF
	};
	const uint8_t last = 0xFF;
	TcSpan		fields[3];
	uint8_t		key[32];
	uint8_t		got[64];
	uint8_t		expected[64];
	size_t		wrong = 0;

	fill(key, sizeof(key), 1);
	fields[0] = tc_span("abc", 3);
	fields[1] = tc_span(NULL, 0);
	fields[2] = tc_span(&last, 1);
	for (size_t len = 16; len <= 64; len++)
		for (int keyed = 0; keyed < 2; keyed++)
		{
			if (crypto_generichash(expected, len, message, sizeof(message),
								   keyed ? key : NULL, keyed ? 32 : 0) != 0 ||
				tc_kdf(keyed ? key : NULL, "themis/kcv/v1", fields, 3, got, len) != TC_OK ||
				memcmp(got, expected, len) != 0)
				wrong++;
		}
	is_count(wrong, 0, "tc_kdf is BLAKE2b over lengths, label and fields, for 16..64 bytes");

	is_result(tc_kdf(key, "x", NULL, 0, got, 15), TC_UNSUPPORTED, "15 bytes are too few");
	is_result(tc_kdf(key, "x", NULL, 0, got, 65), TC_UNSUPPORTED, "65 are too many");
	is_result(tc_kdf(key, "x", NULL, 0, got, 0), TC_UNSUPPORTED, "0 are too few");
	fields[0] = tc_span(key, (size_t) UINT32_MAX + 1);
	is_result(tc_kdf(key, "x", fields, 1, got, 16), TC_UNSUPPORTED, "a field of 4 GiB has no length");
}

static void
must_hash(const uint8_t *key, const char *label, const TcSpan *fields, int n, uint8_t *ret)
{
	if (tc_kdf(key, label, fields, n, ret, 32) != TC_OK)
		bail("tc_kdf fails");
}

/* Nothing can be moved from one field to its neighbour. */
static void
test_boundaries(void)
{
	uint8_t		key[32];
	uint8_t		hash[8][32];
	TcSpan		fields[3];
	size_t		same = 0;

	fill(key, sizeof(key), 1);
	fields[0] = tc_span("ab", 2);
	fields[1] = tc_span("c", 1);
	must_hash(key, "label", fields, 2, hash[0]);
	fields[0] = tc_span("a", 1);
	fields[1] = tc_span("bc", 2);
	must_hash(key, "label", fields, 2, hash[1]);
	fields[0] = tc_span("abc", 3);
	must_hash(key, "label", fields, 1, hash[2]);
	fields[1] = tc_span("", 0);
	must_hash(key, "label", fields, 2, hash[3]);
	must_hash(key, "labela", NULL, 0, hash[4]);
	must_hash(key, "label", NULL, 0, hash[5]);
	must_hash(NULL, "label", NULL, 0, hash[6]);
	key[31] ^= 1;
	must_hash(key, "label", NULL, 0, hash[7]);
	for (int i = 0; i < 8; i++)
		for (int j = 0; j < i; j++)
			same += memcmp(hash[i], hash[j], 32) == 0;
	is_count(same, 0, "label, fields, their ends and the key: a change of any is another hash");
}

static void
test_fingerprints(void)
{
	uint8_t		key[32];
	uint8_t		kcv[7][TC_KCV_BYTES];
	size_t		same = 0;

	fill(key, sizeof(key), 1);
	for (int purpose = 1; purpose <= 6; purpose++)
	{
		if (tc_kcv(key, (TcPurpose) purpose, kcv[purpose]) != TC_OK)
			bail("tc_kcv fails");
		for (int other = 1; other < purpose; other++)
			same += memcmp(kcv[purpose], kcv[other], TC_KCV_BYTES) == 0;
	}
	is_count(same, 0, "a key has another fingerprint for each purpose");
}

/* How many pieces of eight bytes of a key are in registers. */
static size_t
pieces_of(const uint8_t *registers, const uint8_t *key)
{
	size_t		n = 0;

	for (size_t at = 0; at + 8 <= REGISTERS_BYTES; at++)
		for (size_t piece = 0; piece < TC_KEY_BYTES; piece += 8)
			n += memcmp(registers + at, key + piece, 8) == 0;
	return n;
}

static void
test_registers(void)
{
	static uint8_t registers[REGISTERS_BYTES];
	uint8_t		key[TC_KEY_BYTES];
	uint8_t		derived[TC_KEY_BYTES];
	uint8_t		field = 1;
	TcSpan		fields = tc_span(&field, 1);
	TcResult	result;

	fill(key, sizeof(key), 12);
	result = tc_kdf(key, TC_LABEL_TOKEN, &fields, 1, derived, sizeof(derived));
	grab_registers(registers);
	is_result(result, TC_OK, "a key is derived");
	is_count(pieces_of(registers, key) + pieces_of(registers, derived), 0, "and neither it nor its source stays in registers");
	memcpy(registers + 3, derived + 8, 8);
	is_count(pieces_of(registers, derived), 1, "control: what stays is found");
}

int
main(void)
{
	go_to_root();
	test_sources();
	test_no_label_elsewhere();
	test_construction();
	test_boundaries();
	test_fingerprints();
	test_registers();
	return done();
}
