/*-------------------------------------------------------------------------
 *
 * unlock.c
 *	  One attempt at unlocking.  The contract is in unlock.h.
 *
 * src/unlock.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "miscadmin.h"

#include "guc.h"
#include "provopts.h"
#include "unlock.h"

#define PROVIDER_DEADLINE_MS	15000

int64
tc_unlock_now(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return PG_INT64_MAX;	/* every deadline has passed */
	return (int64) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *
tc_unlock_hint(TcUnlockCause cause)
{
	switch (cause)
	{
		case TC_CAUSE_UNAVAILABLE:
			return "This will be tried again; themis_crypt.unlock() tries at once.  Is the device or service there, and may the server's account use it?";
		case TC_CAUSE_NO_KEYRING:
			return "Make the keyring with \"themis-keyring init\", or correct themis_crypt.keyring, then call themis_crypt.unlock() or restart the server.";
		case TC_CAUSE_KEYRING:
			return "Mend the file, its owner and mode, or those of its folders, then call themis_crypt.unlock().";
		case TC_CAUSE_SETTING:
			return "Correct postgresql.conf, then restart the server.";
		case TC_CAUSE_BINDING:
			return "Add a key provider that is bound to a TPM with \"themis-keyring add-provider\", or turn themis_crypt.require_hardware_binding off.";
		case TC_CAUSE_WRONG_MACHINE:
			return "If this machine or its TPM was replaced, move the keyring away, make a new one with \"themis-keyring init\", and let it in with \"themis-keyring recover\".";
		case TC_CAUSE_WRONG_POLICY:
			return "Undo what changed and restart the machine, or, if it was meant, run \"themis-keyring reseal\".";
		case TC_CAUSE_DAMAGED:
			return "Restore the keyring file, or the credential or command that belongs to it, then call themis_crypt.unlock().";
		case TC_CAUSE_DENIED:
			return "Correct the PIN or the permission, then call themis_crypt.unlock().  It is not tried again before that, so that no device locks itself.";
		case TC_CAUSE_FAILED:
			return "Mend the cause, then call themis_crypt.unlock().  \"themis-keyring verify\", run as the owner of the keyring (for \"systemd-creds\" as root), tests it.";
		case TC_CAUSE_NONE:
			break;
	}
	return NULL;
}

/* A cause that passes by itself is the one to name; else the first. */
static void
note_cause(TcUnlock *unlock, TcUnlockCause cause)
{
	if (cause == TC_CAUSE_UNAVAILABLE)
		unlock->retriable = true;
	if (cause == TC_CAUSE_UNAVAILABLE || unlock->cause == TC_CAUSE_NONE)
		unlock->cause = cause;
}

/*
 * Add the current slot's reason to the whole.  Each slot has its share of it,
 * so that none pushes out another.
 */
static void
add_reason(TcUnlock *unlock)
{
	size_t		share = TC_REASON_MAX / unlock->keyring.nslots;
	size_t		len = strlen(unlock->reason);
	char		text[2 * TC_REASON_MAX];

	note_cause(unlock, unlock->slot_cause[unlock->slot]);
	if (unlock->keyring.nslots > 1)
		snprintf(text, sizeof(text), "%sslot %d: %s", len > 0 ? "; " : "",
				 unlock->slot + 1, unlock->slot_reason[unlock->slot]);
	else
		strlcpy(text, unlock->slot_reason[unlock->slot], sizeof(text));
	if (strlen(text) >= share)
		strcpy(text + share - 4, "...");
	strlcpy(unlock->reason + len, text, sizeof(unlock->reason) - len);
}

/* The current slot does not open. */
static void __attribute__((format(printf, 3, 4)))
slot_failed(TcUnlock *unlock, TcUnlockCause cause, const char *format,...)
{
	va_list		args;

	unlock->slot_cause[unlock->slot] = cause;
	va_start(args, format);
	vsnprintf(unlock->slot_reason[unlock->slot], TC_REASON_MAX, format, args);
	va_end(args);
	add_reason(unlock);
}

static void
digest_file(const uint8 *file, size_t len, uint8 ret_digest[TC_KEY_BYTES])
{
	if (crypto_generichash(ret_digest, TC_KEY_BYTES, file, len, NULL, 0) != 0)
		sodium_memzero(ret_digest, TC_KEY_BYTES);
}

