/*-------------------------------------------------------------------------
 *
 * keyprov.c
 *	  Run a key provider program.  The contract is in keyprov.h; how a run
 *	  is launched is in keyprov_launch.c.
 *
 * src/keyprov.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "keyprov_orphans.h"

#define CHUNK_BYTES		4096
#define TURNS_MAX		16		/* a flood cannot hold progress for long */
#define NAP_MS			5

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void) close(*fd);
	*fd = -1;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return INT64_MAX;		/* every deadline has passed */
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether a read or write shall simply be tried again later. */
static bool
would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK;
}

/*
 * Write without ever raising SIGPIPE: blocked for the time of the call, and
 * taken back if the call made it pending.
 */
static ssize_t
write_quietly(int fd, const uint8_t *bytes, size_t len)
{
	static const struct timespec at_once = {0, 0};
	sigset_t	sigpipe;
	sigset_t	pending;
	sigset_t	before;
	bool		was_pending;
	ssize_t		put;
	int			save_errno;

	(void) sigemptyset(&sigpipe);
	(void) sigaddset(&sigpipe, SIGPIPE);
	was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
	errno = pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
	if (errno != 0)
		return -1;

	put = write(fd, bytes, len);
	save_errno = errno;
	if (put < 0 && save_errno == EPIPE && !was_pending)
		while (sigtimedwait(&sigpipe, NULL, &at_once) < 0 && errno == EINTR)
			;
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = save_errno;
	return put;
}

/* Feed what the pipe takes; close it when all is fed, or nobody reads. */
static void
feed(TcProviderRun *run)
{
	while (run->in >= 0 && run->fed < run->input_len)
	{
		ssize_t		put = write_quietly(run->in, run->input + run->fed,
										run->input_len - run->fed);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && would_block())
			return;
		if (put < 0)
			break;				/* a provider need not read its input */
		run->fed += (size_t) put;
	}
	if (run->in >= 0)
	{
		close_fd(&run->in);
		sodium_memzero(run->input, sizeof(run->input));
	}
}

static void
drain_output(TcProviderRun *run)
{
	for (int turn = 0; run->out >= 0 && turn < TURNS_MAX; turn++)
	{
		size_t		room = sizeof(run->output) - run->output_len;
		uint8_t		excess = 0;
		ssize_t		got;

		/* Once the buffer is full, only the end of the output may follow. */
		if (room > 0)
			got = read(run->out, run->output + run->output_len, room);
		else
			got = read(run->out, &excess, 1);
		sodium_memzero(&excess, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && would_block())
			return;
		if (got == 0)
			close_fd(&run->out);
		else if (got < 0 || room == 0)
		{
			run->overflowed = true;
			close_fd(&run->out);
		}
		else
			run->output_len += (size_t) got;
	}
}

/* Keep the first line that is not empty, as far as it fits. */
static void
keep_reason(TcProviderRun *run, const char *text, size_t len)
{
	for (size_t i = 0; i < len && !run->reason_ended; i++)
	{
		char		c = text[i];

		if (c == '\n')
			run->reason_ended = run->reason_len > 0;
		else if (run->reason_len < TC_KEYPROV_REASON_MAX)
			run->reason[run->reason_len++] = c < 0x20 || c > 0x7E ? '?' : c;
	}
}

