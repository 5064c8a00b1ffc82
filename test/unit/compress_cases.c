/*-------------------------------------------------------------------------
 *
 * compress_cases.c
 *	  Compressed plaintexts come back, and what is none is refused.
 *
 * test/unit/compress_cases.c
 *
 *-------------------------------------------------------------------------
 */
#include <lz4.h>
#include <signal.h>

#include "compress.h"
#include "envelope.h"
#include "tap.h"

#define TEXT_MAX	70000
#define HEADER		4			/* the length, before the block */
#define STACK_SIZE	(256 * 1024)
#define LOOK_BELOW	(32 * 1024)	/* deeper than LZ4 goes */
#define FRAMES		1024		/* what is ours, at the top */

static uint8_t text[TEXT_MAX];

/* Lines that are like each other, as documents have them. */
static void
write_text(void)
{
	static const char name[] = "{\"name\":";

	for (size_t i = 0; i < TEXT_MAX; i++)
		text[i] = (uint8_t) (i % 10 < 8 ? name[i % 10] : 'a' + (int) (i / 10 % 7));
}

/* Compress the first bytes of the text, in room of just the size asked for. */
static uint8_t *
compressed(size_t len, size_t *ret_len)
{
	uint8_t    *copy = exact_copy(text, len);
	uint8_t    *room = malloc(tc_compressed_max(len) + 1);
	TcResult	result = tc_compress(tc_span(copy, len), room, ret_len);

	free(copy);
	if (result == TC_OK)
		return room;
	free(room);
	return NULL;
}

static void
test_round_trips(void)
{
	static const size_t lengths[] = {128, 129, 130, 255, 1000, 4096, 65535, 65536, TEXT_MAX};
	size_t		good = 0;
	size_t		shorter = 0;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
	{
		size_t		len = 0;
		size_t		back_len = 0;
		uint8_t    *bytes = compressed(lengths[i], &len);
		uint8_t    *back = malloc(lengths[i]);

		if (bytes == NULL)
			bail("a text does not compress");
		shorter += len <= tc_compressed_max(lengths[i]);
		good += tc_decompressed_len(tc_span(bytes, len), &back_len) == TC_OK &&
			back_len == lengths[i] &&
			tc_decompress(tc_span(bytes, len), back, back_len) == TC_OK &&
			memcmp(back, text, back_len) == 0;
		free(bytes);
		free(back);
	}
	is_count(good, sizeof(lengths) / sizeof(lengths[0]), "texts come back");
	is_count(shorter, sizeof(lengths) / sizeof(lengths[0]), "and are an eighth shorter at least");
}

static void
test_not_worth_it(void)
{
	uint8_t		noise[4096];
	uint8_t		room[4096];
	size_t		len = 0;
	size_t		zeros = 0;

	is_count(tc_compressed_max(127), 0, "127 bytes are not compressed");
	is_result(tc_compress(tc_span(text, 127), room, &len), TC_TOO_LARGE, "nor if one tries");
	is_result(tc_compress(tc_span(text, 0), room, &len), TC_TOO_LARGE, "nor none");
	fill(noise, sizeof(noise), 7);
	memset(room, 0x55, sizeof(room));
	is_result(tc_compress(tc_span(noise, sizeof(noise)), room, &len), TC_TOO_LARGE,
			  "noise does not become shorter");
	for (size_t i = 0; i < tc_compressed_max(sizeof(noise)); i++)
		zeros += room[i] == 0;
	is_count(zeros, tc_compressed_max(sizeof(noise)), "and nothing of it stays behind");
}

/* Decompress a copy of just its size. */
static TcResult
take(const uint8_t *bytes, size_t len, uint8_t *ret_plain, size_t plain_len)
{
	uint8_t    *copy = exact_copy(bytes, len);
	TcResult	result;

	memset(ret_plain, 0x55, plain_len);
	result = tc_decompress(tc_span(copy, len), ret_plain, plain_len);
	free(copy);
	return result;
}

static void
put_length(uint8_t *bytes, uint32_t len)
{
	TcWriter	writer = tc_writer(bytes, HEADER);

	tc_write_u32(&writer, len);
}

