/*-------------------------------------------------------------------------
 *
 * dekslots.h
 *	  Unwrapped data keys in secret memory, and the only code that uses them.
 *
 * The key worker publishes a key in a slot; any backend may then seal and
 * open values with it, in place.  No function here hands out the bytes of a
 * key.  To check that promise, read dekslots.c and dekslots_use.c: nothing else
 * sees dekslots_region.h, where keys lie.
 *
 * A slot is found by its address, a hash of all that the key is bound to
 * (wrap.h), never by a database, id or version alone.  A slot may vanish at
 * any moment: recycled for another key, or by lock().  Its generation number
 * is compared before and after every use, so a value is never sealed under a
 * wiped or foreign key; the caller loads the key again and repeats.
 *
 *	Owns	the shared secret region: slots, and the cells in which backends
 *			keep subkeys.  All of it is wiped at every (re)initialisation of
 *			shared memory, that is also after a crash.
 *	Locks	none inside the region.  Only the key worker writes slots; a cell
 *			belongs to the backend that took it.
 *	Errors	none are thrown but by the two functions of the postmaster.
 *			Results come back as TcSlotResult, and the caller decides what
 *			the user may be told.
 *	Units	lengths are bytes.
 *	Uses	aead.h, wrap.h, secretmem.h.  Knows nothing of roles, grants, SQL
 *			types, or where keys come from.
 *
 * src/dekslots.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_DEKSLOTS_H
#define TC_DEKSLOTS_H

#include "postgres.h"

#include "aead.h"
#include "secretmem.h"
#include "wrap.h"

/* A slot as somebody once found it.  All zeros refers to no slot. */
typedef struct TcSlotRef
{
	uint32		index;
	uint32		check;			/* of the key that was there */
	uint64		generation;		/* 0 = none */
} TcSlotRef;

typedef enum TcSlotResult
{
	TC_SLOT_OK,
	TC_SLOT_STALE,				/* the key is no longer there: load it again */
	TC_SLOT_REJECTED,			/* authentication failed */
	TC_SLOT_UNTRUSTED,			/* the key may open, but not seal */
	TC_SLOT_ERROR				/* libsodium or the algorithm let us down */
} TcSlotResult;

/*
 * Map the region; in the postmaster, from the shmem_request hook, once.
 * FATAL if no locked memory is to be had.
 */
extern void tc_slots_map(void);

/* Ordinary shared memory needed beside it, in bytes. */
extern Size tc_slots_shmem_size(void);

/* Find or make the ordinary shared part; wipes the region when it is new. */
extern void tc_slots_shmem_init(void);

/* What kind of memory the region is. */
extern TcSecretKind tc_slots_memory_kind(void);

/* How many keys fit in at a time. */
extern uint32 tc_slots_count(void);

/* Look for a slot by its address, and mark it as used. */
extern bool tc_slot_find(const uint8 address[TC_ADDRESS_BYTES],
						 TcSlotRef *ret_ref);

/* Whether a slot still holds what it held when "ref" was made. */
extern bool tc_slot_live(const TcSlotRef *ref);

/*
 * Seal and open one value: see tc_aead_seal and tc_aead_open.  On anything
 * but TC_SLOT_OK the output holds zeros.  Never throws, never allocates.
 */
extern TcSlotResult tc_slot_seal(const TcSlotRef *ref, uint8 algorithm,
								 const uint8 *nonce, TcSpan ad, TcSpan plain,
								 uint8 *ret_body);
extern TcSlotResult tc_slot_open(const TcSlotRef *ref, uint8 algorithm,
								 const uint8 *nonce, TcSpan ad, TcSpan body,
								 uint8 *ret_plain);

/*
 * Make the blind token of a canonical form with an index key: see
 * tc_token_make.  A key that may only open makes tokens, too.
 */
extern TcSlotResult tc_slot_token(const TcSlotRef *ref, uint8 index_algorithm,
								  uint8 type_code, TcSpan canonical,
								  uint8 ret_token[TC_TOKEN_BYTES]);

/*
 * For the key worker only.  Publish a key under an address, in place of the
 * least recently used one of its set if need be.  A key that "may_seal" is
 * false for, because its root is not trusted, only opens.  TC_REJECTED while
 * lock() is in force.
 */
extern TcResult tc_slot_publish(const uint8 address[TC_ADDRESS_BYTES],
								const uint8 key[TC_KEY_BYTES], bool may_seal,
								TcSlotRef *ret_ref) TC_CHECK_RESULT;

/*
 * Make every slot unusable, from any process: the emergency brake of lock(),
 * which works without the key worker.  Key bytes stay until tc_slots_wipe().
 */
extern void tc_slots_close(void);

/*
 * For the key worker only.  Wipe every slot and every cell, and return when
 * no backend can put anything back.  False if a backend stood still in the
 * middle of using its cell for longer than WIPE_PATIENCE_MS; its cell is
 * wiped all the same.
 */
extern bool tc_slots_wipe(void);

/*
 * Who called lock(), if unlock() was not called since; else NULL.  It lies in
 * the region and so outlives a crash of a backend, but not the server.
 */
extern const char *tc_slots_locked_by(void);

/* Note that, or with NULL that unlock() was called. */
extern void tc_slots_set_locked(const char *by);

#endif							/* TC_DEKSLOTS_H */
