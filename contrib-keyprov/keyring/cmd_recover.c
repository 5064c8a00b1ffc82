/*-------------------------------------------------------------------------
 *
 * cmd_recover.c
 *	  themis-keyring recover: let this machine in with a recovery identity.
 *
 * Each root record of a database is opened with the identity, and written
 * again with one more entry, for this machine.  What the identity opens need
 * not be genuine, since anybody can box a root to its public key: so nothing
 * is written before the operator has confirmed the fingerprint, and the entry
 * carries no attestation: the pin alone makes the root trusted, and "distrust"
 * takes that back.
 *
 * The root is pinned in the keyring before the server gets the record: a
 * machine that can open a root and does not trust it would be half recovered.
 * And the server reads the keyring before it gets the record, since it takes
 * only what it can open.
 *
 * contrib-keyprov/keyring/cmd_recover.c
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>

#include <sodium.h>

#include "confirm.h"
#include "databases.h"
#include "json.h"
#include "recovery.h"
#include "store.h"

/* All that recovering one root after another needs. */
typedef struct Recovery
{
	const TcOptions *options;
	TcVault    *vault;
	TcStore		store;
	TcServer   *server;			/* the database at hand */
	char		name[TC_RECIPIENT_NAME_MAX + 1];	/* of this machine */
	int			nopen;			/* roots of it that it can open by now */
	int			nrecovered;		/* of them, those that it could not before */
	bool		told;			/* the server knows the keyring as it is */
} Recovery;

static int
root_failed(const Recovery *recovery, const TcServerRoot *root, const char *why)
{
	tool_error("%sroot \"%s\": %s", tool_server_prefix(recovery->server),
			   root->name, why);
	return TC_TOOL_FAILED;
}

/* Whether text is the hex of a fingerprint, dashes and case aside. */
static bool
same_fingerprint(const char *text, const uint8_t kcv[TC_KCV_BYTES])
{
	uint8_t		told[TC_KCV_BYTES];

	return tool_parse_hex(text, told) && memcmp(told, kcv, TC_KCV_BYTES) == 0;
}

/* Open a record with the identity; its root is vault->root. */
static int
open_with_identity(Recovery *recovery, const TcServerRoot *root,
				   const TcRootRecord *record)
{
	TcVault    *vault = recovery->vault;

	switch (tc_record_open(record, &vault->recovery, vault->root))
	{
		case TC_OK:
			return TC_TOOL_OK;
		case TC_UNSUPPORTED:
			return root_failed(recovery, root, "was not made for this recovery identity");
		default:
			return root_failed(recovery, root, "does not open: its record was altered");
	}
}

/* Whether the operator knows the fingerprint of a root that has been opened. */
static int
confirm_root(const Recovery *recovery, const TcServerRoot *root,
			 const TcRootRecord *record)
{
	const char *prefix = tool_server_prefix(recovery->server);
	char		realm[2 * TC_HEX_BYTES + 1];
	char		kcv[2 * TC_HEX_BYTES + 1];
	char		shown[1000];

	tool_hex(record->realm, realm);
	tool_hex(record->kcv, kcv);
	snprintf(shown, sizeof(shown),
			 "%sroot \"%s\"\nrealm        %s\nfingerprint  %s\n", prefix,
			 root->name, realm, kcv);
	if (tool_confirmed(recovery->options, record->kcv, shown,
					   "Is this the fingerprint that you noted?"))
		return TC_TOOL_OK;
	tool_error("%sroot \"%s\", realm %s, fingerprint %s: %s",
			   prefix, root->name, realm, kcv,
			   tool_unconfirmed_text(recovery->options));
	tool_hint("If it is not the one you noted, this may not be your root.  If it is, run this again with --fingerprint FINGERPRINT.");
	return TC_TOOL_FAILED;
}

