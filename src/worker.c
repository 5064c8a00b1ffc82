/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The key worker: the one process that holds instance and root keys.
 *
 * A provider that is unavailable or busy is tried again, less and less often;
 * any other failure waits for unlock() or a restart, because trying again
 * could end in a TPM's lockout.
 *
 * src/worker.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>
#include <unistd.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "keymaster.h"
#include "unlock.h"
#include "worker.h"

#define RETRY_FIRST_MS			1000
#define RETRY_MAX_MS			60000
#define WORKER_RESTART_S		1

static TcUnlock attempt = {.open = tc_keymaster_open};
static TcStatus status;
static int	retry_ms;
static int64 retry_at;			/* on the clock of tc_unlock_now, 0 = never */
static uint32 wait_event;

void
tc_worker_register(void)
{
	BackgroundWorker worker;

	memset(&worker, 0, sizeof(worker));
	strlcpy(worker.bgw_name, "themis_crypt key worker", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "themis_crypt key worker", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
	worker.bgw_start_time = BgWorkerStart_PostmasterStart;
	worker.bgw_restart_time = WORKER_RESTART_S;
	strlcpy(worker.bgw_library_name, "themis_crypt", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "themis_crypt_worker_main", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

static void
set_state(TcInstanceState state, const char *reason)
{
	if (status.state != state || strcmp(status.reason, reason) != 0)
		status.changed_at = GetCurrentTimestamp();
	status.state = state;
	strlcpy(status.reason, reason, sizeof(status.reason));
	tc_status_set(&status);
}

/* Plan the next attempt, less and less often; or none. */
static void
plan_retry(bool retriable)
{
	retry_at = 0;
	status.next_retry = 0;
	if (!retriable)
		return;
	retry_ms = retry_ms == 0 ? RETRY_FIRST_MS : Min(retry_ms * 2, RETRY_MAX_MS);
	retry_at = tc_unlock_now() + retry_ms;
	status.next_retry =
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(), retry_ms);
}

/* An attempt is over, without success.  Each cause is told once. */
static void
unlock_failed(void)
{
	/* after unlock() in an unlocked state the identity we have stays */
	bool		unlocked = tc_keymaster_unlocked();
	TcInstanceState state = unlocked ? TC_STATE_UNLOCKED : TC_STATE_FAILED;

	status.attempts++;
	plan_retry(attempt.retriable);
	if (status.state != state || strcmp(status.reason, attempt.reason) != 0)
		ereport(LOG,
				(unlocked ?
				 errmsg("could not read the keyring again: %s", attempt.reason) :
				 errmsg("could not unlock encryption keys: %s", attempt.reason),
				 tc_unlock_hint(attempt.cause) != NULL ?
				 errhint("%s", tc_unlock_hint(attempt.cause)) : 0));
	status.cause = attempt.cause;
	set_state(state, attempt.reason);
}

static void
unlock_succeeded(void)
{
	const TcKeyringSlot *slot = &attempt.keyring.slots[attempt.slot];

	/* what is trusted may have changed: let keys be loaded anew */
	tc_slots_close();
	status.attempts++;
	plan_retry(false);
	retry_ms = 0;
	strlcpy(status.provider, slot->provider, sizeof(status.provider));
	status.binding = slot->binding;
	status.locked_by[0] = '\0';
	status.cause = TC_CAUSE_NONE;
	tc_keymaster_describe(status.public_key, &status.has_recovery);
	ereport(LOG,
			(errmsg("encryption keys unlocked with key provider \"%s\"",
					slot->provider)));
	set_state(TC_STATE_UNLOCKED, "");
}

static void
conclude(TcUnlockState outcome)
{
	if (outcome == TC_UNLOCK_OPENED)
		unlock_succeeded();
	else if (outcome == TC_UNLOCK_FAILED)
		unlock_failed();
}

static void
begin_unlock(bool again)
{
	if (attempt.running)
		return;
	plan_retry(false);
	tc_status_set(&status);
	conclude(tc_unlock_begin(&attempt, again));
}

static void
drive_unlock(void)
{
	if (attempt.running)
		conclude(tc_unlock_progress(&attempt));
	else if (retry_at != 0 && tc_unlock_now() >= retry_at)
		begin_unlock(true);
}

static void
lock_instance(const char *by)
{
	bool		known = status.state == TC_STATE_LOCKED;

	tc_slots_set_locked(by);
	tc_slots_close();
	tc_unlock_stop(&attempt);
	tc_keymaster_forget();
	if (!tc_slots_wipe())
		ereport(LOG,
				(errmsg("a backend stood still while encryption keys were locked; it may keep one subkey")));
	plan_retry(false);
	strlcpy(status.locked_by, by, sizeof(status.locked_by));
	if (!known)
		ereport(LOG, (errmsg("encryption keys locked by role \"%s\"", by)));
	set_state(TC_STATE_LOCKED, "locked by themis_crypt.lock()");
}

static void
unlock_instance(void)
{
	tc_slots_set_locked(NULL);
	retry_ms = 0;
	/* whoever asks has changed the file: its outcome is what counts */
	if (attempt.running && tc_unlock_outdated(&attempt))
		tc_unlock_stop(&attempt);
	/* after a failure, nobody but the caller of unlock() waits for this */
	if (status.state == TC_STATE_LOCKED)
		set_state(TC_STATE_STARTING, "");
	begin_unlock(false);
}

static void
serve_requests(void)
{
	int			cursor = 0;
	TcRequest  *request;

	/* lock() acts at once; its request may have been given up since. */
	if (tc_slots_locked_by() != NULL && status.state != TC_STATE_LOCKED)
	{
		char		by[NAMEDATALEN];

		strlcpy(by, tc_slots_locked_by(), sizeof(by));
		lock_instance(by);
	}

	/* Whoever needs a key during the first attempt waits for its outcome. */
	while ((request = tc_request_take(&cursor, status.state == TC_STATE_STARTING &&
									  attempt.running)) != NULL)
	{
		TcAnswer	answer = TC_ANS_OK;

		if (request->kind == TC_REQ_LOCK)
			lock_instance(request->by);
		else if (request->kind == TC_REQ_UNLOCK)
		{
			request->worker_pid = MyProcPid;
			request->attempts = status.attempts;
			unlock_instance();
		}
		else
			answer = tc_keymaster_serve(request);
		tc_request_answer(cursor, answer);
	}
}

/* How long there is nothing to do, in ms; -1 = until something happens. */
static long
idle_ms(void)
{
	int64		next = attempt.running ? attempt.deadline : retry_at;

	if (next == 0)
		return -1;
	return (long) Max(0, next - tc_unlock_now()) + 1;
}

/* Wait for a request, a signal, the provider, or time to act. */
static void
wait_for_work(void)
{
	const TcProviderRun *run = attempt.run;
	WaitEventSet *set;
	WaitEvent	event;

	set = tc_create_wait_set(5);
	AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	if (attempt.running && run->in >= 0)
		AddWaitEventToSet(set, WL_SOCKET_WRITEABLE, run->in, NULL, NULL);
	if (attempt.running && run->out >= 0)
		AddWaitEventToSet(set, WL_SOCKET_READABLE, run->out, NULL, NULL);
	if (attempt.running && run->err >= 0)
		AddWaitEventToSet(set, WL_SOCKET_READABLE, run->err, NULL, NULL);
	(void) WaitEventSetWait(set, idle_ms(), &event, 1, wait_event);
	FreeWaitEventSet(set);
	ResetLatch(MyLatch);
}

/* Do not leave a provider behind when we go. */
static void
stop_provider(int code, Datum arg)
{
	tc_unlock_stop(&attempt);
	tc_keymaster_forget();
}

/*
 * Another process has crashed, and we have to go at once.  The provider would
 * die with us, but not what it has started; and a postmaster that is process
 * 1 of a container would take what we leave for crashed children of its own.
 */
static void
crash_exit(SIGNAL_ARGS)
{
	if (attempt.running)
		tc_keyprov_kill(attempt.run);
	_exit(2);
}

void
themis_crypt_worker_main(Datum arg)
{
	pqsignal(SIGQUIT, crash_exit);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();

	MemoryContextSwitchTo(AllocSetContextCreate(TopMemoryContext,
												"themis_crypt worker",
												ALLOCSET_SMALL_SIZES));
	wait_event = tc_wait_event_new("ThemisCryptKeyWorker");
	tc_keymaster_init();
	attempt.run = tc_keymaster_provider_run();
	before_shmem_exit(stop_provider, (Datum) 0);
	if (!tc_request_attach_worker())
		ereport(FATAL,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is another themis_crypt key worker")));
	before_shmem_exit(tc_request_detach_worker, (Datum) 0);

	if (tc_slots_locked_by() != NULL)
	{
		/* lock() may have found no worker to do this */
		(void) tc_slots_wipe();
		strlcpy(status.locked_by, tc_slots_locked_by(), sizeof(status.locked_by));
		set_state(TC_STATE_LOCKED, "locked by themis_crypt.lock()");
	}
	else
	{
		set_state(TC_STATE_STARTING, "");
		begin_unlock(false);
	}

	while (!ShutdownRequestPending)
	{
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		drive_unlock();
		serve_requests();
		wait_for_work();
		MemoryContextReset(CurrentMemoryContext);
	}

	/* Anything but 0 lets the postmaster start us again, if it lives on. */
	proc_exit(1);
}
