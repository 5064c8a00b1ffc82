/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  The key worker: the one process that holds instance and root keys.
 *
 * Unlocking goes through the slots of the keyring file in order until one
 * opens.  A provider that is unavailable or busy is tried again, less and
 * less often; any other failure waits for unlock() or a restart, because
 * trying again could end in a TPM's lockout.
 *
 * src/worker.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include <sodium.h>

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
#include "guc.h"
#include "keymaster.h"
#include "provopts.h"
#include "worker.h"

#define PROVIDER_DEADLINE_MS	15000
#define RETRY_FIRST_MS			1000
#define RETRY_MAX_MS			60000
#define WORKER_RESTART_S		1

/* One attempt at unlocking. */
typedef struct Attempt
{
	bool		running;		/* a provider program is */
	bool		retriable;		/* some slot failed in a way worth retrying */
	int			slot;
	TimestampTz deadline;		/* of the running provider */
	TcKeyring	keyring;		/* borrows from "file" */
	uint8		file[TC_KEYRING_MAX];
} Attempt;

static Attempt attempt;
static TcStatus status;
static int	retry_ms;
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

/* An attempt is over, without success. */
static void
unlock_failed(const char *reason)
{
	bool		known = strcmp(status.reason, reason) == 0;

	status.attempts++;
	status.next_retry = 0;
	if (attempt.retriable)
	{
		retry_ms = retry_ms == 0 ? RETRY_FIRST_MS : Min(retry_ms * 2, RETRY_MAX_MS);
		status.next_retry =
			TimestampTzPlusMilliseconds(GetCurrentTimestamp(), retry_ms);
	}
	if (tc_keymaster_unlocked())
	{
		/* unlock() in an unlocked state: the identity we have stays */
		ereport(LOG,
				(errmsg("could not read the keyring again: %s", reason)));
		set_state(TC_STATE_UNLOCKED, reason);
		return;
	}
	if (!known || status.state != TC_STATE_FAILED)
		ereport(LOG,
				(errmsg("could not unlock encryption keys: %s", reason),
				 attempt.retriable ?
				 errhint("This will be tried again.") :
				 errhint("Mend the cause, then call themis_crypt.unlock() or restart the server.")));
	set_state(TC_STATE_FAILED, reason);
}

static void
unlock_succeeded(void)
{
	const TcKeyringSlot *slot = &attempt.keyring.slots[attempt.slot];

	status.attempts++;
	status.next_retry = 0;
	retry_ms = 0;
	strlcpy(status.provider, slot->provider, sizeof(status.provider));
	status.binding = slot->binding;
	status.locked_by[0] = '\0';
	tc_keymaster_describe(status.public_key, &status.has_recovery);
	ereport(LOG,
			(errmsg("encryption keys unlocked with key provider \"%s\"",
					slot->provider)));
	set_state(TC_STATE_UNLOCKED, "");
}

/* Read and parse the keyring file; false with words if that fails. */
static bool
read_keyring(char *ret_reason, size_t size)
{
	const char *why = NULL;
	size_t		len = 0;
	TcResult	result;

	result = tc_keyring_read_file(tc_keyring_path, geteuid(), attempt.file,
								  &len, &why);
	if (result == TC_SYSTEM)
		snprintf(ret_reason, size, "keyring file \"%s\": %s: %s",
				 tc_keyring_path, why, strerror(errno));
	else if (result != TC_OK)
		snprintf(ret_reason, size, "keyring file \"%s\": %s",
				 tc_keyring_path, why);
	if (result != TC_OK)
		return false;

	result = tc_keyring_parse(tc_span(attempt.file, len), &attempt.keyring);
	if (result == TC_OK)
		return true;
	snprintf(ret_reason, size, result == TC_UNSUPPORTED ?
			 "keyring file \"%s\" was written by a newer version" :
			 "keyring file \"%s\" is damaged", tc_keyring_path);
	return false;
}

/* Start the provider of the attempt's slot; false with words. */
static bool
start_provider(char *ret_reason, size_t size)
{
	const TcKeyringSlot *slot = &attempt.keyring.slots[attempt.slot];
	char		path[MAXPGPATH];
	const char *args[TC_KEYPROV_ARGS_MAX + 1];
	const char *why;

	if (!tc_provopts_get(slot->provider, args, &why))
	{
		snprintf(ret_reason, size, "key provider \"%s\": %s", slot->provider, why);
		return false;
	}
	snprintf(path, sizeof(path), "%s/themis_crypt/themis-keyprov-%s",
			 pkglib_path, slot->provider);
	if (tc_keyprov_start(tc_keymaster_provider_run(), path, "unseal", args,
						 slot->blob) != TC_OK)
	{
		snprintf(ret_reason, size, "could not run key provider \"%s\": %s",
				 slot->provider, strerror(errno));
		return false;
	}
	attempt.running = true;
	attempt.deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												   PROVIDER_DEADLINE_MS);
	return true;
}

/* Start with slot "first", or with the next that can be started. */
static void
try_slots(int first, const char *reason_so_far)
{
	char		reason[TC_REASON_MAX];

	strlcpy(reason, reason_so_far, sizeof(reason));
	for (attempt.slot = first; attempt.slot < attempt.keyring.nslots; attempt.slot++)
	{
		if (start_provider(reason, sizeof(reason)))
			return;
	}
	unlock_failed(reason);
}

