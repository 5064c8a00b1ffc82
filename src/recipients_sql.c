/*-------------------------------------------------------------------------
 *
 * recipients_sql.c
 *	  SQL functions on recipients: who can open the roots of this database.
 *
 * A change goes through every root of the database, in one transaction: all
 * that can be told without keys is checked first, then the worker writes each
 * record anew.
 *
 * src/recipients_sql.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sodium.h>

#include "catalog/pg_foreign_data_wrapper.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"

#include "errors.h"
#include "guc.h"
#include "key_ddl.h"
#include "keycat.h"
#include "keymake.h"
#include "recipient.h"

#define PUBLIC_KEY_PREFIX	"tcpub1:"
#define SECRET_PREFIX		"TC-RECOVERY-"
#define RECIPIENT_COLUMNS	8

/* A root of this database, copied out of keycat.h. */
typedef struct DatabaseRoot
{
	char		name[NAMEDATALEN];
	TcSpan		bytes;
	TcRootRecord record;		/* borrows from bytes */
} DatabaseRoot;

static bool
copy_root(TcKey *key, const void *arg)
{
	List	  **roots = unconstify(void *, arg);
	DatabaseRoot *root;
	uint8	   *bytes;

	if (!key->is_root)
		return false;
	root = palloc(sizeof(DatabaseRoot));
	bytes = palloc(key->record.len);
	memcpy(bytes, key->record.data, key->record.len);
	root->bytes = tc_span(bytes, key->record.len);
	strlcpy(root->name, key->name, NAMEDATALEN);
	if (tc_record_parse(root->bytes, &root->record) != TC_OK)
		tc_error_answer(TC_ANS_MALFORMED, key->name);
	*roots = lappend(*roots, root);
	return false;
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(((DatabaseRoot *) lfirst(a))->name,
				  ((DatabaseRoot *) lfirst(b))->name);
}

/* All roots of this database, by name. */
static List *
database_roots(void)
{
	List	   *roots = NIL;

	(void) tc_keycat_find(copy_root, &roots);
	list_sort(roots, compare_names);
	return roots;
}

/* The entry of a public key in a root, or NULL. */
static const TcRecipient *
find_key(const DatabaseRoot *root, const uint8 public_key[TC_X25519_BYTES])
{
	for (int i = 0; i < root->record.nentries; i++)
	{
		const TcRecipient *recipient = &root->record.entries[i].recipient;

		if (memcmp(recipient->public_key, public_key, TC_X25519_BYTES) == 0)
			return recipient;
	}
	return NULL;
}

static const char *
role_name(uint8 role)
{
	return role == TC_ROLE_RECOVERY ? "recovery" : "machine";
}

static char *
fingerprint_of(const uint8 public_key[TC_X25519_BYTES])
{
	char	   *text = palloc(TC_FINGERPRINT_TEXT_MAX);

	if (tc_recipient_fingerprint(public_key, text) != TC_OK)
		elog(ERROR, "could not compute the fingerprint of a recipient");
	return text;
}

