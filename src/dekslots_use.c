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

static Cells *my_cells;			/* NULL = none were free */
static bool my_cells_taken;
static uint32 next_cell[2];		/* to be given up: for values, for tokens */

/* Give back this backend's cells, wiped. */
static void
release_cells(int code, Datum arg)
{
	wipe_cells(my_cells);
	pg_write_barrier();
	pg_atomic_write_u32(&my_cells->owner, 0);
	my_cells = NULL;
}

/* Take the first free ones, from its own number on, so that few compete. */
static void
take_cells(void)
{
	my_cells_taken = true;
	if (tc_backend_index() < 0)
		return;
	for (uint32 i = 0; i < tc_ncells && my_cells == NULL; i++)
	{
		Cells	   *cells = cells_at(((uint32) tc_backend_index() + i) % tc_ncells);
		uint32		nobody = 0;

		if (pg_atomic_compare_exchange_u32(&cells->owner, &nobody,
										   (uint32) MyProcPid))
			my_cells = cells;
	}
	if (my_cells != NULL)
		before_shmem_exit(release_cells, (Datum) 0);
}

/*
 * Derive the subkey for a salt into a cell, from the slot's key in place.
 * FOR_TOKENS the salt begins with the plaintext type.
 */
static TcSlotResult
derive(const TcSlotRef *ref, uint8 algorithm, const uint8 *salt, Cell *cell)
{
	TcResult	result;

	if (!slot_live(ref))
		return TC_SLOT_STALE;
	if (algorithm == FOR_TOKENS)
		result = tc_token_subkey(slot_at(ref->index)->key, salt[0], cell->subkey);
	else
		result = tc_aead_subkey(algorithm, slot_at(ref->index)->key, salt,
								cell->subkey);
	if (result == TC_OK && tc_aead_has_schedule(algorithm))
		result = tc_aead_expand(cell->subkey, cell->schedule);
	pg_read_barrier();
	if (result == TC_OK && slot_live(ref))
	{
		memcpy(cell->salt, salt, TC_SALT_BYTES);
		cell->generation = ref->generation;
		return TC_SLOT_OK;
	}
	sodium_memzero(cell, sizeof(*cell));
	return result == TC_OK ? TC_SLOT_STALE : TC_SLOT_ERROR;
}

/* Subkeys of nonces come and go, those for tokens stay: each have their cells. */
static inline Cell *
cells_for(bool tokens, uint32 *ret_count)
{
	*ret_count = tokens ? TOKEN_CELLS : VALUE_CELLS;
	return my_cells->cells + (tokens ? VALUE_CELLS : 0);
}

/* Derive into the oldest cell. */
static TcSlotResult
derive_into_cell(const TcSlotRef *ref, uint8 algorithm, const uint8 *salt,
				 Cell **ret_cell)
{
	bool		tokens = algorithm == FOR_TOKENS;
	uint32		count;
	Cell	   *cells = cells_for(tokens, &count);
	Cell	   *cell = &cells[next_cell[tokens]++ % count];
	TcSlotResult result;

	pg_atomic_write_u32(&my_cells->busy, 1);
	pg_memory_barrier();		/* pairs with tc_slots_wipe() */
	cell->generation = 0;
	result = derive(ref, algorithm, salt, cell);
	pg_write_barrier();
	pg_atomic_write_u32(&my_cells->busy, 0);
	*ret_cell = cell;
	return result;
}

/* The cell that has it already, or NULL. */
static inline Cell *
find_cell(const TcSlotRef *ref, bool tokens, const uint8 *salt)
{
	uint32		count;
	Cell	   *cells = cells_for(tokens, &count);

	for (uint32 i = 0; i < count; i++)
	{
		if (cells[i].generation == ref->generation &&
			memcmp(cells[i].salt, salt, TC_SALT_BYTES) == 0)
			return &cells[i];
	}
	return NULL;
}

/*
 * Find the subkey for a salt, ready for use: a cell has it, or the slot's key
 * is used as it is, in place.  "own" is where to derive it if no cell is to be
 * had; the caller wipes it.
 */
static inline TcSlotResult
find_ready(const TcSlotRef *ref, uint8 algorithm, const uint8 *salt,
		   Cell *own, const uint8 **ret_ready)
{
	Cell	   *cell = own;
	TcSlotResult result = TC_SLOT_OK;

	if (algorithm != FOR_TOKENS && tc_sizes(algorithm)->subkey_salt == 0)
	{
		*ret_ready = slot_at(ref->index)->key;
		return slot_live(ref) ? TC_SLOT_OK : TC_SLOT_STALE;
	}
	if (unlikely(!my_cells_taken))
		take_cells();
	if (unlikely(my_cells == NULL))
		result = derive(ref, algorithm, salt, own);
	else
	{
		cell = find_cell(ref, algorithm == FOR_TOKENS, salt);
		if (cell == NULL)
			result = derive_into_cell(ref, algorithm, salt, &cell);
		else if (!slot_live(ref))
			result = TC_SLOT_STALE;
	}
	*ret_ready = tc_aead_has_schedule(algorithm) ? cell->schedule : cell->subkey;
	return result;
}

static inline void
wipe_own(Cell *own)
{
	if (unlikely(my_cells == NULL))
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

TcSlotResult
tc_slot_seal(const TcSlotRef *ref, uint8 algorithm, const uint8 *nonce,
			 TcSpan ad, TcSpan plain, uint8 *ret_body)
{
	Cell		own;
	const uint8 *ready;
	TcSlotResult result;

	result = find_ready(ref, algorithm, nonce, &own, &ready);
	if (result == TC_SLOT_OK && !slot_at(ref->index)->may_seal)
		result = judge(ref, TC_OK) == TC_SLOT_OK ? TC_SLOT_UNTRUSTED : TC_SLOT_STALE;
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
	Cell		own;
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
	Cell		own;
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
