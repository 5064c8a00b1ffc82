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

#include "owner.h"
#include "recovery.h"

/* A keyring in the making. */
typedef struct NewKeyring
{
	TcOwner		owner;
	char		name[TC_RECIPIENT_NAME_MAX + 1];	/* of this machine */
	uint8_t		blob[TC_PROVIDER_BLOB_MAX];
	size_t		blob_len;
	uint8_t		binding;
	char		policy[TC_POLICY_MAX + 1];
	TcStore		store;
} NewKeyring;

static int
check_options(const TcOptions *options)
{
	struct stat st;

	if (!tc_provider_name_ok(options->provider, strlen(options->provider)))
	{
		tool_error("the name of a key provider has letters a-z, digits and dashes only");
		return TC_TOOL_USAGE;
	}
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
		tc_random(vault->secret, TC_PROVIDER_SECRET_BYTES) == TC_OK &&
		tc_identity_pair(vault->payload.seed, &vault->machine) == TC_OK)
		return TC_TOOL_OK;
	tool_error("could not draw random keys: %s", strerror(errno));
	return TC_TOOL_FAILED;
}

/* The value of "key=" in lines of text; false if there is none that fits. */
static bool
find_value(TcSpan text, const char *key, char *ret_value, size_t size)
{
	size_t		key_len = strlen(key);
	const char *at = (const char *) text.data;
	const char *end = at + text.len;

	while (at < end)
	{
		const char *line_end = memchr(at, '\n', (size_t) (end - at));
		size_t		len = (size_t) ((line_end == NULL ? end : line_end) - at);

		if (len > key_len && memcmp(at, key, key_len) == 0 && at[key_len] == '=')
		{
			len -= key_len + 1;
			if (len >= size)
				return false;
			memcpy(ret_value, at + key_len + 1, len);
			ret_value[len] = '\0';
			return true;
		}
		at = line_end == NULL ? end : line_end + 1;
	}
	return false;
}

/* Take binding and policy from what the provider says of its blob. */
static int
take_info(const char *provider, TcSpan text, NewKeyring *made)
{
	static const struct
	{
		const char *text;
		TcBinding	binding;
	}			bindings[] = {{"host", TC_BINDING_HOST}, {"tpm2", TC_BINDING_TPM2},
	{"host+tpm2", TC_BINDING_HOST_TPM2}, {"external", TC_BINDING_EXTERNAL},
	{"software", TC_BINDING_SOFTWARE}};
	char		value[16];

	if (!find_value(text, "policy", made->policy, sizeof(made->policy)))
		made->policy[0] = '\0';
	if (find_value(text, "binding", value, sizeof(value)))
		for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++)
			if (strcmp(value, bindings[i].text) == 0)
			{
				made->binding = (uint8_t) bindings[i].binding;
				return TC_TOOL_OK;
			}
	tool_error("key provider \"%s\" does not say what its secret is bound to",
			   provider);
	return TC_TOOL_FAILED;
}

/* Have the provider seal its secret, and describe the result. */
static int
seal_secret(const TcOptions *options, TcVault *vault, NewKeyring *made)
{
	TcProviderRun *run = &vault->run;
	char		reason[TC_TOOL_REASON_MAX] = "";
	int			code;

	code = tool_run_provider(options, options->provider, "seal",
							 tc_span(vault->secret, sizeof(vault->secret)), run,
							 reason);
	if (code == TC_TOOL_OK)
	{
		made->blob_len = run->output_len;
		memcpy(made->blob, run->output, run->output_len);
		code = tool_run_provider(options, options->provider, "info",
								 tc_span(made->blob, made->blob_len), run, reason);
	}
	if (code == TC_TOOL_OK)
		code = take_info(options->provider, tc_span(run->output, run->output_len),
						 made);
	else
	{
		tool_error("%s", reason);
		tool_unavailable_hint(options->provider, code);
	}
	tc_keyprov_wipe(run);
	return code;
}