/* One row for each recipient of a root. */
static void
put_recipients(ReturnSetInfo *rsinfo, const DatabaseRoot *root)
{
	char		realm[TC_UUID_BYTES * 2 + 1];
	char		public_key[TC_RECIPIENT_TEXT_MAX];
	uint8		own[TC_X25519_BYTES];
	bool		own_known = tc_status_own_key(own);

	sodium_bin2hex(realm, sizeof(realm), root->record.realm, TC_UUID_BYTES);
	for (int i = 0; i < root->record.nentries; i++)
	{
		const TcRecordEntry *entry = &root->record.entries[i];
		const TcRecipient *recipient = &entry->recipient;
		Datum		values[RECIPIENT_COLUMNS];
		bool		nulls[RECIPIENT_COLUMNS] = {false};

		if (tc_recipient_encode(recipient->public_key, public_key) != TC_OK)
			elog(ERROR, "could not encode a public key");
		values[0] = CStringGetTextDatum(root->name);
		values[1] = CStringGetTextDatum(realm);
		values[2] = CStringGetTextDatum(recipient->name);
		values[3] = CStringGetTextDatum(role_name(recipient->role));
		values[4] = CStringGetTextDatum(fingerprint_of(recipient->public_key));
		values[5] = CStringGetTextDatum(public_key);
		nulls[6] = !own_known;
		values[6] = BoolGetDatum(own_known &&
								 memcmp(own, recipient->public_key,
										TC_X25519_BYTES) == 0);
		values[7] = BoolGetDatum(entry->attestation.len > 0);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

PG_FUNCTION_INFO_V1(themis_crypt_root_recipients);

Datum
themis_crypt_root_recipients(PG_FUNCTION_ARGS)
{
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach(cell, database_roots())
		put_recipients((ReturnSetInfo *) fcinfo->resultinfo, lfirst(cell));
	return (Datum) 0;
}

/*
 * EXECUTE is not enough: ALTER SERVER wants the owner of the root, and to run
 * it as that superuser would let event triggers run so for anybody.
 */
static void
require_superuser(void)
{
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be superuser to change the recipients of a root")));
}

/*
 * The roots to be changed, until the end of the transaction by nobody else.
 * Exclusive: of two that started from the same record, one would lose what
 * the other added.
 */
static List *
lock_roots(const char *function)
{
	List	   *roots;

	require_superuser();
	PreventCommandDuringRecovery(function);
	PreventCommandIfReadOnly(function);
	LockDatabaseObject(ForeignDataWrapperRelationId, tc_keycat_wrapper(),
					   TC_LOCK_ROOT, ExclusiveLock);
	roots = database_roots();
	if (roots == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this database has no root of encryption keys"),
				 errhint("Its first encryption key makes one, for this machine and all that are in its keyring.")));
	return roots;
}

/* Have the worker write the record of a root anew, and store it. */
static void
change_root(const DatabaseRoot *root, TcRequestKind kind,
			const TcRecipient *recipient)
{
	TcRequest  *request = tc_request_begin(kind);
	TcAnswer	answer;

	if (!tc_request_set_record(request, root->bytes))
		tc_error_answer(TC_ANS_MALFORMED, root->name);
	request->recipient = *recipient;
	answer = tc_request_send();
	if (answer == TC_ANS_UNTRUSTED)
		tc_error_untrusted(request, root->record.kcv, root->name);
	if (answer != TC_ANS_OK)
		tc_error_answer(answer, root->name);
	tc_key_set_record(root->name, tc_span(request->record, request->record_len));
}

/*
 * A secret in the place of a key or name is repeated nowhere: not in a record,
 * that everybody can read, and in the log neither the statement nor the line
 * of a function that called us.  One that was copied has what was around it.
 */
static void
refuse_secret(text *argument)
{
	if (strstr(text_to_cstring(argument), SECRET_PREFIX) == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("this is not a public key but a secret recovery identity"),
			 errhint("Keep it away from this server.  Its public key is what \"themis-keyring recovery-pubkey\" prints."),
			 errhidestmt(true),
			 errhidecontext(true)));
}

static void
take_name(text *argument, TcRecipient *recipient)
{
	size_t		len = VARSIZE_ANY_EXHDR(argument);

	refuse_secret(argument);
	if (!tc_recipient_name_ok(VARDATA_ANY(argument), len) ||
		(len >= strlen(PUBLIC_KEY_PREFIX) &&
		 memcmp(VARDATA_ANY(argument), PUBLIC_KEY_PREFIX,
				strlen(PUBLIC_KEY_PREFIX)) == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("name of recipient is not valid"),
				 errdetail("A name has 1 to %d printable ASCII characters without \" and \\, and does not begin with \"%s\".",
						   TC_RECIPIENT_NAME_MAX, PUBLIC_KEY_PREFIX),
				 errhidestmt(true),
				 errhidecontext(true)));
	recipient->name_len = (uint8) len;
	memcpy(recipient->name, VARDATA_ANY(argument), len);
}

