/*-------------------------------------------------------------------------
 *
 * keymaster.h
 *	  The instance and root keys, and all that is done with them.
 *
 * Lives in the key worker alone.  Keys enter through the keyring file's
 * payload and through boxes in root records; what leaves is wraps, records
 * and published slots.
 *
 *	Owns	the worker's private secret memory.
 *	Errors	TcAnswer and TcResult; nothing is thrown but by tc_keymaster_init.
 *	Units	bytes.
 *	Uses	keyring.h, rootrec.h, wrap.h, dekslots.h, request.h.
 *
 * src/keymaster.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYMASTER_H
#define TC_KEYMASTER_H

#include "postgres.h"

#include "keyprov.h"
#include "keyring.h"
#include "request.h"

/* Map secret memory; once, in the worker.  FATAL if there is none. */
extern void tc_keymaster_init(void);

/* Where a provider run lies, so that what it answers is in secret memory. */
extern TcProviderRun *tc_keymaster_provider_run(void);

/*
 * Take over the identity in a keyring through one of its slots, with the
 * secret its provider gave.  On failure what was there before stays.
 */
extern TcResult tc_keymaster_open(const TcKeyring *keyring, int slot,
								  const uint8 secret[TC_PROVIDER_SECRET_BYTES]) TC_CHECK_RESULT;

/* Whether there is an identity. */
extern bool tc_keymaster_unlocked(void);

/* This machine's public key as text, and whether a recovery key is enrolled. */
extern void tc_keymaster_describe(char ret_public_key[TC_RECIPIENT_TEXT_MAX],
								  bool *ret_has_recovery);

/* Wipe everything. */
extern void tc_keymaster_forget(void);

/* Answer a request that needs keys (all kinds but LOCK and UNLOCK). */
extern TcAnswer tc_keymaster_serve(TcRequest *request);

#endif							/* TC_KEYMASTER_H */