/*
 * Note the file that is being tried.  What failed before counts only "again"
 * and for the same file.
 */
static void
note_file(TcUnlock *unlock, size_t len, bool again)
{
	uint8		digest[TC_KEY_BYTES];

	digest_file(unlock->file, len, digest);
	if (!again || memcmp(digest, unlock->digest, sizeof(digest)) != 0)
		memset(unlock->slot_cause, 0, sizeof(unlock->slot_cause));
	memcpy(unlock->digest, digest, sizeof(digest));
}

/* Whether the current slot has failed for good. */
static bool
given_up(const TcUnlock *unlock)
{
	return unlock->slot_cause[unlock->slot] != TC_CAUSE_NONE &&
		unlock->slot_cause[unlock->slot] != TC_CAUSE_UNAVAILABLE;
}

/* Read and parse the keyring file. */
static bool
read_keyring(TcUnlock *unlock, bool again)
{
	const char *why = NULL;
	size_t		len = 0;
	TcResult	result;

	/* One below the data directory would be in every base backup. */
	if (tc_keyring_path[0] != '/')
	{
		note_cause(unlock, TC_CAUSE_SETTING);
		snprintf(unlock->reason, sizeof(unlock->reason),
				 "themis_crypt.keyring \"%s\" is not an absolute path",
				 tc_keyring_path);
		return false;
	}
	result = tc_keyring_read_file(tc_keyring_path, geteuid(), unlock->file,
								  &len, &why);
	if (result == TC_SYSTEM)
	{
		note_cause(unlock, errno == ENOENT ? TC_CAUSE_NO_KEYRING : TC_CAUSE_KEYRING);
		snprintf(unlock->reason, sizeof(unlock->reason),
				 "keyring file \"%s\": %s: %s", tc_keyring_path, why,
				 strerror(errno));
		return false;
	}
	if (result != TC_OK)
	{
		note_cause(unlock, TC_CAUSE_KEYRING);
		snprintf(unlock->reason, sizeof(unlock->reason),
				 "keyring file \"%s\": %s", tc_keyring_path, why);
		return false;
	}

	note_file(unlock, len, again);
	result = tc_keyring_parse(tc_span(unlock->file, len), &unlock->keyring);
	if (result == TC_OK)
		return true;
	note_cause(unlock, result == TC_UNSUPPORTED ? TC_CAUSE_FAILED : TC_CAUSE_DAMAGED);
	snprintf(unlock->reason, sizeof(unlock->reason), result == TC_UNSUPPORTED ?
			 "keyring file \"%s\" was written by a newer version" :
			 "keyring file \"%s\" is damaged", tc_keyring_path);
	return false;
}

/* Start the provider of the current slot; false with the reason noted. */
static bool
start_provider(TcUnlock *unlock)
{
	const TcKeyringSlot *slot = &unlock->keyring.slots[unlock->slot];
	const char *args[TC_KEYPROV_ARGS_MAX + 1];
	char		path[MAXPGPATH];
	const char *why;

	/* What the slot says of itself is authenticated when it opens. */
	if (tc_require_hardware_binding && slot->binding != TC_BINDING_TPM2 &&
		slot->binding != TC_BINDING_HOST_TPM2)
	{
		slot_failed(unlock, TC_CAUSE_BINDING,
					"key provider \"%s\": its binding \"%s\" is not to a TPM",
					slot->provider, slot->binding == TC_BINDING_UNRECORDED ?
					"not recorded" : tc_binding_name(slot->binding));
		return false;
	}
	if (!tc_provopts_get(slot->provider, args, &why))
	{
		slot_failed(unlock, TC_CAUSE_SETTING, "key provider \"%s\": %s",
					slot->provider, why);
		return false;
	}
	snprintf(path, sizeof(path), "%s/themis_crypt/themis-keyprov-%s",
			 pkglib_path, slot->provider);
	if (tc_keyprov_start(unlock->run, path, "unseal", args, slot->blob) != TC_OK)
	{
		/* no process, pipe or memory to be had: nothing has been tried */
		slot_failed(unlock, errno == EINVAL ? TC_CAUSE_FAILED : TC_CAUSE_UNAVAILABLE,
					"could not run key provider \"%s\": %s",
					slot->provider, strerror(errno));
		return false;
	}
	unlock->running = true;
	unlock->deadline = tc_unlock_now() + PROVIDER_DEADLINE_MS;
	return true;
}

