/*-------------------------------------------------------------------------
 *
 * keyprov_script.h
 *	  Shell scripts as key providers, for tests.
 *
 * They are written into a folder of their own, $dir in the script.  Orphans
 * come to the test, so that it sees them die.
 *
 * test/unit/keyprov_script.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYPROV_SCRIPT_H
#define TC_KEYPROV_SCRIPT_H

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "keyprov.h"
#include "tap.h"

#define SECRET "0123456789abcdefghijklmnopqrstuv"

static char folder[] = "/tmp/tckeyprovXXXXXX";
static TcProviderRun run;
TAP_UNUSED static const char *const no_args[] = {NULL};

TAP_UNUSED static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Write a provider script; $dir in it is the folder. */
TAP_UNUSED static const char *
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

TAP_UNUSED static int
run_script(const char *body, TcSpan input, int deadline_ms)
{
	return tc_keyprov_run(&run, script(body), "unseal", no_args, input,
						  deadline_ms);
}

/* Run a script that must end with a code, and say so. */
TAP_UNUSED static bool
exits(int code, const char *body, const char *what)
{
	int			got = run_script(body, tc_span("blob", 4), 5000);
	bool		holds = ok(got == code, "%s: exit code %d", what, code);

	if (!holds)
		printf("# exit code %d, reason: %s\n", got, run.reason);
	return holds;
}

TAP_UNUSED static bool
output_is(const void *bytes, size_t len)
{
	return run.output_len == len && memcmp(run.output, bytes, len) == 0;
}

TAP_UNUSED static bool
nothing_left(void)
{
	return run.pid == 0 && run.in == -1 && run.out == -1 && run.err == -1 &&
		all_zero(run.input, sizeof(run.input));
}

TAP_UNUSED static bool
output_wiped(void)
{
	return run.output_len == 0 && all_zero(run.output, sizeof(run.output));
}

/* The number in a file of the folder that a script wrote. */
TAP_UNUSED static pid_t
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
TAP_UNUSED static bool
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
start_scripts(void)
{
	if (mkdtemp(folder) == NULL || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		bail("no folder");
}

static void
end_scripts(void)
{
	char		path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/provider", folder);
	unlink(path);
	ok(rmdir(folder) == 0, "nothing is left in the folder");
}

#endif							/* TC_KEYPROV_SCRIPT_H */
