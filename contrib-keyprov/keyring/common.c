/*-------------------------------------------------------------------------
 *
 * common.c
 *	  What the commands of themis-keyring share.  Contracts: common.h.
 *
 * contrib-keyprov/keyring/common.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "secretmem.h"

#include "common.h"

/* Where the programs were to be installed, unless they moved since. */
#ifndef TC_PROVIDER_DIR
#define TC_PROVIDER_DIR "/usr/lib/postgresql/lib/themis_crypt"
#endif

void
tool_error(const char *format,...)
{
	va_list		args;

	fputs("themis-keyring: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void
tool_hint(const char *format,...)
{
	va_list		args;

	fputs("hint: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

int
tool_map_vault(TcVault **ret_vault)
{
	TcSecretKind kind;
	void	   *memory;

	if (tc_secret_map(sizeof(TcVault), false, &memory, &kind) != TC_OK)
	{
		tool_error("could not lock %zu bytes of memory for secrets: %s",
				   sizeof(TcVault), strerror(errno));
		tool_hint("Raise the limit on locked memory (\"ulimit -l\").");
		return TC_TOOL_FAILED;
	}
	*ret_vault = memory;
	(*ret_vault)->run.in = (*ret_vault)->run.out = (*ret_vault)->run.err = -1;
	return TC_TOOL_OK;
}

void
tool_unmap_vault(TcVault *vault)
{
	tc_secret_unmap(vault, sizeof(TcVault));
}

void
tool_hex(const uint8_t bytes[TC_HEX_BYTES], char ret_text[2 * TC_HEX_BYTES + 1])
{
	(void) sodium_bin2hex(ret_text, 2 * TC_HEX_BYTES + 1, bytes, TC_HEX_BYTES);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
tool_parse_hex(const char *text, uint8_t ret_bytes[TC_HEX_BYTES])
{
	size_t		n = 0;

	for (const char *at = text; *at != '\0'; at++)
	{
		int			digit = hex_digit(*at);

		if (*at == '-')
			continue;
		if (digit < 0 || n >= 2 * TC_HEX_BYTES)
			return false;
		if (n % 2 == 0)
			ret_bytes[n / 2] = (uint8_t) (digit << 4);
		else
			ret_bytes[n / 2] |= (uint8_t) digit;
		n++;
	}
	return n == 2 * TC_HEX_BYTES;
}

int
tool_machine_name(const TcOptions *options,
				  char ret_name[TC_RECIPIENT_NAME_MAX + 1])
{
	char		host[TC_RECIPIENT_NAME_MAX + 1] = "";
	const char *name = options->name;

	if (name == NULL)
	{
		/* A name that does not fit is no error, but may lack its zero. */
		if (gethostname(host, sizeof(host) - 1) != 0 && errno != ENAMETOOLONG)
		{
			tool_error("could not find out the name of this host: %s",
					   strerror(errno));
			return TC_TOOL_FAILED;
		}
		name = host;
	}
	if (!tc_recipient_name_ok(name, strlen(name)))
	{
		tool_error("the name of a machine must be 1 to %d printable ASCII characters without \" and \\",
				   TC_RECIPIENT_NAME_MAX);
		tool_hint("Give one with --name.");
		return TC_TOOL_USAGE;
	}
	memcpy(ret_name, name, strlen(name) + 1);
	return TC_TOOL_OK;
}

void
tool_recipient(TcRecipientRole role, const uint8_t *public_key,
			   const char *name, TcRecipient *ret_recipient)
{
	memset(ret_recipient, 0, sizeof(*ret_recipient));
	ret_recipient->kind = TC_KIND_X25519;
	ret_recipient->role = (uint8_t) role;
	memcpy(ret_recipient->public_key, public_key, TC_X25519_BYTES);
	ret_recipient->name_len = (uint8_t) strlen(name);
	memcpy(ret_recipient->name, name, ret_recipient->name_len);
}

void
tool_print_recipient(const char *label, const uint8_t *public_key,
					 const char *name)
{
	char		text[TC_RECIPIENT_TEXT_MAX];

	if (tc_recipient_encode(public_key, text) != TC_OK)
		snprintf(text, sizeof(text), "(no text form)");
	printf("%s: %s \"%s\"\n", label, text, name);
}

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

int
tool_run_provider(const TcOptions *options, const char *provider,
				  const char *verb, TcSpan input, TcProviderRun *run,
				  char *ret_reason)
{
	const char *args[3] = {NULL, NULL, NULL};
	char		path[PATH_MAX];
	int			code;

	/* As the server does: the option is tpm2's own. */
	if (options->tcti != NULL && strcmp(provider, "tpm2") == 0)
	{
		args[0] = "--tcti";
		args[1] = options->tcti;
	}
	if (!provider_path(options, provider, path) || access(path, X_OK) != 0)
	{
		snprintf(ret_reason, TC_TOOL_REASON_MAX,
				 "key provider \"%s\" could not be found: %s", provider,
				 strerror(errno));
		return TC_TOOL_FAILED;
	}

	code = tc_keyprov_run(run, path, verb, args, input, TC_PROVIDER_DEADLINE_MS);
	if (code != TC_EXIT_OK)
		snprintf(ret_reason, TC_TOOL_REASON_MAX, "key provider \"%s\" %s: %s",
				 provider, exit_code_text(code), run->reason);
	return tool_exit_code(code);
}

void
tool_unavailable_hint(const char *provider, int exit_code)
{
	if (exit_code == TC_TOOL_UNAVAILABLE && strcmp(provider, "tpm2") == 0)
		tool_hint("Is there a TPM, and may user id %d use it?  On most systems group \"tss\" may.",
				  (int) geteuid());
}
