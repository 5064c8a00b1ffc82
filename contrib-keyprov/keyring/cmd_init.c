/*-------------------------------------------------------------------------
 *
 * cmd_init.c
 *	  themis-keyring init: make the keyring of this machine.
 *
 * Nothing is written before the new keyring has been opened again through
 * its provider, by us and by its owner; a keyring that exists is never made
 * anew, since roots may be boxed to it.
 *
 * contrib-keyprov/keyring/cmd_init.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "nonce.h"

#include "credential.h"
#include "json.h"
#include "owner.h"
#include "recovery.h"

/* A keyring in the making. */
typedef struct NewKeyring
{
	TcOwner		owner;
	char		name[TC_RECIPIENT_NAME_MAX + 1];	/* of this machine */
	TcSealed	sealed;
	TcStore		store;
	TcCredential place;			/* what is there before */
	TcCredential credential;
} NewKeyring;

static int
check_options(const TcOptions *options)
{
	struct stat st;

	if (options->no_recovery == (options->nrecovery_files > 0))
	{
		tool_error("give either --recovery-pubkey or --no-recovery");
		tool_hint("Without a recovery key, the loss of this machine or its TPM is the loss of every value.");
		return TC_TOOL_USAGE;
	}
	if (lstat(options->keyring, &st) == 0)
	{
		tool_error("keyring file \"%s\" exists, and is not made anew",
				   options->keyring);
		tool_hint("What only it can open would be lost.  Move it away if you are sure.");
		return TC_TOOL_FAILED;
	}
	return TC_TOOL_OK;
}

/* Put the recovery keys into the payload, each once. */
static int
enrol_recovery(const TcOptions *options, TcKeyringPayload *payload)
{
	for (int i = 0; i < options->nrecovery_files; i++)
	{
		TcRecipient *recipient = &payload->enrolled[payload->nenrolled];
		int			code;

		code = tool_read_recovery_key(options->recovery_files[i], recipient);
		if (code != TC_TOOL_OK)
			return code;
		for (int j = 0; j < payload->nenrolled; j++)
			if (memcmp(payload->enrolled[j].public_key, recipient->public_key,
					   TC_X25519_BYTES) == 0)
			{
				tool_error("public key file \"%s\" holds the same key as another one",
						   options->recovery_files[i]);
				return TC_TOOL_FAILED;
			}
		payload->nenrolled++;
	}
	return TC_TOOL_OK;
}

/* Bring the names in a folder to the disk. */
static bool
sync_folder(const char *folder)
{
	int			fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int			save_errno;
	bool		done;

	if (fd < 0)
		return false;
	done = fsync(fd) == 0;
	save_errno = errno;
	(void) close(fd);
	errno = save_errno;
	return done;
}

/*
 * Make the default folder, if that is where the keyring goes.  Any other one
 * is the administrator's to make.
 */
static int
make_folder(const TcOptions *options)
{
	if (strcmp(options->keyring, TC_DEFAULT_KEYRING) != 0)
		return TC_TOOL_OK;
	if (mkdir(TC_DEFAULT_FOLDER, 0755) == 0)
	{
		/* Whatever the umask. */
		if (chmod(TC_DEFAULT_FOLDER, 0755) == 0 &&
			sync_folder(TC_DEFAULT_FOLDER "/.."))
			return TC_TOOL_OK;
	}
	else if (errno == EEXIST)
		return TC_TOOL_OK;
	tool_error("could not make folder \"%s\": %s", TC_DEFAULT_FOLDER,
			   strerror(errno));
	return TC_TOOL_FAILED;
}

/* Draw everything that is secret. */
static int
draw_secrets(TcVault *vault)
{
	if (tc_random(vault->payload.seed, TC_SEED_BYTES) == TC_OK &&
		tc_random(vault->file_key, TC_KEY_BYTES) == TC_OK &&
		tc_identity_pair(vault->payload.seed, &vault->machine) == TC_OK)
		return TC_TOOL_OK;
	tool_error("could not draw random keys: %s", strerror(errno));
	return TC_TOOL_FAILED;
}

/* Build the file's bytes, and take them apart again. */
static int
build(const TcOptions *options, const TcVault *vault, NewKeyring *made)
{
	TcStore    *store = &made->store;
	TcKeyringNewSlot slot = tool_new_slot(options, vault, &made->sealed);

	if (tc_keyring_build(&vault->payload, vault->file_key, &slot, 1,
						 store->file, &store->len) == TC_OK &&
		tc_keyring_parse(tc_span(store->file, store->len),
						 &store->keyring) == TC_OK)
		return TC_TOOL_OK;
	tool_error("could not make a keyring from what key provider \"%s\" gave",
			   options->provider);
	return TC_TOOL_FAILED;
}

