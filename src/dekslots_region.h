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

#include <sodium.h>

#include "dekslots.h"
#include "port/atomics.h"

#define VALUE_CELLS		4		/* subkeys a backend keeps, by nonce salt */
#define TOKEN_CELLS		2		/* and by plaintext type, for tokens */
#define CELLS_MAX		(VALUE_CELLS + TOKEN_CELLS)

typedef struct Slot
{
	pg_atomic_uint64 generation;	/* 0 = empty or changing */
	uint32		check;			/* random, new with each publishing */
	uint8		key[TC_KEY_BYTES];
	uint8		may_seal;
	uint8		pad[19];
} Slot;

typedef struct Cell
{
	uint64		generation;		/* of the slot; 0 = nothing here */
	uint8		salt[TC_SALT_BYTES];
	uint8		pad[8];
	uint8		subkey[TC_KEY_BYTES];
	pg_attribute_aligned(16) uint8 schedule[TC_SCHEDULE_BYTES];
} Cell;

/* What one backend has derived. */
typedef struct Cells
{
	pg_atomic_uint32 owner;		/* pid of the backend, 0 = free */
	pg_atomic_uint32 busy;
	uint8		pad[56];
	Cell		cells[CELLS_MAX];
} Cells;

StaticAssertDecl(sizeof(Slot) == 64, "a slot is a cache line");
StaticAssertDecl(offsetof(Cell, schedule) == 64 && sizeof(Cell) % 64 == 0 &&
				 offsetof(Cells, cells) == 64,
				 "what is looked at in a cell is a cache line");

typedef struct Region
{
	uint64		last_generation;	/* never given twice; the worker's */
	char		locked_by[NAMEDATALEN]; /* role that called lock() */
	uint8		pad[128 - sizeof(uint64) - NAMEDATALEN];
	/* slots, then cells of backends */
} Region;

StaticAssertDecl(sizeof(Region) == 128, "slots begin at a cache line");

/* The same in every process: mapped by the postmaster, inherited. */
extern Region *tc_region;
extern uint32 tc_nslots;
extern uint32 tc_ncells;

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

static inline void
wipe_cells(Cells *cells)
{
	sodium_memzero(cells->cells, sizeof(cells->cells));
}

#endif							/* TC_DEKSLOTS_REGION_H */
