/*-------------------------------------------------------------------------
 *
 * cmd_trust.c
 *	  themis-keyring trust, and distrust: pin a root that another machine
 *	  made, and take the pin away.
 *
 * contrib-keyprov/keyring/cmd_trust.c
 *
 *-------------------------------------------------------------------------
 */
#include "json.h"
#include "store.h"

static void
result(const char *words)
{
	tool_text("%s\n", words);
	tool_json_string("result", words);
}

static int
parse_pin(const TcOptions *options, TcPin *ret_pin)
{
	TcPin		pin = {0};

	if (!tool_parse_hex(options->args[0], pin.realm) ||
		!tool_parse_hex(options->args[1], pin.kcv))
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
			result("already trusted");
			return TC_TOOL_OK;
		case TC_PIN_FULL:
			tool_error("the keyring trusts %d roots already, and can hold no more",
					   TC_PINS_MAX);
			return TC_TOOL_FAILED;
		case TC_PIN_ADDED:
			break;
	}
	code = tool_rewrite_keyring(options, vault, store);
	if (code != TC_TOOL_OK)
		return code;
	result("trusted");
	tool_hint("The server follows when you call themis_crypt.unlock().  If themis_crypt.root_records() does not say \"open\" then, REALM or FINGERPRINT was another's: take it back with \"distrust\".");
	return TC_TOOL_OK;
}

/* Remove the pin from the opened keyring, whatever version it is of. */
static int
remove_pin(const TcOptions *options, TcVault *vault, TcStore *store,
		   const TcPin *pin)
{
	int			code;

	if (!tool_remove_pins(&vault->payload, pin))
	{
		tool_error("the keyring holds no such root as trusted");
		tool_hint("\"themis-keyring show --unseal\" lists those it holds.  A root that this machine made is trusted without.");
		return TC_TOOL_FAILED;
	}
	code = tool_rewrite_keyring(options, vault, store);
	if (code == TC_TOOL_OK)
		result("no longer trusted");
	return code;
}

/* Change a pin of the keyring. */
static int
change_pin(const TcOptions *options,
		   int (*change) (const TcOptions *options, TcVault *vault,
						  TcStore *store, const TcPin *pin))
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
		code = change(options, vault, &store, &pin);
	tool_unmap_vault(vault);
	return code;
}

int
cmd_trust(const TcOptions *options)
{
	return change_pin(options, add_pin);
}

int
cmd_distrust(const TcOptions *options)
{
	return change_pin(options, remove_pin);
}
