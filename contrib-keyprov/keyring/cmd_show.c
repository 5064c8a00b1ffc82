/*-------------------------------------------------------------------------
 *
 * cmd_show.c
 *	  themis-keyring show, and verify.
 *
 * contrib-keyprov/keyring/cmd_show.c
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>

#include "credential.h"
#include "json.h"

/* Print what only an opened keyring tells. */
static int
print_payload(const TcOptions *options, TcVault *vault)
{
	const TcKeyringPayload *payload = &vault->payload;
	char		name[TC_RECIPIENT_NAME_MAX + 1];
	char		realm[2 * TC_HEX_BYTES + 1];
	char		kcv[2 * TC_HEX_BYTES + 1];

	int			code;

	code = tool_machine_name(options, name);
	if (code != TC_TOOL_OK)
		return code;
	if (tc_identity_pair(payload->seed, &vault->machine) != TC_OK)
	{
		tool_error("could not derive the public key of this machine");
		return TC_TOOL_FAILED;
	}
	tool_json_array("recipients");
	tool_print_recipient("machine", vault->machine.public_key, name);
	for (int i = 0; i < payload->nenrolled; i++)
		tool_print_recipient(payload->enrolled[i].role == TC_ROLE_RECOVERY ?
							 "recovery" : "peer",
							 payload->enrolled[i].public_key,
							 payload->enrolled[i].name);
	tool_json_end();
	tool_json_array("trusted_roots");
	for (int i = 0; i < payload->npins; i++)
	{
		const TcPin *pin = &payload->pins[i];

		tool_hex(pin->realm, realm);
		tool_hex(pin->kcv, kcv);
		tool_text("trusts: realm %s, fingerprint %s", realm, kcv);
		tool_json_object(NULL);
		tool_json_string("realm", realm);
		tool_json_string("fingerprint", kcv);
		if (pin->root_version != 0)
		{
			tool_text(", version %u", (unsigned int) pin->root_version);
			tool_json_number("version", (long) pin->root_version);
		}
		tool_text("\n");
		tool_json_end();
	}
	tool_json_end();
	return TC_TOOL_OK;
}

int
cmd_show(const TcOptions *options)
{
	TcStore		store = {0};
	TcVault    *vault = NULL;
	int			code;

	code = tool_read_keyring(options, &store);
	if (code != TC_TOOL_OK)
		return code;
	tool_print_keyring(&store.keyring);
	if (!options->unseal)
		return TC_TOOL_OK;

	code = tool_map_vault(&vault);
	if (code == TC_TOOL_OK)
		code = tool_open_keyring(options, vault, &store);
	if (code == TC_TOOL_OK)
		code = print_payload(options, vault);
	tool_unmap_vault(vault);
	return code;
}

/* Open one slot, and say how that went. */
static int
verify_slot(const TcOptions *options, TcVault *vault, const TcStore *store,
			int slot)
{
	const char *provider = store->keyring.slots[slot].provider;
	char		reason[TC_TOOL_REASON_MAX] = "";
	bool		opens;
	int			answer;
	int			code;

	code = tool_open_slot(options, vault, store, slot, reason);
	opens = code == TC_TOOL_OK;
	answer = vault->answer;
	if (opens && tool_needs_credential(provider))
		code = tool_verify_credential(options, vault, &store->keyring.slots[slot],
									  reason);
	tool_text("slot %d: provider %s: %s%s%s\n", slot + 1, provider,
			  opens ? "opens" : reason,
			  opens && reason[0] != '\0' ? ", but " : "", opens ? reason : "");
	tool_json_object(NULL);
	tool_json_number("slot", slot + 1);
	tool_json_string("provider", provider);
	tool_json_bool("opens", opens);
	tool_json_number("exit_code", code);
	if (reason[0] != '\0')
		tool_json_string("reason", reason);
	tool_json_end();
	if (!opens)
		tool_open_hint(provider, answer);
	else if (code != TC_TOOL_OK)
		tool_hint("systemd may have nothing to hand to the server.  Write the file anew with \"themis-keyring reseal\"; one that is not this slot's has to be moved away first.");
	return code;
}

int
cmd_verify(const TcOptions *options)
{
	TcStore		store = {0};
	TcVault    *vault = NULL;
	TcProviderUse use = {.check = true};
	int			worst = TC_TOOL_OK;
	int			code;

	code = tool_read_keyring(options, &store);
	if (code == TC_TOOL_OK)
		code = tool_map_vault(&vault);
	if (code != TC_TOOL_OK)
		return code;

	use.keyring = &store.keyring;
	worst = tool_prepare_providers(options, vault, &use);
	if (worst != TC_TOOL_OK)
	{
		tool_unmap_vault(vault);
		return worst;
	}
	tool_json_array("slots");
	for (int i = 0; i < store.keyring.nslots; i++)
	{
		code = verify_slot(options, vault, &store, i);
		if (code > worst)
			worst = code;
	}
	tool_unmap_vault(vault);
	return worst;
}
