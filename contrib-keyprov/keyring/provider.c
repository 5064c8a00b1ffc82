/*-------------------------------------------------------------------------
 *
 * provider.c
 *	  Key providers as the tool uses them.  The contract is in provider.h.
 *
 * contrib-keyprov/keyring/provider.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "nonce.h"

#include "args.h"
#include "ask.h"
#include "provider.h"

/* Where the programs were to be installed, unless they moved since. */
#ifndef TC_PROVIDER_DIR
#define TC_PROVIDER_DIR "/usr/lib/postgresql/lib/themis_crypt"
#endif

/* Find a folder of providers relative to our own program; false if none. */
static bool
relative_provider_dir(char ret_dir[PATH_MAX])
{
	static const char *const places[] = {"../lib/themis_crypt",
	"../lib/postgresql/themis_crypt"};
	char		self[PATH_MAX];
	char		path[PATH_MAX + 64];
	ssize_t		len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct stat st;

	if (len <= 0)
		return false;
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
	{
		snprintf(path, sizeof(path), "%s/%s", self, places[i]);
		if (realpath(path, ret_dir) != NULL && stat(ret_dir, &st) == 0 &&
			S_ISDIR(st.st_mode))
			return true;
	}
	return false;
}

/* Name the program of a provider; false with errno if that cannot be. */
static bool
provider_path(const TcOptions *options, const char *provider,
			  char ret_path[PATH_MAX])
{
	char		dir[PATH_MAX];
	int			len;

	if (options->provider_dir != NULL)
	{
		if (realpath(options->provider_dir, dir) == NULL)
			return false;
	}
	else if (!relative_provider_dir(dir))
		snprintf(dir, sizeof(dir), "%s", TC_PROVIDER_DIR);
	len = snprintf(ret_path, PATH_MAX, "%s/themis-keyprov-%s", dir, provider);
	errno = ENAMETOOLONG;
	return len > 0 && len < PATH_MAX;
}

/* Say what a provider's exit code means, as the end of a sentence. */
static const char *
exit_code_text(int code)
{
	switch (code)
	{
		case TC_EXIT_UNAVAILABLE:
			return "is unavailable";
		case TC_EXIT_BUSY:
			return "is busy";
		case TC_EXIT_WRONG_MACHINE:
			return "says that this was sealed on another machine";
		case TC_EXIT_WRONG_POLICY:
			return "says that the policy is not met";
		case TC_EXIT_DAMAGED:
			return "says that what it sealed is damaged";
		case TC_EXIT_DENIED:
			return "denies access";
		default:
			return "failed";
	}
}

static int
tool_exit_code(int code)
{
	switch (code)
	{
		case TC_EXIT_OK:
			return TC_TOOL_OK;
		case TC_EXIT_UNAVAILABLE:
		case TC_EXIT_BUSY:
			return TC_TOOL_UNAVAILABLE;
		case TC_EXIT_WRONG_MACHINE:
		case TC_EXIT_WRONG_POLICY:
		case TC_EXIT_DAMAGED:
		case TC_EXIT_DENIED:
			return TC_TOOL_REJECTED;
		default:
			return TC_TOOL_FAILED;
	}
}

/* Add an option to those collected; false if there is no room. */
static bool
add_arg(const char **args, int *n, const char *option, const char *value)
{
	if (*n + 2 > TC_KEYPROV_ARGS_MAX)
		return false;
	args[(*n)++] = option;
	if (value != NULL)
		args[(*n)++] = value;
	args[*n] = NULL;
	return true;
}

/*
 * What systemd-creds shall open: the credential in the blob if we are root,
 * who may decrypt it, else the one that a unit was given.
 */
static bool
add_credential_arg(const char **args, int *n)
{
	const char *given = getenv("CREDENTIALS_DIRECTORY");

	if (geteuid() != 0 && given != NULL && given[0] == '/')
		return add_arg(args, n, "--directory", given);
	return add_arg(args, n, "--decrypt", NULL);
}