static void
test_refused(void)
{
	enum
	{
		LEN = 1000
	};
	size_t		len = 0;
	size_t		any = 0;
	size_t		refused = 0;
	size_t		zeros = 0;
	uint8_t    *bytes = compressed(LEN, &len);
	uint8_t    *plain = malloc(2 * LEN);
	uint8_t		head[HEADER + 1] = {0};

	if (bytes == NULL)
		bail("no sample");
	for (size_t i = 0; i < len; i++)
		refused += take(bytes, i, plain, LEN) == TC_MALFORMED;
	is_count(refused, len, "every cut is refused");
	for (size_t i = 0; i < LEN; i++)
		zeros += plain[i] == 0;
	is_count(zeros, LEN, "and leaves zeros");
	is_result(take(bytes, len, plain, LEN - 1), TC_MALFORMED, "room of another size is refused");
	is_result(take(bytes, len, plain, LEN + 1), TC_MALFORMED, "or a larger one");

	put_length(bytes, LEN + 1);
	is_result(take(bytes, len, plain, LEN + 1), TC_MALFORMED, "a length that is too long");
	put_length(bytes, LEN - 1);
	is_result(take(bytes, len, plain, LEN - 1), TC_MALFORMED, "a length that is too short");

	put_length(head, 127);
	is_result(tc_decompressed_len(tc_span(head, sizeof(head)), &any), TC_MALFORMED,
			  "a length that is never compressed");
	put_length(head, (uint32_t) TC_PLAIN_MAX);
	is_result(tc_decompressed_len(tc_span(head, sizeof(head)), &any), TC_OK, "the longest");
	put_length(head, (uint32_t) TC_PLAIN_MAX + 1);
	is_result(tc_decompressed_len(tc_span(head, sizeof(head)), &any), TC_TOO_LARGE,
			  "one more");
	is_result(tc_decompressed_len(tc_span(head, HEADER - 1), &any), TC_MALFORMED,
			  "no length");
	put_length(bytes, (uint32_t) (len + len / 8));
	is_result(tc_decompressed_len(tc_span(bytes, len), &any), TC_MALFORMED,
			  "compressed bytes that save less than an eighth");
	free(bytes);
	free(plain);
}

/* FORMAT, "A compressed plaintext": 200 times "a". */
static void
test_known(void)
{
	static const uint8_t known[] = {
		0xc8, 0, 0, 0,			/* u32 200 */
		0x1f, 'a', 0x01, 0x00, 0xaf,	/* "a", then 194 from one back */
		0x50, 'a', 'a', 'a', 'a', 'a'	/* the last five are literals */
	};
	uint8_t		as[200];
	uint8_t		plain[200];

	memset(as, 'a', sizeof(as));
	is_result(take(known, sizeof(known), plain, sizeof(plain)), TC_OK, "a block made by hand is read");
	is_bytes(plain, as, sizeof(as), "as 200 times a");
}

/* Try to compress noise, on a stack that can be looked at afterwards. */
static struct
{
	bool		alone;			/* LZ4 without us */
	uintptr_t	top;
	bool		good;
	uint8_t		noise[400];
	uint8_t		room[512];
}			job;

static void
run_job(int signo)
{
	size_t		len = 0;

	job.top = (uintptr_t) __builtin_frame_address(0);
	if (job.alone)
		job.good = LZ4_compress_default((const char *) job.noise, (char *) job.room,
										sizeof(job.noise), sizeof(job.room)) > 0;
	else
		job.good = tc_compress(tc_span(job.noise, sizeof(job.noise)), job.room,
							   &len) == TC_TOO_LARGE;
}

/* How many bytes of the stack are not as they were before: zero. */
TAP_UNUSED static size_t
bytes_left(bool alone)
{
	uint8_t    *stack = calloc(1, STACK_SIZE);
	stack_t		alternate = {.ss_sp = stack, .ss_size = STACK_SIZE};
	struct sigaction action = {.sa_handler = run_job, .sa_flags = SA_ONSTACK};
	size_t		left = 0;

	if (stack == NULL || sigaltstack(&alternate, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0)
		bail("no stack");
	job.alone = alone;
	raise(SIGUSR1);
	if (!job.good || job.top <= (uintptr_t) stack + LOOK_BELOW ||
		job.top >= (uintptr_t) stack + STACK_SIZE)
		bail("the job did not run on its stack");
	for (const uint8_t *byte = (const uint8_t *) job.top - LOOK_BELOW; byte < (const uint8_t *) job.top - FRAMES; byte++)
		left += *byte != 0;
	alternate.ss_flags = SS_DISABLE;
	if (sigaltstack(&alternate, NULL) != 0)
		bail("the stack stays");
	free(stack);
	return left;
}

static void
test_stack(void)
{
#ifdef __SANITIZE_ADDRESS__
	skip("LZ4's table on the stack", "a sanitizer uses the stack, too");
#else
	size_t		left;

	fill(job.noise, sizeof(job.noise), 3);
	ok(bytes_left(true) > 400, "control: LZ4 alone leaves its table on the stack");
	left = bytes_left(false);
	if (!ok(left <= 32, "we leave nothing there but addresses of the wiping itself"))
		printf("# %zu bytes\n", left);
#endif
}

int
main(void)
{
	write_text();
	test_stack();
	test_round_trips();
	test_not_worth_it();
	test_refused();
	test_known();
	return done();
}
