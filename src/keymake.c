/*-------------------------------------------------------------------------
 *
 * keymake.c
 *	  New keys and roots, and material that comes from elsewhere.
 *
 * src/keymake.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"

#include "errors.h"
#include "guc.h"
#include "keycat.h"
#include "keymake.h"
#include "nonce.h"
#include "request.h"
#include "token.h"

#define ID_TRIES 1000

/* The subtransaction that made a root, in this transaction. */
static SubTransactionId root_made = InvalidSubTransactionId;

static void
watch_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			if (root_made != InvalidSubTransactionId)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot prepare a transaction that made the first encryption key of a database")));
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			root_made = InvalidSubTransactionId;
			break;
		default:
			break;
	}
}

/* ROLLBACK TO takes the root with it; subtransactions number upwards. */
static void
watch_subtransaction(SubXactEvent event, SubTransactionId mine,
					 SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && root_made >= mine)
		root_made = InvalidSubTransactionId;
}

void
tc_keymake_init(void)
{
	RegisterXactCallback(watch_transaction, NULL);
	RegisterSubXactCallback(watch_subtransaction, NULL);
}

static void
lock_wrapper(Oid wrapper, uint16 which, LOCKMODE mode)
{
	LockDatabaseObject(ForeignDataWrapperRelationId, wrapper, which, mode);
}

/* Hold an id to the end of the transaction; true if nobody has it. */
static bool
claim_id(uint32 id)
{
	LockDatabaseObject(ForeignServerRelationId, (Oid) id, 1, ExclusiveLock);
	return tc_key_by_id(id) == NULL;
}

/* Draw an id that is free in this database. */
static uint32
draw_id(void)
{
	for (int i = 0; i < ID_TRIES; i++)
	{
		uint8		bytes[3];
		uint32		id;

		if (tc_random(bytes, sizeof(bytes)) != TC_OK)
			tc_error_answer(TC_ANS_FAILED, NULL);
		id = (uint32) bytes[0] | (uint32) bytes[1] << 8 | (uint32) bytes[2] << 16;
		if (id != 0 && claim_id(id))
			return id;
	}
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("could not find a free id for an encryption key")));
	return 0;
}

/* Run CREATE SERVER as the wrapper's owner, with all hooks. */
static void
create_root_server(Oid wrapper, List *options)
{
	CreateForeignServerStmt *stmt = makeNode(CreateForeignServerStmt);
	PlannedStmt *planned = makeNode(PlannedStmt);
	Oid			save_user;
	int			save_context;

	stmt->servername = pstrdup(TC_ROOT_NAME);
	stmt->fdwname = pstrdup(TC_WRAPPER_NAME);
	stmt->options = options;
	planned->commandType = CMD_UTILITY;
	planned->utilityStmt = (Node *) stmt;
	planned->stmt_location = -1;

	GetUserIdAndSecContext(&save_user, &save_context);
	SetUserIdAndSecContext(GetForeignDataWrapper(wrapper)->owner,
						   save_context | SECURITY_LOCAL_USERID_CHANGE);
	ProcessUtility(planned, "CREATE SERVER " TC_ROOT_NAME, false,
				   PROCESS_UTILITY_SUBCOMMAND, NULL, NULL, None_Receiver, NULL);
	SetUserIdAndSecContext(save_user, save_context);
	CommandCounterIncrement();
}

static void
make_root(Oid wrapper)
{
	uint32		id = draw_id();
	TcRequest  *request = tc_request_begin(TC_REQ_MAKE_ROOT);
	TcAnswer	answer;

	request->identity.key_id = id;
	request->allow_no_recovery = tc_allow_no_recovery;
	answer = tc_request_send();
	if (answer != TC_ANS_OK)
		tc_error_answer(answer, NULL);
	root_made = GetCurrentSubTransactionId();
	create_root_server(wrapper,
					   tc_keyopts_make_root(&request->identity, request->wrap,
											tc_span(request->record,
													request->record_len)));
}