/* Neither the key nor the statement is quoted: it may be the secret one. */
static void
take_public_key(text *argument, uint8 ret_public_key[TC_X25519_BYTES])
{
	const char *str = VARDATA_ANY(argument);
	size_t		len = VARSIZE_ANY_EXHDR(argument);
	TcResult	result = tc_recipient_decode(str, len, ret_public_key);

	if (result == TC_OK && tc_recipient_usable(ret_public_key))
		return;
	refuse_secret(argument);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("public key of recipient is not valid"),
			 result == TC_OK ?
			 errdetail("Everybody shares a secret with it.") :
			 errdetail("A public key is a line \"%s...\" as themis-keyring prints it; this one is of another form, or has a slip of the pen in it.",
					   PUBLIC_KEY_PREFIX),
			 errhidestmt(true),
			 errhidecontext(true)));
}

static uint8
take_role(text *argument)
{
	char	   *role = text_to_cstring(argument);

	if (strcmp(role, "machine") == 0)
		return TC_ROLE_MACHINE;
	if (strcmp(role, "recovery") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("role of recipient is not valid"),
				 errdetail("It is \"machine\" or \"recovery\".")));
	return TC_ROLE_RECOVERY;
}

/*
 * Whether a recipient is missing in a root.  A name of another key, or another
 * name or role of this one, would make it unclear later who is who.
 */
static bool
is_missing(const DatabaseRoot *root, const TcRecipient *recipient)
{
	const TcRecipient *known = find_key(root, recipient->public_key);

	if (known != NULL && (strcmp(known->name, recipient->name) != 0 ||
						  known->role != recipient->role))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("public key belongs to recipient \"%s\" with role \"%s\" already",
						known->name, role_name(known->role))));
	for (int i = 0; i < root->record.nentries && known == NULL; i++)
	{
		if (strcmp(root->record.entries[i].recipient.name, recipient->name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("recipient \"%s\" exists already, with another public key",
							recipient->name)));
	}
	return known == NULL;
}

PG_FUNCTION_INFO_V1(themis_crypt_add_recipient);

/*
 * Box every root of this database to one more public key.  Where the
 * recipient is in some of them already, the others follow.
 */
Datum
themis_crypt_add_recipient(PG_FUNCTION_ARGS)
{
	List	   *roots = lock_roots("themis_crypt.add_recipient()");
	TcRecipient recipient = {.kind = TC_KIND_X25519};
	List	   *missing = NIL;
	ListCell   *cell;
	char	   *fingerprint;

	tc_require_argument(fcinfo, 0, "name");
	tc_require_argument(fcinfo, 1, "public_key");
	tc_require_argument(fcinfo, 2, "role");
	take_name(PG_GETARG_TEXT_PP(0), &recipient);
	take_public_key(PG_GETARG_TEXT_PP(1), recipient.public_key);
	recipient.role = take_role(PG_GETARG_TEXT_PP(2));
	if (tc_status_is_own_key(recipient.public_key))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("public key is this machine's own"),
				 errdetail("It is among the recipients of every root that it can open.")));
	foreach(cell, roots)
	{
		if (is_missing(lfirst(cell), &recipient))
			missing = lappend(missing, lfirst(cell));
	}
	if (missing == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("recipient \"%s\" exists already", recipient.name)));
	foreach(cell, missing)
		change_root(lfirst(cell), TC_REQ_ADD_RECIPIENT, &recipient);

	fingerprint = fingerprint_of(recipient.public_key);
	ereport(NOTICE,
			(errmsg("whoever has the secret key of recipient \"%s\" can open all values of this database from now on",
					recipient.name),
			 errdetail("The fingerprint of its public key is %s.", fingerprint),
			 errhint("Compare it with what \"themis-keyring show --unseal\" prints on that machine, or \"recovery-pubkey\" for that identity.  If it differs, call themis_crypt.drop_recipient() at once.")));
	PG_RETURN_TEXT_P(cstring_to_text(fingerprint));
}