static int
write_new(const TcOptions *options, const NewKeyring *made)
{
	const char *why = NULL;
	TcResult	result;

	result = tc_keyring_write_file(options->keyring,
								   tc_span(made->store.file, made->store.len),
								   made->owner.uid, made->owner.gid, false, &why);
	if (result == TC_OK)
		return TC_TOOL_OK;
	if (result == TC_SYSTEM)
		tool_error("keyring file \"%s\" %s: %s", options->keyring, why,
				   strerror(errno));
	else
		tool_error("keyring file \"%s\" %s", options->keyring, why);
	return TC_TOOL_FAILED;
}

static void
report(const TcOptions *options, const TcVault *vault, const NewKeyring *made)
{
	tool_text("keyring: %s, owned by %s\n", options->keyring, made->owner.name);
	tool_json_string("keyring", options->keyring);
	tool_json_string("owner", made->owner.name);
	tool_print_keyring(&made->store.keyring);
	tool_print_credential(&made->credential);
	tool_json_array("recipients");
	tool_print_recipient("machine", vault->machine.public_key, made->name);
	for (int i = 0; i < vault->payload.nenrolled; i++)
		tool_print_recipient("recovery", vault->payload.enrolled[i].public_key,
							 vault->payload.enrolled[i].name);
	tool_json_end();
	if (vault->payload.nenrolled == 0)
		tool_hint("No recovery key: the loss of this machine or its TPM is the loss of every value.");
}

/* The steps that need the vault. */
static int
make_keyring(const TcOptions *options, TcVault *vault, NewKeyring *made)
{
	TcSpan		file;
	int			code = TC_TOOL_OK;

	if (tool_needs_credential(options->provider))
		code = tool_check_credential_place(options, vault, NULL, &made->place);
	if (code == TC_TOOL_OK)
		code = enrol_recovery(options, &vault->payload);
	if (code == TC_TOOL_OK)
		code = draw_secrets(vault);
	if (code == TC_TOOL_OK)
		code = tool_seal_secret(options, vault, &made->sealed);
	if (code == TC_TOOL_OK)
		code = build(options, vault, made);
	if (code != TC_TOOL_OK)
		return code;
	memcpy(vault->pin, vault->new_pin, sizeof(vault->pin));
	code = tool_reopen(options, vault, &made->store, 0);
	if (code != TC_TOOL_OK)
		return code;

	file = tc_span(made->store.file, made->store.len);
	code = tool_owner_can_open(options, vault, &made->owner, file, 0);
	if (code == TC_TOOL_OK)
		code = make_folder(options);
	if (code == TC_TOOL_OK && tool_needs_credential(options->provider))
		code = tool_write_credential(options, vault, made->store.keyring.slots[0].blob,
									 &made->place, &made->credential);
	if (code == TC_TOOL_OK)
	{
		code = write_new(options, made);
		/* Unless it is in place after all, and could not be synchronised. */
		if (code != TC_TOOL_OK &&
			!tool_keyring_is(options, made->owner.uid, file))
			tool_take_back_credential(&made->credential, &made->place);
	}
	if (code == TC_TOOL_OK)
		code = tool_owner_can_read(options, &made->owner, file);
	if (code == TC_TOOL_OK)
		report(options, vault, made);
	return code;
}

int
cmd_init(const TcOptions *given)
{
	TcOptions	options = *given;
	TcProviderUse use = {0};
	static NewKeyring made;
	TcVault    *vault = NULL;
	int			code;

	if (options.provider == NULL)
		options.provider = "tpm2";
	use.sealing = options.provider;
	code = check_options(&options);
	if (code == TC_TOOL_OK)
		code = tool_find_owner(&options, &made.owner);
	if (code == TC_TOOL_OK)
		code = tool_machine_name(&options, made.name);
	if (code == TC_TOOL_OK)
		code = tool_map_vault(&vault);
	if (code == TC_TOOL_OK)
		code = tool_prepare_providers(&options, vault, &use);
	if (code == TC_TOOL_OK)
		code = make_keyring(&options, vault, &made);
	tool_unmap_vault(vault);
	return code;
}