/* Collect the options for one run of a provider. */
static bool
collect_args(const TcOptions *options, const char *provider, const char *verb,
			 bool has_pin, const char **ret_args)
{
	bool		opens = strcmp(verb, "unseal") == 0;
	int			n;

	ret_args[0] = NULL;
	if (!opens && strcmp(verb, "seal") != 0)
		return true;
	n = tool_provider_args(options, provider, opens ? TC_USE_OPEN : TC_USE_SEAL,
						   ret_args);
	if (opens && strcmp(provider, "systemd-creds") == 0 &&
		!add_credential_arg(ret_args, &n))
		return false;
	return !has_pin || add_arg(ret_args, &n, "--pin-stdin", NULL);
}

/* Put the PIN's line before the input; false if that is too long. */
static bool
join_pin(TcVault *vault, const char *pin, TcSpan *input)
{
	size_t		len = strlen(pin);

	if (len + 1 + input->len > sizeof(vault->joined))
		return false;
	memcpy(vault->joined, pin, len);
	vault->joined[len] = '\n';
	memcpy(vault->joined + len + 1, input->data, input->len);
	*input = tc_span(vault->joined, len + 1 + input->len);
	return true;
}

int
tool_run_provider(const TcOptions *options, TcVault *vault,
				  const char *provider, const char *verb, const char *pin,
				  TcSpan input, char *ret_reason)
{
	const char *args[TC_KEYPROV_ARGS_MAX + 1];
	bool		has_pin = pin != NULL && pin[0] != '\0';
	char		path[PATH_MAX];
	int			code;

	vault->answer = TC_EXIT_INTERNAL;
	path[0] = '\0';
	if (!provider_path(options, provider, path) || access(path, X_OK) != 0)
	{
		snprintf(ret_reason, TC_TOOL_REASON_MAX,
				 "key provider \"%s\" could not be found: %s%s%.300s%s", provider,
				 strerror(errno), path[0] == '\0' ? "" : " (", path,
				 path[0] == '\0' ? "" : ")");
		return TC_TOOL_FAILED;
	}
	if (!collect_args(options, provider, verb, has_pin, args) ||
		(has_pin && !join_pin(vault, pin, &input)))
	{
		snprintf(ret_reason, TC_TOOL_REASON_MAX,
				 "key provider \"%s\" cannot be told all of this", provider);
		return TC_TOOL_FAILED;
	}

	code = tc_keyprov_run(&vault->run, path, verb, args, input,
						  TC_PROVIDER_DEADLINE_MS);
	sodium_memzero(vault->joined, sizeof(vault->joined));
	vault->answer = code;
	if (code != TC_EXIT_OK)
		snprintf(ret_reason, TC_TOOL_REASON_MAX, "key provider \"%s\" %s: %s",
				 provider, exit_code_text(code), vault->run.reason);
	vault->pin_refused = vault->pin_refused ||
		(has_pin && code == TC_EXIT_DENIED);
	return tool_exit_code(code);
}

void
tool_unavailable_hint(const char *provider, int exit_code)
{
	if (exit_code == TC_TOOL_UNAVAILABLE && strcmp(provider, "tpm2") == 0)
		tool_hint("Is there a TPM, and may user id %d use it?  On most systems group \"tss\" may.",
				  (int) geteuid());
}

/* ---------------------------------------------------------------------------
 * PINs
 * ------------------------------------------------------------------------ */

/* Where one PIN is to come from. */
typedef struct PinSource
{
	bool		ask;
	int			fd;
	const char *file;
} PinSource;

static int
nsources(const PinSource *source)
{
	return (source->ask ? 1 : 0) + (source->fd >= 0 ? 1 : 0) +
		(source->file != NULL ? 1 : 0);
}