/* Build the file's bytes, and take them apart again. */
static int
build(const TcOptions *options, const TcVault *vault, NewKeyring *made)
{
	TcStore    *store = &made->store;
	TcKeyringNewSlot slot = {0};

	slot.provider = options->provider;
	slot.binding = made->binding;
	slot.policy = tc_span(made->policy, strlen(made->policy));
	slot.blob = tc_span(made->blob, made->blob_len);
	slot.secret = vault->secret;
	if (tc_keyring_build(&vault->payload, vault->file_key, &slot, 1,
						 store->file, &store->len) == TC_OK &&
		tc_keyring_parse(tc_span(store->file, store->len),
						 &store->keyring) == TC_OK)
		return TC_TOOL_OK;
	tool_error("could not make a keyring from what key provider \"%s\" gave",
			   options->provider);
	return TC_TOOL_FAILED;
}

/*
 * Open the bytes through the provider into a second payload, and compare.
 */
static int
read_back(const TcOptions *options, TcVault *vault, const TcStore *store)
{
	char		reason[TC_TOOL_REASON_MAX] = "";
	int			code;

	vault->check = vault->payload;
	sodium_memzero(&vault->payload, sizeof(vault->payload));
	sodium_memzero(vault->secret, sizeof(vault->secret));
	code = tool_open_slot(options, vault, store, 0, reason);
	if (code != TC_TOOL_OK)
	{
		tool_error("what was sealed cannot be opened again: %s", reason);
		return code;
	}
	if (tool_payload_equal(&vault->payload, &vault->check))
		return TC_TOOL_OK;
	tool_error("the new keyring did not read back as meant; nothing was written");
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
	printf("keyring: %s, owned by %s\n", options->keyring, made->owner.name);
	tool_print_keyring(&made->store.keyring);
	tool_print_recipient("machine", vault->machine.public_key, made->name);
	for (int i = 0; i < vault->payload.nenrolled; i++)
		tool_print_recipient("recovery", vault->payload.enrolled[i].public_key,
							 vault->payload.enrolled[i].name);
	if (vault->payload.nenrolled == 0)
		tool_hint("No recovery key: the loss of this machine or its TPM is the loss of every value.");
}

/* The steps that need the vault. */
static int
make_keyring(const TcOptions *options, TcVault *vault, NewKeyring *made)
{
	TcSpan		file;
	int			code;

	code = enrol_recovery(options, &vault->payload);
	if (code == TC_TOOL_OK)
		code = draw_secrets(vault);
	if (code == TC_TOOL_OK)
		code = seal_secret(options, vault, made);
	if (code == TC_TOOL_OK)
		code = build(options, vault, made);
	if (code == TC_TOOL_OK)
		code = read_back(options, vault, &made->store);
	if (code != TC_TOOL_OK)
		return code;

	file = tc_span(made->store.file, made->store.len);
	code = tool_owner_can_open(options, &made->owner, file);
	if (code == TC_TOOL_OK)
		code = make_folder(options);
	if (code == TC_TOOL_OK)
		code = write_new(options, made);
	if (code == TC_TOOL_OK)
		code = tool_owner_can_read(options, &made->owner, file);
	if (code == TC_TOOL_OK)
		report(options, vault, made);
	return code;
}

int
cmd_init(const TcOptions *options)
{
	NewKeyring	made = {0};
	TcVault    *vault = NULL;
	int			code;

	code = check_options(options);
	if (code == TC_TOOL_OK)
		code = tool_find_owner(options, &made.owner);
	if (code == TC_TOOL_OK)
		code = tool_machine_name(options, made.name);
	if (code == TC_TOOL_OK)
		code = tool_map_vault(&vault);
	if (code == TC_TOOL_OK)
		code = make_keyring(options, vault, &made);
	tool_unmap_vault(vault);
	return code;
}
