/*-------------------------------------------------------------------------
 *
 * nonce_runs.c
 *	  When a nonce is drawn, when counted, and that none comes twice.
 *
 * getrandom(2) is replaced by one that counts, and can be told to be
 * interrupted, to give little, to fail, or to give certain bytes.
 *
 * test/unit/nonce_runs.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "nonce.h"
#include "tap.h"

#define CHILDREN	8
#define PER_CHILD	20000
#define ALL_TAKES	2000000

static size_t nonce_len;		/* of the algorithm */
static int	draws;				/* calls that gave all that was asked for */
static int	interruptions;		/* to come */
static bool failing;
static size_t at_most = SIZE_MAX;	/* bytes per call */
static const uint8_t *given;	/* bytes to give instead */

ssize_t
getrandom(void *bytes, size_t len, unsigned int flags)
{
	size_t		n = len < at_most ? len : at_most;

	if (failing)
	{
		errno = ENOSYS;
		return -1;
	}
	if (interruptions > 0)
	{
		interruptions--;
		errno = EINTR;
		return -1;
	}
	draws += n == len;
	if (given == NULL)
		return syscall(SYS_getrandom, bytes, n, flags);
	memcpy(bytes, given, n);
	given += n;
	return (ssize_t) n;
}

static TcNonceEpoch
some_epoch(void)
{
	TcNonceEpoch epoch = {(uint32_t) getpid(), 1, 2, 3};

	return epoch;
}

static void
take(TcNonceRun *run, const TcNonceEpoch *epoch, size_t len, uint8_t *ret_nonce)
{
	if (tc_nonce_take(run, epoch, len, nonce_len, ret_nonce) != TC_OK)
		bail("no nonce");
}

/* Whether taking a nonce now would draw; it is taken. */
static bool
would_draw(TcNonceRun *run, const TcNonceEpoch *epoch, size_t len)
{
	uint8_t		nonce[TC_NONCE_MAX];
	int			before = draws;

	take(run, epoch, len, nonce);
	return draws != before;
}

static uint64_t
counter_of(const uint8_t *nonce)
{
	TcReader	reader = tc_reader(tc_span(nonce + nonce_len - 8, 8));

	return tc_read_uint(&reader, 8);
}

static void
test_one_run(void)
{
	TcNonceRun	run = {0};
	TcNonceEpoch epoch = some_epoch();
	uint8_t		first[TC_NONCE_MAX];
	uint8_t		nonce[TC_NONCE_MAX];
	size_t		wrong = 0;

	draws = 0;
	take(&run, &epoch, 10, first);
	ok(draws == 1, "the first value draws once");
	for (uint64_t i = 1; i < TC_RUN_VALUES_MAX; i++)
	{
		take(&run, &epoch, 10, nonce);
		wrong += memcmp(nonce, first, nonce_len - 8) != 0 || counter_of(nonce) != counter_of(first) + i;
	}
	ok(draws == 1 && wrong == 0, "1023 more count on under the same salt");
	take(&run, &epoch, 10, nonce);
	ok(draws == 2 && memcmp(nonce, first, nonce_len - 8) != 0, "the next one draws, and has another salt");
}

static void
test_counting(void)
{
	uint8_t		bytes[TC_NONCE_MAX];
	uint8_t		expected[TC_NONCE_MAX];
	size_t		at = nonce_len - 8;
	TcNonceRun	run = {0};
	TcNonceEpoch epoch = some_epoch();
	uint8_t		nonce[TC_NONCE_MAX];

	fill(bytes, sizeof(bytes), 5);
	memset(bytes + at, 0xFF, 8);
	bytes[at] = 0xFE;
	memcpy(expected, bytes, sizeof(expected));
	given = bytes;
	take(&run, &epoch, 0, nonce);
	given = NULL;
	expected[at] = 0xFF;
	is_bytes(nonce, expected, nonce_len, "the counter moves before the first use");
	take(&run, &epoch, 0, nonce);
	memset(expected + at, 0, 8);
	is_bytes(nonce, expected, nonce_len, "it wraps to 0, and the salt stays");
	take(&run, &epoch, 0, nonce);
	expected[at] = 1;
	is_bytes(nonce, expected, nonce_len, "and goes on");

	memset(&run, 0, sizeof(run));
	bytes[at] = 0xFF;
	bytes[at + 1] = 0x00;
	given = bytes;
	take(&run, &epoch, 0, nonce);
	given = NULL;
	bytes[at] = 0x00;
	bytes[at + 1] = 0x01;
	is_bytes(nonce, bytes, nonce_len, "it is little-endian");
}

