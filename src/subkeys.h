/*-------------------------------------------------------------------------
 *
 * subkeys.h
 *	  Subkeys that were derived, kept for the next value.
 *
 * A small table: found by the key's generation, the algorithm and the salt,
 * all three.  The one that was not used for longest gives way, so that the
 * subkeys of a row's columns stay while others come and go.
 *
 *	Owns	nothing; the table lies in secret memory of the caller, who derives
 *			subkeys into it, uses them in place, and wipes it.
 *	Errors	none.
 *	Units	bytes.
 *	Uses	aead.h (sizes), sodium_memzero.
 *
 * src/subkeys.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_SUBKEYS_H
#define TC_SUBKEYS_H

#include <sodium.h>

#include "aead.h"

#define TC_SUBKEYS		8		/* as many as a word has nibbles */

typedef struct TcSubkey
{
	uint64_t	generation;		/* of the key's slot; 0 = nothing here */
	uint8_t		salt[TC_SALT_BYTES];
	uint8_t		algorithm;
	uint8_t		pad[7];
	uint8_t		subkey[TC_KEY_BYTES];
} TcSubkey;

_Static_assert(sizeof(TcSubkey) == 64, "a subkey is a cache line");

typedef struct TcSubkeys
{
	uint32_t	order;			/* places in nibbles, the last used lowest */
	uint8_t		pad[60];
	TcSubkey	each[TC_SUBKEYS];
} TcSubkeys;

/* Empty a table and wipe it.  Memory of zeros needs this, too. */
static inline void
tc_subkeys_reset(TcSubkeys *table)
{
	table->order = 0x01234567;
	sodium_memzero(table->each, sizeof(table->each));
}

/* Put a place first in the order. */
static inline void
tc_subkeys_use(TcSubkeys *table, uint32_t place)
{
	uint32_t	order = table->order;
	uint32_t	zeros = order ^ place * 0x11111111;
	uint32_t	at = (uint32_t) __builtin_ctz((zeros - 0x11111111) & ~zeros & 0x88888888) & ~3U;
	uint32_t	before = order & ((1U << at) - 1);

	table->order = (order & ~((0x10U << at) - 1)) | before << 4 | place;
}

static inline bool
tc_subkey_is(const TcSubkey *subkey, uint64_t generation, uint8_t algorithm,
			 const uint8_t salt[TC_SALT_BYTES])
{
	return subkey->generation == generation &&
		memcmp(subkey->salt, salt, TC_SALT_BYTES) == 0 &&
		subkey->algorithm == algorithm;
}

/* The place of a subkey, noted as used; TC_SUBKEYS if it is not there. */
static inline uint32_t
tc_subkeys_find(TcSubkeys *table, uint64_t generation, uint8_t algorithm,
				const uint8_t salt[TC_SALT_BYTES])
{
	uint32_t	place = table->order % 16;

	if (tc_subkey_is(&table->each[place], generation, algorithm, salt))
		return place;
	for (place = 0; place < TC_SUBKEYS; place++)
	{
		if (tc_subkey_is(&table->each[place], generation, algorithm, salt))
		{
			tc_subkeys_use(table, place);
			break;
		}
	}
	return place;
}

/* The place that gives way. */
static inline uint32_t
tc_subkeys_oldest(const TcSubkeys *table)
{
	return table->order >> 28;
}

#endif							/* TC_SUBKEYS_H */
