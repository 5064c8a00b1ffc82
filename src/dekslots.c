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
 * This file is the worker's side, and what everybody may ask about slots;
 * dekslots_use.c is the backends' side, which uses keys.
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
#include "dekslots_region.h"
#include "guc.h"
#include "nonce.h"

#define SLOT_WAYS		16		/* slots of a set */
#define KEYS_TARGET		(1024 * 1024)
#define REGION_FLOOR	(48 * 1024)
#define WIPE_PATIENCE_MS 2000	/* for a backend that does not run */

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

Region	   *tc_region;
uint32		tc_nslots;
uint32		tc_ncells;
uint32		tc_nschedules;
static Size region_len;
static TcSecretKind region_kind;
static SlotsShared *shared;

/* Memory for KEYS_TARGET and for all that every backend may derive. */
static Size
region_wanted(void)
{
	Size		page = (Size) sysconf(_SC_PAGESIZE);

	return TYPEALIGN(page, sizeof(Region) + KEYS_TARGET +
					 (Size) MaxBackends * (sizeof(Cells) + sizeof(Schedules)));
}

/*
 * As much of it as RLIMIT_MEMLOCK allows, less a sixteenth for whatever else
 * the postmaster may have to lock; but the least that is of use.
 */
static Size
region_size(Size wanted)
{
	Size		page = (Size) sysconf(_SC_PAGESIZE);
	struct rlimit limit;
	Size		allowed;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
		limit.rlim_cur == RLIM_INFINITY)
		return wanted;
	allowed = (Size) limit.rlim_cur - (Size) limit.rlim_cur / 16;
	if (allowed >= wanted)
		return wanted;
	return Max(TYPEALIGN_DOWN(page, allowed), TYPEALIGN(page, REGION_FLOOR));
}

/*
 * Share the region out: to slots KEYS_TARGET or half of it, whichever is less,
 * then cells, then schedules, and what is left over to slots.
 */
static void
lay_out(void)
{
	Size		left = region_len - sizeof(Region);
	Size		derived = left - Min(left / 2, KEYS_TARGET);

	tc_ncells = (uint32) Min((Size) MaxBackends, derived / sizeof(Cells));
	derived -= tc_ncells * sizeof(Cells);
	tc_nschedules = (uint32) Min((Size) tc_ncells, derived / sizeof(Schedules));
	left -= tc_ncells * sizeof(Cells) + tc_nschedules * sizeof(Schedules);
	tc_nslots = TYPEALIGN_DOWN(SLOT_WAYS, (uint32) (left / sizeof(Slot)));
}

/* Anonymous memory would go back to the kernel as it is. */
static void
wipe_region(int code, Datum arg)
{
	sodium_memzero(tc_region, region_len);
}

void
tc_slots_map(void)
{
	void	   *memory;
	Size		wanted = region_wanted();

	if (tc_region != NULL)
		return;

	tc_secret_no_memfd = !tc_use_memfd_secret;
	region_len = region_size(wanted);
	if (tc_secret_map(region_len, true, &memory, &region_kind) != TC_OK)
		ereport(FATAL,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not lock %zu bytes of memory for encryption keys: %m",
						region_len),
				 errhint("Raise the limit on locked memory of the server (LimitMEMLOCK= of its service, or \"ulimit -l\").")));
	tc_region = memory;
	on_proc_exit(wipe_region, (Datum) 0);
	lay_out();
	if (region_len < wanted)
		ereport(LOG,
				(errmsg("memory for encryption keys is limited to %zu kB, of %zu kB that could be used",
						region_len / 1024, wanted / 1024),
				 errdetail("%u keys fit at a time; %u of %d sessions keep subkeys, %u of these also key schedules of aes256gcm.",
						   tc_nslots, tc_ncells, MaxBackends, tc_nschedules),
				 errhint("Raise the limit on locked memory of the server (LimitMEMLOCK= of its service, or \"ulimit -l\").")));
}

Size
tc_slots_shmem_size(void)
{
	return add_size(offsetof(SlotsShared, tags),
					mul_size(tc_nslots, sizeof(SlotTag)));
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
	for (uint32 i = 0; i < tc_nslots; i++)
		pg_atomic_init_u64(&shared->tags[i].used, 0);

	/*
	 * At the start, or after a crash: whoever used the region is gone, maybe
	 * in the middle of a change.  Only the numbering and lock() go on.
	 */
	last_generation = tc_region->last_generation;
	sodium_memzero(tc_region + 1, region_len - sizeof(Region));
	tc_region->last_generation = last_generation + 1;
	for (uint32 i = 0; i < tc_ncells; i++)
		wipe_cells(i);
}

TcSecretKind
tc_slots_memory_kind(void)
{
	return region_kind;
}

uint32
tc_slots_count(void)
{
	return tc_nslots;
}

static uint32
set_of(const uint8 *address)
{
	uint32		hash;

	/* an address is a hash already */
	memcpy(&hash, address, sizeof(hash));
	return hash % (tc_nslots / SLOT_WAYS) * SLOT_WAYS;
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
	return slot_live(ref);
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
	pg_atomic_write_u64(&slot->generation, ++tc_region->last_generation);
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
	ret_ref->generation = tc_region->last_generation;
	return TC_OK;
}

void
tc_slots_close(void)
{
	pg_memory_barrier();		/* locked_by is set; see tc_slot_publish() */
	for (uint32 i = 0; i < tc_nslots; i++)
		pg_atomic_write_u64(&slot_at(i)->generation, 0);
	pg_memory_barrier();		/* pairs with derive_into_cell() */
}

/* Wait until a backend is not in the middle of writing into its cells. */
static bool
wait_idle(Cells *cells, int *patience_ms)
{
	/* A derivation takes less than a microsecond, but may lose its CPU. */
	while (pg_atomic_read_u32(&cells->busy) != 0)
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
	for (uint32 i = 0; i < tc_nslots; i++)
	{
		slot_at(i)->check = 0;
		sodium_memzero(slot_at(i)->key, TC_KEY_BYTES);
		memset(shared->tags[i].address, 0, TC_ADDRESS_BYTES);
		pg_atomic_write_u64(&shared->tags[i].used, 0);
	}
	for (uint32 i = 0; i < tc_ncells; i++)
	{
		if (!wait_idle(cells_at(i), &patience_ms))
			complete = false;
		wipe_cells(i);
	}
	return complete;
}

const char *
tc_slots_locked_by(void)
{
	return tc_region->locked_by[0] != '\0' ? tc_region->locked_by : NULL;
}

void
tc_slots_set_locked(const char *by)
{
	memset(tc_region->locked_by, 0, sizeof(tc_region->locked_by));
	if (by != NULL)
		strlcpy(tc_region->locked_by, by, sizeof(tc_region->locked_by));
}
