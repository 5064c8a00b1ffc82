/*-------------------------------------------------------------------------
 *
 * cmd_enroll.c
 *	  themis-keyring enroll, and drop: who else can open the roots.
 *
 * The keyring comes first: whatever fails after that, new roots are made for
 * the recipient, or no longer.  The server then reads it, and each database's
 * roots follow.  All of it can be repeated: what is done already is said.
 *
 * contrib-keyprov/keyring/cmd_enroll.c
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

/* All that enrolling or dropping needs. */
typedef struct Enrolment
{
	const TcOptions *options;
	TcVault    *vault;
	TcStore		store;
	TcRecipient recipient;
	bool		has_key;		/* drop: it is not only a name */
	char		text[TC_RECIPIENT_TEXT_MAX];	/* its public key */
	char		fingerprint[TC_FINGERPRINT_TEXT_MAX];
	bool		told;			/* the server has read the keyring */
	int			nfound;			/* drop: databases that had it */
} Enrolment;

static const char *
role_name(const TcRecipient *recipient)
{
	return recipient->role == TC_ROLE_RECOVERY ? "recovery" : "machine";
}

/* Compute what is shown of the public key. */
static int
describe_key(Enrolment *enrolment)
{
	const uint8_t *key = enrolment->recipient.public_key;

	enrolment->has_key = true;
	if (tc_recipient_encode(key, enrolment->text) == TC_OK &&
		tc_recipient_fingerprint(key, enrolment->fingerprint) == TC_OK)
		return TC_TOOL_OK;
	tool_error("could not compute the fingerprint of the public key");
	return TC_TOOL_FAILED;
}

static int
take_public_key(const char *text, uint8_t ret_key[TC_X25519_BYTES])
{
	if (tc_recipient_decode(text, strlen(text), ret_key) == TC_OK &&
		tc_recipient_usable(ret_key))
		return TC_TOOL_OK;
	tool_error("the public key is not a text tcpub1:..., or has a slip of the pen in it");
	return TC_TOOL_USAGE;
}

static int
check_name(const char *name)
{
	/* A name like a public key could not be told from one. */
	if (tc_recipient_name_ok(name, strlen(name)) && strncmp(name, "tcpub1:", 7) != 0)
		return TC_TOOL_OK;
	tool_error("the name of a recipient must be 1 to %d printable ASCII characters without \" and \\",
			   TC_RECIPIENT_NAME_MAX);
	return TC_TOOL_USAGE;
}

/* The recipient that the command line describes. */
static int
take_recipient(const TcOptions *options, TcRecipient *ret_recipient)
{
	TcRecipientRole role = TC_ROLE_MACHINE;
	uint8_t		key[TC_X25519_BYTES];
	int			code;

	if ((options->public_key != NULL) + options->nrecovery_files != 1)
	{
		tool_error("give either --public-key or one --recovery-pubkey");
		return TC_TOOL_USAGE;
	}
	if (options->role != NULL && strcmp(options->role, "recovery") == 0)
		role = TC_ROLE_RECOVERY;
	else if (options->role != NULL &&
			 (strcmp(options->role, "machine") != 0 || options->nrecovery_files > 0))
	{
		tool_error(options->nrecovery_files > 0 ?
				   "the role of a recovery key is \"recovery\"" :
				   "a role is \"machine\" or \"recovery\"");
		return TC_TOOL_USAGE;
	}
	if (options->name == NULL && options->nrecovery_files == 0)
	{
		tool_error("option \"--name\" is missing");
		return TC_TOOL_USAGE;
	}
	code = options->name != NULL ? check_name(options->name) : TC_TOOL_OK;
	if (code != TC_TOOL_OK)
		return code;
	if (options->nrecovery_files > 0)
	{
		code = tool_read_recovery_key(options->recovery_files[0], ret_recipient);
		if (code == TC_TOOL_OK && options->name != NULL)
		{
			memcpy(key, ret_recipient->public_key, sizeof(key));
			tool_recipient(TC_ROLE_RECOVERY, key, options->name, ret_recipient);
		}
		return code;
	}
	code = take_public_key(options->public_key, key);
	if (code == TC_TOOL_OK)
		tool_recipient(role, key, options->name, ret_recipient);
	return code;
}

