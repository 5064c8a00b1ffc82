/*-------------------------------------------------------------------------
 *
 * store.c
 *	  The keyring file as the tool handles it.  Contracts: store.h.
 *
 * contrib-keyprov/keyring/store.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "json.h"
#include "store.h"

/* Say what to do about an error of the system. */
static void
file_hint(int error)
{
	if (error == ENOENT)
		tool_hint("Make it with \"themis-keyring init\", or say with --keyring where it is.");
	else if (error == EACCES && geteuid() != 0)
		tool_hint("Run this as root, or as the user that runs PostgreSQL.");
}

/* Say why a file cannot be used, and what to do about it. */
static int
file_failed(const char *path, TcResult result, const char *why)
{
	if (result == TC_SYSTEM)
	{
		int			save_errno = errno;

		tool_error("keyring file \"%s\" %s: %s", path, why, strerror(save_errno));
		file_hint(save_errno);
	}
	else
		tool_error("keyring file \"%s\" %s", path, why);
	return TC_TOOL_FAILED;
}

/*
 * Open the folder that the keyring is in.  With its slash, so that "/" is a
 * folder too.
 */
static int
open_folder(const char *path)
{
	char		folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t		len = slash == NULL ? 0 : (size_t) (slash + 1 - path);

	if (len + 2 > sizeof(folder))
	{
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(folder, path, len);
	memcpy(folder + len, ".", 2);
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int
tool_lock_keyring(const TcOptions *options)
{
	const char *path = options->keyring;
	int			fd = open_folder(path);

	if (fd < 0)
	{
		int			save_errno = errno;

		tool_error("the folder of keyring file \"%s\" could not be opened: %s",
				   path, strerror(save_errno));
		file_hint(save_errno);
		return TC_TOOL_FAILED;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
	{
		if (errno == EWOULDBLOCK)
			tool_error("keyring file \"%s\" is being changed by another process",
					   path);
		else
			tool_error("the folder of keyring file \"%s\" could not be locked: %s",
					   path, strerror(errno));
		(void) close(fd);
		return TC_TOOL_FAILED;
	}
	/* Open, and so locked, until the process ends. */
	return TC_TOOL_OK;
}

int
tool_read_keyring(const TcOptions *options, TcStore *ret_store)
{
	const char *path = options->keyring;
	const char *why = NULL;
	struct stat st;
	TcResult	result;

	if (lstat(path, &st) != 0)
		return file_failed(path, TC_SYSTEM, "could not be examined");
	ret_store->uid = geteuid() == 0 ? st.st_uid : geteuid();
	ret_store->gid = st.st_gid;
	result = tc_keyring_read_file(path, ret_store->uid, ret_store->file,
								  &ret_store->len, &why);
	if (result != TC_OK)
		return file_failed(path, result, why);

	result = tc_keyring_parse(tc_span(ret_store->file, ret_store->len),
							  &ret_store->keyring);
	if (result == TC_OK)
		return TC_TOOL_OK;
	tool_error(result == TC_UNSUPPORTED ?
			   "keyring file \"%s\" was written by a newer version" :
			   "keyring file \"%s\" is damaged", path);
	return TC_TOOL_REJECTED;
}

int
tool_open_slot(const TcOptions *options, TcVault *vault, const TcStore *store,
			   int slot, char *ret_reason)
{
	const TcKeyringSlot *from = &store->keyring.slots[slot];
	TcProviderRun *run = &vault->run;
	int			code;

	vault->answer = TC_EXIT_DENIED;
	if (tool_slot_has_pin(from) && (vault->pin[0] == '\0' || vault->pin_refused))
	{
		snprintf(ret_reason, TC_TOOL_REASON_MAX, vault->pin_refused ?
				 "not tried: the PIN was refused before, and the TPM counts" :
				 "it was sealed with a PIN: give it with --pin, --pin-fd or --pin-file");
		return TC_TOOL_REJECTED;
	}
	tool_progress("opening slot %d with key provider %s", slot + 1, from->provider);
	code = tool_run_provider(options, vault, from->provider, "unseal",
							 tool_slot_has_pin(from) ? vault->pin : NULL,
							 from->blob, ret_reason);
	if (code == TC_TOOL_OK && run->output_len != TC_PROVIDER_SECRET_BYTES)
	{
		snprintf(ret_reason, TC_TOOL_REASON_MAX,
				 "key provider \"%s\" gave %zu bytes instead of %d",
				 from->provider, run->output_len, TC_PROVIDER_SECRET_BYTES);
		code = TC_TOOL_FAILED;
	}
	if (code == TC_TOOL_OK)
	{
		memcpy(vault->secret, run->output, sizeof(vault->secret));
		if (tc_keyring_open(&store->keyring, slot, vault->secret,
							&vault->payload, vault->file_key) != TC_OK)
		{
			sodium_memzero(vault->secret, sizeof(vault->secret));
			snprintf(ret_reason, TC_TOOL_REASON_MAX,
					 "key provider \"%s\" gave the wrong secret, or the keyring file was altered",
					 from->provider);
			code = TC_TOOL_REJECTED;
		}
	}
	tc_keyprov_wipe(run);
	return code;
}

void
tool_open_hint(const char *provider, int answer)
{
	if (answer == TC_EXIT_UNAVAILABLE || answer == TC_EXIT_BUSY)
		tool_unavailable_hint(provider, TC_TOOL_UNAVAILABLE);
	else if (answer == TC_EXIT_WRONG_MACHINE)
		tool_hint("If this machine or its TPM was replaced, move this keyring away, make a new one with \"init\", then let it in with \"recover\".");
	else if (answer == TC_EXIT_WRONG_POLICY)
		tool_hint("If the change was meant, \"reseal\" the slot through another one; without another one, make a new keyring with \"init\", then let it in with \"recover\".");
}

int
tool_open_any(const TcOptions *options, TcVault *vault, TcStore *store, int skip)
{
	const char *provider = "";
	int			worst = TC_TOOL_FAILED;
	int			answer = TC_EXIT_OK;

	for (int i = 0; i < store->keyring.nslots; i++)
	{
		char		reason[TC_TOOL_REASON_MAX] = "";
		int			code;

		if (i == skip)
			continue;
		code = tool_open_slot(options, vault, store, i, reason);
		if (code == TC_TOOL_OK)
		{
			store->slot = i;
			return TC_TOOL_OK;
		}
		tool_error("slot %d: %s", i + 1, reason);
		/* "Try again later" is true if it is for any slot. */
		if (worst == TC_TOOL_FAILED || code == TC_TOOL_UNAVAILABLE)
		{
			worst = code;
			answer = vault->answer;
			provider = store->keyring.slots[i].provider;
		}
	}
	tool_open_hint(provider, answer);
	return worst;
}

int
tool_open_keyring(const TcOptions *options, TcVault *vault, TcStore *store)
{
	TcProviderUse use = {.keyring = &store->keyring};
	int			code;

	code = tool_prepare_providers(options, vault, &use);
	if (code == TC_TOOL_OK)
		code = tool_open_any(options, vault, store, -1);
	return code;
}

TcKeyringNewSlot
tool_kept_slot(const TcKeyringSlot *slot)
{
	TcKeyringNewSlot kept = {0};

	kept.provider = slot->provider;
	kept.binding = slot->binding;
	memcpy(kept.type_id, slot->type_id, TC_TYPE_ID_BYTES);
	kept.policy = slot->policy;
	kept.blob = slot->blob;
	kept.wrapped = slot->wrapped;
	return kept;
}

bool
tool_payload_equal(const TcKeyringPayload *a, const TcKeyringPayload *b)
{
	if (sodium_memcmp(a->seed, b->seed, TC_SEED_BYTES) != 0 ||
		a->npins != b->npins || a->nenrolled != b->nenrolled)
		return false;
	for (int i = 0; i < a->npins; i++)
	{
		const TcPin *p = &a->pins[i];
		const TcPin *q = &b->pins[i];

		if (memcmp(p->realm, q->realm, TC_UUID_BYTES) != 0 ||
			p->root_version != q->root_version ||
			memcmp(p->kcv, q->kcv, TC_KCV_BYTES) != 0)
			return false;
	}
	for (int i = 0; i < a->nenrolled; i++)
	{
		const TcRecipient *p = &a->enrolled[i];
		const TcRecipient *q = &b->enrolled[i];

		if (p->kind != q->kind || p->role != q->role ||
			memcmp(p->public_key, q->public_key, TC_X25519_BYTES) != 0 ||
			p->name_len != q->name_len ||
			memcmp(p->name, q->name, p->name_len) != 0)
			return false;
	}
	return true;
}

/*
 * Whether new bytes are a keyring with the old one's slots that opens to the
 * payload meant.
 */
static bool
reads_back(TcVault *vault, const TcStore *old, TcSpan file)
{
	TcSpan		before = old->keyring.before_payload;
	TcKeyring	keyring;

	return tc_keyring_parse(file, &keyring) == TC_OK &&
		keyring.before_payload.len == before.len &&
		memcmp(keyring.before_payload.data, before.data, before.len) == 0 &&
		tc_keyring_open(&keyring, old->slot, vault->secret, &vault->check,
						NULL) == TC_OK &&
		tool_payload_equal(&vault->check, &vault->payload);
}

int
tool_reopen(const TcOptions *options, TcVault *vault, const TcStore *store,
			int slot)
{
	char		reason[TC_TOOL_REASON_MAX] = "";
	int			code;

	vault->check = vault->payload;
	sodium_memzero(&vault->payload, sizeof(vault->payload));
	sodium_memzero(vault->secret, sizeof(vault->secret));
	code = tool_open_slot(options, vault, store, slot, reason);
	if (code != TC_TOOL_OK)
	{
		tool_error("what was sealed cannot be opened again: %s", reason);
		return code;
	}
	if (tool_payload_equal(&vault->payload, &vault->check))
		return TC_TOOL_OK;
	tool_error("the new keyring did not read back as meant");
	return TC_TOOL_FAILED;
}

/* Whether the file on disk is still the one that was read. */
static int
check_unchanged(const TcOptions *options, const TcStore *store)
{
	uint8_t		found[TC_KEYRING_MAX];
	const char *why = NULL;
	size_t		len = 0;
	TcResult	result;

	result = tc_keyring_read_file(options->keyring, store->uid, found, &len, &why);
	if (result != TC_OK)
		return file_failed(options->keyring, result, why);
	if (len == store->len && memcmp(found, store->file, len) == 0)
		return TC_TOOL_OK;
	tool_error("keyring file \"%s\" was changed by another process meanwhile; nothing was written",
			   options->keyring);
	return TC_TOOL_FAILED;
}

int
tool_rewrite_keyring(const TcOptions *options, TcVault *vault, TcStore *store)
{
	TcKeyringNewSlot slots[TC_KEYRING_SLOTS_MAX];
	uint8_t		file[TC_KEYRING_MAX];
	size_t		len = 0;

	for (int i = 0; i < store->keyring.nslots; i++)
		slots[i] = tool_kept_slot(&store->keyring.slots[i]);
	if (tc_keyring_build(&vault->payload, vault->file_key, slots,
						 store->keyring.nslots, file, &len) != TC_OK ||
		!reads_back(vault, store, tc_span(file, len)))
	{
		tool_error("the new keyring did not read back as meant; nothing was written");
		return TC_TOOL_FAILED;
	}

	return tool_replace_keyring(options, store, tc_span(file, len));
}

bool
tool_keyring_is(const TcOptions *options, uid_t uid, TcSpan file)
{
	uint8_t		found[TC_KEYRING_MAX];
	const char *why = NULL;
	size_t		len = 0;

	return tc_keyring_read_file(options->keyring, uid, found, &len, &why) == TC_OK &&
		len == file.len && memcmp(found, file.data, len) == 0;
}

int
tool_replace_keyring(const TcOptions *options, TcStore *store, TcSpan file)
{
	const char *why = NULL;
	TcResult	result;
	int			code;

	code = check_unchanged(options, store);
	if (code != TC_TOOL_OK)
		return code;
	tool_progress("writing the keyring");
	result = tc_keyring_write_file(options->keyring, file, store->uid,
								   store->gid, true, &why);
	if (result != TC_OK)
		return file_failed(options->keyring, result, why);

	memcpy(store->file, file.data, file.len);
	store->len = file.len;
	if (tc_keyring_parse(tc_span(store->file, store->len),
						 &store->keyring) != TC_OK)
		return TC_TOOL_FAILED;	/* it has just parsed */
	return TC_TOOL_OK;
}

void
tool_print_slot(const TcKeyringSlot *slot, int number)
{
	static const uint8_t no_type_id[TC_TYPE_ID_BYTES] = {0};
	const char *binding = slot->binding == TC_BINDING_UNRECORDED ?
		"not recorded" : tc_binding_name(slot->binding);
	char		type_id[2 * TC_HEX_BYTES + 1];

	tool_text("slot %d: provider %s, binding %s, policy \"%.*s\", blob %zu bytes\n",
			  number, slot->provider, binding, (int) slot->policy.len,
			  (const char *) slot->policy.data, slot->blob.len);
	tool_json_number("slot", number);
	tool_json_string("provider", slot->provider);
	tool_json_string("binding", binding);
	tool_json_span("policy", slot->policy);
	tool_json_number("blob_bytes", (long) slot->blob.len);
	if (memcmp(slot->type_id, no_type_id, TC_TYPE_ID_BYTES) != 0)
	{
		tool_hex(slot->type_id, type_id);
		tool_json_string("type_id", type_id);
	}
}

void
tool_print_keyring(const TcKeyring *keyring)
{
	char		hex[2 * TC_HEX_BYTES + 1];

	tool_hex(keyring->instance_id, hex);
	tool_text("instance: %s\n", hex);
	tool_json_string("instance", hex);
	tool_json_array("slots");
	for (int i = 0; i < keyring->nslots; i++)
	{
		tool_json_object(NULL);
		tool_print_slot(&keyring->slots[i], i + 1);
		tool_json_end();
	}
	tool_json_end();
}

TcPinning
tool_add_pin(TcKeyringPayload *payload, const TcPin *pin)
{
	for (int i = 0; i < payload->npins; i++)
	{
		const TcPin *known = &payload->pins[i];

		if (memcmp(known->realm, pin->realm, TC_UUID_BYTES) == 0 &&
			memcmp(known->kcv, pin->kcv, TC_KCV_BYTES) == 0 &&
			(known->root_version == 0 ||
			 known->root_version == pin->root_version))
			return TC_PIN_KNOWN;
	}
	if (payload->npins >= TC_PINS_MAX)
		return TC_PIN_FULL;
	payload->pins[payload->npins++] = *pin;
	return TC_PIN_ADDED;
}

bool
tool_remove_pins(TcKeyringPayload *payload, const TcPin *pin)
{
	int			kept = 0;
	bool		removed;

	for (int i = 0; i < payload->npins; i++)
	{
		const TcPin *known = &payload->pins[i];

		if (memcmp(known->realm, pin->realm, TC_UUID_BYTES) != 0 ||
			memcmp(known->kcv, pin->kcv, TC_KCV_BYTES) != 0)
			payload->pins[kept++] = *known;
	}
	removed = kept < payload->npins;
	payload->npins = kept;
	return removed;
}
