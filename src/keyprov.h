/*-------------------------------------------------------------------------
 *
 * keyprov.h
 *	  Run a key provider program, and take its answer.
 *
 * The protocol is contrib-keyprov/README.md.  A run is started, fed and
 * drained without ever blocking: the key worker waits for its descriptors
 * among its own events, the keyring tool in poll(2).  Whoever started a run
 * must end it with tc_keyprov_end, which kills the process group if it is
 * still there and wipes the buffers.
 *
 *	Owns	one child process with its group and three pipes.
 *	Errors	tc_keyprov_start: TC_SYSTEM.  A finished run has an exit code;
 *			TC_EXIT_* names those with a meaning.
 *	Units	deadlines are the caller's; sizes are bytes.
 *	Uses	keyring.h for sizes.  Nothing of PostgreSQL.
 *
 * src/keyprov.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYPROV_H
#define TC_KEYPROV_H

#include <sys/types.h>

#include "bytes.h"
#include "keyprov_exit.h"
#include "keyring.h"

#define TC_KEYPROV_REASON_MAX 500
#define TC_KEYPROV_ARGS_MAX 16
#define TC_KEYPROV_OTHERS_MAX 32

typedef struct TcProviderRun
{
	pid_t		pid;			/* also the process group; 0 = none */
	int			nothers;		/* children the caller had before, -1 = many */
	pid_t		others[TC_KEYPROV_OTHERS_MAX];
	int			in;				/* our ends of its pipes, -1 when closed */
	int			out;
	int			err;
	size_t		fed;			/* of input */
	size_t		input_len;
	size_t		output_len;
	size_t		reason_len;
	bool		overflowed;		/* it wrote more than it may */
	bool		reason_ended;	/* its first line is complete */
	uint8_t		input[TC_PROVIDER_BLOB_MAX];
	uint8_t		output[TC_PROVIDER_BLOB_MAX];
	char		reason[TC_KEYPROV_REASON_MAX + 1];	/* one printable line */
} TcProviderRun;

/*
 * Start "path" (absolute) with a verb and options; args ends with NULL and
 * has at most TC_KEYPROV_ARGS_MAX strings.  "input" is copied and will be fed
 * to it.  The run may lie in secret memory, and should where it carries a
 * secret; path, verb and args must lie in ordinary memory, which a child
 * inherits.  The child has pipes on 0, 1 and 2 and nothing else open, default
 * signals, "/" as its folder, and PATH and LC_ALL alone in its environment.
 * It dies with the thread that started it.  The caller becomes the reaper of
 * what it may leave behind (PR_SET_CHILD_SUBREAPER), and must make no other
 * children before tc_keyprov_end.
 *
 * On failure there is no child, and tc_keyprov_end is harmless.
 */
extern TcResult tc_keyprov_start(TcProviderRun *run, const char *path,
								 const char *verb, const char *const *args,
								 TcSpan input) TC_CHECK_RESULT;

/*
 * Feed and drain what can be without blocking.  True once the child has
 * closed both of its outputs (or must not go on: see "overflowed").  SIGPIPE
 * is never raised, whatever the caller does with it.
 */
extern bool tc_keyprov_progress(TcProviderRun *run);

/*
 * Kill what is left of the group and whatever has left it, reap the child,
 * close the pipes.  Returns
 * the exit code, TC_EXIT_INTERNAL for anything abnormal; "was_done" says
 * whether progress had answered true, else the run counts as overdue and is
 * TC_EXIT_UNAVAILABLE.  A child that was done has up to TC_KEYPROV_LINGER_MS
 * to exit by itself, and any child as long again to die; nothing blocks
 * beyond that.  Reason, and after TC_EXIT_OK the output, stay until
 * tc_keyprov_wipe; after any other code the output is wiped.
 */
#define TC_KEYPROV_LINGER_MS 1000
extern int	tc_keyprov_end(TcProviderRun *run, bool was_done);

/*
 * For the handler of a signal that ends this process at once: kill the group
 * and whatever has left it, within TC_KEYPROV_LINGER_MS, and no more.
 */
extern void tc_keyprov_kill(const TcProviderRun *run);

/* Wipe input and output. */
extern void tc_keyprov_wipe(TcProviderRun *run);

/*
 * All of it with a deadline, blocking, for the tool.  Returns the exit code;
 * the caller wipes.  The reason is never empty when that is not TC_EXIT_OK.
 */
extern int	tc_keyprov_run(TcProviderRun *run, const char *path,
						   const char *verb, const char *const *args,
						   TcSpan input, int deadline_ms);

#endif							/* TC_KEYPROV_H */
