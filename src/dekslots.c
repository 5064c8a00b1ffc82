/*-------------------------------------------------------------------------
 *
 * dekslots.c
 *	  Unwrapped data keys in secret memory, and the only code that uses them.
 *
 * Slots form sets of SLOT_WAYS; the address picks the set, and within a set
 * the least recently used slot gives way.  What is not secret (addresses,
 * times of use) lies in ordinary shared memory.
 *
 * The order of accesses is all there is to this file's safety:
 *
 *	worker		publishes	generation 0, barrier, key and check, barrier,
 *							generation
 *				wipes		generation 0, barrier, key zeros
 *	backend		uses		generation and check as expected?  use.  barrier,
 *							generation still the same?  else throw away
 *
 * A backend that writes a subkey into its cell holds "busy" around it, raised
 * with a full barrier before it looks at the generation.  tc_slots_wipe()
 * clears all generations, then waits for every busy cell, then wipes cells:
 * a derivation either saw the old generation while busy, and is waited for,
 * or sees the new one and leaves nothing.
 *
 * src/dekslots.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/resource.h>
#include <unistd.h>

#include <sodium.h>

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#include "compat.h"
#include "dekslots.h"
#include "guc.h"
#include "nonce.h"

#define SLOT_WAYS		16		/* slots of a set */
#define CELLS_MAX		4		/* subkeys a backend keeps */
#define REGION_TARGET	(1024 * 1024)
#define WIPE_PATIENCE_MS 2000	/* for a backend that does not run */
#define REGION_FLOOR	(48 * 1024)

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

typedef struct SlotTag
{
	uint8		address[TC_ADDRESS_BYTES];
	pg_atomic_uint64 used;		/* when last looked up; 0 = free */
} SlotTag;

typedef struct SlotsShared
{
	pg_atomic_uint64 clock;		/* counts look-ups */
	SlotTag		tags[FLEXIBLE_ARRAY_MEMBER];
} SlotsShared;

/* The same in every process: mapped by the postmaster, inherited. */
static Region *region;
static Size region_len;
static TcSecretKind region_kind;
static uint32 nslots;
static uint32 ncells;
static SlotsShared *shared;

/* This backend's cells, and which of them to give up next. */
static Cell *my_cells[CELLS_MAX];
static int	my_ncells;
static int	my_next_cell;
static bool my_cells_taken;

static inline Slot *
slot_at(uint32 index)
{
	return (Slot *) (region + 1) + index;
}

static inline Cell *
cell_at(uint32 index)
{
	return (Cell *) slot_at(nslots) + index;
}

/* How much memory we may lock: up to the target, as RLIMIT_MEMLOCK allows. */
static Size
region_size(void)
{
	struct rlimit limit;
	Size		size = REGION_TARGET;
	Size		page = (Size) sysconf(_SC_PAGESIZE);

	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
		limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < size)
		size = Max((Size) limit.rlim_cur, (Size) REGION_FLOOR);
	return TYPEALIGN_DOWN(page, size);
}

/* Anonymous memory would go back to the kernel as it is. */
static void
wipe_region(int code, Datum arg)
{
	sodium_memzero(region, region_len);
}

void
tc_slots_map(void)
{
	void	   *memory;
	Size		left;

	if (region != NULL)
		return;

	tc_secret_no_memfd = !tc_use_memfd_secret;
	region_len = region_size();
	if (tc_secret_map(region_len, true, &memory, &region_kind) != TC_OK)
		ereport(FATAL,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not lock %zu bytes of memory for encryption keys: %m",
						region_len),
				 errhint("Raise the limit on locked memory of the server (LimitMEMLOCK= of its service, or \"ulimit -l\").")));
	region = memory;
	on_proc_exit(wipe_region, (Datum) 0);

	/* Cells for every backend, but never more than half of the region. */
	left = region_len - sizeof(Region);
	ncells = Min((uint32) (MaxBackends * CELLS_MAX),
				 (uint32) (left / 2 / sizeof(Cell)));
	nslots = (uint32) ((left - ncells * sizeof(Cell)) / sizeof(Slot));
	nslots = TYPEALIGN_DOWN(SLOT_WAYS, nslots);
}

Size
tc_slots_shmem_size(void)
{
	return add_size(offsetof(SlotsShared, tags),
					mul_size(nslots, sizeof(SlotTag)));
}