/* Whether the operator knows the fingerprint of the public key. */
static int
confirm(const Enrolment *enrolment)
{
	const TcRecipient *recipient = &enrolment->recipient;
	uint8_t		id[TC_RECIPIENT_ID_BYTES];
	char		shown[TC_RECIPIENT_TEXT_MAX + TC_RECIPIENT_NAME_MAX +
					  TC_FINGERPRINT_TEXT_MAX + 60];

	snprintf(shown, sizeof(shown), "%s \"%s\"\npublic key   %s\nfingerprint  %s\n",
			 role_name(recipient), recipient->name, enrolment->text,
			 enrolment->fingerprint);
	if (tool_parse_hex(enrolment->fingerprint, id) &&
		tool_confirmed(enrolment->options, id, shown,
					   "Is this the fingerprint that its owner told you?"))
		return TC_TOOL_OK;
	tool_error("recipient \"%s\", fingerprint %s: %s", recipient->name,
			   enrolment->fingerprint,
			   tool_unconfirmed_text(enrolment->options));
	tool_hint("Compare it with what \"themis-keyring show --unseal\" says there (of a recovery key \"recovery-pubkey\"), then run this again with --fingerprint FINGERPRINT.");
	return TC_TOOL_FAILED;
}

/* Where a public key or, where it is NULL, a name is enrolled; -1 if nowhere. */
static int
find_enrolled(const TcKeyringPayload *payload, const uint8_t *key,
			  const char *name)
{
	for (int i = 0; i < payload->nenrolled; i++)
	{
		const TcRecipient *known = &payload->enrolled[i];

		if (key != NULL ? memcmp(known->public_key, key, TC_X25519_BYTES) == 0 :
			strcmp(known->name, name) == 0)
			return i;
	}
	return -1;
}

static int
refuse_recipient(const TcRecipient *recipient, const char *why)
{
	tool_error("recipient \"%s\" %s", recipient->name, why);
	return TC_TOOL_FAILED;
}

/* Put the recipient into the payload; *ret_new is false if it is there. */
static int
add_to_payload(Enrolment *enrolment, bool *ret_new)
{
	TcKeyringPayload *payload = &enrolment->vault->payload;
	const TcRecipient *recipient = &enrolment->recipient;
	int			at = find_enrolled(payload, recipient->public_key, NULL);

	if (memcmp(enrolment->vault->machine.public_key, recipient->public_key,
			   TC_X25519_BYTES) == 0)
		return refuse_recipient(recipient, "is this machine itself");
	if (at >= 0 && (payload->enrolled[at].role != recipient->role ||
					strcmp(payload->enrolled[at].name, recipient->name) != 0))
	{
		tool_error("this public key is enrolled already, as %s \"%s\"",
				   role_name(&payload->enrolled[at]), payload->enrolled[at].name);
		return TC_TOOL_FAILED;
	}
	*ret_new = at < 0;
	if (at >= 0)
		return TC_TOOL_OK;
	if (find_enrolled(payload, NULL, recipient->name) >= 0)
		return refuse_recipient(recipient, "is enrolled already, with another public key");
	if (payload->nenrolled >= TC_ENROLLED_MAX)
		return refuse_recipient(recipient, "does not fit: the keyring holds as many as it can");
	payload->enrolled[payload->nenrolled++] = *recipient;
	return TC_TOOL_OK;
}

/* Read and open the keyring, for a change of it. */
static int
open_keyring(Enrolment *enrolment)
{
	TcVault    *vault = enrolment->vault;
	int			code;

	code = tool_read_keyring(enrolment->options, &enrolment->store);
	if (code == TC_TOOL_OK)
		code = tool_open_keyring(enrolment->options, vault, &enrolment->store);
	if (code == TC_TOOL_OK &&
		tc_identity_pair(vault->payload.seed, &vault->machine) != TC_OK)
	{
		tool_error("could not derive the keys of this machine");
		code = TC_TOOL_FAILED;
	}
	return code;
}

/* Let the server read the changed keyring, once. */
static int
tell_server(Enrolment *enrolment, TcServer *server)
{
	int			code;

	if (enrolment->told)
		return TC_TOOL_OK;
	code = tool_server_unlock(server);
	enrolment->told = code == TC_TOOL_OK;
	return code;
}

