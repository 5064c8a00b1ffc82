/*-------------------------------------------------------------------------
 *
 * keyprov_run.c
 *	  Running key providers, good ones and bad ones.
 *
 * Goal of this test:
 * - A provider's answer counts only if it is whole, within its size, and
 *   followed by exit code 0.
 * - Nothing of a provider outlives its run, and no run outlives its deadline.
 *
 * test/unit/keyprov_run.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include "keyprov_script.h"

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
	const char *too_many[TC_KEYPROV_ARGS_MAX + 2] = {NULL};
	const char *const args[] = {"--tcti", "a b;c", "", NULL};
	int			code;

	for (int i = 0; i <= TC_KEYPROV_ARGS_MAX; i++)
		too_many[i] = "x";
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
	code = tc_keyprov_run(&run, script("echo $#"), "info", too_many + 1, tc_span("", 0),
						  5000);
	ok(code == TC_EXIT_OK && output_is("17\n", 3), "as many arguments as allowed arrive");
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

int
main(void)
{
	start_scripts();
	test_answers();
	test_exit_codes();
	test_start();
	test_deadline();
	test_sizes();
	end_scripts();
	return done();
}