void
tc_slots_shmem_init(void)
{
	bool		found;
	uint64		last_generation;

	shared = ShmemInitStruct("themis_crypt slots", tc_slots_shmem_size(), &found);
	if (found)
		return;

	memset(shared, 0, tc_slots_shmem_size());
	pg_atomic_init_u64(&shared->clock, 1);
	for (uint32 i = 0; i < nslots; i++)
		pg_atomic_init_u64(&shared->tags[i].used, 0);

	/*
	 * At the start, or after a crash: whoever used the region is gone, maybe
	 * in the middle of a change.  Only the numbering and lock() go on.
	 */
	last_generation = region->last_generation;
	sodium_memzero(region + 1, region_len - sizeof(Region));
	region->last_generation = last_generation + 1;
}

TcSecretKind
tc_slots_memory_kind(void)
{
	return region_kind;
}

static uint32
set_of(const uint8 *address)
{
	uint32		hash;

	/* an address is a hash already */
	memcpy(&hash, address, sizeof(hash));
	return hash % (nslots / SLOT_WAYS) * SLOT_WAYS;
}

/* Fill a reference to what a slot holds now; false if that is nothing. */
static bool
slot_refer(uint32 index, TcSlotRef *ret_ref)
{
	Slot	   *slot = slot_at(index);
	TcSlotRef	ref;

	ref.index = index;
	ref.generation = pg_atomic_read_u64(&slot->generation);
	pg_read_barrier();
	ref.check = slot->check;
	pg_read_barrier();
	if (ref.generation == 0 ||
		pg_atomic_read_u64(&slot->generation) != ref.generation)
		return false;
	*ret_ref = ref;
	return true;
}

bool
tc_slot_find(const uint8 address[TC_ADDRESS_BYTES], TcSlotRef *ret_ref)
{
	uint32		first = set_of(address);

	for (uint32 i = first; i < first + SLOT_WAYS; i++)
	{
		SlotTag    *tag = &shared->tags[i];
		TcSlotRef	ref;

		if (memcmp(tag->address, address, TC_ADDRESS_BYTES) != 0)
			continue;
		if (!slot_refer(i, &ref))
			continue;

		/*
		 * The tag is changed while the generation is 0, so if it is the same
		 * after the generation was read, generation and tag belong together.
		 */
		pg_read_barrier();
		if (memcmp(tag->address, address, TC_ADDRESS_BYTES) != 0)
			continue;
		pg_read_barrier();
		if (!tc_slot_live(&ref))
			continue;
		pg_atomic_write_u64(&tag->used,
							pg_atomic_fetch_add_u64(&shared->clock, 1));
		*ret_ref = ref;
		return true;
	}
	return false;
}