static void
test_epochs(void)
{
	TcNonceRun	run = {0};
	TcNonceEpoch epoch = some_epoch();

	ok(would_draw(&run, &epoch, 1) && !would_draw(&run, &epoch, 1), "a run goes on in its epoch");
	epoch.pid++;
	ok(would_draw(&run, &epoch, 1) && !would_draw(&run, &epoch, 1), "another process draws");
	epoch.xact++;
	ok(would_draw(&run, &epoch, 1) && !would_draw(&run, &epoch, 1), "another transaction draws");
	epoch.statement++;
	ok(would_draw(&run, &epoch, 1) && !would_draw(&run, &epoch, 1), "another statement draws");
	epoch.generation += UINT64_C(1) << 32;
	ok(would_draw(&run, &epoch, 1) && !would_draw(&run, &epoch, 1), "another generation draws");
	epoch.generation -= UINT64_C(1) << 32;
	ok(would_draw(&run, &epoch, 1), "going back draws too");
	memset(&epoch, 0, sizeof(epoch));
	memset(&run, 0, sizeof(run));
	ok(would_draw(&run, &epoch, 1), "a zeroed run draws in a zero epoch");
}

static void
test_sizes(void)
{
	TcNonceRun	run = {0};
	TcNonceEpoch epoch = some_epoch();

	(void) would_draw(&run, &epoch, 0);
	ok(!would_draw(&run, &epoch, TC_RUN_SOLO_BYTES - 1), "a value below 64 KiB stays in the run");
	ok(would_draw(&run, &epoch, TC_RUN_SOLO_BYTES), "one of 64 KiB draws");
	ok(would_draw(&run, &epoch, 1), "and the small one after it too");
	ok(!would_draw(&run, &epoch, 1), "which starts a run");
	ok(would_draw(&run, &epoch, SIZE_MAX), "one of SIZE_MAX draws");
	ok(would_draw(&run, &epoch, SIZE_MAX), "and so does the next of them");
	ok(would_draw(&run, &epoch, 0), "the empty one after it too");

	run.bytes = TC_RUN_BYTES_MAX - 10;
	ok(!would_draw(&run, &epoch, 10), "a run goes on up to 1 GiB");
	ok(!would_draw(&run, &epoch, 0), "an empty value adds nothing to it");
	ok(would_draw(&run, &epoch, 1), "one byte more draws");
	run.bytes = UINT64_MAX;
	ok(would_draw(&run, &epoch, 0), "a count beyond all bounds draws");
	ok(run.bytes == 0 && run.values == 1, "and is gone");
}

/* A nonce is drawn whole, whatever its length, and no run has two lengths. */
static void
test_lengths(void)
{
	static const size_t lengths[] = {24, 32, 24};
	TcNonceRun	run = {0};
	TcNonceEpoch epoch = some_epoch();
	uint8_t		bytes[TC_NONCE_MAX];
	uint8_t		nonce[TC_NONCE_MAX + 1];

	fill(bytes, sizeof(bytes), 1);
	for (int i = 0; i < 3; i++)
	{
		nonce_len = lengths[i];
		bytes[nonce_len - 8] = 7;
		given = bytes;
		nonce[nonce_len] = 0x55;
		take(&run, &epoch, 1, nonce);
		ok(given == bytes + nonce_len && nonce[nonce_len] == 0x55, "%zu bytes are drawn, into as many", nonce_len);
		given = NULL;
		bytes[nonce_len - 8]++;
		is_bytes(nonce, bytes, nonce_len, "and counted at the end");
	}
}

static void
test_kernel(void)
{
	TcNonceRun	run = {0};
	TcNonceEpoch epoch = some_epoch();
	uint8_t		nonce[TC_NONCE_MAX] = {7};
	uint8_t		bytes[1000];
	uint8_t		random[1000];

	(void) would_draw(&run, &epoch, 1);
	failing = true;
	epoch.xact++;
	ok(tc_nonce_take(&run, &epoch, 1, nonce_len, nonce) == TC_SYSTEM && errno == ENOSYS, "a kernel that fails is reported");
	ok(nonce[0] == 7 && all_zero((uint8_t *) &run, sizeof(run)), "no nonce is given, and the old run is over");
	epoch.xact--;
	is_result(tc_nonce_take(&run, &epoch, 1, nonce_len, nonce), TC_SYSTEM, "also when its epoch comes back");
	failing = false;
	ok(would_draw(&run, &epoch, 1), "later it draws");

	interruptions = 3;
	memset(random, 0, sizeof(random));
	ok(tc_random(random, sizeof(random)) == TC_OK && interruptions == 0, "interrupted drawings are repeated");
	fill(bytes, sizeof(bytes), 9);
	given = bytes;
	at_most = 7;
	interruptions = 1;
	ok(tc_random(random, sizeof(random)) == TC_OK && memcmp(random, bytes, sizeof(bytes)) == 0,
	   "short ones are continued where they stopped");
	given = NULL;
	at_most = SIZE_MAX;
	failing = true;
	is_result(tc_random(NULL, 0), TC_OK, "nothing needs no kernel");
	failing = false;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, nonce_len);
}

