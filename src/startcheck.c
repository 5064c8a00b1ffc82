/*-------------------------------------------------------------------------
 *
 * startcheck.c
 *	  themis_crypt.require_unlocked.  The contract is in startcheck.h.
 *
 * src/startcheck.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "access/xlog.h"
#include "miscadmin.h"
#include "postmaster/fork_process.h"
#include "storage/ipc.h"

#include "errors.h"
#include "guc.h"
#include "secretmem.h"
#include "startcheck.h"
#include "unlock.h"

#define NAP_MS		100
/* For all slots; the child's own deadlines come first. */
#define DEADLINE_MS	(TC_KEYRING_SLOTS_MAX * 20000)
#define END_MS		(5 * TC_KEYPROV_LINGER_MS)
#define STACK_BYTES 16384		/* wiped after use: libsodium leaves copies */

/* What the child tells; the pipe takes it whole. */
typedef struct Verdict
{
	bool		opened;
	TcUnlockCause cause;
	char		reason[TC_REASON_MAX];
} Verdict;

StaticAssertDecl(sizeof(Verdict) <= PIPE_BUF, "verdict is too large for a pipe");

/* In secret memory of the child. */
typedef struct Secrets
{
	TcProviderRun run;
	TcKeyringPayload payload;
} Secrets;

static Secrets *secrets;
static TcUnlock attempt;

static TcResult
open_keyring(const TcKeyring *keyring, int slot,
			 const uint8 secret[TC_PROVIDER_SECRET_BYTES])
{
	return tc_keyring_open(keyring, slot, secret, &secrets->payload, NULL);
}

/*
 * Wait for the provider, or for the postmaster to close its end of the pipe:
 * it does not want to know any more, or has died.
 */
static TcUnlockState
wait_for_provider(int out)
{
	TcProviderRun *run = attempt.run;
	struct pollfd fds[4] = {{out, 0, 0}, {run->in, POLLOUT, 0},
	{run->out, POLLIN, 0}, {run->err, POLLIN, 0}};

	if (poll(fds, lengthof(fds), NAP_MS) > 0 && fds[0].revents != 0)
	{
		tc_unlock_stop(&attempt);
		return TC_UNLOCK_FAILED;
	}
	return tc_unlock_progress(&attempt);
}

static void
try_to_open(int out, Verdict *verdict)
{
	TcUnlockState state;
	TcSecretKind kind;
	void	   *memory;

	if (tc_secret_harden() != TC_OK ||
		tc_secret_map(sizeof(Secrets), false, &memory, &kind) != TC_OK)
	{
		verdict->cause = TC_CAUSE_FAILED;
		snprintf(verdict->reason, sizeof(verdict->reason),
				 "could not lock %zu bytes of memory for root keys: %s",
				 sizeof(Secrets), strerror(errno));
		return;
	}
	secrets = memory;
	attempt.run = &secrets->run;
	attempt.open = open_keyring;
	state = tc_unlock_begin(&attempt, false);
	while (state == TC_UNLOCK_RUNNING)
		state = wait_for_provider(out);

	tc_secret_unmap(memory, sizeof(Secrets));
	sodium_stackzero(STACK_BYTES);
	verdict->opened = state == TC_UNLOCK_OPENED;
	verdict->cause = attempt.cause;
	strlcpy(verdict->reason, attempt.reason, sizeof(verdict->reason));
}

/*
 * The child: a postmaster no more, and never one of its children.  Nothing is
 * logged here, and the end runs none of what was registered for the end of
 * the postmaster.
 */
static void TC_NORETURN
child_main(int out)
{
	Verdict		verdict;
	ssize_t		put;

	on_exit_reset();
	memset(&verdict, 0, sizeof(verdict));
	try_to_open(out, &verdict);
	put = write(out, &verdict, sizeof(verdict));
	_exit(put == (ssize_t) sizeof(verdict) ? 0 : 1);
}

