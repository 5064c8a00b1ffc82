/*-------------------------------------------------------------------------
 *
 * unlock.h
 *	  One attempt at unlocking: through the keyring's slots until one opens.
 *
 * Never blocks longer than it takes to end a provider (keyprov.h): whoever
 * makes an attempt waits for its descriptors and for its deadline among other
 * things, and calls tc_unlock_progress.
 *
 *	Owns	one provider run at a time, in memory that the caller gives.
 *	Errors	words and a cause; nothing is thrown or logged.
 *	Units	milliseconds of a clock that nobody sets (CLOCK_MONOTONIC).
 *	Uses	keyprov.h, keyring.h, provopts.h, guc.h; request.h for causes.
 *
 * src/unlock.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_UNLOCK_H
#define TC_UNLOCK_H

#include "postgres.h"

#include "keyprov.h"
#include "keyring.h"
#include "request.h"

typedef enum TcUnlockState
{
	TC_UNLOCK_RUNNING,			/* a provider program is */
	TC_UNLOCK_OPENED,			/* slot "slot" did */
	TC_UNLOCK_FAILED			/* none did: "reason", "cause", "retriable" */
} TcUnlockState;

/* Open a keyring through a slot with the secret its provider gave. */
typedef TcResult (*TcUnlockOpen) (const TcKeyring *keyring, int slot,
								  const uint8 secret[TC_PROVIDER_SECRET_BYTES]);

/* The caller sets the first two; large, so not for the stack. */
typedef struct TcUnlock
{
	TcProviderRun *run;			/* in secret memory */
	TcUnlockOpen open;
	bool		running;		/* a provider program is */
	bool		retriable;		/* some slot failed in a way worth retrying */
	TcUnlockCause cause;
	int			slot;			/* that is, or was, tried */
	int64		deadline;		/* of the running provider */
	char		reason[TC_REASON_MAX];	/* names each slot that failed */
	TcUnlockCause slot_cause[TC_KEYRING_SLOTS_MAX];
	char		slot_reason[TC_KEYRING_SLOTS_MAX][TC_REASON_MAX];
	uint8		digest[TC_KEY_BYTES];	/* of the file that these are about */
	TcKeyring	keyring;		/* borrows from "file" */
	uint8		file[TC_KEYRING_MAX];
} TcUnlock;

/*
 * Read the keyring file and start with its first slot.  With "again", which is
 * for whoever was not asked to, slots that failed for good in the attempt
 * before are passed over, unless the file has changed: a wrong PIN is not
 * tried twice because some other slot's device is absent.
 */
extern TcUnlockState tc_unlock_begin(TcUnlock *unlock, bool again);

/* Go on with an attempt that is running. */
extern TcUnlockState tc_unlock_progress(TcUnlock *unlock);

/* Whether the keyring file is another than the one that is being tried. */
extern bool tc_unlock_outdated(const TcUnlock *unlock);

/* Give up, if running. */
extern void tc_unlock_stop(TcUnlock *unlock);

/* Now, on the clock of deadlines. */
extern int64 tc_unlock_now(void);

/* What to do about a cause, as a hint; NULL for TC_CAUSE_NONE. */
extern const char *tc_unlock_hint(TcUnlockCause cause);

#endif							/* TC_UNLOCK_H */
