/*-------------------------------------------------------------------------
 *
 * dekslots_use.c
 *	  Keys in secret memory, used in place.  The contract is in dekslots.h.
 *
 * What a backend derives from a slot's key, for the salt of a nonce or for the
 * tokens of a plaintext type, it keeps in cells of its own in the same region.
 *
 * A backend that writes a subkey into its cell holds "busy" around it, raised
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

/* This backend's cells, and which of them to give up next. */
static Cell *my_cells[CELLS_MAX];
static int	my_ncells;
static int	my_next_cell[2];	/* for values, for tokens */
static bool my_cells_taken;

/* Give back this backend's cells, wiped. */
static void
release_cells(int code, Datum arg)
{
	for (int i = 0; i < my_ncells; i++)
	{
		Cell	   *cell = my_cells[i];

		cell->generation = 0;
		sodium_memzero(cell->salt, sizeof(cell->salt));
		sodium_memzero(cell->subkey, sizeof(cell->subkey));
		pg_write_barrier();
		pg_atomic_write_u32(&cell->owner, 0);
	}
	my_ncells = 0;
}

/*
 * Take cells for this backend: as many as are free among CELLS_MAX places,
 * counted from its own number so that backends do not compete.
 */
static void
take_cells(void)
{
	uint32		start;

	my_cells_taken = true;
	if (tc_ncells == 0 || tc_backend_index() < 0)
		return;
	start = ((uint32) tc_backend_index() * CELLS_MAX) % tc_ncells;
	for (uint32 i = 0; i < CELLS_MAX && i < tc_ncells; i++)
	{
		Cell	   *cell = cell_at((start + i) % tc_ncells);
		uint32		nobody = 0;

		if (pg_atomic_compare_exchange_u32(&cell->owner, &nobody,
										   (uint32) MyProcPid))
			my_cells[my_ncells++] = cell;
	}
	if (my_ncells > 0)
		before_shmem_exit(release_cells, (Datum) 0);
}

/* The cell that holds this subkey already, or NULL. */
static inline Cell *
find_cell(const TcSlotRef *ref, const uint8 *salt)
{
	for (int i = 0; i < my_ncells; i++)
	{
		Cell	   *cell = my_cells[i];

		if (cell->generation == ref->generation &&
			memcmp(cell->salt, salt, TC_SALT_BYTES) == 0)
			return cell;
	}
	return NULL;
}

/*
 * Derive the subkey for a salt into "ret_subkey", from the slot's key in
 * place.  FOR_TOKENS the salt begins with the plaintext type.
 */
static TcSlotResult
derive_subkey(const TcSlotRef *ref, uint8 algorithm, const uint8 *salt,
			  uint8 *ret_subkey)
{
	TcResult	result;

	if (!tc_slot_live(ref))
		return TC_SLOT_STALE;
	if (algorithm == FOR_TOKENS)
		result = tc_token_subkey(slot_at(ref->index)->key, salt[0], ret_subkey);
	else
		result = tc_aead_subkey(algorithm, slot_at(ref->index)->key, salt,
								ret_subkey);
	pg_read_barrier();
	if (result == TC_OK && tc_slot_live(ref))
		return TC_SLOT_OK;
	sodium_memzero(ret_subkey, TC_KEY_BYTES);
	return result == TC_OK ? TC_SLOT_STALE : TC_SLOT_ERROR;
}

/*
 * The cell to give up for a new subkey: the oldest.  Subkeys of nonces come
 * and go with the values, those for tokens stay, so each have cells of their
 * own if we have all of them.
 */
static Cell *
oldest_cell(bool for_tokens)
{
	int			first = for_tokens ? VALUE_CELLS : 0;
	int			count = for_tokens ? TOKEN_CELLS : VALUE_CELLS;
	int		   *next = &my_next_cell[for_tokens];

	if (my_ncells < CELLS_MAX)
	{
		first = 0;
		count = my_ncells;
	}
	*next = (*next + 1) % count;
	return my_cells[first + *next];
}

