/*-------------------------------------------------------------------------
 *
 * recovery.c
 *	  Recovery identities: recovery-keygen, and reading the files.
 *	  Contracts: recovery.h.
 *
 * contrib-keyprov/keyring/recovery.c
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
#include "secretmem.h"

#include "json.h"
#include "passphrase.h"
#include "recovery.h"

/* The length of a one-line text without its line end, if it has one. */
static size_t
line_len(const char *text, size_t len)
{
	return len > 0 && text[len - 1] == '\n' ? len - 1 : len;
}

/* Draw an identity; its text is vault->text. */
static int
make_identity(TcVault *vault)
{
	if (tc_random(vault->recovery_seed, TC_SEED_BYTES) == TC_OK &&
		tc_identity_pair(vault->recovery_seed, &vault->recovery) == TC_OK &&
		tc_identity_encode(vault->recovery_seed, vault->text) == TC_OK)
		return TC_TOOL_OK;
	tool_error("could not make a recovery identity");
	return TC_TOOL_FAILED;
}

/* Write vault->text with a line end. */
static int
write_identity(const char *path, TcVault *vault)
{
	size_t		len = strlen(vault->text);
	TcSpan		file = tc_span(vault->text, len + 1);
	const char *why = NULL;
	TcResult	result;

	vault->text[len] = '\n';
	result = tc_keyring_write_file(path, file, geteuid(), getegid(), false, &why);
	if (result == TC_OK)
		return TC_TOOL_OK;
	if (result == TC_SYSTEM)
		tool_error("identity file \"%s\" %s: %s", path, why, strerror(errno));
	else
		tool_error("identity file \"%s\" %s", path, why);
	return TC_TOOL_FAILED;
}

/*
 * Print the public key: alone on standard output, so that it can be redirected
 * into a file, and its fingerprint beside it.
 */
static int
print_public(const TcVault *vault)
{
	char		text[TC_RECIPIENT_TEXT_MAX];
	char		fingerprint[TC_FINGERPRINT_TEXT_MAX];

	if (tc_recipient_encode(vault->recovery.public_key, text) != TC_OK ||
		tc_recipient_fingerprint(vault->recovery.public_key, fingerprint) != TC_OK)
	{
		tool_error("could not print the public key");
		return TC_TOOL_FAILED;
	}
	tool_text("%s\n", text);
	tool_json_string("public_key", text);
	tool_json_string("fingerprint", fingerprint);
	tool_hint("The fingerprint of this public key is %s.", fingerprint);
	return TC_TOOL_OK;
}

/* Whether a file exists, before anybody is asked for a passphrase. */
static int
check_absent(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return TC_TOOL_OK;
	tool_error("identity file \"%s\" exists, and is not overwritten", path);
	return TC_TOOL_FAILED;
}

int
cmd_recovery_keygen(const TcOptions *options)
{
	TcVault    *vault = NULL;
	int			code;

	code = check_absent(options->out);
	if (code == TC_TOOL_OK)
		code = tool_map_vault(&vault);
	if (code == TC_TOOL_OK)
		code = make_identity(vault);
	if (code == TC_TOOL_OK && (options->passphrase || options->passphrase_fd != -1))
		code = tool_protect_identity(options, vault);
	if (code == TC_TOOL_OK)
		code = write_identity(options->out, vault);
	if (code == TC_TOOL_OK)
		code = print_public(vault);
	tool_unmap_vault(vault);
	if (code != TC_TOOL_OK)
		return code;

	tool_hint("Take \"%s\" away from this machine, to a safe place or onto paper: it opens every root that is made from now on.",
			  options->out);
	tool_hint("The line on standard output is its public key, for \"themis-keyring init --recovery-pubkey\".");
	return TC_TOOL_OK;
}

int
cmd_recovery_protect(const TcOptions *options)
{
	TcVault    *vault = NULL;
	int			code;

	code = check_absent(options->out);
	if (code == TC_TOOL_OK)
		code = tool_map_vault(&vault);
	if (code == TC_TOOL_OK)
		code = tool_read_identity(options, vault);
	if (code == TC_TOOL_OK)
		code = tool_protect_identity(options, vault);
	if (code == TC_TOOL_OK)
		code = write_identity(options->out, vault);
	if (code == TC_TOOL_OK)
		code = print_public(vault);
	tool_unmap_vault(vault);
	if (code == TC_TOOL_OK)
		tool_hint("\"%s\" opens as before: what is not under the new passphrase, destroy.",
				  options->identity);
	return code;
}