/* Add the recipient to the roots of one database. */
static int
enroll_in_database(TcServer *server, void *arg, TcOutcome *ret_outcome)
{
	Enrolment  *enrolment = arg;
	int			roots = 0;
	int			having = 0;
	int			code;

	code = tell_server(enrolment, server);
	if (code == TC_TOOL_OK)
		code = tool_server_count(server, enrolment->text, NULL, &roots, &having);
	if (code != TC_TOOL_OK)
		return code;
	if (roots == 0)
	{
		ret_outcome->word = "no_root";
		ret_outcome->text = "has no root yet; the recipient will be in the first one";
		return TC_TOOL_OK;
	}
	if (having == roots)
	{
		ret_outcome->word = "known";
		ret_outcome->text = "the recipient can open its roots already";
		return TC_TOOL_OK;
	}
	code = tool_server_add(server, enrolment->recipient.name, enrolment->text,
						   role_name(&enrolment->recipient),
						   enrolment->fingerprint);
	ret_outcome->word = "added";
	ret_outcome->text = "the recipient was added to its roots";
	return code;
}

/* Say what became of the keyring, in words and in one for JSON. */
static void
report(const Enrolment *enrolment, const char *what, const char *word)
{
	tool_text("keyring: %s\n", what);
	tool_json_string("keyring", word);
	if (enrolment->recipient.name_len == 0)
		return;					/* of whom only name or key are known */
	tool_json_array("recipients");
	tool_print_recipient(role_name(&enrolment->recipient),
						 enrolment->recipient.public_key,
						 enrolment->recipient.name);
	tool_json_end();
}

/* Go on to the databases, if the command line names any. */
static int
in_databases(Enrolment *enrolment, TcDatabaseWork work)
{
	const TcOptions *options = enrolment->options;

	if (options->conninfo == NULL)
	{
		tool_hint("Only the keyring was changed.  The server follows when you call themis_crypt.unlock(), the roots that exist with --conninfo.");
		return TC_TOOL_OK;
	}
	return tool_each_database(options, enrolment->store.uid,
							  enrolment->store.gid, work, enrolment);
}

static int
check_database_options(const TcOptions *options)
{
	if (!options->all_databases || options->conninfo != NULL)
		return TC_TOOL_OK;
	tool_error("option \"--conninfo\" is missing");
	return TC_TOOL_USAGE;
}

/* The steps of enrolling that need the vault. */
static int
enroll(Enrolment *enrolment)
{
	bool		is_new = false;
	int			code;

	code = open_keyring(enrolment);
	if (code == TC_TOOL_OK)
		code = add_to_payload(enrolment, &is_new);
	if (code == TC_TOOL_OK && is_new)
		code = tool_rewrite_keyring(enrolment->options, enrolment->vault,
									&enrolment->store);
	if (code != TC_TOOL_OK)
		return code;
	report(enrolment, is_new ? "enrolled" : "enrolled before",
		   is_new ? "added" : "known");
	code = in_databases(enrolment, enroll_in_database);
	if (code == TC_TOOL_OK && enrolment->recipient.role == TC_ROLE_MACHINE)
		tool_hint("It can open values.  To seal some, and to make keys, it must trust the roots: \"themis-keyring trust REALM FINGERPRINT\" there, with what themis_crypt.root_records() shows here.");
	return code;
}

int
cmd_enroll(const TcOptions *options)
{
	Enrolment	enrolment = {.options = options};
	int			code;

	code = check_database_options(options);
	if (code == TC_TOOL_OK)
		code = take_recipient(options, &enrolment.recipient);
	if (code == TC_TOOL_OK)
		code = describe_key(&enrolment);
	if (code == TC_TOOL_OK)
		code = confirm(&enrolment);
	if (code == TC_TOOL_OK)
		code = tool_lock_keyring(options);
	if (code == TC_TOOL_OK)
		code = tool_map_vault(&enrolment.vault);
	if (code == TC_TOOL_OK)
		code = enroll(&enrolment);
	tool_unmap_vault(enrolment.vault);
	return code;
}

/* Drop the recipient from the roots of one database. */
static int
drop_in_database(TcServer *server, void *arg, TcOutcome *ret_outcome)
{
	Enrolment  *enrolment = arg;
	const char *key = enrolment->has_key ? enrolment->text : NULL;
	int			roots = 0;
	int			having = 0;
	int			code;

	code = tell_server(enrolment, server);
	if (code == TC_TOOL_OK)
		code = tool_server_count(server, key, enrolment->recipient.name, &roots,
								 &having);
	if (code == TC_TOOL_OK && having > 0)
	{
		code = tool_server_drop(server, key != NULL ? key : enrolment->recipient.name,
								enrolment->options->no_recovery);
		enrolment->nfound += code == TC_TOOL_OK ? 1 : 0;
	}
	ret_outcome->word = having > 0 ? "dropped" : "absent";
	ret_outcome->text = having > 0 ? "the recipient was dropped from its roots" :
		"the recipient is in none of its roots";
	return code;
}

