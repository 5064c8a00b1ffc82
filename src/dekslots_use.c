/*-------------------------------------------------------------------------
 *
 * dekslots_use.c
 *	  Keys in secret memory, used in place.  The contract is in dekslots.h.
 *
 * What a backend derives from a slot's key, for the salt of a nonce or for the
 * tokens of a plaintext type, it keeps in cells of its own in the same region.
 *
 * A backend that writes into one of its cells holds "busy" around it, raised
 * with a full barrier before it looks at the generation.  tc_slots_wipe()
 * clears all generations, then waits for every busy cell, then wipes cells:
 * a derivation either saw the old generation while busy, and is waited for,
 * or sees the new one and leaves nothing.
 *
 * src/dekslots_use.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sodium.h>

#include "miscadmin.h"
#include "storage/ipc.h"

#include "compat.h"
#include "dekslots_region.h"
#include "token.h"

#define FOR_TOKENS		0		/* in place of an AEAD's algorithm */
#define TAKE_AGAIN		256		/* uses until another look for free cells */

static Cells *my_cells;			/* NULL = none were free */
static Schedules *my_schedules; /* NULL = these cells have none */
static uint32 my_index;
static uint32 uses_without;		/* cells */

/* What no cell has room for, on the stack of one use. */
typedef struct Own
{
	bool		used;
	uint8		subkey[TC_KEY_BYTES];
	pg_attribute_aligned(16) uint8 schedule[TC_SCHEDULE_BYTES];
} Own;

/* Give back this backend's cells, wiped. */
static void
release_cells(int code, Datum arg)
{
	Cells	   *cells = my_cells;

	my_cells = NULL;
	my_schedules = NULL;
	wipe_cells(my_index);
	pg_write_barrier();
	pg_atomic_write_u32(&cells->owner, 0);
}

/* Take the first free ones, from its own number on, so that few compete. */
static void
take_cells(void)
{
	if (tc_backend_index() < 0)
		return;
	for (uint32 i = 0; i < tc_ncells && my_cells == NULL; i++)
	{
		uint32		index = ((uint32) tc_backend_index() + i) % tc_ncells;
		uint32		nobody = 0;

		if (!pg_atomic_compare_exchange_u32(&cells_at(index)->owner, &nobody,
											(uint32) MyProcPid))
			continue;
		my_index = index;
		my_cells = cells_at(index);
		my_schedules = schedules_at(index);
	}
	if (my_cells != NULL)
		before_shmem_exit(release_cells, (Datum) 0);
}

/*
 * Derive the subkey for a salt, from the slot's key in place; into "schedule",
 * too, unless that is NULL.  FOR_TOKENS the salt begins with the plaintext type.
 */
static TcSlotResult
derive(const TcSlotRef *ref, uint8 algorithm, const uint8 *salt,
	   uint8 *subkey, uint8 *schedule)
{
	TcResult	result;

	if (algorithm == FOR_TOKENS)
		result = tc_token_subkey(slot_at(ref->index)->key, salt[0], subkey);
	else
		result = tc_aead_subkey(algorithm, slot_at(ref->index)->key, salt, subkey);
	if (result == TC_OK && schedule != NULL)
		result = tc_aead_expand(subkey, schedule);
	pg_read_barrier();
	if (result == TC_OK && slot_live(ref))
		return TC_SLOT_OK;
	sodium_memzero(subkey, TC_KEY_BYTES);
	if (schedule != NULL)
		sodium_memzero(schedule, TC_SCHEDULE_BYTES);
	return result == TC_OK ? TC_SLOT_STALE : TC_SLOT_ERROR;
}

/* Derive in place of the subkey that was not used for longest. */
static TcSlotResult
derive_into_cell(const TcSlotRef *ref, uint8 algorithm, const uint8 *salt,
				 TcSubkeys *cells, uint32 *ret_place)
{
	uint32		place = tc_subkeys_oldest(cells);
	TcSubkey   *cell = &cells->each[place];
	uint8	   *schedule = NULL;
	TcSlotResult result;

	pg_atomic_write_u32(&my_cells->busy, 1);
	pg_memory_barrier();		/* pairs with tc_slots_wipe() */
	cell->generation = 0;
	if (my_schedules != NULL && tc_aead_has_schedule(algorithm))
		schedule = my_schedules->of[place];
	else if (my_schedules != NULL && tc_aead_has_schedule(cell->algorithm))
		sodium_memzero(my_schedules->of[place], TC_SCHEDULE_BYTES);
	result = derive(ref, algorithm, salt, cell->subkey, schedule);
	if (result == TC_SLOT_OK)
	{
		memcpy(cell->salt, salt, TC_SALT_BYTES);
		cell->algorithm = algorithm;
		cell->generation = ref->generation;
		tc_subkeys_use(cells, place);
	}
	pg_write_barrier();
	pg_atomic_write_u32(&my_cells->busy, 0);
	*ret_place = place;
	return result;
}

