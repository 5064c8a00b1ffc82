/*-------------------------------------------------------------------------
 *
 * keyprov_orphans.c
 *	  What a key provider leaves running.  The contract is in
 *	  keyprov_orphans.h.
 *
 * src/keyprov_orphans.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keyprov_orphans.h"

#define NAP_MS			5
#define TURNS_MAX		(TC_KEYPROV_LINGER_MS / NAP_MS)
#define LIST_MAX		128		/* children looked at in one turn */
#define NUMBER_MAX		12		/* digits of a process id, and a blank */

/*
 * List children, dead ones that nobody has reaped included.  Answers how many,
 * at most "max" of them, or -1.  Orphans come to the main thread.
 */
static int
list_children(pid_t *ret_pids, int max)
{
	char		path[64];
	char		text[LIST_MAX * NUMBER_MAX];
	ssize_t		len;
	pid_t		pid = 0;
	int			n = 0;
	int			fd;

	/* plain numbers: glibc takes no lock and no memory for that */
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int) getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text));
	(void) close(fd);

	/* Each number ends with a blank: one that was cut off does not count. */
	for (ssize_t i = 0; i < len && n < max; i++)
	{
		if (text[i] >= '0' && text[i] <= '9')
			pid = pid * 10 + (text[i] - '0');
		else
		{
			ret_pids[n++] = pid;
			pid = 0;
		}
	}
	return len < 0 ? -1 : n;
}

void
tc_keyprov_note_children(TcProviderRun *run)
{
	pid_t		pids[TC_KEYPROV_OTHERS_MAX + 1];
	int			n = list_children(pids, TC_KEYPROV_OTHERS_MAX + 1);

	if (n < 0 || n > TC_KEYPROV_OTHERS_MAX ||
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
	{
		run->nothers = -1;
		return;
	}
	memcpy(run->others, pids, (size_t) n * sizeof(pid_t));
	run->nothers = n;
}

static bool
is_other(const TcProviderRun *run, pid_t pid)
{
	for (int i = 0; i < run->nothers; i++)
	{
		if (run->others[i] == pid)
			return true;
	}
	return false;
}

/*
 * Each that dies hands us its own children, so look until there are none.  A
 * number cannot be another process's by then: we have not reaped it.
 */
void
tc_keyprov_end_orphans(const TcProviderRun *run)
{
	static const struct timespec nap = {0, NAP_MS * 1000000L};

	if (run->nothers < 0)
		return;
	for (int turn = 0; turn < TURNS_MAX; turn++)
	{
		pid_t		pids[LIST_MAX];
		int			n = list_children(pids, LIST_MAX);
		bool		found = false;

		for (int i = 0; i < n; i++)
		{
			if (is_other(run, pids[i]))
				continue;
			found = true;
			(void) kill(pids[i], SIGKILL);
			(void) waitpid(pids[i], NULL, WNOHANG);
		}
		if (!found)
			return;
		(void) nanosleep(&nap, NULL);
	}
}
