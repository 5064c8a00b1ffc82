/*-------------------------------------------------------------------------
 *
 * dekslots_region.h
 *	  The layout of the secret region, for dekslots.c and dekslots_use.c alone.
 *
 * src/dekslots_region.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_DEKSLOTS_REGION_H
#define TC_DEKSLOTS_REGION_H

#include "dekslots.h"
#include "port/atomics.h"
#include "subkeys.h"

typedef struct Slot
{
	pg_atomic_uint64 generation;	/* 0 = empty or changing */
	uint32		check;			/* random, new with each publishing */
	uint8		key[TC_KEY_BYTES];
	uint8		may_seal;
	uint8		pad[19];
} Slot;

/* What one backend has derived. */
typedef struct Cells
{
	pg_atomic_uint32 owner;		/* pid of the backend, 0 = free */
	pg_atomic_uint32 busy;
	uint8		pad[56];
	TcSubkeys	values;			/* by the salt of a nonce */
	TcSubkeys	tokens;			/* by plaintext type, which is the salt */
} Cells;

/* What values[] of the same cells expand to, where the algorithm does that. */
typedef struct Schedules
{
	pg_attribute_aligned(16) uint8 of[TC_SUBKEYS][TC_SCHEDULE_BYTES];
} Schedules;

StaticAssertDecl(sizeof(Slot) == 64, "a slot is a cache line");
StaticAssertDecl(sizeof(Cells) % 64 == 0 && offsetof(Cells, values) == 64 &&
				 offsetof(TcSubkeys, each) == 64 && sizeof(Schedules) % 64 == 0,
				 "a subkey lies in one cache line");

typedef struct Region
{
	uint64		last_generation;	/* never given twice; the worker's */
	char		locked_by[NAMEDATALEN]; /* role that called lock() */
	uint8		pad[128 - sizeof(uint64) - NAMEDATALEN];
	/* slots, cells of backends, schedules of the first cells */
} Region;

StaticAssertDecl(sizeof(Region) == 128, "slots begin at a cache line");

/* The same in every process: mapped by the postmaster, inherited. */
extern Region *tc_region;
extern uint32 tc_nslots;
extern uint32 tc_ncells;
extern uint32 tc_nschedules;	/* not more than cells */

static inline Slot *
slot_at(uint32 index)
{
	return (Slot *) (tc_region + 1) + index;
}

/* tc_slot_live() */
static inline bool
slot_live(const TcSlotRef *ref)
{
	Slot	   *slot = slot_at(ref->index);

	return ref->generation != 0 &&
		pg_atomic_read_u64(&slot->generation) == ref->generation &&
		slot->check == ref->check;
}

static inline Cells *
cells_at(uint32 index)
{
	return (Cells *) slot_at(tc_nslots) + index;
}

/* NULL for cells without. */
static inline Schedules *
schedules_at(uint32 index)
{
	return index < tc_nschedules ? (Schedules *) cells_at(tc_ncells) + index : NULL;
}

/* Ready to be used again; the owner stays. */
static inline void
wipe_cells(uint32 index)
{
	tc_subkeys_reset(&cells_at(index)->values);
	tc_subkeys_reset(&cells_at(index)->tokens);
	if (schedules_at(index) != NULL)
		sodium_memzero(schedules_at(index), sizeof(Schedules));
}

#endif							/* TC_DEKSLOTS_REGION_H */