/* The same into a cell of this backend. */
static TcSlotResult
derive_into_cell(const TcSlotRef *ref, uint8 algorithm, const uint8 *salt,
				 Cell **ret_cell)
{
	Cell	   *cell = oldest_cell(algorithm == FOR_TOKENS);
	TcSlotResult result;

	pg_atomic_write_u32(&cell->busy, 1);
	pg_memory_barrier();		/* pairs with tc_slots_wipe() */
	cell->generation = 0;
	result = derive_subkey(ref, algorithm, salt, cell->subkey);
	if (result == TC_SLOT_OK)
	{
		memcpy(cell->salt, salt, TC_SALT_BYTES);
		cell->generation = ref->generation;
	}
	pg_write_barrier();
	pg_atomic_write_u32(&cell->busy, 0);
	*ret_cell = cell;
	return result;
}

/*
 * Find the subkey for a nonce: a cell has it, or the slot's key is used as it
 * is, in place.  "own" is where to derive it if no cell is to be had; the
 * caller wipes it.
 */
static inline TcSlotResult
find_subkey(const TcSlotRef *ref, uint8 algorithm, const uint8 *nonce,
			uint8 *own, const uint8 **ret_subkey)
{
	Cell	   *cell;
	TcSlotResult result;

	if (algorithm != FOR_TOKENS && tc_sizes(algorithm)->subkey_salt == 0)
	{
		*ret_subkey = slot_at(ref->index)->key;
		return tc_slot_live(ref) ? TC_SLOT_OK : TC_SLOT_STALE;
	}
	if (unlikely(!my_cells_taken))
		take_cells();
	if (my_ncells == 0)
	{
		*ret_subkey = own;
		return derive_subkey(ref, algorithm, nonce, own);
	}
	cell = find_cell(ref, nonce);
	if (cell == NULL)
	{
		result = derive_into_cell(ref, algorithm, nonce, &cell);
		if (result != TC_SLOT_OK)
			return result;
	}
	*ret_subkey = cell->subkey;
	return tc_slot_live(ref) ? TC_SLOT_OK : TC_SLOT_STALE;
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
	if (!tc_slot_live(ref))
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
	uint8		own[TC_KEY_BYTES];
	const uint8 *subkey;
	TcSlotResult result;

	result = find_subkey(ref, algorithm, nonce, own, &subkey);
	if (result == TC_SLOT_OK && !slot_at(ref->index)->may_seal)
		result = judge(ref, TC_OK) == TC_SLOT_OK ? TC_SLOT_UNTRUSTED : TC_SLOT_STALE;
	if (result == TC_SLOT_OK)
		result = judge(ref, tc_aead_seal(algorithm, subkey, nonce, ad, plain,
										 ret_body));
	if (my_ncells == 0)
		sodium_memzero(own, sizeof(own));
	if (result != TC_SLOT_OK)
		sodium_memzero(ret_body, plain.len + tc_sizes(algorithm)->tag);
	return result;
}

TcSlotResult
tc_slot_open(const TcSlotRef *ref, uint8 algorithm, const uint8 *nonce,
			 TcSpan ad, TcSpan body, uint8 *ret_plain)
{
	size_t		tag_len = tc_sizes(algorithm)->tag;
	uint8		own[TC_KEY_BYTES];
	const uint8 *subkey;
	TcSlotResult result;

	if (body.len < tag_len)
		return TC_SLOT_REJECTED;
	result = find_subkey(ref, algorithm, nonce, own, &subkey);
	if (result == TC_SLOT_OK)
		result = judge(ref, tc_aead_open(algorithm, subkey, nonce, ad, body,
										 ret_plain));
	if (my_ncells == 0)
		sodium_memzero(own, sizeof(own));
	if (result != TC_SLOT_OK)
		sodium_memzero(ret_plain, body.len - tag_len);
	return result;
}

TcSlotResult
tc_slot_token(const TcSlotRef *ref, uint8 index_algorithm, uint8 type_code,
			  TcSpan canonical, uint8 ret_token[TC_TOKEN_BYTES])
{
	uint8		salt[TC_SALT_BYTES] = {type_code};
	uint8		own[TC_KEY_BYTES];
	const uint8 *subkey;
	TcSlotResult result;

	result = find_subkey(ref, FOR_TOKENS, salt, own, &subkey);
	if (result == TC_SLOT_OK)
		result = judge(ref, tc_token_make(index_algorithm, subkey, canonical,
										  ret_token));
	if (my_ncells == 0)
		sodium_memzero(own, sizeof(own));
	if (result != TC_SLOT_OK)
		sodium_memzero(ret_token, TC_TOKEN_BYTES);
	return result;
}
