/*-------------------------------------------------------------------------
 *
 * keyprov_process.c
 *	  Key providers as processes, and what they mean to their caller.
 *
 * Goal of this test:
 * - A provider inherits nothing: no descriptor, variable, signal or secret.
 * - A caller is not disturbed: no signal, no block, none of its children
 *   reaped; and a provider dies with it.
 * - Nothing that a provider starts outlives it.
 *
 * test/unit/keyprov_process.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <fcntl.h>

#include "keyprov_script.h"
#include "secretmem.h"

/* Descriptors, variables, signals, folder: what a provider starts with. */
static void
test_inheritance(void)
{
	static const char environment[] = "PATH=/usr/bin:/bin\0LC_ALL=C";
	sigset_t	set;
	sigset_t	before;
	int			fds[3];
	int			code;

	fds[0] = open("/dev/null", O_RDONLY);
	fds[1] = dup2(fds[0], 200);
	fds[2] = dup2(fds[0], 900);
	code = run_script("exec ls /proc/self/fd", tc_span("", 0), 5000);
	/* The last one is ls's own, for the folder it lists. */
	if (!ok(code == TC_EXIT_OK && output_is("0\n1\n2\n3\n", 8), "no descriptor is inherited"))
		printf("# %.*s\n", (int) run.output_len, (char *) run.output);
	for (int i = 0; i < 3; i++)
		close(fds[i]);

	setenv("PGPASSWORD", "leak", 1);
	code = tc_keyprov_run(&run, "/usr/bin/env", "-0", no_args, tc_span("", 0), 5000);
	ok(code == TC_EXIT_OK && output_is(environment, sizeof(environment)),
	   "the environment is PATH and LC_ALL alone");
	unsetenv("PGPASSWORD");

	code = run_script("pwd", tc_span("", 0), 5000);
	ok(code == TC_EXIT_OK && output_is("/\n", 2), "the folder is /");

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &before);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	code = run_script("exec sed -n 's/^Sig\\(Blk\\|Ign\\):[[:space:]]*//p' /proc/self/status",
					  tc_span("", 0), 5000);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);

	/* 32 and 33 are glibc's own: it lets nobody set them, and make ignores them. */
	if (!ok(code == TC_EXIT_OK &&
			(output_is("0000000000000000\n0000000000000000\n", 34) ||
			 output_is("0000000000000000\n0000000180000000\n", 34)),
			"no signal is blocked or ignored"))
		printf("# blocked, ignored: %.*s\n", (int) run.output_len, (char *) run.output);

	code = run_script("set -- $(cat /proc/$$/stat); echo $1 $5", tc_span("", 0), 5000);
	ok(code == TC_EXIT_OK && run.output_len > 0 &&
	   atoi((char *) run.output) == atoi(strchr((char *) run.output, ' ')),
	   "it leads a process group of its own");
}

/* Our own standard descriptors may be closed: pipes must not land there. */
static void
test_closed_stdio(void)
{
	int			status;
	int			code;
	pid_t		pid;

	fflush(stdout);
	script("cat");
	pid = fork();
	if (pid == 0)
	{
		close(0);
		close(1);
		close(2);
		code = run_script("cat; printf y; echo reason >&2", tc_span("blob", 4), 5000);
		_exit(code == TC_EXIT_OK && output_is("bloby", 5) &&
			  strcmp(run.reason, "reason") == 0 ? 0 : 1);
	}
	ok(waitpid(pid, &status, 0) == pid && status == 0,
	   "a caller without standard descriptors");
}

static void
test_caller(void)
{
	char		big[TC_PROVIDER_BLOB_MAX];
	sigset_t	pending;
	pid_t		other;
	pid_t		parent;
	pid_t		provider;
	int			status = -1;

	/* SIGPIPE has its default here, so it would end this test. */
	memset(big, 'x', sizeof(big));
	ok(tc_keyprov_start(&run, script("exec <&-; sleep 0.5; exit 11"), "seal",
						no_args, tc_span(big, sizeof(big))) == TC_OK, "a provider that closes its input");
	usleep(250000);
	(void) tc_keyprov_progress(&run);
	ok(run.in == -1, "feeding it ends without a signal");
	sigpending(&pending);
	ok(!sigismember(&pending, SIGPIPE), "no signal is left pending");
	while (!tc_keyprov_progress(&run))
		usleep(1000);
	ok(tc_keyprov_end(&run, true) == TC_EXIT_BUSY, "and its exit code is told");

	/* A child of the caller's that is not ours. */
	other = fork();
	if (other == 0)
		_exit(7);
	usleep(100000);
	exits(TC_EXIT_OK, "exit 0", "with another child of the caller's");
	ok(waitpid(other, &status, 0) == other && WEXITSTATUS(status) == 7,
	   "that one is not reaped");

	/* The caller dies. */
	fflush(stdout);
	parent = fork();
	if (parent == 0)
	{
		if (tc_keyprov_start(&run, script("echo $$ >$dir/provider.pid; exec sleep 60"),
							 "unseal", no_args, tc_span("", 0)) != TC_OK)
			_exit(1);
		pause();
		_exit(0);
	}
	provider = pid_in("provider.pid");
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	ok(dies(provider), "a provider dies with its caller");
}