/* Start with slot "first", or with the next that can be started. */
static TcUnlockState
try_slots(TcUnlock *unlock, int first)
{
	for (unlock->slot = first; unlock->slot < unlock->keyring.nslots; unlock->slot++)
	{
		if (given_up(unlock))
			add_reason(unlock);
		else if (start_provider(unlock))
			return TC_UNLOCK_RUNNING;
	}
	return TC_UNLOCK_FAILED;
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

static TcUnlockCause
exit_code_cause(int code)
{
	switch (code)
	{
		case TC_EXIT_UNAVAILABLE:
		case TC_EXIT_BUSY:
			return TC_CAUSE_UNAVAILABLE;
		case TC_EXIT_WRONG_MACHINE:
			return TC_CAUSE_WRONG_MACHINE;
		case TC_EXIT_WRONG_POLICY:
			return TC_CAUSE_WRONG_POLICY;
		case TC_EXIT_DAMAGED:
			return TC_CAUSE_DAMAGED;
		case TC_EXIT_DENIED:
			return TC_CAUSE_DENIED;
		default:
			return TC_CAUSE_FAILED;
	}
}

/* The running provider is done or overdue: take its secret.  True if it opens. */
static bool
end_provider(TcUnlock *unlock, bool done)
{
	const TcKeyringSlot *slot = &unlock->keyring.slots[unlock->slot];
	TcProviderRun *run = unlock->run;
	int			code = tc_keyprov_end(run, done);
	bool		opened = false;

	unlock->running = false;
	if (code != TC_EXIT_OK)
		slot_failed(unlock, exit_code_cause(code), "key provider \"%s\": %s%s%s",
					slot->provider,
					done ? exit_code_text(code) : "did not answer in time",
					run->reason_len > 0 ? ": " : "", run->reason);
	else if (run->output_len != TC_PROVIDER_SECRET_BYTES)
		slot_failed(unlock, TC_CAUSE_FAILED,
					"key provider \"%s\": failed: gave %zu bytes instead of %d",
					slot->provider, run->output_len, TC_PROVIDER_SECRET_BYTES);
	else if (unlock->open(&unlock->keyring, unlock->slot, run->output) != TC_OK)
		slot_failed(unlock, TC_CAUSE_DAMAGED,
					"key provider \"%s\" gave the wrong secret, or the keyring file was altered",
					slot->provider);
	else
		opened = true;
	tc_keyprov_wipe(run);
	return opened;
}

TcUnlockState
tc_unlock_begin(TcUnlock *unlock, bool again)
{
	unlock->retriable = false;
	unlock->cause = TC_CAUSE_NONE;
	unlock->reason[0] = '\0';
	if (!read_keyring(unlock, again))
		return TC_UNLOCK_FAILED;
	return try_slots(unlock, 0);
}

TcUnlockState
tc_unlock_progress(TcUnlock *unlock)
{
	bool		done = tc_keyprov_progress(unlock->run);

	if (!done && tc_unlock_now() < unlock->deadline)
		return TC_UNLOCK_RUNNING;
	if (end_provider(unlock, done))
		return TC_UNLOCK_OPENED;
	return try_slots(unlock, unlock->slot + 1);
}

bool
tc_unlock_outdated(const TcUnlock *unlock)
{
	static uint8 file[TC_KEYRING_MAX];
	uint8		digest[TC_KEY_BYTES];
	const char *why;
	size_t		len;

	if (tc_keyring_read_file(tc_keyring_path, geteuid(), file, &len, &why) != TC_OK)
		return true;
	digest_file(file, len, digest);
	return memcmp(digest, unlock->digest, sizeof(digest)) != 0;
}

void
tc_unlock_stop(TcUnlock *unlock)
{
	if (!unlock->running)
		return;
	(void) tc_keyprov_end(unlock->run, false);
	tc_keyprov_wipe(unlock->run);
	unlock->running = false;
}
