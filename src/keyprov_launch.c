/*-------------------------------------------------------------------------
 *
 * keyprov_launch.c
 *	  Start a key provider program.  The contract is in keyprov.h.
 *
 * src/keyprov_launch.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sodium.h>

#include "keyprov_orphans.h"

#define FD_FALLBACK_MAX (1024 * 1024)	/* descriptors to close one by one */

#ifndef SYS_close_range
#define SYS_close_range 436		/* one number on every architecture */
#endif

/* The pipes of a run: [0] is read, [1] is written. */
typedef struct Pipes
{
	int			in[2];
	int			out[2];
	int			err[2];
} Pipes;

/*
 * What the child needs.  All of it is on the stack or in the caller's
 * ordinary memory: secret memory is not inherited.
 */
typedef struct Launch
{
	const char *path;
	char	   *argv[2 + TC_KEYPROV_ARGS_MAX + 1];
	Pipes		pipes;
	pid_t		parent;
	int			fd_max;
} Launch;

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void) close(*fd);
	*fd = -1;
}

static void
close_pipes(Pipes *pipes)
{
	int			save_errno = errno;

	for (int i = 0; i < 2; i++)
	{
		close_fd(&pipes->in[i]);
		close_fd(&pipes->out[i]);
		close_fd(&pipes->err[i]);
	}
	errno = save_errno;
}

/*
 * Make a pipe with both ends above the standard descriptors, so that dup2
 * onto those never meets an end of another pipe.
 */
static bool
make_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC) != 0)
	{
		fds[0] = fds[1] = -1;
		return false;
	}
	for (int i = 0; i < 2; i++)
	{
		int			moved;

		if (fds[i] > STDERR_FILENO)
			continue;
		moved = fcntl(fds[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (moved < 0)
			return false;
		(void) close(fds[i]);
		fds[i] = moved;
	}
	return true;
}

/* Only our own ends do not block: each end has flags of its own. */
static bool
make_pipes(Pipes *pipes)
{
	memset(pipes, -1, sizeof(*pipes));
	return make_pipe(pipes->in) && make_pipe(pipes->out) &&
		make_pipe(pipes->err) &&
		fcntl(pipes->in[1], F_SETFL, O_NONBLOCK) == 0 &&
		fcntl(pipes->out[0], F_SETFL, O_NONBLOCK) == 0 &&
		fcntl(pipes->err[0], F_SETFL, O_NONBLOCK) == 0;
}

/*
 * The next four run in the child, between fork and exec: nothing but what a
 * signal handler may call, since the parent may have been anywhere.
 */
static void __attribute__((noreturn))
child_fail(const char *why)
{
	ssize_t		put = write(STDERR_FILENO, why, strlen(why));

	(void) put;
	_exit(TC_EXIT_INTERNAL);
}

/*
 * The system call itself, since glibc's sigaction() refuses two signals of its
 * own, which its posix_spawn() leaves ignored in children (make's, say).  All
 * zeros is the default action without flags, in the kernel's own structure.
 */
static void
child_signals(void)
{
	static const uint64_t action[8] = {0};
	sigset_t	none;

	/* Refused for SIGKILL and SIGSTOP, which cannot have been changed. */
	for (int sig = 1; sig < NSIG; sig++)
		(void) syscall(SYS_rt_sigaction, sig, action, NULL, (NSIG - 1) / 8);
	if (sigemptyset(&none) != 0 || sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		child_fail("could not reset signals\n");
}

static void
child_descriptors(const Launch *launch)
{
	if (dup2(launch->pipes.in[0], STDIN_FILENO) < 0 ||
		dup2(launch->pipes.out[1], STDOUT_FILENO) < 0 ||
		dup2(launch->pipes.err[1], STDERR_FILENO) < 0)
		_exit(TC_EXIT_INTERNAL);
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) != 0)
		for (int fd = STDERR_FILENO + 1; fd < launch->fd_max; fd++)
			(void) close(fd);
}

static void __attribute__((noreturn))
child_main(const Launch *launch)
{
	static char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", NULL};

	child_descriptors(launch);
	if (setpgid(0, 0) != 0)
		child_fail("could not have a process group of its own\n");
	child_signals();
	/* The parent may have died before it could be told to us. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
		getppid() != launch->parent)
		child_fail("its parent has gone\n");
	if (chdir("/") != 0)
		child_fail("could not change to the folder /\n");

	(void) execve(launch->path, launch->argv, environment);
	switch (errno)
	{
		case ENOENT:
			child_fail("there is no such program, or its interpreter is missing\n");
		case EACCES:
		case EPERM:
			child_fail("permission to execute the program was denied\n");
		default:
			child_fail("the program could not be executed\n");
	}
}

/* Gather what the child needs, all but the pipes. */
static bool
prepare(Launch *launch, const char *path, const char *verb,
		const char *const *args)
{
	struct rlimit limit;
	int			argc = 0;

	memset(launch, 0, sizeof(*launch));
	if (path[0] != '/')
		return false;
	/* execve changes none of these, whatever its type says. */
	launch->path = path;
	launch->argv[argc++] = (char *) path;
	launch->argv[argc++] = (char *) verb;
	for (int i = 0; args[i] != NULL; i++)
	{
		if (i >= TC_KEYPROV_ARGS_MAX)
			return false;
		launch->argv[argc++] = (char *) args[i];
	}

	launch->parent = getpid();
	launch->fd_max = FD_FALLBACK_MAX;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		limit.rlim_cur < FD_FALLBACK_MAX)
		launch->fd_max = (int) limit.rlim_cur;
	return true;
}

/*
 * Fork with all signals blocked, so that no handler of the parent's ever runs
 * in the child.
 */
static pid_t
launch_child(const Launch *launch)
{
	sigset_t	all;
	sigset_t	before;
	pid_t		pid;
	int			save_errno;

	(void) sigfillset(&all);
	errno = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (errno != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		child_main(launch);
	save_errno = errno;
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = save_errno;

	/* Whoever comes first, so that the group can be killed from now on. */
	if (pid > 0)
		(void) setpgid(pid, pid);
	errno = save_errno;
	return pid;
}

TcResult
tc_keyprov_start(TcProviderRun *run, const char *path, const char *verb,
				 const char *const *args, TcSpan input)
{
	Launch		launch;
	pid_t		pid;

	sodium_memzero(run, sizeof(*run));
	run->in = run->out = run->err = -1;

	if (input.len > sizeof(run->input) || !prepare(&launch, path, verb, args))
	{
		errno = EINVAL;
		return TC_SYSTEM;
	}
	tc_keyprov_note_children(run);
	pid = make_pipes(&launch.pipes) ? launch_child(&launch) : -1;
	if (pid < 0)
	{
		close_pipes(&launch.pipes);
		return TC_SYSTEM;
	}

	run->pid = pid;
	run->in = launch.pipes.in[1];
	run->out = launch.pipes.out[0];
	run->err = launch.pipes.err[0];
	launch.pipes.in[1] = launch.pipes.out[0] = launch.pipes.err[0] = -1;
	close_pipes(&launch.pipes);

	run->input_len = input.len;
	if (input.len > 0)
		memcpy(run->input, input.data, input.len);
	return TC_OK;
}