/* Put this machine into the record: a new entry, in place of an old one. */
static int
add_machine(Recovery *recovery, const TcServerRoot *root, TcRootRecord *record)
{
	TcVault    *vault = recovery->vault;
	TcRecordEntry entry = {0};
	int			kept = 0;

	for (int i = 0; i < record->nentries; i++)
		if (memcmp(record->entries[i].recipient.public_key,
				   vault->machine.public_key, TC_X25519_BYTES) != 0)
			record->entries[kept++] = record->entries[i];
	if (kept >= TC_RECIPIENTS_MAX)
		return root_failed(recovery, root, "has as many recipients as it can have");

	tool_recipient(TC_ROLE_MACHINE, vault->machine.public_key, recovery->name,
				   &entry.recipient);
	record->entries[kept] = entry;
	record->nentries = kept + 1;
	return TC_TOOL_OK;
}

/*
 * Build the new record from the list, and see that this machine opens it to
 * the same root.
 */
static int
build_record(Recovery *recovery, const TcServerRoot *root,
			 const TcRootRecord *record, uint8_t *ret_bytes, size_t *ret_len)
{
	TcVault    *vault = recovery->vault;
	TcRootRecord built;

	if (tc_record_build(record, vault->root, ret_bytes, ret_len) == TC_OK &&
		tc_record_parse(tc_span(ret_bytes, *ret_len), &built) == TC_OK &&
		tc_record_open(&built, &vault->machine, vault->root_check) == TC_OK &&
		sodium_memcmp(vault->root, vault->root_check, TC_KEY_BYTES) == 0)
		return TC_TOOL_OK;
	return root_failed(recovery, root, "its new record did not read back as meant");
}

/* Trust the root of a record that has been opened. */
static int
pin_root(Recovery *recovery, const TcServerRoot *root,
		 const TcRootRecord *record)
{
	TcPin		pin = {0};

	memcpy(pin.realm, record->realm, TC_UUID_BYTES);
	memcpy(pin.kcv, record->kcv, TC_KCV_BYTES);
	pin.root_version = record->root_version;
	switch (tool_add_pin(&recovery->vault->payload, &pin))
	{
		case TC_PIN_KNOWN:
			return TC_TOOL_OK;
		case TC_PIN_FULL:
			return root_failed(recovery, root, "the keyring cannot hold more trusted roots");
		case TC_PIN_ADDED:
			break;
	}
	recovery->told = false;
	return tool_rewrite_keyring(recovery->options, recovery->vault,
								&recovery->store);
}

/* Let the server read the keyring, unless it has. */
static int
tell_server(Recovery *recovery)
{
	int			code;

	if (recovery->told)
		return TC_TOOL_OK;
	code = tool_server_unlock(recovery->server);
	recovery->told = code == TC_TOOL_OK;
	return code;
}

/* Say what became of a root that this machine can open by now. */
static void
report_root(const Recovery *recovery, const TcServerRoot *root, const char *kcv,
			bool recovered)
{
	tool_text("%sroot \"%s\", fingerprint %s: ",
			  tool_server_prefix(recovery->server), root->name, kcv);
	if (recovered)
		tool_text("recovered for machine \"%s\"\n", recovery->name);
	else
		tool_text("this machine can open it already\n");
	tool_json_object(NULL);
	tool_json_string("root", root->name);
	tool_json_string("fingerprint", kcv);
	tool_json_string("result", recovered ? "recovered" : "known");
	tool_json_end();
}