/* As find_ready(), with the subkey in a cell. */
static inline TcSlotResult
find_in_cells(const TcSlotRef *ref, uint8 algorithm, const uint8 *salt,
			  Own *own, const uint8 **ret_ready)
{
	TcSubkeys  *cells = algorithm == FOR_TOKENS ? &my_cells->tokens : &my_cells->values;
	uint32		place = tc_subkeys_find(cells, ref->generation, algorithm, salt);
	TcSlotResult result = TC_SLOT_OK;

	if (place == TC_SUBKEYS)
		result = derive_into_cell(ref, algorithm, salt, cells, &place);
	*ret_ready = cells->each[place].subkey;
	if (result != TC_SLOT_OK || !tc_aead_has_schedule(algorithm))
		return result;
	if (likely(my_schedules != NULL))
	{
		*ret_ready = my_schedules->of[place];
		return TC_SLOT_OK;
	}
	own->used = true;
	*ret_ready = own->schedule;
	return tc_aead_expand(cells->each[place].subkey, own->schedule) == TC_OK ?
		TC_SLOT_OK : TC_SLOT_ERROR;
}

/*
 * Find what an AEAD or a token is made with for a salt: the slot's key itself,
 * a subkey, or its schedule.  It lies in secret memory where there is room,
 * else in "own", which the caller wipes.
 */
static inline TcSlotResult
find_ready(const TcSlotRef *ref, uint8 algorithm, const uint8 *salt,
		   Own *own, const uint8 **ret_ready)
{
	bool		expands = tc_aead_has_schedule(algorithm);

	own->used = false;
	if (!slot_live(ref))
		return TC_SLOT_STALE;
	if (algorithm != FOR_TOKENS && tc_sizes(algorithm)->subkey_salt == 0)
	{
		*ret_ready = slot_at(ref->index)->key;
		return TC_SLOT_OK;
	}
	if (unlikely(my_cells == NULL) && uses_without++ % TAKE_AGAIN == 0)
		take_cells();
	if (likely(my_cells != NULL))
		return find_in_cells(ref, algorithm, salt, own, ret_ready);
	own->used = true;
	*ret_ready = expands ? own->schedule : own->subkey;
	return derive(ref, algorithm, salt, own->subkey,
				  expands ? own->schedule : NULL);
}

static inline void
wipe_own(Own *own)
{
	if (unlikely(own->used))
		sodium_memzero(own, sizeof(*own));
}

/*
 * What an AEAD call came to, once the slot is known to have stayed: the
 * generation is cleared before anything is wiped, so a subkey that changed
 * under the call is noticed here.
 */
static inline TcSlotResult
judge(const TcSlotRef *ref, TcResult result)
{
	pg_read_barrier();
	if (!slot_live(ref))
		return TC_SLOT_STALE;
	switch (result)
	{
		case TC_OK:
			return TC_SLOT_OK;
		case TC_REJECTED:
			return TC_SLOT_REJECTED;
		default:
			return TC_SLOT_ERROR;
	}
}

/* find_ready(), if the key may seal at all. */
static inline TcSlotResult
find_to_seal(const TcSlotRef *ref, uint8 algorithm, const uint8 *nonce,
			 Own *own, const uint8 **ret_ready)
{
	if (likely(slot_at(ref->index)->may_seal))
		return find_ready(ref, algorithm, nonce, own, ret_ready);
	own->used = false;
	return judge(ref, TC_OK) == TC_SLOT_OK ? TC_SLOT_UNTRUSTED : TC_SLOT_STALE;
}

TcSlotResult
tc_slot_seal(const TcSlotRef *ref, uint8 algorithm, const uint8 *nonce,
			 TcSpan ad, TcSpan plain, uint8 *ret_body)
{
	Own			own;
	const uint8 *ready;
	TcSlotResult result;

	result = find_to_seal(ref, algorithm, nonce, &own, &ready);
	if (result == TC_SLOT_OK)
		result = judge(ref, tc_aead_seal(algorithm, ready, nonce, ad, plain,
										 ret_body));
	wipe_own(&own);
	if (result != TC_SLOT_OK)
		sodium_memzero(ret_body, plain.len + tc_sizes(algorithm)->tag);
	return result;
}

TcSlotResult
tc_slot_open(const TcSlotRef *ref, uint8 algorithm, const uint8 *nonce,
			 TcSpan ad, TcSpan body, uint8 *ret_plain)
{
	size_t		tag_len = tc_sizes(algorithm)->tag;
	Own			own;
	const uint8 *ready;
	TcSlotResult result;

	if (body.len < tag_len)
		return TC_SLOT_REJECTED;
	result = find_ready(ref, algorithm, nonce, &own, &ready);
	if (result == TC_SLOT_OK)
		result = judge(ref, tc_aead_open(algorithm, ready, nonce, ad, body,
										 ret_plain));
	wipe_own(&own);
	if (result != TC_SLOT_OK)
		sodium_memzero(ret_plain, body.len - tag_len);
	return result;
}

TcSlotResult
tc_slot_token(const TcSlotRef *ref, uint8 index_algorithm, uint8 type_code,
			  TcSpan canonical, uint8 ret_token[TC_TOKEN_BYTES])
{
	uint8		salt[TC_SALT_BYTES] = {type_code};
	Own			own;
	const uint8 *ready;
	TcSlotResult result;

	result = find_ready(ref, FOR_TOKENS, salt, &own, &ready);
	if (result == TC_SLOT_OK)
		result = judge(ref, tc_token_make(index_algorithm, ready, canonical,
										  ret_token));
	wipe_own(&own);
	if (result != TC_SLOT_OK)
		sodium_memzero(ret_token, TC_TOKEN_BYTES);
	return result;
}