/* Decode the text of an identity file. */
static int
decode_identity(const TcOptions *options, const char *text, size_t len,
				TcVault *vault)
{
	const char *path = options->identity;
	TcResult	result = TC_OK;

	len = line_len(text, len);
	if (tc_passwrap_is(text, len))
	{
		int			code = tool_open_protected(options, vault, path, text, len);

		if (code != TC_TOOL_OK)
			return code;
	}
	else
		result = tc_identity_decode(text, len, vault->recovery_seed);
	if (result == TC_OK)
		result = tc_identity_pair(vault->recovery_seed, &vault->recovery);
	if (result == TC_OK)
		return TC_TOOL_OK;
	tool_error("identity file \"%s\" is not one line TC-RECOVERY-1:..., or has a slip of the pen in it",
			   path);
	if (len > 7 && memcmp(text, "tcpub1:", 7) == 0)
		tool_hint("This is a public key, and opens nothing.  The identity is the other file that \"recovery-keygen\" made.");
	return TC_TOOL_FAILED;
}

int
tool_read_identity(const TcOptions *options, TcVault *vault)
{
	const char *path = options->identity;
	TcSecretKind kind;
	void	   *memory;
	struct stat st;
	const char *why = NULL;
	size_t		len = 0;
	TcResult	result;
	int			code = TC_TOOL_FAILED;

	if (lstat(path, &st) != 0)
	{
		tool_error("identity file \"%s\" could not be examined: %s", path,
				   strerror(errno));
		return TC_TOOL_FAILED;
	}
	if (tc_secret_map(TC_KEYRING_MAX, false, &memory, &kind) != TC_OK)
	{
		tool_error("could not lock memory for an identity: %s", strerror(errno));
		return TC_TOOL_FAILED;
	}

	result = tc_keyring_read_file(path, st.st_uid == 0 ? 0 : geteuid(), memory,
								  &len, &why);
	if (result == TC_OK)
		code = decode_identity(options, memory, len, vault);
	else if (result == TC_SYSTEM)
		tool_error("identity file \"%s\" %s: %s", path, why, strerror(errno));
	else
		tool_error("identity file \"%s\" %s", path, why);
	tc_secret_unmap(memory, TC_KEYRING_MAX);
	return code;
}

/* Name a recipient after the file its key came from. */
static void
name_after(const char *path, char ret_name[TC_RECIPIENT_NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/');
	const char *base = slash == NULL ? path : slash + 1;
	size_t		len = strlen(base);

	if (len > 4 && strcmp(base + len - 4, ".pub") == 0)
		len -= 4;
	if (!tc_recipient_name_ok(base, len))
	{
		base = "recovery";
		len = strlen(base);
	}
	memcpy(ret_name, base, len);
	ret_name[len] = '\0';
}

int
tool_read_recovery_key(const char *path, TcRecipient *ret_recipient)
{
	char		text[TC_RECIPIENT_TEXT_MAX + 2];
	uint8_t		public_key[TC_X25519_BYTES];
	char		name[TC_RECIPIENT_NAME_MAX + 1];
	size_t		len;
	FILE	   *file = fopen(path, "re");

	if (file == NULL)
	{
		tool_error("public key file \"%s\" could not be opened: %s", path,
				   strerror(errno));
		return TC_TOOL_FAILED;
	}
	len = fread(text, 1, sizeof(text), file);
	if (ferror(file))
		len = 0;
	(void) fclose(file);

	name_after(path, name);
	if (tc_recipient_decode(text, line_len(text, len), public_key) == TC_OK)
	{
		tool_recipient(TC_ROLE_RECOVERY, public_key, name, ret_recipient);
		if (tc_recipient_usable(public_key))
			return TC_TOOL_OK;
	}
	tool_error("public key file \"%s\" is not one line tcpub1:..., or has a slip of the pen in it",
			   path);
	if (len > 3 && memcmp(text, "TC-", 3) == 0)
		tool_hint("This looks like the secret identity itself.  Keep it away from this machine; \"themis-keyring recovery-pubkey\" prints its public key.");
	return TC_TOOL_FAILED;
}

int
cmd_recovery_pubkey(const TcOptions *options)
{
	TcVault    *vault = NULL;
	int			code;

	code = tool_map_vault(&vault);
	if (code == TC_TOOL_OK)
		code = tool_read_identity(options, vault);
	if (code == TC_TOOL_OK)
		code = print_public(vault);
	tool_unmap_vault(vault);
	return code;
}
