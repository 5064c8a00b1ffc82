/*-------------------------------------------------------------------------
 *
 * cmd_trust.c
 *	  themis-keyring trust: pin a root that another machine made.
 *
 * contrib-keyprov/keyring/cmd_trust.c
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>

#include "store.h"

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

/* Read 32 hex digits; dashes may stand anywhere among them. */
static bool
parse_hex(const char *text, uint8_t ret_bytes[TC_HEX_BYTES])
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

static int
parse_pin(const TcOptions *options, TcPin *ret_pin)
{
	TcPin		pin = {0};

	if (!parse_hex(options->args[0], pin.realm) ||
		!parse_hex(options->args[1], pin.kcv))
	{
		tool_error("a realm and a fingerprint are 32 hexadecimal digits each");
		return TC_TOOL_USAGE;
	}
	*ret_pin = pin;
	return TC_TOOL_OK;
}

/* Add the pin to the opened keyring, and write it. */
static int
add_pin(const TcOptions *options, TcVault *vault, TcStore *store,
		const TcPin *pin)
{
	int			code;

	switch (tool_add_pin(&vault->payload, pin))
	{
		case TC_PIN_KNOWN:
			printf("already trusted\n");
			return TC_TOOL_OK;
		case TC_PIN_FULL:
			tool_error("the keyring trusts %d roots already, and can hold no more",
					   TC_PINS_MAX);
			return TC_TOOL_FAILED;
		case TC_PIN_ADDED:
			break;
	}
	code = tool_rewrite_keyring(options, vault, store);
	if (code == TC_TOOL_OK)
		printf("trusted\n");
	return code;
}

int
cmd_trust(const TcOptions *options)
{
	TcStore		store = {0};
	TcVault    *vault = NULL;
	TcPin		pin;
	int			code;

	code = parse_pin(options, &pin);
	if (code == TC_TOOL_OK)
		code = tool_lock_keyring(options);
	if (code == TC_TOOL_OK)
		code = tool_read_keyring(options, &store);
	if (code == TC_TOOL_OK)
		code = tool_map_vault(&vault);
	if (code == TC_TOOL_OK)
		code = tool_open_keyring(options, vault, &store);
	if (code == TC_TOOL_OK)
		code = add_pin(options, vault, &store, &pin);
	tool_unmap_vault(vault);
	return code;
}
