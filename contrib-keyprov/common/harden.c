/*-------------------------------------------------------------------------
 *
 * harden.c
 *	  Keep secrets out of all places but the memory of this process.
 *
 * contrib-keyprov/common/harden.c
 *
 *-------------------------------------------------------------------------
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* for MCL_ONFAULT */
#endif

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harden.h"

/* LeakSanitizer attaches to its own process, which must then be dumpable. */
#if defined(__SANITIZE_ADDRESS__)
#define DUMPABLE	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DUMPABLE	1
#endif
#endif
#ifndef DUMPABLE
#define DUMPABLE	0
#endif

/*
 * Lock what memory there is and will be, if the limits allow.
 *
 * At a finite limit the wish for "will be" makes allocations fail later on.
 * Locking is a second line of defence only, and must not cost the key; so
 * see whether there is ample room, and else keep to what is mapped now.
 */
static void
lock_memory(void)
{
	const size_t ample = 16 * 1024 * 1024;
	void	   *probe;

	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
		return;
	probe = mmap(NULL, ample, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (probe != MAP_FAILED)
	{
		(void) munmap(probe, ample);
		return;
	}
	(void) munlockall();
	(void) mlockall(MCL_CURRENT | MCL_ONFAULT);
}

static bool
have_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
	{
		if (fcntl(fd, F_GETFD) < 0)
			return false;
	}
	return true;
}

TcExit
tc_harden_process(TcReason *reterr_reason)
{
	const struct rlimit no_core = {0, 0};

	if (!have_descriptors())
		return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"standard input, output or error is closed");
	if (setrlimit(RLIMIT_CORE, &no_core) != 0 ||
		prctl(PR_SET_DUMPABLE, DUMPABLE, 0, 0, 0) != 0 ||
		signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
		clearenv() != 0)
		return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"could not protect the process: %s", strerror(errno));
	lock_memory();
	return TC_EXIT_OK;
}