static void
begin_unlock(void)
{
	char		reason[TC_REASON_MAX];

	if (attempt.running)
		return;
	attempt.retriable = false;
	status.next_retry = 0;
	if (!read_keyring(reason, sizeof(reason)))
	{
		unlock_failed(reason);
		return;
	}
	try_slots(0, "");
}

/* Say what an exit code means, in a sentence fragment. */
static const char *
exit_code_text(int code)
{
	switch (code)
	{
		case TC_EXIT_UNAVAILABLE:
			return "unavailable";
		case TC_EXIT_BUSY:
			return "busy";
		case TC_EXIT_WRONG_MACHINE:
			return "sealed to another machine";
		case TC_EXIT_WRONG_POLICY:
			return "the policy is not met";
		case TC_EXIT_DAMAGED:
			return "damaged";
		case TC_EXIT_DENIED:
			return "denied";
		default:
			return "failed";
	}
}

/* The running provider is done or overdue: take its secret, or go on. */
static void
end_provider(bool done)
{
	TcProviderRun *run = tc_keymaster_provider_run();
	const TcKeyringSlot *slot = &attempt.keyring.slots[attempt.slot];
	char		reason[TC_REASON_MAX];
	int			code;

	code = tc_keyprov_end(run, done);
	attempt.running = false;
	if (code == TC_EXIT_OK && run->output_len != TC_PROVIDER_SECRET_BYTES)
		code = TC_EXIT_INTERNAL;
	if (code == TC_EXIT_UNAVAILABLE || code == TC_EXIT_BUSY)
		attempt.retriable = true;
	if (code != TC_EXIT_OK)
		snprintf(reason, sizeof(reason), "key provider \"%s\": %s%s%s",
				 slot->provider,
				 done ? exit_code_text(code) : "did not answer in time",
				 run->reason_len > 0 ? ": " : "", run->reason);
	else if (tc_keymaster_open(&attempt.keyring, attempt.slot, run->output) == TC_OK)
	{
		/* what is trusted may have changed: let keys be loaded anew */
		tc_slots_close();
	}
	else
	{
		code = TC_EXIT_DAMAGED;
		snprintf(reason, sizeof(reason),
				 "key provider \"%s\" gave the wrong secret, or the keyring file was altered",
				 slot->provider);
	}
	tc_keyprov_wipe(run);

	if (code == TC_EXIT_OK)
		unlock_succeeded();
	else
		try_slots(attempt.slot + 1, reason);
}

static void
drive_unlock(void)
{
	TimestampTz now = GetCurrentTimestamp();

	if (attempt.running)
	{
		if (tc_keyprov_progress(tc_keymaster_provider_run()))
			end_provider(true);
		else if (now >= attempt.deadline)
			end_provider(false);
	}
	else if (status.next_retry != 0 && now >= status.next_retry)
		begin_unlock();
}

static void
lock_instance(const char *by)
{
	bool		known = status.state == TC_STATE_LOCKED;

	tc_slots_set_locked(by);
	tc_slots_close();
	if (attempt.running)
	{
		(void) tc_keyprov_end(tc_keymaster_provider_run(), false);
		tc_keyprov_wipe(tc_keymaster_provider_run());
		attempt.running = false;
	}
	tc_keymaster_forget();
	if (!tc_slots_wipe())
		ereport(LOG,
				(errmsg("a backend stood still while encryption keys were locked; it may keep one subkey")));
	status.next_retry = 0;
	strlcpy(status.locked_by, by, sizeof(status.locked_by));
	if (!known)
		ereport(LOG, (errmsg("encryption keys locked by role \"%s\"", by)));
	set_state(TC_STATE_LOCKED, "locked by themis_crypt.lock()");
}

static void
unlock_instance(void)
{
	tc_slots_set_locked(NULL);
	if (!tc_keymaster_unlocked())
		set_state(TC_STATE_STARTING, "");
	begin_unlock();
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
			unlock_instance();
		else
			answer = tc_keymaster_serve(request);
		tc_request_answer(cursor, answer);
	}
}

/* How long there is nothing to do, in ms; -1 = until something happens. */
static long
idle_ms(void)
{
	TimestampTz next = attempt.running ? attempt.deadline : status.next_retry;

	if (next == 0)
		return -1;
	return Max(0, TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next)) + 1;
}

/* Wait for a request, a signal, the provider, or time to act. */
static void
wait_for_work(void)
{
	TcProviderRun *run = tc_keymaster_provider_run();
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
	if (attempt.running)
		(void) tc_keyprov_end(tc_keymaster_provider_run(), false);
	attempt.running = false;
	tc_keymaster_forget();
}

void
themis_crypt_worker_main(Datum arg)
{
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();

	MemoryContextSwitchTo(AllocSetContextCreate(TopMemoryContext,
												"themis_crypt worker",
												ALLOCSET_SMALL_SIZES));
	wait_event = tc_wait_event_new("ThemisCryptKeyWorker");
	tc_keymaster_init();
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
		begin_unlock();
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
