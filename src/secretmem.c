/*-------------------------------------------------------------------------
 *
 * secretmem.c
 *	  Memory for keys.  The contract is in secretmem.h.
 *
 * src/secretmem.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sodium.h>

#include "secretmem.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447	/* one number on every architecture */
#endif

bool		tc_secret_no_memfd = false;

/* Round up to whole pages; 0 if there is no such length. */
static size_t
whole_pages(size_t len)
{
	size_t		page = (size_t) sysconf(_SC_PAGESIZE);

	if (len == 0 || len > SIZE_MAX / 2)
		return 0;
	return (len + page - 1) / page * page;
}

/*
 * Map secret memory.  A kernel may know the system call and still refuse the
 * mapping (RLIMIT_MEMLOCK), so only a mapping counts.
 */
static void *
map_memfd(size_t len)
{
	void	   *memory = MAP_FAILED;
	int			fd;

	fd = (int) syscall(SYS_memfd_secret, O_CLOEXEC);
	if (fd < 0)
		return MAP_FAILED;
	if (ftruncate(fd, (off_t) len) == 0)
		memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (close(fd) != 0 && memory != MAP_FAILED)
	{
		(void) munmap(memory, len);
		return MAP_FAILED;
	}
	return memory;
}

static void *
map_anonymous(size_t len, bool shared)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE,
				MAP_ANONYMOUS | (shared ? MAP_SHARED : MAP_PRIVATE), -1, 0);
}

/* Leave a mapping out of dumps and, unless shared, out of children. */
static bool
shield(void *memory, size_t len, bool shared)
{
	return madvise(memory, len, MADV_DONTDUMP) == 0 &&
		(shared || madvise(memory, len, MADV_DONTFORK) == 0);
}

/*
 * Write to each page now.  Secret memory is locked but not populated, and a
 * page that cannot be had shall fail here rather than in the midst of work.
 */
static void
touch(void *memory, size_t len)
{
	volatile uint8_t *bytes = memory;
	size_t		page = (size_t) sysconf(_SC_PAGESIZE);

	for (size_t at = 0; at < len; at += page)
		bytes[at] = 0;
}

TcResult
tc_secret_map(size_t len, bool shared, void **ret_memory,
			  TcSecretKind *ret_kind)
{
	TcSecretKind kind = TC_SECRET_MEMFD;
	void	   *memory = MAP_FAILED;
	int			save_errno;

	len = whole_pages(len);
	if (len == 0)
	{
		errno = EINVAL;
		return TC_SYSTEM;
	}

	if (!tc_secret_no_memfd)
		memory = map_memfd(len);
	if (memory == MAP_FAILED)
	{
		kind = TC_SECRET_LOCKED;
		memory = map_anonymous(len, shared);
	}
	if (memory == MAP_FAILED)
		return TC_SYSTEM;

	if (!shield(memory, len, shared) ||
		(kind == TC_SECRET_LOCKED && mlock(memory, len) != 0))
	{
		save_errno = errno;
		(void) munmap(memory, len);
		errno = save_errno;
		return TC_SYSTEM;
	}
	touch(memory, len);

	*ret_memory = memory;
	*ret_kind = kind;
	return TC_OK;
}

void
tc_secret_unmap(void *memory, size_t len)
{
	if (memory == NULL)
		return;
	len = whole_pages(len);
	sodium_memzero(memory, len);
	/* Can only fail for a range that was never mapped. */
	(void) munmap(memory, len);
}

TcResult
tc_secret_harden(void)
{
	struct rlimit none = {0, 0};

	/*
	 * The limit alone does not hold where cores go to a pipe; the flag alone
	 * is lost by exec.
	 */
	if (setrlimit(RLIMIT_CORE, &none) != 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return TC_SYSTEM;
	return TC_OK;
}
