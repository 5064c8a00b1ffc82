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
	pg_atomic_uint32 owner;		/* pid of the backend, 0 = free */
	pg_atomic_uint32 busy;
	uint64		generation;		/* of the slot; 0 = no subkey here */
	uint8		salt[TC_SALT_BYTES];
	uint8		subkey[TC_KEY_BYTES];
} Cell;

StaticAssertDecl(sizeof(Slot) == 64, "a slot is a cache line");
StaticAssertDecl(sizeof(Cell) == 64, "a cell is a cache line");

typedef struct Region
{
	uint64		last_generation;	/* never given twice; the worker's */
	char		locked_by[NAMEDATALEN]; /* role that called lock() */
	uint8		pad[128 - sizeof(uint64) - NAMEDATALEN];
	/* slots, then cells */
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

static inline Cell *
cell_at(uint32 index)
{
	return (Cell *) slot_at(tc_nslots) + index;
}

#endif							/* TC_DEKSLOTS_REGION_H */