/* Somebody wants the server to end: these signals are blocked here. */
static bool
told_to_stop(void)
{
	sigset_t	pending;

	return sigpending(&pending) == 0 &&
		(sigismember(&pending, SIGTERM) == 1 ||
		 sigismember(&pending, SIGINT) == 1 ||
		 sigismember(&pending, SIGQUIT) == 1);
}

/*
 * Hold back the signals that end the server.  Up to 15 the postmaster has all
 * of its signals blocked here, from 16 on none; it acts on them when we are
 * done.
 */
static void
block_stop_signals(sigset_t *ret_before)
{
	sigset_t	stop;

	(void) sigemptyset(&stop);
	(void) sigaddset(&stop, SIGTERM);
	(void) sigaddset(&stop, SIGINT);
	(void) sigaddset(&stop, SIGQUIT);
	(void) sigprocmask(SIG_BLOCK, &stop, ret_before);
}

/* Take the child's verdict. */
static void
take_verdict(int in, Verdict *ret_verdict)
{
	struct pollfd fds = {in, POLLIN, 0};
	int64		deadline = tc_unlock_now() + DEADLINE_MS;
	bool		stop = false;
	ssize_t		got = -1;

	while (!(stop = told_to_stop()) && tc_unlock_now() < deadline)
	{
		if (poll(&fds, 1, NAP_MS) > 0)
		{
			got = read(in, ret_verdict, sizeof(*ret_verdict));
			break;
		}
	}
	if (got != (ssize_t) sizeof(*ret_verdict))
	{
		memset(ret_verdict, 0, sizeof(*ret_verdict));
		strlcpy(ret_verdict->reason, stop ? "the server was told to stop" :
				"the process that tried has died or hangs",
				sizeof(ret_verdict->reason));
	}
}

/* See the child off.  It sees the closed pipe, and ends its provider. */
static void
end_child(pid_t child)
{
	int64		deadline = tc_unlock_now() + END_MS;
	int			status;

	while (waitpid(child, &status, WNOHANG) == 0)
	{
		if (tc_unlock_now() >= deadline)
			(void) kill(child, SIGKILL);
		pg_usleep(10 * 1000L);
	}
}

static void
run_check(Verdict *ret_verdict)
{
	int			fds[2];
	pid_t		child;
	sigset_t	before;

	if (pipe(fds) != 0)
		ereport(FATAL,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not create pipe: %m")));
	child = fork_process();
	if (child < 0)
		ereport(FATAL,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not fork a process to open the keyring: %m")));
	if (child == 0)
	{
		(void) close(fds[0]);
		child_main(fds[1]);
	}
	(void) close(fds[1]);
	block_stop_signals(&before);
	take_verdict(fds[0], ret_verdict);
	(void) close(fds[0]);
	end_child(child);
	(void) sigprocmask(SIG_SETMASK, &before, NULL);
}

static bool
will_replay(void)
{
	struct stat st;

	return stat(STANDBY_SIGNAL_FILE, &st) == 0 ||
		stat(RECOVERY_SIGNAL_FILE, &st) == 0;
}

void
tc_startcheck(void)
{
	static bool checked = false;
	Verdict		verdict;

	if (!tc_require_unlocked || checked || IsUnderPostmaster ||
		!IsPostmasterEnvironment || IsBinaryUpgrade)
		return;
	checked = true;
	run_check(&verdict);
	if (verdict.opened)
		return;
	ereport(will_replay() ? WARNING : FATAL,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("could not unlock encryption keys: %s", verdict.reason),
			 will_replay() ?
			 errdetail("A standby starts all the same.") :
			 errdetail("The server does not start without them, because themis_crypt.require_unlocked is on."),
			 errhint("\"themis-keyring verify\", run as the owner of the keyring (for \"systemd-creds\" as root), tests it.  To start the server without keys, turn themis_crypt.require_unlocked off.")));
}