static size_t
duplicates(uint8_t *nonces, size_t n)
{
	size_t		found = 0;

	qsort(nonces, n, nonce_len, compare);
	for (size_t i = 1; i < n; i++)
		found += compare(nonces + (i - 1) * nonce_len, nonces + i * nonce_len) == 0;
	return found;
}

static void
test_many(void)
{
	uint8_t    *nonces = malloc((size_t) ALL_TAKES * nonce_len);
	TcNonceRun	run = {0};
	TcNonceEpoch epoch = some_epoch();

	if (nonces == NULL)
		bail("out of memory");
	draws = 0;
	for (size_t i = 0; i < ALL_TAKES; i++)
		take(&run, &epoch, i % 200, nonces + i * nonce_len);
	is_count((size_t) draws, (ALL_TAKES + TC_RUN_VALUES_MAX - 1) / TC_RUN_VALUES_MAX,
			 "2,000,000 values draw once per 1024");
	is_count(duplicates(nonces, ALL_TAKES), 0, "and no nonce comes twice");

	draws = 0;
	for (size_t i = 0; i < ALL_TAKES / 10; i++)
	{
		epoch.statement += i % 5 == 0;
		epoch.xact += i % 25 == 0;
		take(&run, &epoch, i % 7919 == 0 ? TC_RUN_SOLO_BYTES : 10, nonces + i * nonce_len);
	}
	ok(draws >= ALL_TAKES / 50, "a statement for every 5 values draws for each");
	is_count(duplicates(nonces, ALL_TAKES / 10), 0, "and no nonce comes twice");
	free(nonces);
}

/* Children go on with the parent's run; with_pid as the epoch demands. */
static size_t
duplicates_of_children(bool with_pid)
{
	size_t		all = (size_t) (CHILDREN + 1) * PER_CHILD;
	uint8_t    *nonces = malloc(all * nonce_len);
	size_t		share = (size_t) PER_CHILD * nonce_len;
	TcNonceRun	run = {0};
	TcNonceEpoch epoch = some_epoch();
	int			pipes[CHILDREN][2];
	size_t		found;

	if (nonces == NULL)
		bail("out of memory");
	(void) would_draw(&run, &epoch, 10);
	for (int child = 0; child <= CHILDREN; child++)
	{
		uint8_t    *mine = nonces + (size_t) child * share;
		pid_t		pid = -1;

		if (child < CHILDREN && (pipe(pipes[child]) != 0 || (pid = fork()) < 0))
			bail("no child");
		if (pid > 0)
			continue;
		if (child < CHILDREN && with_pid)
			epoch.pid = (uint32_t) getpid();
		for (size_t i = 0; i < PER_CHILD; i++)
			take(&run, &epoch, 10, mine + i * nonce_len);
		if (child == CHILDREN)
			break;
		for (size_t sent = 0; sent < share;)
		{
			ssize_t		n = write(pipes[child][1], mine + sent, share - sent);

			if (n <= 0)
				_exit(1);
			sent += (size_t) n;
		}
		_exit(0);
	}
	for (int child = 0; child < CHILDREN; child++)
	{
		close(pipes[child][1]);
		for (size_t got = 0; got < share;)
		{
			ssize_t		n = read(pipes[child][0], nonces + (size_t) child * share + got, share - got);

			if (n <= 0)
				bail("a child died");
			got += (size_t) n;
		}
		close(pipes[child][0]);
		if (wait(NULL) < 0)
			bail("a child is gone");
	}
	found = duplicates(nonces, all);
	free(nonces);
	return found;
}

int
main(void)
{
	static const size_t lengths[] = {24, 32};

	for (int i = 0; i < 2; i++)
	{
		nonce_len = lengths[i];
		printf("# nonces of %zu bytes\n", nonce_len);
		test_one_run();
		test_counting();
		test_epochs();
		test_sizes();
		test_kernel();
		test_many();
		is_count(duplicates_of_children(true), 0, "8 forked children and their parent never share a nonce");
		ok(duplicates_of_children(false) > 0, "without the pid in the epoch they would, and this test would see it");
	}
	test_lengths();
	return done();
}