static int
read_pin(const PinSource *source, const char *what, bool twice, TcVault *vault,
		 char *ret_pin)
{
	if (source->ask)
		return tool_ask_secret(what, ret_pin, TC_TOOL_PIN_MAX + 1,
							   twice ? (char *) vault->joined : NULL);
	if (source->fd >= 0)
		return tool_read_secret_fd(source->fd, what, ret_pin, TC_TOOL_PIN_MAX + 1);
	return tool_read_secret_file(source->file, what, ret_pin, TC_TOOL_PIN_MAX + 1);
}

/*
 * Of the texts that provider tpm2 gives as a policy, those with a PIN are
 * "pin" and "... + pin".
 */
bool
tool_slot_has_pin(const TcKeyringSlot *slot)
{
	static const char end[] = " + pin";
	TcSpan		policy = slot->policy;

	if (strcmp(slot->provider, "tpm2") != 0)
		return false;
	if (policy.len == 3)
		return memcmp(policy.data, "pin", 3) == 0;
	return policy.len > strlen(end) &&
		memcmp(policy.data + policy.len - strlen(end), end, strlen(end)) == 0;
}

static bool
any_slot_has_pin(const TcKeyring *keyring)
{
	for (int i = 0; keyring != NULL && i < keyring->nslots; i++)
		if (tool_slot_has_pin(&keyring->slots[i]))
			return true;
	return false;
}

/* Read the PINs.  That of the slots there are is the new one's, too, unless
 * something else is said. */
static int
take_pins(const TcOptions *options, TcVault *vault, const TcProviderUse *use)
{
	PinSource	old = {options->pin, options->pin_fd, options->pin_file};
	PinSource	new = {options->new_pin, options->new_pin_fd, options->new_pin_file};
	bool		opens = any_slot_has_pin(use->keyring);
	bool		seals = use->sealing != NULL && strcmp(use->sealing, "tpm2") == 0;
	int			code = TC_TOOL_OK;

	if (nsources(&old) > 1 || nsources(&new) + (options->no_pin ? 1 : 0) > 1)
	{
		tool_error("a PIN is said in more than one way");
		return TC_TOOL_USAGE;
	}
	if (nsources(&old) > 0 && !opens &&
		(!seals || nsources(&new) > 0 || options->no_pin))
	{
		tool_error("a PIN is given, but no slot of the keyring has one");
		return TC_TOOL_USAGE;
	}
	if (nsources(&old) > 0)
		code = read_pin(&old, "PIN", !opens, vault, vault->pin);
	if (code == TC_TOOL_OK && nsources(&new) > 0)
		code = read_pin(&new, "new PIN", true, vault, vault->new_pin);
	else if (seals && !options->no_pin)
		memcpy(vault->new_pin, vault->pin, sizeof(vault->new_pin));
	return code;
}

/* Options that a provider cannot seal without, or not with. */
static int
check_sealing(const TcOptions *options, const char *provider)
{
	const char *missing = NULL;

	if (strcmp(provider, "systemd-creds") == 0 && options->with_key == NULL)
		missing = "with-key";
	else if (strcmp(provider, "command") == 0 && options->command == NULL)
		missing = "command";
	if (missing != NULL)
	{
		tool_error("key provider \"%s\" needs option \"--%s\"", provider, missing);
		return TC_TOOL_USAGE;
	}
	if (options->no_pcrs && options->pcrs != NULL)
	{
		tool_error("give either --pcrs or --no-pcrs");
		return TC_TOOL_USAGE;
	}
	return TC_TOOL_OK;
}

int
tool_prepare_providers(const TcOptions *options, TcVault *vault,
					   const TcProviderUse *use)
{
	int			code;

	if (use->sealing != NULL &&
		!tc_provider_name_ok(use->sealing, strlen(use->sealing)))
	{
		tool_error("the name of a key provider has letters a-z, digits and dashes only");
		return TC_TOOL_USAGE;
	}
	code = tool_check_provider_options(options, use->keyring, use->sealing,
									   use->check);
	if (code == TC_TOOL_OK && use->sealing != NULL)
		code = check_sealing(options, use->sealing);
	if (code == TC_TOOL_OK)
		code = take_pins(options, vault, use);
	return code;
}
