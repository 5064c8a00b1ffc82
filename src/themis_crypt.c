/*-------------------------------------------------------------------------
 *
 * themis_crypt.c
 *	  Module initialisation: calls each room.
 *
 * The library must be preloaded: keys live in memory that the postmaster
 * maps, and DDL is guarded in every session.  Loaded later, it says so.
 *
 * src/themis_crypt.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sodium.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/guc.h"

#include "aead.h"
#include "client_output.h"
#include "column_ddl.h"
#include "compat.h"
#include "dekslots.h"
#include "guc.h"
#include "index_limit.h"
#include "key_ddl.h"
#include "keyacl.h"
#include "keycat.h"
#include "plan_probe.h"
#include "provopts.h"
#include "request.h"
#include "startcheck.h"
#include "worker.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static shmem_request_hook_type next_shmem_request;
static shmem_startup_hook_type next_shmem_startup;

static void
shmem_request(void)
{
	if (next_shmem_request != NULL)
		next_shmem_request();
	tc_slots_map();
	RequestAddinShmemSpace(tc_slots_shmem_size());
	tc_request_shmem_request();
}

static void
shmem_startup(void)
{
	if (next_shmem_startup != NULL)
		next_shmem_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	tc_slots_shmem_init();
	tc_request_shmem_init();
	LWLockRelease(AddinShmemInitLock);
	tc_startcheck();
}

/* libsodium calls this instead of abort() when it is misused. */
static void
sodium_misused(void)
{
	elog(ERROR, "libsodium was misused");
}

void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("themis_crypt must be loaded via shared_preload_libraries"),
				 errhint("Add this line to postgresql.conf and restart the server: shared_preload_libraries = 'themis_crypt'")));

	if (tc_aead_init() != TC_OK)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not initialize libsodium")));
	(void) sodium_set_misuse_handler(sodium_misused);
	tc_guc_init();
	tc_provopts_init();
	tc_keycat_init();
	tc_acl_init();
	tc_key_ddl_init();
	tc_column_ddl_init();
	tc_client_output_init();
	tc_plan_probe_init();
	tc_index_limit_init();
	MarkGUCPrefixReserved("themis_crypt");

	next_shmem_request = shmem_request_hook;
	shmem_request_hook = shmem_request;
	next_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = shmem_startup;

	/* pg_upgrade's server only moves catalogs; it needs no keys */
	if (!IsBinaryUpgrade)
		tc_worker_register();
}
