/*-------------------------------------------------------------------------
 *
 * keycat.c
 *	  Which keys exist, as this transaction sees them.
 *
 * The map from ids to servers is filled by one scan of pg_foreign_server.
 * When anything about servers has changed since, the next lookup scans again,
 * and verifies what it finds against the syscache; an entry is kept as it is
 * while its row is the same.  Misses are not kept.
 *
 * src/keycat.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/pg_foreign_server.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "errors.h"
#include "keyacl.h"
#include "keycat.h"

static HTAB *keys;
static uint64 generation = 1;	/* moves with every change of a server */
static uint64 scanned;			/* generation at the last scan */
static uint64 scans;			/* how many there were */
static TcKey *last_key;			/* of the last lookup by id */
static uint32 root_id;			/* of the current root ... */
static uint64 root_known;		/* ... at this generation */

static void
servers_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	generation++;
}

void
tc_keycat_init(void)
{
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, servers_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNDATAWRAPPEROID, servers_changed, (Datum) 0);
}

Oid
tc_keycat_wrapper(void)
{
	return get_foreign_data_wrapper_oid(TC_WRAPPER_NAME, true);
}

static HTAB *
key_table(void)
{
	if (keys == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(uint32);
		ctl.entrysize = sizeof(TcKey);
		keys = hash_create("themis_crypt keys", 64, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	return keys;
}

/* Forget what is known of a key. */
static void
forget_key(TcKey *key)
{
	if (last_key == key)
		last_key = NULL;
	if (key->context != NULL)
		MemoryContextDelete(key->context);
	hash_search(key_table(), &key->id, HASH_REMOVE, NULL);
}

/* The options of a server's row, as text[]; *ret_isnull if it has none. */
static Datum
row_options(HeapTuple tuple, Relation rel, bool *ret_isnull)
{
	if (rel != NULL)
		return heap_getattr(tuple, Anum_pg_foreign_server_srvoptions,
							RelationGetDescr(rel), ret_isnull);
	return SysCacheGetAttr(FOREIGNSERVEROID, tuple,
						   Anum_pg_foreign_server_srvoptions, ret_isnull);
}

static List *
row_option_list(HeapTuple tuple, Relation rel)
{
	bool		isnull;
	Datum		options = row_options(tuple, rel, &isnull);

	return isnull ? NIL : untransformRelOptions(options);
}

/* The id of a key that a server's row is of; 0 if it is of none. */
static uint32
row_id(HeapTuple tuple, Relation rel)
{
	bool		isnull;
	Datum		options = row_options(tuple, rel, &isnull);

	return isnull ? 0 : tc_keyopts_id(options);
}

static void
fill_version(TcKeyVersion *version, const TcVersionOption *option, TcSpan maced)
{
	version->identity = option->identity;
	memcpy(version->wrap, option->wrap, TC_WRAP_BYTES);
	if (tc_slot_address(&version->identity, tc_span(version->wrap, TC_WRAP_BYTES),
						maced, version->address) != TC_OK)
		elog(ERROR, "could not compute the address of a slot");
}

/* Fill an entry from parsed options; what varies in size has its own context. */
static void
fill_key(TcKey *key, const TcKeyOptions *options)
{
	TcSpan		maced = tc_span(&options->mac,
								options->is_root ? 0 : sizeof(TcKeyMac));

	if (options->is_root || options->nversions > 1)
		key->context = AllocSetContextCreate(TopMemoryContext, "themis_crypt key",
											 ALLOCSET_SMALL_SIZES);
	key->is_root = options->is_root;
	memcpy(key->realm, options->realm, TC_UUID_BYTES);
	key->current = options->current;
	key->min_version = options->min_version;
	key->compresses = options->compresses;
	key->nversions = options->nversions;
	memset(&key->only, 0, sizeof(key->only));
	key->versions = &key->only;
	if (options->nversions > 1)
		key->versions = MemoryContextAllocZero(key->context,
											   sizeof(TcKeyVersion) * options->nversions);
	for (int i = 0; i < options->nversions; i++)
		fill_version(&key->versions[i], &options->versions[i], maced);
	memset(&key->index, 0, sizeof(key->index));
	if (!options->is_root)
		fill_version(&key->index, &options->index, maced);
	key->mac = options->mac;
	key->record = tc_span(NULL, 0);
	if (options->is_root)
	{
		uint8	   *record = MemoryContextAlloc(key->context, options->record.len);

		memcpy(record, options->record.data, options->record.len);
		key->record = tc_span(record, options->record.len);
	}
}

/*
 * Read a key from its row, in place of what the entry held before.  False if
 * its options are damaged and that is no error to the caller; that a root is
 * damaged always is.
 */
static bool
read_key(TcKey *key, HeapTuple tuple, bool damaged_ok)
{
	Form_pg_foreign_server form = (Form_pg_foreign_server) GETSTRUCT(tuple);
	MemoryContext scratch;
	MemoryContext old;
	TcKeyOptions *options;
	const char *what = NULL;

	scratch = AllocSetContextCreate(CurrentMemoryContext, "themis_crypt options",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(scratch);
	options = tc_keyopts_parse(row_option_list(tuple, NULL), &what);
	MemoryContextSwitchTo(old);
	if (options == NULL && damaged_ok && !tc_name_is_root(NameStr(form->srvname)))
	{
		MemoryContextDelete(scratch);
		return false;
	}
	if (options == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("options of encryption key \"%s\" are damaged",
						NameStr(form->srvname)),
				 errdetail_internal("%s", what)));

	/* an error on the way shall not leave half an entry that looks whole */
	key->checked = 0;
	key->xmin = InvalidTransactionId;
	if (key->context != NULL)
		MemoryContextDelete(key->context);
	key->context = NULL;
	strlcpy(key->name, NameStr(form->srvname), NAMEDATALEN);
	fill_key(key, options);
	key->xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	key->tid = tuple->t_self;
	MemoryContextDelete(scratch);
	return true;
}

/* The row of a server of ours with this id, to be released, or NULL. */
static HeapTuple
server_with_id(Oid serverid, uint32 id)
{
	HeapTuple	tuple = SearchSysCache1(FOREIGNSERVEROID, ObjectIdGetDatum(serverid));

	if (!HeapTupleIsValid(tuple))
		return NULL;
	if (((Form_pg_foreign_server) GETSTRUCT(tuple))->srvfdw == tc_keycat_wrapper() &&
		row_id(tuple, NULL) == id)
		return tuple;
	ReleaseSysCache(tuple);
	return NULL;
}

/*
 * Bring an entry up to date; NULL if its server is gone or another's, or if it
 * is damaged and may be.
 */
static TcKey *
check_key(TcKey *key, bool damaged_ok)
{
	uint64		now = generation;
	HeapTuple	tuple;
	bool		whole = true;

	if (key->checked == now)
		return key;
	tuple = server_with_id(key->serverid, key->id);
	if (tuple == NULL)
	{
		forget_key(key);
		return NULL;
	}
	if (key->xmin != HeapTupleHeaderGetRawXmin(tuple->t_data) ||
		!ItemPointerEquals(&key->tid, &tuple->t_self))
		whole = read_key(key, tuple, damaged_ok);
	ReleaseSysCache(tuple);
	if (!whole)
		return NULL;
	key->checked = now;
	return key;
}

/*
 * An error if two servers have the id of a key: which one is meant?  A drop of
 * one may be rolled back, so the rival stays noted until the next scan.
 */
static void
check_rival(const TcKey *key)
{
	HeapTuple	tuple = server_with_id(key->rival, key->id);

	if (tuple != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("encryption keys \"%s\" and \"%s\" have the same id",
						key->name,
						NameStr(((Form_pg_foreign_server) GETSTRUCT(tuple))->srvname)),
				 errdetail("The catalog was changed by hand, and nothing tells which of them a value is sealed under."),
				 errhint("Give the one that was changed its options back.")));
}

/* Note that a server has an id. */
static void
note_server(uint32 id, Oid serverid)
{
	bool		found;
	TcKey	   *key = hash_search(key_table(), &id, HASH_ENTER, &found);

	if (found && key->seen == scans)
	{
		key->rival = serverid;
		return;
	}
	if (found && key->serverid != serverid && key->context != NULL)
		MemoryContextDelete(key->context);
	if (!found || key->serverid != serverid)
		memset((char *) key + sizeof(key->id), 0, sizeof(*key) - sizeof(key->id));
	key->serverid = serverid;
	key->rival = InvalidOid;
	key->seen = scans;
}

/* Forget the keys that the last scan did not see. */
static void
forget_unseen(void)
{
	HASH_SEQ_STATUS seq;
	TcKey	   *key;

	hash_seq_init(&seq, key_table());
	while ((key = hash_seq_search(&seq)) != NULL)
	{
		if (key->seen != scans)
			forget_key(key);
	}
}

/* Note which server has which id, from a scan of all servers. */
static void
scan_servers(void)
{
	Relation	rel = table_open(ForeignServerRelationId, AccessShareLock);
	Oid			wrapper = tc_keycat_wrapper();
	uint64		now = generation;	/* the lock may have moved it */
	SysScanDesc scan;
	HeapTuple	tuple;

	scans++;
	last_key = NULL;
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_foreign_server form = (Form_pg_foreign_server) GETSTRUCT(tuple);
		uint32		id = form->srvfdw == wrapper ? row_id(tuple, rel) : 0;

		if (id != 0)
			note_server(id, form->oid);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	forget_unseen();
	scanned = now;
}

/* An entry that is up to date, or NULL. */
static TcKey *
find_key(uint32 id, bool damaged_ok)
{
	TcKey	   *key = hash_search(key_table(), &id, HASH_FIND, NULL);

	return key != NULL ? check_key(key, damaged_ok) : NULL;
}

TcKey *
tc_key_by_id(uint32 id)
{
	TcKey	   *key = last_key;

	if (likely(key != NULL && key->id == id && key->checked == generation))
		return key;
	last_key = NULL;

	/* not only for a key that is missing: this one may have a rival now */
	if (scanned != generation)
		scan_servers();
	key = find_key(id, false);
	if (key != NULL && unlikely(OidIsValid(key->rival)))
		check_rival(key);
	if (likely(scanned == generation))
		last_key = key;
	return key;
}

char *
tc_key_name(uint32 id)
{
	TcKey	   *key;
	HeapTuple	tuple;
	char	   *name;

	if (scanned != generation)
		scan_servers();
	key = hash_search(key_table(), &id, HASH_FIND, NULL);
	if (key == NULL || OidIsValid(key->rival))
		return NULL;
	tuple = server_with_id(key->serverid, id);
	if (tuple == NULL)
		return NULL;
	name = pstrdup(NameStr(((Form_pg_foreign_server) GETSTRUCT(tuple))->srvname));
	ReleaseSysCache(tuple);
	if (!tc_name_is_root(name))
		return name;
	pfree(name);
	return NULL;
}

TcKey *
tc_key_by_server(Oid serverid)
{
	HeapTuple	tuple;
	uint32		id = 0;
	TcKey	   *key;

	tuple = SearchSysCache1(FOREIGNSERVEROID, ObjectIdGetDatum(serverid));
	if (!HeapTupleIsValid(tuple))
		return NULL;
	if (((Form_pg_foreign_server) GETSTRUCT(tuple))->srvfdw == tc_keycat_wrapper())
		id = row_id(tuple, NULL);
	ReleaseSysCache(tuple);
	key = id != 0 ? tc_key_by_id(id) : NULL;
	return key != NULL && key->serverid == serverid ? key : NULL;
}

TcKey *
tc_root_current(void)
{
	Oid			serverid;
	TcKey	   *key;

	if (likely(root_known == generation))
		return tc_key_by_id(root_id);
	serverid = get_foreign_server_oid(TC_ROOT_NAME, true);
	key = OidIsValid(serverid) ? tc_key_by_server(serverid) : NULL;
	if (key == NULL || !key->is_root)
		return NULL;
	root_id = key->id;
	root_known = key->checked;
	return key;
}

TcKey *
tc_keycat_find(TcKeyVisitor visit, const void *arg)
{
	uint32	   *ids;
	int			nids = 0;
	TcKey	   *found = NULL;
	TcKey	   *key;
	HASH_SEQ_STATUS seq;

	if (scanned != generation)
		scan_servers();

	/* what is checked here may be newer than the scan: see tc_key_by_id() */
	last_key = NULL;

	/* looking one up may remove it, so note the ids first */
	ids = palloc(sizeof(uint32) * Max(1, hash_get_num_entries(key_table())));
	hash_seq_init(&seq, key_table());
	while ((key = hash_seq_search(&seq)) != NULL)
		ids[nids++] = key->id;
	for (int i = 0; i < nids && found == NULL; i++)
	{
		key = find_key(ids[i], true);
		if (key != NULL && visit(key, arg))
			found = key;
	}
	pfree(ids);
	return found;
}

List *
tc_keycat_names(TcOptionsTest test)
{
	Oid			wrapper = tc_keycat_wrapper();
	List	   *names = NIL;
	const char *what;
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;

	rel = table_open(ForeignServerRelationId, AccessShareLock);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_foreign_server form = (Form_pg_foreign_server) GETSTRUCT(tuple);

		if (OidIsValid(wrapper) && form->srvfdw == wrapper &&
			test(tc_keyopts_parse(row_option_list(tuple, rel), &what)))
			names = lappend(names, pstrdup(NameStr(form->srvname)));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return names;
}

bool
tc_keycat_is_empty(void)
{
	if (scanned != generation)
		scan_servers();
	return hash_get_num_entries(key_table()) == 0;	/* damaged ones count */
}

typedef struct UuidQuery
{
	const uint8 *uuid;
	Oid			except;
} UuidQuery;

static bool
has_uuid(TcKey *key, const void *arg)
{
	const UuidQuery *query = arg;

	return key->serverid != query->except &&
		memcmp(key->versions[0].identity.uuid, query->uuid, TC_UUID_BYTES) == 0;
}

bool
tc_keycat_has_uuid(const uint8 uuid[TC_UUID_BYTES], Oid except)
{
	UuidQuery	query = {uuid, except};

	return tc_keycat_find(has_uuid, &query) != NULL;
}

static bool
is_root_of(TcKey *key, const void *arg)
{
	return key->is_root && memcmp(key->realm, arg, TC_UUID_BYTES) == 0;
}

TcKey *
tc_root_by_realm(const uint8 realm[TC_UUID_BYTES])
{
	uint8		wanted[TC_UUID_BYTES];
	TcKey	   *root;

	/* "realm" may stand in an entry that these lookups take away */
	memcpy(wanted, realm, TC_UUID_BYTES);
	root = tc_root_current();
	if (root != NULL && is_root_of(root, wanted))
		return root;

	/* Roots of other realms are rare: look through all keys for those. */
	root = tc_keycat_find(is_root_of, wanted);
	if (root != NULL)
		root = tc_key_by_id(root->id);	/* an error if it shares its id */
	return root != NULL && is_root_of(root, wanted) ? root : NULL;
}

TcKeyVersion *
tc_key_version(TcKey *key, uint16 version)
{
	if (version < key->min_version)
		return NULL;
	for (int i = key->nversions - 1; i >= 0; i--)
	{
		if (key->versions[i].identity.version == version)
			return &key->versions[i];
	}
	return NULL;
}

bool
tc_key_may_use(TcKey *key)
{
	Oid			role = GetUserId();
	uint64		now = tc_acl_generation();

	if (likely(key->acl_generation == now && key->acl_role == role))
		return key->acl_allowed;
	key->acl_allowed = tc_acl_may_use(key->serverid, role);
	key->acl_role = role;
	key->acl_generation = now;
	return key->acl_allowed;
}

void
tc_key_require_usage(TcKey *key)
{
	if (unlikely(!tc_key_may_use(key)))
		tc_error_no_usage(key->name, GetUserId());
}
