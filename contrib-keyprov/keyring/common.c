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
#include <unistd.h>

#include <sodium.h>

#include "secretmem.h"

#include "common.h"
#include "json.h"

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

void
tool_progress(const char *format,...)
{
	va_list		args;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs(" ...\n", stderr);
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
	char		fingerprint[TC_FINGERPRINT_TEXT_MAX];

	if (tc_recipient_encode(public_key, text) != TC_OK ||
		tc_recipient_fingerprint(public_key, fingerprint) != TC_OK)
	{
		snprintf(text, sizeof(text), "(no text form)");
		fingerprint[0] = '\0';
	}
	tool_text("%s: %s \"%s\"\n  fingerprint %s\n", label, text, name, fingerprint);
	tool_json_object(NULL);
	tool_json_string("role", label);
	tool_json_string("public_key", text);
	tool_json_string("name", name);
	tool_json_string("fingerprint", fingerprint);
	tool_json_end();
}
