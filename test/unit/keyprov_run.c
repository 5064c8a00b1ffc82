/*-------------------------------------------------------------------------
 *
 * keyprov_run.c
 *	  Running key providers, good ones and bad ones.
 *
 * Goal of this test:
 * - A provider's answer counts only if it is whole, within its size, and
 *   followed by exit code 0.
 * - Nothing of a provider outlives its run, and no run outlives its deadline.
 * - A provider inherits nothing: no descriptor, variable, signal or secret.
 *
 * Providers are shell scripts, written into a folder of their own.
 *
 * test/unit/keyprov_run.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "keyprov.h"
#include "secretmem.h"
#include "tap.h"

#define SECRET "0123456789abcdefghijklmnopqrstuv"

static char folder[] = "/tmp/tckeyprovXXXXXX";
static TcProviderRun run;
static const char *const no_args[] = {NULL};

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Write a provider script; $dir in it is the folder. */
static const char *
script(const char *body)
{
	static char path[PATH_MAX];
	FILE	   *file;

	snprintf(path, sizeof(path), "%s/provider", folder);
	file = fopen(path, "we");
	if (file == NULL)
		bail("no script");
	fprintf(file, "#!/bin/sh\ndir=%s\n%s\n", folder, body);
	if (fclose(file) != 0 || chmod(path, 0755) != 0)
		bail("no script");
	return path;
}

static int
run_script(const char *body, TcSpan input, int deadline_ms)
{
	return tc_keyprov_run(&run, script(body), "unseal", no_args, input,
						  deadline_ms);
}

/* Run a script that must end with a code, and say so. */
static bool
exits(int code, const char *body, const char *what)
{
	int			got = run_script(body, tc_span("blob", 4), 5000);
	bool		holds = ok(got == code, "%s: exit code %d", what, code);

	if (!holds)
		printf("# exit code %d, reason: %s\n", got, run.reason);
	return holds;
}

static bool
output_is(const void *bytes, size_t len)
{
	return run.output_len == len && memcmp(run.output, bytes, len) == 0;
}

static bool
nothing_left(void)
{
	return run.pid == 0 && run.in == -1 && run.out == -1 && run.err == -1 &&
		all_zero(run.input, sizeof(run.input));
}

static bool
output_wiped(void)
{
	return run.output_len == 0 && all_zero(run.output, sizeof(run.output));
}

/* The number in a file of the folder that a script wrote. */
static pid_t
pid_in(const char *name)
{
	char		path[PATH_MAX];
	FILE	   *file;
	int			pid = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	for (int i = 0; i < 100 && pid == 0; i++)
	{
		file = fopen(path, "re");
		if (file != NULL)
		{
			if (fscanf(file, "%d\n", &pid) != 1)
				pid = 0;
			fclose(file);
		}
		if (pid == 0)
			usleep(20000);
	}
	unlink(path);
	return pid;
}

/* Whether a process is dead within 3 s; we are the reaper of orphans. */
static bool
dies(pid_t pid)
{
	if (pid <= 0)
		return false;
	for (int i = 0; i < 150; i++)
	{
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
		if (kill(pid, 0) != 0 && errno == ESRCH)
			return true;
		usleep(20000);
	}
	return false;
}

static void
test_answers(void)
{
	uint8_t		blob[TC_PROVIDER_BLOB_MAX];

	if (exits(TC_EXIT_OK, "cat >/dev/null; printf " SECRET, "32 bytes"))
		ok(output_is(SECRET, 32), "and they arrive");
	ok(nothing_left(), "nothing of the run is left, its input is wiped");
	tc_keyprov_wipe(&run);
	ok(output_wiped(), "wiping wipes the output");

	/* How many bytes are right is for the caller; all are told. */
	exits(TC_EXIT_OK, "printf %.31s " SECRET, "31 bytes");
	is_count(run.output_len, 31, "31 bytes are told");
	exits(TC_EXIT_OK, "printf x" SECRET, "33 bytes");
	is_count(run.output_len, 33, "33 bytes are told");
	exits(TC_EXIT_OK, "exit 0", "no output");
	is_count(run.output_len, 0, "0 bytes are told");
	exits(TC_EXIT_OK, "printf 0123; sleep 0.1; printf 4567; sleep 0.1; printf 89",
		  "output in pieces");
	ok(output_is("0123456789", 10), "and they are joined");

	fill(blob, sizeof(blob), 1);
	ok(run_script("cat", tc_span(blob, sizeof(blob)), 5000) == TC_EXIT_OK &&
	   output_is(blob, sizeof(blob)), "the largest blob goes in and out");
	ok(run_script("exec </dev/null; sleep 0.2; printf x",
				  tc_span(blob, sizeof(blob)), 5000) == TC_EXIT_OK &&
	   output_is("x", 1), "a provider need not read its input");
	ok(run_script("cat", tc_span(NULL, 0), 5000) == TC_EXIT_OK &&
	   output_is("", 0), "no input is an empty input");
	ok(run_script("cat; printf y", tc_span(blob, sizeof(blob)), 5000) == TC_EXIT_INTERNAL &&
	   run.overflowed && output_wiped(), "one byte more than a blob may have: refused, wiped");
	ok(tc_keyprov_start(&run, "/bin/true", "unseal", no_args,
						tc_span(blob, sizeof(blob) + 1)) == TC_SYSTEM && errno == EINVAL,
	   "a larger input is refused");
	ok(tc_keyprov_end(&run, false) == TC_EXIT_INTERNAL && nothing_left(),
	   "ending a run that did not start is harmless");
}