/* Who is meant: a public key, or a name that only one key has. */
static TcRecipient
recipient_to_drop(List *roots, text *argument)
{
	char	   *name = text_to_cstring(argument);
	uint8		public_key[TC_X25519_BYTES];
	bool		by_key = strncmp(name, PUBLIC_KEY_PREFIX, strlen(PUBLIC_KEY_PREFIX)) == 0;
	TcRecipient named;
	TcRecipient found = {0};
	ListCell   *cell;

	if (by_key)
		take_public_key(argument, public_key);
	else
		take_name(argument, &named);
	foreach(cell, roots)
	{
		const DatabaseRoot *root = lfirst(cell);

		for (int i = 0; i < root->record.nentries; i++)
		{
			const TcRecipient *each = &root->record.entries[i].recipient;

			if (by_key ? memcmp(each->public_key, public_key, TC_X25519_BYTES) != 0 :
				strcmp(each->name, name) != 0)
				continue;
			if (found.kind != 0 && memcmp(found.public_key, each->public_key,
										  TC_X25519_BYTES) != 0)
				ereport(ERROR,
						(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
						 errmsg("there are several recipients \"%s\"", each->name),
						 errhint("Give the public key of the one that is meant, from themis_crypt.recipients.")));
			found = *each;
		}
	}
	if (found.kind == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("recipient \"%s\" does not exist", name)));
	return found;
}

/* A root must not be left without a recovery recipient by mistake. */
static void
check_recovery_left(const DatabaseRoot *root, const TcRecipient *dropped)
{
	int			left = 0;

	for (int i = 0; i < root->record.nentries; i++)
		left += root->record.entries[i].recipient.role == TC_ROLE_RECOVERY;
	if (left > 1 || find_key(root, dropped->public_key)->role != TC_ROLE_RECOVERY ||
		tc_allow_no_recovery)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("recipient \"%s\" is the last recovery key of root \"%s\"",
					dropped->name, root->name),
			 errdetail("If this machine were lost, all encrypted data would be lost with it."),
			 errhint("Add another recovery key first, or set themis_crypt.allow_no_recovery.")));
}

PG_FUNCTION_INFO_V1(themis_crypt_drop_recipient);

/* Take a recipient out of every root of this database. */
Datum
themis_crypt_drop_recipient(PG_FUNCTION_ARGS)
{
	List	   *roots = lock_roots("themis_crypt.drop_recipient()");
	TcRecipient recipient;
	List	   *having = NIL;
	ListCell   *cell;

	tc_require_argument(fcinfo, 0, "name");
	recipient = recipient_to_drop(roots, PG_GETARG_TEXT_PP(0));
	if (tc_status_is_own_key(recipient.public_key))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("recipient \"%s\" is this machine", recipient.name),
				 errdetail("Without its entry it could open nothing after the next start."),
				 errhint("Drop it on another machine that is a recipient, when that one is the primary.")));
	foreach(cell, roots)
	{
		if (find_key(lfirst(cell), recipient.public_key) == NULL)
			continue;
		check_recovery_left(lfirst(cell), &recipient);
		having = lappend(having, lfirst(cell));
	}
	foreach(cell, having)
		change_root(lfirst(cell), TC_REQ_DROP_RECIPIENT, &recipient);

	ereport(NOTICE,
			(errmsg("recipient \"%s\" was dropped, but has held the root",
					recipient.name),
			 errdetail("From any copy of this database it can still open all that is sealed so far and, until the root is rotated, what is sealed later.  Dumps and backups from before can be opened with it for ever."),
			 errhint("Keep it from new copies.  Run \"themis-keyring drop\", too, if it is in a keyring: new roots would be made for it again.")));
	PG_RETURN_VOID();
}