/* Recover one root. */
static int
recover_root(Recovery *recovery, const TcServerRoot *root)
{
	TcVault    *vault = recovery->vault;
	uint8_t		bytes[TC_RECORD_MAX];
	char		kcv[2 * TC_HEX_BYTES + 1];
	TcRootRecord record;
	size_t		len = 0;
	int			code;

	if (tc_record_parse(root->record, &record) != TC_OK)
		return root_failed(recovery, root, "its record is damaged, or of a newer version");
	if (!same_fingerprint(root->fingerprint, record.kcv))
		return root_failed(recovery, root, "its fingerprint is not that of its record");
	tool_hex(record.kcv, kcv);
	if (tc_record_open(&record, &vault->machine, vault->root) == TC_OK)
	{
		report_root(recovery, root, kcv, false);
		return TC_TOOL_OK;
	}

	code = open_with_identity(recovery, root, &record);
	if (code == TC_TOOL_OK)
		code = confirm_root(recovery, root, &record);
	if (code == TC_TOOL_OK)
		code = add_machine(recovery, root, &record);
	if (code == TC_TOOL_OK)
		code = build_record(recovery, root, &record, bytes, &len);
	if (code == TC_TOOL_OK)
		code = pin_root(recovery, root, &record);
	if (code == TC_TOOL_OK)
		code = tell_server(recovery);
	if (code == TC_TOOL_OK)
		code = tool_server_replace(recovery->server, tc_span(bytes, len));
	if (code == TC_TOOL_OK)
	{
		report_root(recovery, root, kcv, true);
		recovery->nrecovered++;
	}
	return code;
}

/* Recover every root of a database; the worst exit code of all. */
static int
recover_roots(Recovery *recovery)
{
	int			worst = TC_TOOL_OK;
	int			told;

	recovery->nopen = recovery->nrecovered = 0;
	for (int i = 0; i < tool_server_nroots(recovery->server); i++)
	{
		TcServerRoot root = tool_server_root(recovery->server, i);
		int			code = recover_root(recovery, &root);

		sodium_memzero(recovery->vault->root, TC_KEY_BYTES);
		sodium_memzero(recovery->vault->root_check, TC_KEY_BYTES);
		if (code == TC_TOOL_OK)
			recovery->nopen++;
		if (code > worst)
			worst = code;
	}
	/* Also where all was done before, and only the server did not know. */
	told = recovery->nopen > 0 ? tell_server(recovery) : TC_TOOL_OK;
	return worst == TC_TOOL_OK ? told : worst;
}

static int
recover_database(TcServer *server, void *arg, TcOutcome *ret_outcome)
{
	Recovery   *recovery = arg;
	int			code;

	recovery->server = server;
	code = tool_server_read_roots(server);
	if (code != TC_TOOL_OK)
		return code;
	if (tool_server_nroots(server) == 0 && !recovery->options->all_databases)
	{
		tool_error("this database has no root, so nothing to recover");
		return TC_TOOL_FAILED;
	}
	if (tool_server_nroots(server) == 0)
	{
		ret_outcome->word = "no_root";
		ret_outcome->text = "has no root, so nothing to recover";
		return TC_TOOL_OK;
	}
	tool_json_array("roots");
	code = recover_roots(recovery);
	tool_json_end();
	ret_outcome->word = recovery->nrecovered > 0 ? "recovered" : "known";
	ret_outcome->text = recovery->nrecovered > 0 ? "recovered" :
		"this machine can open its roots already";
	return code;
}

static int
open_all(Recovery *recovery)
{
	const TcOptions *options = recovery->options;
	TcVault    *vault = recovery->vault;
	int			code;

	code = tool_read_keyring(options, &recovery->store);
	if (code == TC_TOOL_OK)
		code = tool_open_keyring(options, vault, &recovery->store);
	if (code == TC_TOOL_OK)
		code = tool_read_identity(options, vault);
	if (code == TC_TOOL_OK &&
		tc_identity_pair(vault->payload.seed, &vault->machine) != TC_OK)
	{
		tool_error("could not derive the keys of this machine");
		code = TC_TOOL_FAILED;
	}
	return code;
}

int
cmd_recover(const TcOptions *options)
{
	Recovery	recovery = {.options = options};
	int			code;

	code = tool_machine_name(options, recovery.name);
	if (code == TC_TOOL_OK)
		code = tool_lock_keyring(options);
	if (code == TC_TOOL_OK)
		code = tool_map_vault(&recovery.vault);
	if (code == TC_TOOL_OK)
		code = open_all(&recovery);
	if (code == TC_TOOL_OK)
		code = tool_each_database(options, recovery.store.uid,
								  recovery.store.gid, recover_database, &recovery);
	tool_unmap_vault(recovery.vault);
	return code;
}