static void
drain_reason(TcProviderRun *run)
{
	for (int turn = 0; run->err >= 0 && turn < TURNS_MAX; turn++)
	{
		char		chunk[CHUNK_BYTES];
		ssize_t		got = read(run->err, chunk, sizeof(chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && would_block())
			return;
		if (got <= 0)
			close_fd(&run->err);
		else
			keep_reason(run, chunk, (size_t) got);
	}
}

bool
tc_keyprov_progress(TcProviderRun *run)
{
	feed(run);
	drain_output(run);
	drain_reason(run);
	return run->overflowed || (run->out < 0 && run->err < 0);
}

/* Give a reason where the provider gave none. */
static void __attribute__((format(printf, 2, 3)))
explain(TcProviderRun *run, const char *format,...)
{
	va_list		args;
	int			len;

	if (run->reason_len > 0)
		return;
	va_start(args, format);
	len = vsnprintf(run->reason, sizeof(run->reason), format, args);
	va_end(args);
	run->reason_len = len < 0 ? 0 : strnlen(run->reason, TC_KEYPROV_REASON_MAX);
}

/*
 * Wait for the child to exit, but leave it unreaped: as long as it is a
 * zombie, nobody else can get its process group.  False if it stays.
 */
static bool
wait_exited(pid_t pid)
{
	static const struct timespec nap = {0, NAP_MS * 1000000L};
	int64_t		deadline = now_ms() + TC_KEYPROV_LINGER_MS;

	for (;;)
	{
		siginfo_t	info = {0};

		if (waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		{
			if (info.si_pid == pid)
				return true;
		}
		else if (errno != EINTR)
			return false;
		if (now_ms() >= deadline)
			return false;
		(void) nanosleep(&nap, NULL);
	}
}

/*
 * Kill the group and reap the child.  A child that does not even die (stuck
 * in a driver) is left to whoever inherits it when this process ends.  How
 * one ended that was overdue is no news: we ended it.
 */
static int
kill_and_reap(TcProviderRun *run, bool overdue)
{
	int			status = 0;
	int			code;

	(void) kill(-run->pid, SIGKILL);
	(void) kill(run->pid, SIGKILL);
	if (!wait_exited(run->pid) ||
		waitpid(run->pid, &status, WNOHANG) != run->pid)
	{
		explain(run, "could not be ended");
		return overdue ? TC_EXIT_UNAVAILABLE : TC_EXIT_INTERNAL;
	}
	if (overdue)
		return TC_EXIT_UNAVAILABLE;
	if (!WIFEXITED(status))
	{
		explain(run, "was ended by signal %d", WTERMSIG(status));
		return TC_EXIT_INTERNAL;
	}

	code = WEXITSTATUS(status);
	switch (code)
	{
		case TC_EXIT_OK:
		case TC_EXIT_UNAVAILABLE:
		case TC_EXIT_BUSY:
		case TC_EXIT_WRONG_MACHINE:
		case TC_EXIT_WRONG_POLICY:
		case TC_EXIT_DAMAGED:
		case TC_EXIT_DENIED:
		case TC_EXIT_USAGE:
			return code;
		default:
			return TC_EXIT_INTERNAL;
	}
}

int
tc_keyprov_end(TcProviderRun *run, bool was_done)
{
	int			code = TC_EXIT_INTERNAL;

	close_fd(&run->in);
	close_fd(&run->out);
	close_fd(&run->err);
	sodium_memzero(run->input, sizeof(run->input));

	if (run->overflowed)
		explain(run, "wrote more than a provider may");
	if (run->pid > 0)
	{
		/* What it exits with matters, if it is about to. */
		if (was_done && !run->overflowed)
			(void) wait_exited(run->pid);
		code = kill_and_reap(run, !was_done);
		tc_keyprov_end_orphans(run);
		run->pid = 0;
	}

	if (run->overflowed)
		code = TC_EXIT_INTERNAL;
	if (code != TC_EXIT_OK)
	{
		sodium_memzero(run->output, sizeof(run->output));
		run->output_len = 0;
	}
	return code;
}

/* What this calls may be called in a signal handler. */
void
tc_keyprov_kill(const TcProviderRun *run)
{
	if (run->pid <= 0)
		return;
	(void) kill(-run->pid, SIGKILL);
	tc_keyprov_end_orphans(run);
}

void
tc_keyprov_wipe(TcProviderRun *run)
{
	sodium_memzero(run->input, sizeof(run->input));
	sodium_memzero(run->output, sizeof(run->output));
	run->input_len = run->fed = run->output_len = 0;
}

int
tc_keyprov_run(TcProviderRun *run, const char *path, const char *verb,
			   const char *const *args, TcSpan input, int deadline_ms)
{
	int64_t		deadline = now_ms() + deadline_ms;
	bool		done;
	int			code;

	if (tc_keyprov_start(run, path, verb, args, input) != TC_OK)
	{
		explain(run, "could not be started: %s", strerror(errno));
		return TC_EXIT_INTERNAL;
	}

	while (!(done = tc_keyprov_progress(run)))
	{
		struct pollfd fds[3] = {{run->in, POLLOUT, 0}, {run->out, POLLIN, 0},
		{run->err, POLLIN, 0}};
		int64_t		left = deadline - now_ms();

		if (left <= 0 || (poll(fds, 3, (int) left) < 0 && errno != EINTR))
			break;
	}
	code = tc_keyprov_end(run, done);
	if (!done)
		explain(run, "did not answer within %d ms", deadline_ms);
	else if (code != TC_EXIT_OK)
		explain(run, "gave no reason");
	return code;
}