bool
tc_slot_live(const TcSlotRef *ref)
{
	Slot	   *slot;

	if (ref->generation == 0)
		return false;
	slot = slot_at(ref->index);
	return pg_atomic_read_u64(&slot->generation) == ref->generation &&
		slot->check == ref->check;
}

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
	if (ncells == 0 || tc_backend_index() < 0)
		return;
	start = ((uint32) tc_backend_index() * CELLS_MAX) % ncells;
	for (uint32 i = 0; i < CELLS_MAX && i < ncells; i++)
	{
		Cell	   *cell = cell_at((start + i) % ncells);
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
 * place.
 */
static TcSlotResult
derive_subkey(const TcSlotRef *ref, uint8 algorithm, const uint8 *salt,
			  uint8 *ret_subkey)
{
	TcResult	result;

	if (!tc_slot_live(ref))
		return TC_SLOT_STALE;
	result = tc_aead_subkey(algorithm, slot_at(ref->index)->key, salt,
							ret_subkey);
	pg_read_barrier();
	if (result == TC_OK && tc_slot_live(ref))
		return TC_SLOT_OK;
	sodium_memzero(ret_subkey, TC_KEY_BYTES);
	return result == TC_OK ? TC_SLOT_STALE : TC_SLOT_ERROR;
}

/* The same into a cell of this backend, in place of its oldest subkey. */
static TcSlotResult
derive_into_cell(const TcSlotRef *ref, uint8 algorithm, const uint8 *salt,
				 Cell **ret_cell)
{
	Cell	   *cell = my_cells[my_next_cell];
	TcSlotResult result;

	my_next_cell = (my_next_cell + 1) % my_ncells;

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
 * Find the subkey for a nonce.  "own" is where to derive it if no cell is to
 * be had; the caller wipes it.
 */
static inline TcSlotResult
find_subkey(const TcSlotRef *ref, uint8 algorithm, const uint8 *nonce,
			uint8 *own, const uint8 **ret_subkey)
{
	Cell	   *cell;
	TcSlotResult result;

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
tc_slot_seal(const TcSlotRef *ref, uint8 algorithm,
			 const uint8 nonce[TC_NONCE_BYTES], TcSpan ad, TcSpan plain,
			 uint8 *ret_body)
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
		sodium_memzero(ret_body, plain.len + TC_TAG_BYTES);
	return result;
}

TcSlotResult
tc_slot_open(const TcSlotRef *ref, uint8 algorithm,
			 const uint8 nonce[TC_NONCE_BYTES], TcSpan ad, TcSpan body,
			 uint8 *ret_plain)
{
	uint8		own[TC_KEY_BYTES];
	const uint8 *subkey;
	TcSlotResult result;

	if (body.len < TC_TAG_BYTES)
		return TC_SLOT_REJECTED;
	result = find_subkey(ref, algorithm, nonce, own, &subkey);
	if (result == TC_SLOT_OK)
		result = judge(ref, tc_aead_open(algorithm, subkey, nonce, ad, body,
										 ret_plain));
	if (my_ncells == 0)
		sodium_memzero(own, sizeof(own));
	if (result != TC_SLOT_OK)
		sodium_memzero(ret_plain, body.len - TC_TAG_BYTES);
	return result;
}

TcResult
tc_slot_publish(const uint8 address[TC_ADDRESS_BYTES],
				const uint8 key[TC_KEY_BYTES], bool may_seal,
				TcSlotRef *ret_ref)
{
	uint32		first = set_of(address);
	uint32		victim = first;
	Slot	   *slot;
	SlotTag    *tag;
	uint32		check;

	if (tc_random((uint8 *) &check, sizeof(check)) != TC_OK)
		return TC_SYSTEM;

	for (uint32 i = first; i < first + SLOT_WAYS; i++)
	{
		if (memcmp(shared->tags[i].address, address, TC_ADDRESS_BYTES) == 0)
		{
			victim = i;
			break;
		}
		if (pg_atomic_read_u64(&shared->tags[i].used) <
			pg_atomic_read_u64(&shared->tags[victim].used))
			victim = i;
	}
	slot = slot_at(victim);
	tag = &shared->tags[victim];

	pg_atomic_write_u64(&slot->generation, 0);
	pg_memory_barrier();
	memcpy(tag->address, address, TC_ADDRESS_BYTES);
	pg_atomic_write_u64(&tag->used,
						pg_atomic_fetch_add_u64(&shared->clock, 1));
	memcpy(slot->key, key, TC_KEY_BYTES);
	slot->check = check;
	slot->may_seal = may_seal;
	pg_memory_barrier();
	pg_atomic_write_u64(&slot->generation, ++region->last_generation);
	pg_memory_barrier();		/* pairs with tc_slots_close() */
	if (tc_slots_locked_by() != NULL)
	{
		pg_atomic_write_u64(&slot->generation, 0);
		pg_memory_barrier();
		sodium_memzero(slot->key, TC_KEY_BYTES);
		return TC_REJECTED;
	}

	ret_ref->index = victim;
	ret_ref->check = check;
	ret_ref->generation = region->last_generation;
	return TC_OK;
}

void
tc_slots_close(void)
{
	pg_memory_barrier();		/* locked_by is set; see tc_slot_publish() */
	for (uint32 i = 0; i < nslots; i++)
		pg_atomic_write_u64(&slot_at(i)->generation, 0);
	pg_memory_barrier();		/* pairs with derive_into_cell() */
}

/* Wait until a backend is not in the middle of using its cell. */
static bool
wait_idle(Cell *cell, int *patience_ms)
{
	/* A derivation takes less than a microsecond, but may lose its CPU. */
	while (pg_atomic_read_u32(&cell->busy) != 0)
	{
		if (*patience_ms <= 0)
			return false;
		pg_usleep(1000);
		(*patience_ms)--;
	}
	pg_memory_barrier();
	return true;
}

bool
tc_slots_wipe(void)
{
	int			patience_ms = WIPE_PATIENCE_MS;
	bool		complete = true;

	tc_slots_close();
	for (uint32 i = 0; i < nslots; i++)
	{
		slot_at(i)->check = 0;
		sodium_memzero(slot_at(i)->key, TC_KEY_BYTES);
		memset(shared->tags[i].address, 0, TC_ADDRESS_BYTES);
		pg_atomic_write_u64(&shared->tags[i].used, 0);
	}
	for (uint32 i = 0; i < ncells; i++)
	{
		Cell	   *cell = cell_at(i);

		if (!wait_idle(cell, &patience_ms))
			complete = false;
		sodium_memzero(cell->salt, sizeof(cell->salt));
		sodium_memzero(cell->subkey, sizeof(cell->subkey));
	}
	return complete;
}

const char *
tc_slots_locked_by(void)
{
	return region->locked_by[0] != '\0' ? region->locked_by : NULL;
}

void
tc_slots_set_locked(const char *by)
{
	memset(region->locked_by, 0, sizeof(region->locked_by));
	if (by != NULL)
		strlcpy(region->locked_by, by, sizeof(region->locked_by));
}
