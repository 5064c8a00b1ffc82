/*-------------------------------------------------------------------------
 *
 * secretmem.c
 *	  Secret memory, of both kinds.
 *
 * Goal of this test:
 * - It comes zeroed, is shared or private across fork as asked, and private
 *   memory is gone from a child.
 * - memfd_secret memory cannot be read through /proc.
 * - Where it cannot be locked there is an error, never unlocked memory.
 *
 * test/unit/secretmem.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "secretmem.h"
#include "tap.h"

#define LEN 10000				/* no whole number of pages */

/* Sanitizers put an mlock() that does nothing in place of the real one. */
#if defined(__SANITIZE_ADDRESS__)
#define MLOCK_WORKS false
#elif defined(__has_feature)
#define MLOCK_WORKS (!__has_feature(address_sanitizer))
#else
#define MLOCK_WORKS true
#endif
#define WHY_NOT "the sanitizer has no mlock()"

typedef int (*InChild) (uint8_t *memory);

/* Run a function in a child; its exit code, or minus the signal. */
static int
in_child(InChild function, uint8_t *memory)
{
	int			status;
	pid_t		pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
	{
		/* A sanitizer would turn the fault into a report. */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		_exit(function(memory));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		bail("no child");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int
write_in_child(uint8_t *memory)
{
	memory[0] = 0x5A;
	memory[LEN - 1] = 0xA5;
	return 0;
}

static int
read_in_child(uint8_t *memory)
{
	return ((volatile uint8_t *) memory)[0] == 0x33 ? 0 : 1;
}

/* 0 if /proc/self/mem gives this memory, 1 if not. */
static int
read_through_proc(uint8_t *memory)
{
	uint8_t		bytes[16];
	int			fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ssize_t		got;

	if (fd < 0)
		return 2;
	got = pread(fd, bytes, sizeof(bytes), (off_t) (uintptr_t) memory);
	close(fd);
	return got == (ssize_t) sizeof(bytes) ? 0 : 1;
}

/* The flags of a mapping as /proc/self/smaps tells them. */
static bool
has_vm_flag(const void *memory, const char *flag)
{
	char		line[512];
	unsigned long from;
	unsigned long to;
	bool		here = false;
	bool		found = false;
	FILE	   *smaps = fopen("/proc/self/smaps", "re");

	if (smaps == NULL)
		bail("no /proc/self/smaps");
	while (fgets(line, sizeof(line), smaps) != NULL)
	{
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = from <= (uintptr_t) memory && (uintptr_t) memory < to;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	fclose(smaps);
	return found;
}

static void
test_kind(bool no_memfd, TcSecretKind expected, const char *name)
{
	TcSecretKind kind = TC_SECRET_NONE;
	void	   *memory = NULL;
	uint8_t    *bytes;

	tc_secret_no_memfd = no_memfd;
	if (!ok(tc_secret_map(LEN, false, &memory, &kind) == TC_OK, "%s: private memory", name))
		return;
	bytes = memory;
	ok(kind == expected, "%s: it is of this kind", name);
	ok(all_zero(bytes, LEN), "%s: it is zeroed", name);
	bytes[0] = 0x33;
	ok(has_vm_flag(memory, " dd"), "%s: it is left out of core dumps", name);
	ok(has_vm_flag(memory, " dc"), "%s: it is not copied on fork", name);
	if (MLOCK_WORKS || expected == TC_SECRET_MEMFD)
		ok(has_vm_flag(memory, " lo"), "%s: it is locked", name);
	else
		skip("locked: it is locked", WHY_NOT);
	ok(in_child(read_in_child, memory) == -SIGSEGV, "%s: a child that touches it faults", name);
	if (expected == TC_SECRET_MEMFD)
		ok(read_through_proc(memory) == 1, "%s: /proc/self/mem does not give it", name);
	else
		ok(read_through_proc(memory) == 0, "%s: (control: /proc/self/mem gives it)", name);
	tc_secret_unmap(memory, LEN);
	ok(mincore((void *) ((uintptr_t) memory & ~4095ul), 4096, (unsigned char[1]) {0}) != 0 &&
	   errno == ENOMEM, "%s: it is gone once unmapped", name);

	if (!ok(tc_secret_map(LEN, true, &memory, &kind) == TC_OK && kind == expected,
			"%s: shared memory", name))
		return;
	bytes = memory;
	ok(all_zero(bytes, LEN), "%s: it is zeroed", name);
	ok(has_vm_flag(memory, " dd"), "%s: it is left out of core dumps", name);
	ok(in_child(write_in_child, memory) == 0 && bytes[0] == 0x5A && bytes[LEN - 1] == 0xA5,
	   "%s: a child writes to the same pages", name);
	tc_secret_unmap(memory, LEN);
}

/* Whether a mapping as a user with a limit fails as it must. */
static int
map_with_limit(uint8_t *no_memfd)
{
	struct rlimit limit = {4096, 4096};
	TcSecretKind kind = TC_SECRET_NONE;
	void	   *memory = NULL;

	tc_secret_no_memfd = no_memfd != NULL;
	if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return 2;
	/* Root may lock as much as it likes. */
	if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		return 3;
	errno = 0;
	if (tc_secret_map(65536, true, &memory, &kind) != TC_SYSTEM)
		return 4;
	if (errno != EAGAIN && errno != ENOMEM && errno != EPERM)
		return 5;
	if (memory != NULL || kind != TC_SECRET_NONE)
		return 6;
	/* What fits is had. */
	return tc_secret_map(1, true, &memory, &kind) == TC_OK ? 0 : 7;
}

static void
test_limit(bool no_memfd, const char *what)
{
	uint8_t		yes = 1;

	if (MLOCK_WORKS)
		ok(in_child(map_with_limit, no_memfd ? &yes : NULL) == 0, "%s", what);
	else
		skip(what, WHY_NOT);
}

static int
harden(uint8_t *memory)
{
	struct rlimit limit;

	(void) memory;
	if (tc_secret_harden() != TC_OK)
		return 1;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 2;
	if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 || limit.rlim_max != 0)
		return 3;
	return 0;
}

int
main(void)
{
	TcSecretKind kind = TC_SECRET_NONE;
	void	   *memory = NULL;

	if (tc_secret_map(1, false, &memory, &kind) != TC_OK)
		bail("no secret memory at all");
	tc_secret_unmap(memory, 1);
	if (kind == TC_SECRET_MEMFD)
	{
		test_kind(false, TC_SECRET_MEMFD, "memfd_secret");
		test_limit(false, "memfd_secret: over the limit on locked memory it is an error");
	}
	else
		skip("memfd_secret", "this kernel does not have it");
	test_kind(true, TC_SECRET_LOCKED, "locked");
	test_limit(true, "locked: over the limit on locked memory it is an error");

	tc_secret_no_memfd = false;
	errno = 0;
	ok(tc_secret_map(0, false, &memory, &kind) == TC_SYSTEM && errno == EINVAL,
	   "no bytes are no memory");
	ok(tc_secret_map(SIZE_MAX, false, &memory, &kind) == TC_SYSTEM,
	   "a length that cannot be is refused");
	tc_secret_unmap(NULL, LEN);
	ok(true, "unmapping nothing is harmless");
	ok(in_child(harden, NULL) == 0, "a hardened process does not dump core");
	return done();
}