/* Whether a process is gone for good, reaped and all. */
static bool
is_gone(pid_t pid)
{
	return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
}

/* Processes that leave the group: no run leaves any behind. */
static void
test_daemons(void)
{
	pid_t		other;
	pid_t		first;
	pid_t		second;
	int64_t		start;
	int			code;

	/* Of the caller's own, one that lives on. */
	other = fork();
	if (other == 0)
	{
		pause();
		_exit(0);
	}

	code = run_script("setsid sleep 60 </dev/null >/dev/null 2>&1 & echo $! >$dir/daemon.pid\n"
					  "printf " SECRET, tc_span("", 0), 5000);
	ok(code == TC_EXIT_OK && output_is(SECRET, 32), "a provider that starts a daemon");
	ok(is_gone(pid_in("daemon.pid")), "the daemon is gone when the run is over");

	/* A session in a session: the second comes to us when the first is dead. */
	code = run_script("setsid sh -c 'echo $$ >'$dir'/first.pid;"
					  " setsid sh -c \"echo \\$\\$ >'$dir'/second.pid; trap : TERM HUP; sleep 60; sleep 60\" & wait'"
					  " </dev/null >/dev/null 2>&1 &\n"
					  "while ! [ -s $dir/second.pid ]; do sleep 0.01; done; exit 23",
					  tc_span("", 0), 5000);
	first = pid_in("first.pid");
	second = pid_in("second.pid");
	ok(code == TC_EXIT_DENIED && first != second, "one that starts a daemon of a daemon");
	ok(is_gone(first) && is_gone(second), "both are gone");

	/* As daemons do it: twice forked, its parents gone, holding the pipes. */
	start = now_ms();
	code = run_script("setsid sh -c 'sleep 60 & echo $! >'$dir'/daemon.pid' &\n"
					  "wait; printf " SECRET, tc_span("", 0), 700);
	ok(code == TC_EXIT_UNAVAILABLE && output_wiped() && now_ms() - start < 2000,
	   "one whose daemon holds the pipes is ended at the deadline");
	ok(is_gone(pid_in("daemon.pid")), "with its daemon");

	ok(waitpid(other, NULL, WNOHANG) == 0, "the caller's own child lives");
	kill(other, SIGKILL);
	ok(waitpid(other, NULL, 0) == other, "and is the caller's to reap");
}

/* Without blocking: what the server's worker does. */
static void
test_progress(void)
{
	int64_t		longest = 0;
	int64_t		start;
	bool		finished = false;
	int			turns = 0;

	if (tc_keyprov_start(&run, script("sleep 0.3; cat; sleep 0.3"), "unseal", no_args,
						 tc_span(SECRET, 32)) != TC_OK)
		bail("no start");
	while (!finished && turns++ < 10000)
	{
		start = now_ms();
		finished = tc_keyprov_progress(&run);
		if (now_ms() - start > longest)
			longest = now_ms() - start;
		usleep(1000);
	}
	ok(finished && turns > 100, "progress answers false while a provider works");
	ok(longest < 100, "and never blocks");
	ok(tc_keyprov_end(&run, finished) == TC_EXIT_OK && output_is(SECRET, 32),
	   "the answer is there in the end");

	/* Given up before it was done, although it would have been right. */
	if (tc_keyprov_start(&run, script("printf " SECRET), "unseal", no_args,
						 tc_span("", 0)) != TC_OK)
		bail("no start");
	usleep(300000);
	ok(tc_keyprov_end(&run, false) == TC_EXIT_UNAVAILABLE && output_wiped(),
	   "a run that was given up does not count");
}

/* A run in memory that the child does not inherit. */
static void
test_secret_memory(void)
{
	TcSecretKind kind;
	TcProviderRun *secret_run;
	void	   *memory;
	int			code;

	for (int i = 0; i < 2; i++)
	{
		tc_secret_no_memfd = i == 1;
		if (tc_secret_map(sizeof(TcProviderRun), false, &memory, &kind) != TC_OK)
			bail("no secret memory");
		secret_run = memory;
		code = tc_keyprov_run(secret_run, script("cat"), "unseal", no_args,
							  tc_span(SECRET, 32), 5000);
		ok(code == TC_EXIT_OK && secret_run->output_len == 32 &&
		   memcmp(secret_run->output, SECRET, 32) == 0,
		   "a run in secret memory of kind %d", kind);
		tc_secret_unmap(memory, sizeof(TcProviderRun));
	}
}

int
main(void)
{
	start_scripts();
	test_inheritance();
	test_closed_stdio();
	test_caller();
	test_daemons();
	test_progress();
	test_secret_memory();
	end_scripts();
	return done();
}