/* The root for a new key, made if this database has nothing of ours yet. */
static TcKey *
root_for_new_key(Oid wrapper)
{
	TcKey	   *root;

	lock_wrapper(wrapper, TC_LOCK_ROOT, ShareLock);
	root = tc_root_current();
	if (root != NULL)
		return root;

	/* Whoever waited here for somebody else's root finds it now. */
	lock_wrapper(wrapper, TC_LOCK_MAKE_ROOT, ExclusiveLock);
	root = tc_root_current();
	if (root != NULL)
		return root;
	if (!tc_keycat_is_empty())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the root of this database's encryption keys is missing"),
				 errhint("Restore the foreign server \"%s\" from a dump; a new one is never made where keys exist.",
						 TC_ROOT_NAME)));
	make_root(wrapper);
	root = tc_root_current();
	if (root == NULL)
		elog(ERROR, "root was made but cannot be found");
	return root;
}

/* The algorithm asked for in CREATE SERVER, or the default. */
static uint8
chosen_algorithm(List *options)
{
	const char *name = tc_keyopts_get(options, "algorithm");
	uint8		algorithm = name != NULL ? tc_algorithm_by_name(name) :
		TC_ALG_XCHACHA20POLY1305;

	if (algorithm == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("encryption algorithm \"%s\" does not exist", name),
				 errhint("The algorithms are xchacha20poly1305, aes256gcm and aegis256.")));
	if (!tc_aead_supports(algorithm))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("encryption algorithm \"%s\" is not supported here", name),
				 errdetail("%s", tc_algorithm_needs(algorithm)),
				 errhint("Use xchacha20poly1305, the default.")));
	return algorithm;
}

/* The same for blind tokens. */
static uint8
chosen_index_algorithm(List *options)
{
	const char *name = tc_keyopts_get(options, "index_algorithm");
	uint8		algorithm = name != NULL ? tc_index_algorithm_by_name(name) :
		TC_INDEX_BLAKE2B;

	if (algorithm == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("index algorithm \"%s\" does not exist", name),
				 errhint("The index algorithms are blake2b and siphash128.")));
	if (!tc_token_supports(algorithm))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("index algorithm \"%s\" is not supported here", name),
				 errhint("Use blake2b, the default.")));
	return algorithm;
}

/* Whether the new key is to compress. */
static bool
chosen_compression(List *options)
{
	const char *name = tc_keyopts_get(options, "compression");
	bool		compresses;

	if (!tc_keyopts_compression(name, &compresses))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("compression \"%s\" does not exist", name),
				 errhint("The compressions are none and lz4.")));
	return compresses;
}

List *
tc_make_key(List *options)
{
	uint8		algorithm = chosen_algorithm(options);
	uint8		index_algorithm = chosen_index_algorithm(options);
	bool		compresses = chosen_compression(options);
	Oid			wrapper = tc_keycat_wrapper();
	TcRequest  *request;
	TcKey	   *root;
	uint8	   *record;
	size_t		record_len;
	uint32		id;
	uint8		digest[TC_MAC_BYTES];
	TcAnswer	answer;
	List	   *result;

	root = root_for_new_key(wrapper);
	record_len = root->record.len;
	record = palloc(record_len);
	memcpy(record, root->record.data, record_len);
	id = draw_id();

	request = tc_request_begin(TC_REQ_MAKE_KEY);
	if (!tc_request_set_record(request, tc_span(record, record_len)))
		tc_error_answer(TC_ANS_MALFORMED, NULL);
	request->identity.key_id = id;
	request->identity.algorithm = algorithm;
	request->index_algorithm = index_algorithm;
	answer = tc_request_send();
	if (answer != TC_ANS_OK)
		tc_error_answer(answer, NULL);
	result = tc_keyopts_make_key(&request->identity, request->wrap,
								 index_algorithm, request->index_wrap,
								 compresses, digest);

	request = tc_request_begin(TC_REQ_KEY_MAC);
	if (!tc_request_set_record(request, tc_span(record, record_len)))
		tc_error_answer(TC_ANS_MALFORMED, NULL);
	memcpy(request->mac.digest, digest, TC_MAC_BYTES);
	answer = tc_request_send();
	if (answer != TC_ANS_OK)
		tc_error_answer(answer, NULL);
	pfree(record);
	return tc_keyopts_add_mac(result, request->mac.mac);
}

