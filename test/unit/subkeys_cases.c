/*-------------------------------------------------------------------------
 *
 * subkeys_cases.c
 *	  A subkey is found by all that it was derived from, and by no less; the
 *	  least recently used one gives way.
 *
 * test/unit/subkeys_cases.c
 *
 *-------------------------------------------------------------------------
 */
#include "subkeys.h"
#include "tap.h"

static TcSubkeys table;
static uint8_t salts[3 * TC_SUBKEYS][TC_SALT_BYTES];

static bool
has(uint64_t generation, uint8_t algorithm, const uint8_t *salt)
{
	return tc_subkeys_find(&table, generation, algorithm, salt) != TC_SUBKEYS;
}

/* What a caller does for a value; true if the subkey was there. */
static bool
use(uint64_t generation, const uint8_t *salt)
{
	uint32_t	place;

	if (has(generation, TC_ALG_AES256GCM, salt))
		return true;
	place = tc_subkeys_oldest(&table);
	table.each[place].generation = generation;
	table.each[place].algorithm = TC_ALG_AES256GCM;
	memcpy(table.each[place].salt, salt, TC_SALT_BYTES);
	tc_subkeys_use(&table, place);
	return false;
}

/* How many of the rows' values find no subkey; a row has one for each key. */
static size_t
misses(uint64_t nkeys, size_t nrows)
{
	size_t		n = 0;

	for (size_t row = 0; row < nrows; row++)
		for (uint64_t key = 1; key <= nkeys; key++)
			n += !use(key, salts[key]);
	return n;
}

static void
test_found(void)
{
	uint8_t		other[TC_SALT_BYTES];
	size_t		wrong = 0;

	tc_subkeys_reset(&table);
	ok(!has(1, TC_ALG_AES256GCM, salts[1]), "an empty table has nothing");
	use(1, salts[1]);
	ok(has(1, TC_ALG_AES256GCM, salts[1]), "what was put there is found");
	ok(!has(2, TC_ALG_AES256GCM, salts[1]), "not for another generation");
	ok(!has(1, TC_ALG_XCHACHA20POLY1305, salts[1]), "not for another algorithm");
	for (size_t i = 0; i < TC_SALT_BYTES; i++)
	{
		memcpy(other, salts[1], TC_SALT_BYTES);
		other[i] ^= 1;
		wrong += has(1, TC_ALG_AES256GCM, other);
	}
	is_count(wrong, 0, "not for another salt");
}

static void
test_rows(void)
{
	tc_subkeys_reset(&table);
	is_count(misses(TC_SUBKEYS, 10), TC_SUBKEYS, "a row of as many keys as there are places derives each once");

	tc_subkeys_reset(&table);
	is_count(misses(TC_SUBKEYS + 1, 10), 10 * (TC_SUBKEYS + 1), "with one key more than that all are derived anew");
}

/* Of a row's columns one has another salt in each row. */
static void
test_coming_and_going(void)
{
	size_t		n = 0;

	tc_subkeys_reset(&table);
	for (size_t row = 0; row < 2 * TC_SUBKEYS; row++)
	{
		(void) use(99, salts[TC_SUBKEYS + row]);
		n += misses(TC_SUBKEYS - 1, 1);
	}
	is_count(n, TC_SUBKEYS - 1, "subkeys that come and go leave those of other columns");
}

/* Against a list that is moved about plainly. */
static void
test_order(void)
{
	uint32_t	list[TC_SUBKEYS];
	uint32_t	random = 1;
	size_t		wrong = 0;

	tc_subkeys_reset(&table);
	for (uint32_t i = 0; i < TC_SUBKEYS; i++)
		list[i] = TC_SUBKEYS - 1 - i;
	for (int round = 0; round < 10000; round++)
	{
		uint32_t	place;
		uint32_t	at = 0;
		uint32_t	order = 0;

		random = random * 1664525 + 1013904223;
		place = random >> 29;
		while (list[at] != place)
			at++;
		memmove(list + 1, list, at * sizeof(list[0]));
		list[0] = place;
		tc_subkeys_use(&table, place);
		for (uint32_t i = 0; i < TC_SUBKEYS; i++)
			order |= list[i] << 4 * i;
		wrong += table.order != order || tc_subkeys_oldest(&table) != list[TC_SUBKEYS - 1];
	}
	is_count(wrong, 0, "the order of use is kept");
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(salts) / sizeof(salts[0]); i++)
		fill(salts[i], TC_SALT_BYTES, (uint32_t) i);
	test_found();
	test_rows();
	test_coming_and_going();
	test_order();
	return done();
}
