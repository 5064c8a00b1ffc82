/*-------------------------------------------------------------------------
 *
 * subkeys.h
 *	  Subkeys that were derived, kept for the next value.
 *
 * A small table: found by the key's generation, the algorithm and the salt,
 * all three.  The one that was not used for longest gives way, so that the
 * subkeys of a row's columns stay while others come and go.
 *
 * A search begins where the last one ended: a scan under one key finds its
 * subkey at once, and a row of several keys the next one beside the last.
 *
 *	Owns	nothing; the table lies in secret memory of the caller, who derives
 *			subkeys into it, uses them in place, and wipes it.
 *	Errors	none.
 *	Units	bytes.
 *	Uses	aead.h (sizes).
 *
 * src/subkeys.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_SUBKEYS_H
#define TC_SUBKEYS_H

#include "aead.h"

#define TC_SUBKEYS		8

typedef struct TcSubkey
{
	uint64_t	generation;		/* of the key's slot; 0 = nothing here */
	uint8_t		salt[TC_SALT_BYTES];
	uint32_t	used;			/* when, by the table's clock */
	uint8_t		algorithm;
	uint8_t		pad[3];
	uint8_t		subkey[TC_KEY_BYTES];
} TcSubkey;

_Static_assert(sizeof(TcSubkey) == 64, "a subkey is a cache line");

/* All zeros is an empty table. */
typedef struct TcSubkeys
{
	uint32_t	clock;			/* counts uses */
	uint32_t	last;			/* place of the last use */
	uint8_t		pad[56];
	TcSubkey	each[TC_SUBKEYS];
} TcSubkeys;

/* Note a use of a place. */
static inline void
tc_subkeys_use(TcSubkeys *table, uint32_t place)
{
	table->each[place].used = ++table->clock;
	table->last = place;
}

/* The place of a subkey, noted as used; TC_SUBKEYS if it is not there. */
static inline uint32_t
tc_subkeys_find(TcSubkeys *table, uint64_t generation, uint8_t algorithm,
				const uint8_t salt[TC_SALT_BYTES])
{
	for (uint32_t i = 0; i < TC_SUBKEYS; i++)
	{
		uint32_t	place = (table->last + i) % TC_SUBKEYS;
		const TcSubkey *each = &table->each[place];

		if (each->generation == generation && each->algorithm == algorithm &&
			memcmp(each->salt, salt, TC_SALT_BYTES) == 0)
		{
			tc_subkeys_use(table, place);
			return place;
		}
	}
	return TC_SUBKEYS;
}

/* The place that gives way: an empty one, or the least recently used. */
static inline uint32_t
tc_subkeys_oldest(const TcSubkeys *table)
{
	uint32_t	oldest = 0;
	uint32_t	age = 0;

	for (uint32_t place = 0; place < TC_SUBKEYS; place++)
	{
		const TcSubkey *each = &table->each[place];

		if (each->generation == 0)
			return place;
		/* the difference stays right when the clock wraps around */
		if (table->clock - each->used > age)
		{
			age = table->clock - each->used;
			oldest = place;
		}
	}
	return oldest;
}

#endif							/* TC_SUBKEYS_H */