/* Ask the worker whether wraps, mac and record are genuine. */
static TcAnswer
ask_genuine(const TcKeyOptions *key, TcSpan record)
{
	TcAnswer	answer = TC_ANS_OK;

	for (int i = 0; i < key->nversions && answer == TC_ANS_OK; i++)
	{
		TcRequest  *request = tc_request_begin(TC_REQ_LOAD);

		if (!tc_request_set_record(request, record))
			return TC_ANS_MALFORMED;
		request->identity = key->versions[i].identity;
		memcpy(request->wrap, key->versions[i].wrap, TC_WRAP_BYTES);
		request->check_mac = !key->is_root;
		request->mac = key->mac;
		answer = tc_request_send();
	}
	return answer;
}

void
tc_check_material(List *options, const char *name, Oid serverid)
{
	const char *what = NULL;
	TcKeyOptions *key = tc_keyopts_parse(options, &what);
	TcKey	   *other;
	TcKey	   *root;
	TcSpan		record;
	TcAnswer	answer;

	if (key == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options of encryption key \"%s\" are damaged", name),
				 errdetail_internal("%s", what)));
	if (key->is_root != tc_name_is_root(name))
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("server name \"%s\" does not suit its kind", name),
				 errdetail("Names that begin with \"%s\" are reserved for roots.",
						   TC_ROOT_NAME)));
	lock_wrapper(tc_keycat_wrapper(), TC_LOCK_ROOT, ShareLock);
	LockDatabaseObject(ForeignServerRelationId, (Oid) key->id, 1, ExclusiveLock);
	other = tc_key_by_id(key->id);
	if (other != NULL && other->serverid != serverid)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("encryption key \"%s\" has the same id", other->name)));
	if (tc_keycat_has_uuid(key->uuid, serverid))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("an encryption key with the same uuid exists already")));

	/* A dump brings keys before their root, and a locked server restores. */
	if (key->is_root)
		record = key->record;
	else
	{
		root = tc_root_by_realm(key->realm);
		if (root == NULL)
			return;
		record = root->record;
	}
	if (IsBinaryUpgrade || tc_status_get().state != TC_STATE_UNLOCKED)
		return;
	answer = ask_genuine(key, record);
	if (answer == TC_ANS_REJECTED || answer == TC_ANS_MALFORMED)
		tc_error_answer(answer, name);
}

static void
depend_on(Oid serverid, Oid rootid)
{
	ObjectAddress key;
	ObjectAddress root;

	ObjectAddressSet(key, ForeignServerRelationId, serverid);
	ObjectAddressSet(root, ForeignServerRelationId, rootid);
	recordDependencyOn(&key, &root, DEPENDENCY_NORMAL);
}

/* For each key of a new root's realm. */
static bool
depend_on_new_root(TcKey *key, const void *arg)
{
	const TcKey *root = arg;

	if (!key->is_root && memcmp(key->realm, root->realm, TC_UUID_BYTES) == 0)
		depend_on(key->serverid, root->serverid);
	return false;
}

void
tc_key_record_dependencies(Oid serverid)
{
	TcKey	   *key;
	TcKey	   *root;

	CommandCounterIncrement();
	key = tc_key_by_server(serverid);
	if (key == NULL)
		return;
	if (key->is_root)
	{
		TcKey		copy = *key;

		(void) tc_keycat_find(depend_on_new_root, &copy);
		return;
	}
	root = tc_root_by_realm(key->realm);
	if (root != NULL)
		depend_on(serverid, root->serverid);
}