static void
test_exit_codes(void)
{
	static const int known[] = {10, 11, 20, 21, 22, 23, 64, 70};
	static const int others[] = {1, 2, 9, 12, 24, 65, 126, 127, 128, 137, 255};
	char		body[64];
	int			bad = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
	{
		snprintf(body, sizeof(body), "printf " SECRET "; exit %d", known[i]);
		if (run_script(body, tc_span("", 0), 5000) != known[i] || !output_wiped())
			bad++;
	}
	ok(bad == 0, "each exit code with a meaning is told, the output wiped");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
	{
		snprintf(body, sizeof(body), "printf " SECRET "; exit %d", others[i]);
		if (run_script(body, tc_span("", 0), 5000) != TC_EXIT_INTERNAL || !output_wiped())
			bad++;
	}
	ok(bad == 0, "each other one is an internal error, the output wiped");

	exits(TC_EXIT_INTERNAL, "printf " SECRET "; kill -SEGV $$", "death by signal");
	ok(output_wiped() && strcmp(run.reason, "was ended by signal 11") == 0,
	   "its output is wiped, the reason names the signal");
	exits(TC_EXIT_DENIED, "exec 2>&-; sleep 0.2; exit 23", "an exit after a while");
	exits(TC_EXIT_OK, "printf x; exec >&- 2>&-; sleep 0.4; exit 0",
		  "an exit a while after the end of the output");
	ok(output_is("x", 1), "and its output counts");
	exits(TC_EXIT_DENIED, "printf x; exec >&- 2>&-; sleep 0.4; exit 23",
		  "the same with a bad end");
	exits(TC_EXIT_INTERNAL, "exit 99", "an exit without a reason");
	ok(strcmp(run.reason, "gave no reason") == 0, "there is a reason nevertheless");
}

static void
test_start(void)
{
	char		path[PATH_MAX];
	const char *too_many[TC_KEYPROV_ARGS_MAX + 2] = {"1", "2", "3", "4", "5", "6", "7", "8", "9", NULL};
	const char *const args[] = {"--tcti", "a b;c", "", NULL};
	int			code;

	snprintf(path, sizeof(path), "%s/nothing", folder);
	code = tc_keyprov_run(&run, path, "unseal", no_args, tc_span("", 0), 5000);
	ok(code == TC_EXIT_INTERNAL && strstr(run.reason, "no such program") != NULL,
	   "a program that is not there: internal error, and why");
	code = tc_keyprov_run(&run, folder, "unseal", no_args, tc_span("", 0), 5000);
	ok(code == TC_EXIT_INTERNAL && strstr(run.reason, "permission") != NULL,
	   "a program that cannot be run: internal error, and why");
	ok(tc_keyprov_start(&run, "provider", "unseal", no_args, tc_span("", 0)) == TC_SYSTEM &&
	   errno == EINVAL && run.pid == 0, "a path that is not absolute is refused");
	ok(tc_keyprov_start(&run, "/bin/true", "unseal", too_many, tc_span("", 0)) == TC_SYSTEM &&
	   errno == EINVAL && run.pid == 0, "too many arguments are refused");
	code = tc_keyprov_run(&run, script("for a in \"$@\"; do printf '<%s>' \"$a\"; done"),
						  "unseal", args, tc_span("", 0), 5000);
	ok(code == TC_EXIT_OK && output_is("<unseal><--tcti><a b;c><>", 25),
	   "verb and arguments arrive as they are");
	code = tc_keyprov_run(&run, script("for a in \"$@\"; do printf '<%s>' \"$a\"; done"),
						  "info", too_many + 1, tc_span("", 0), 5000);
	ok(code == TC_EXIT_OK && output_is("<info><2><3><4><5><6><7><8><9>", 30),
	   "as many arguments as allowed arrive");
}