/* Take the recipient out of the payload; *ret_found is false if it is not there. */
static int
drop_from_payload(Enrolment *enrolment, bool *ret_found)
{
	TcKeyringPayload *payload = &enrolment->vault->payload;
	int			at = find_enrolled(payload, enrolment->has_key ?
								   enrolment->recipient.public_key : NULL,
								   enrolment->recipient.name);
	int			recovery = 0;

	*ret_found = at >= 0;
	if (at < 0)
		return TC_TOOL_OK;
	for (int i = 0; i < payload->nenrolled; i++)
		recovery += payload->enrolled[i].role == TC_ROLE_RECOVERY;
	enrolment->recipient = payload->enrolled[at];
	if (enrolment->recipient.role == TC_ROLE_RECOVERY && recovery == 1 &&
		!enrolment->options->no_recovery)
	{
		tool_error("recipient \"%s\" is the last recovery key of this keyring",
				   enrolment->recipient.name);
		tool_hint("Enroll another one first, or give --no-recovery: the loss of this machine or its TPM is then the loss of every value.");
		return TC_TOOL_FAILED;
	}
	memmove(&payload->enrolled[at], &payload->enrolled[at + 1],
			sizeof(TcRecipient) * (size_t) (payload->nenrolled - at - 1));
	payload->nenrolled--;
	sodium_memzero(&payload->enrolled[payload->nenrolled], sizeof(TcRecipient));
	return describe_key(enrolment);
}

/* The steps of dropping that need the vault. */
static int
drop(Enrolment *enrolment)
{
	bool		found = false;
	int			code;

	code = open_keyring(enrolment);
	if (code == TC_TOOL_OK)
		code = drop_from_payload(enrolment, &found);
	if (code == TC_TOOL_OK && found)
		code = tool_rewrite_keyring(enrolment->options, enrolment->vault,
									&enrolment->store);
	if (code != TC_TOOL_OK)
		return code;
	report(enrolment, found ? "dropped" : "not enrolled", found ? "dropped" : "absent");
	if (found || enrolment->options->conninfo != NULL)
		code = in_databases(enrolment, drop_in_database);
	if (code == TC_TOOL_OK && !found && enrolment->nfound == 0)
	{
		tool_error("there is no such recipient");
		if (enrolment->options->conninfo == NULL)
			tool_hint("The keyring has none but those of \"themis-keyring show --unseal\"; for those of a database give --conninfo.");
		return TC_TOOL_FAILED;
	}
	if (enrolment->nfound > 0)
		tool_hint("It has held the roots: from any copy it can still open all that is sealed so far and, until the root is rotated, what is sealed later.  Keep it from new copies.");
	return code;
}

int
cmd_drop(const TcOptions *options)
{
	Enrolment	enrolment = {.options = options};
	uint8_t		key[TC_X25519_BYTES];
	int			code;

	code = check_database_options(options);
	if (code == TC_TOOL_OK && (options->name != NULL) == (options->public_key != NULL))
	{
		tool_error("give either --name or --public-key");
		code = TC_TOOL_USAGE;
	}
	if (code == TC_TOOL_OK && options->name != NULL)
	{
		code = check_name(options->name);
		if (code == TC_TOOL_OK)
			strcpy(enrolment.recipient.name, options->name);
	}
	else if (code == TC_TOOL_OK)
	{
		code = take_public_key(options->public_key, key);
		if (code == TC_TOOL_OK)
		{
			memcpy(enrolment.recipient.public_key, key, sizeof(key));
			code = describe_key(&enrolment);
		}
	}
	if (code == TC_TOOL_OK)
		code = tool_lock_keyring(options);
	if (code == TC_TOOL_OK)
		code = tool_map_vault(&enrolment.vault);
	if (code == TC_TOOL_OK)
		code = drop(&enrolment);
	tool_unmap_vault(enrolment.vault);
	return code;
}
