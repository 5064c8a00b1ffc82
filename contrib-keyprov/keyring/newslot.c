/*-------------------------------------------------------------------------
 *
 * newslot.c
 *	  Sealing a fresh secret with a provider.  The contract is in provider.h.
 *
 * contrib-keyprov/keyring/newslot.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdio.h>

#include <sodium.h>

#include "nonce.h"

#include "provider.h"

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

static bool
find_binding(TcSpan text, uint8_t *ret_binding)
{
	char		value[16];

	if (!find_value(text, "binding", value, sizeof(value)))
		return false;
	for (uint8_t binding = TC_BINDING_HOST; tc_binding_name(binding)[0] != '\0';
		 binding++)
	{
		if (strcmp(value, tc_binding_name(binding)) == 0)
		{
			*ret_binding = binding;
			return true;
		}
	}
	return false;
}

/*
 * Take binding, type id, policy and name from what a provider says of its
 * blob.  What is missing then, or NULL.
 */
static const char *
take_info(const char *provider, TcSpan text, TcSealed *sealed)
{
	bool		is_credential = strcmp(provider, "systemd-creds") == 0;
	char		type_id[2 * TC_TYPE_ID_BYTES + 1];

	if (!find_value(text, "policy", sealed->policy, sizeof(sealed->policy)))
		sealed->policy[0] = '\0';
	if (!find_binding(text, &sealed->binding))
		return "what its secret is bound to";
	memset(sealed->type_id, 0, TC_TYPE_ID_BYTES);
	if (is_credential &&
		(!find_value(text, "type_id", type_id, sizeof(type_id)) ||
		 !tool_parse_hex(type_id, sealed->type_id)))
		return "of which type its credential is";
	if (is_credential &&
		!find_value(text, "name", sealed->credential_name,
					sizeof(sealed->credential_name)))
		return "the name of its credential";
	return NULL;
}

int
tool_describe_blob(const TcOptions *options, TcVault *vault,
				   const char *provider, TcSpan blob, TcSealed *ret_sealed,
				   char *ret_reason)
{
	TcProviderRun *run = &vault->run;
	const char *missing;
	int			code;

	code = tool_run_provider(options, vault, provider, "info", NULL, blob,
							 ret_reason);
	if (code == TC_TOOL_OK)
	{
		missing = take_info(provider, tc_span(run->output, run->output_len),
							ret_sealed);
		if (missing != NULL)
		{
			snprintf(ret_reason, TC_TOOL_REASON_MAX,
					 "key provider \"%s\" does not say %s", provider, missing);
			code = TC_TOOL_FAILED;
		}
	}
	tc_keyprov_wipe(run);
	return code;
}

int
tool_seal_secret(const TcOptions *options, TcVault *vault, TcSealed *ret_sealed)
{
	const char *provider = options->provider;
	TcProviderRun *run = &vault->run;
	char		reason[TC_TOOL_REASON_MAX] = "";
	int			code;

	if (tc_random(vault->secret, TC_PROVIDER_SECRET_BYTES) != TC_OK)
	{
		tool_error("could not draw a random key: %s", strerror(errno));
		return TC_TOOL_FAILED;
	}
	tool_progress("sealing with key provider %s", provider);
	code = tool_run_provider(options, vault, provider, "seal", vault->new_pin,
							 tc_span(vault->secret, sizeof(vault->secret)),
							 reason);
	if (code == TC_TOOL_OK && strcmp(provider, "command") == 0 &&
		memmem(run->output, run->output_len, vault->secret,
			   sizeof(vault->secret)) != NULL)
	{
		snprintf(reason, sizeof(reason),
				 "the command gave back the secret itself: whoever had the keyring file could open it");
		code = TC_TOOL_FAILED;
	}
	if (code == TC_TOOL_OK)
	{
		ret_sealed->blob_len = run->output_len;
		memcpy(ret_sealed->blob, run->output, run->output_len);
		tc_keyprov_wipe(run);
		code = tool_describe_blob(options, vault, provider,
								  tc_span(ret_sealed->blob, ret_sealed->blob_len),
								  ret_sealed, reason);
	}
	tc_keyprov_wipe(run);
	if (code != TC_TOOL_OK)
	{
		tool_error("%s", reason);
		tool_unavailable_hint(provider, code);
	}
	else if (vault->new_pin[0] != '\0')
		tool_hint("A thief of this machine may try PINs without end, unless the TPM has a lockout password: see \"tpm2_changeauth -c lockout file:-\".");
	return code;
}

TcKeyringNewSlot
tool_new_slot(const TcOptions *options, const TcVault *vault,
			  const TcSealed *sealed)
{
	TcKeyringNewSlot slot = {0};

	slot.provider = options->provider;
	slot.binding = sealed->binding;
	memcpy(slot.type_id, sealed->type_id, TC_TYPE_ID_BYTES);
	slot.policy = tc_span(sealed->policy, strlen(sealed->policy));
	slot.blob = tc_span(sealed->blob, sealed->blob_len);
	slot.secret = vault->secret;
	return slot;
}