static void
test_deadline(void)
{
	int64_t		start = now_ms();
	int			code;

	code = run_script("printf " SECRET "; sleep 60", tc_span("", 0), 400);
	ok(code == TC_EXIT_UNAVAILABLE && output_wiped() && nothing_left(),
	   "a provider that hangs: unavailable, output wiped");
	ok(now_ms() - start < 2000, "it is ended soon after the deadline");
	ok(strcmp(run.reason, "did not answer within 400 ms") == 0, "and the reason says so");

	code = run_script("echo busy >&2; sleep 60", tc_span("", 0), 400);
	ok(code == TC_EXIT_UNAVAILABLE && strcmp(run.reason, "busy") == 0,
	   "its own reason goes first");

	code = run_script("trap '' TERM INT HUP; sleep 60 & echo $! >$dir/grandchild; wait",
					  tc_span("", 0), 600);
	ok(code == TC_EXIT_UNAVAILABLE, "one with a child of its own that hangs: unavailable");
	ok(dies(pid_in("grandchild")), "the child is dead, too");

	code = run_script("printf " SECRET "; sleep 60 & echo $! >$dir/grandchild",
					  tc_span("", 0), 600);
	ok(code == TC_EXIT_UNAVAILABLE && output_wiped(),
	   "one that exits and leaves a child with the pipes: unavailable, output wiped");
	ok(dies(pid_in("grandchild")), "the child is dead");

	code = run_script("printf " SECRET "; sleep 60 >/dev/null 2>&1 & echo $! >$dir/grandchild",
					  tc_span("", 0), 5000);
	ok(code == TC_EXIT_OK && output_is(SECRET, 32),
	   "one that leaves a child without the pipes: its answer counts");
	ok(dies(pid_in("grandchild")), "the child is dead");

	start = now_ms();
	code = run_script("printf " SECRET "; exec >&- 2>&-; sleep 60", tc_span("", 0), 5000);
	ok(code == TC_EXIT_INTERNAL && output_wiped(),
	   "one that closes its outputs and stays: internal error");
	ok(now_ms() - start < 3000, "it is given a second, no more");

	start = now_ms();
	code = run_script("while :; do echo flood; done", tc_span("", 0), 5000);
	ok(code == TC_EXIT_INTERNAL && run.overflowed && now_ms() - start < 2000,
	   "one that never ends writing is ended at once");
}

static void
test_sizes(void)
{
	char		longest[TC_KEYPROV_REASON_MAX + 1];

	exits(TC_EXIT_INTERNAL, "head -c 10000000 /dev/zero", "10 MB of output");
	ok(run.overflowed && output_wiped() &&
	   strcmp(run.reason, "wrote more than a provider may") == 0, "refused, wiped, and said");

	exits(TC_EXIT_DENIED, "head -c 10000000 /dev/zero | tr '\\000' a >&2; exit 23",
		  "10 MB of reason");
	memset(longest, 'a', TC_KEYPROV_REASON_MAX);
	longest[TC_KEYPROV_REASON_MAX] = '\0';
	ok(strcmp(run.reason, longest) == 0, "what fits of it is kept");

	exits(TC_EXIT_DENIED, "printf 'a\\033[31mb\\001c\\377d\\303\\244e\\tf\\nsecond line\\n' >&2; exit 23",
		  "a reason with other than printable bytes");
	if (!ok(strcmp(run.reason, "a?[31mb?c?d??e?f") == 0,
			"they are replaced, and only the first line is kept"))
		printf("# %s\n", run.reason);
	exits(TC_EXIT_DENIED, "printf '\\n\\n' >&2; sleep 0.1; printf 'fir' >&2; sleep 0.1; printf 'st\\nno\\n' >&2; exit 23",
		  "a reason in pieces after empty lines");
	ok(strcmp(run.reason, "first") == 0, "its first line is kept");
	exits(TC_EXIT_OK, "cat >/dev/null; echo warning >&2; printf " SECRET, "a reason and success");
	ok(output_is(SECRET, 32), "success counts");
}

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
	ok(code == TC_EXIT_OK && output_is("0000000000000000\n0000000000000000\n", 34),
	   "no signal is blocked or ignored");

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
	char		path[PATH_MAX];

	/* Orphans come to us, so that we see them die. */
	if (mkdtemp(folder) == NULL || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		bail("no folder");
	test_answers();
	test_exit_codes();
	test_start();
	test_deadline();
	test_sizes();
	test_inheritance();
	test_closed_stdio();
	test_caller();
	test_progress();
	test_secret_memory();
	snprintf(path, sizeof(path), "%s/provider", folder);
	unlink(path);
	ok(rmdir(folder) == 0, "nothing is left in the folder");
	return done();
}
