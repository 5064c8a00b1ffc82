/*-------------------------------------------------------------------------
 *
 * startcheck.h
 *	  themis_crypt.require_unlocked: no start of a server that has no keys.
 *
 * The postmaster must not hold keys, and must not block for ever.  So it
 * forks a child that opens the keyring as the key worker will, into secret
 * memory of its own, and ends; the postmaster learns whether that went well,
 * and the reason if not.
 *
 *	Owns	the child.
 *	Errors	FATAL with the reason; a WARNING where a standby starts.
 *	Units	at most one provider deadline for each slot of the keyring.
 *	Uses	unlock.h, secretmem.h.
 *
 * src/startcheck.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_STARTCHECK_H
#define TC_STARTCHECK_H

#include "postgres.h"

/*
 * Check, if require_unlocked is on: once in the life of a postmaster, not in
 * its crash restarts, where sessions and their keys come first.  For the
 * shmem_startup_hook.  Not in single-user mode and binary upgrade, which have
 * no key worker.  A standby, or a server that recovers from an archive,
 * starts all the same: replaying WAL needs no keys.
 */
extern void tc_startcheck(void);

#endif							/* TC_STARTCHECK_H */
