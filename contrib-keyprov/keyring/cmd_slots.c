/*-------------------------------------------------------------------------
 *
 * cmd_slots.c
 *	  themis-keyring add-provider, remove-provider, reseal.
 *
 * Each slot opens the keyring by itself.  A slot is taken away only after
 * another one has been opened in the same run, and a new one counts only
 * after its provider has opened it again; in between the file has both.  So
 * wherever one of these stops, the keyring is a whole file with a slot that
 * opens.
 *
 * contrib-keyprov/keyring/cmd_slots.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "credential.h"
#include "json.h"
#include "owner.h"

/* A change of slots in the making. */
typedef struct Change
{
	TcOptions	options;
	char		provider[TC_PROVIDER_NAME_MAX + 1]; /* of the slot resealed */
	TcVault    *vault;
	TcStore		store;			/* the keyring as it is on the disk */
	TcStore		next;			/* as it is to be */
	uint8_t		before[TC_KEYRING_MAX]; /* as it was at first */
	size_t		before_len;
	TcOwner		owner;
	TcSealed	sealed;
	TcCredential place;			/* what the credential's file was at first */
	TcCredential credential;
} Change;

/* Build change->next of some slots, and see that it parses. */
static int
build_next(Change *change, const TcKeyringNewSlot *slots, int nslots)
{
	TcStore    *next = &change->next;

	next->uid = change->store.uid;
	next->gid = change->store.gid;
	if (tc_keyring_build(&change->vault->payload, change->vault->file_key, slots,
						 nslots, next->file, &next->len) == TC_OK &&
		tc_keyring_parse(tc_span(next->file, next->len), &next->keyring) == TC_OK)
		return TC_TOOL_OK;
	tool_error("could not make a keyring of these slots; nothing was written");
	return TC_TOOL_FAILED;
}

static bool
span_equal(TcSpan a, TcSpan b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/*
 * Whether a slot was taken over as it was.  All that its wrap authenticates
 * is compared, so it opens the new file as it did the old one.
 */
static bool
slot_kept(const TcStore *old, int old_slot, const TcStore *new, int new_slot)
{
	const TcKeyringSlot *p = &old->keyring.slots[old_slot];
	const TcKeyringSlot *q = &new->keyring.slots[new_slot];

	return span_equal(old->keyring.header, new->keyring.header) &&
		span_equal(p->header, q->header) && span_equal(p->wrapped, q->wrapped);
}

/* Make change->next of what there is, with the new slot put in at "at". */
static int
insert_slot(Change *change, int at)
{
	TcKeyringNewSlot slots[TC_KEYRING_SLOTS_MAX];
	int			n = change->store.keyring.nslots;
	int			code;

	for (int i = 0; i < n; i++)
		slots[i < at ? i : i + 1] = tool_kept_slot(&change->store.keyring.slots[i]);
	slots[at] = tool_new_slot(&change->options, change->vault, &change->sealed);
	code = build_next(change, slots, n + 1);
	for (int i = 0; code == TC_TOOL_OK && i < n; i++)
		if (!slot_kept(&change->store, i, &change->next, i < at ? i : i + 1))
		{
			tool_error("the new keyring lost a slot; nothing was written");
			code = TC_TOOL_FAILED;
		}
	return code;
}

/*
 * Make change->next of what there is without the slot "at", and see that
 * slot "opened" (as numbered before) opens it to what it was.
 */
static int
leave_out_slot(Change *change, int at, int opened)
{
	TcKeyringNewSlot slots[TC_KEYRING_SLOTS_MAX];
	TcVault    *vault = change->vault;
	int			n = 0;
	int			code;

	for (int i = 0; i < change->store.keyring.nslots; i++)
		if (i != at)
			slots[n++] = tool_kept_slot(&change->store.keyring.slots[i]);
	code = build_next(change, slots, n);
	if (code != TC_TOOL_OK)
		return code;
	if (tc_keyring_open(&change->next.keyring, opened < at ? opened : opened - 1,
						vault->secret, &vault->check, NULL) == TC_OK &&
		tool_payload_equal(&vault->check, &vault->payload))
		return TC_TOOL_OK;
	tool_error("the new keyring did not read back as meant; nothing was written");
	return TC_TOOL_FAILED;
}

/* Let change->next take its place, and read it from there. */
static int
write_next(Change *change)
{
	int			code;

	code = tool_replace_keyring(&change->options, &change->store,
								tc_span(change->next.file, change->next.len));
	if (code != TC_TOOL_OK)
		return code;
	code = tool_read_keyring(&change->options, &change->store);
	if (code == TC_TOOL_OK &&
		!span_equal(tc_span(change->store.file, change->store.len),
					tc_span(change->next.file, change->next.len)))
	{
		tool_error("keyring file \"%s\" is not what was written",
				   change->options.keyring);
		code = TC_TOOL_FAILED;
	}
	if (code != TC_TOOL_OK)
		tool_hint("The new keyring is in place; see \"themis-keyring verify\".");
	return code;
}

/* Put the keyring back as it was; what went wrong has been said. */
static void
take_back(Change *change)
{
	TcSpan		before = tc_span(change->before, change->before_len);
	bool		suits = tool_take_back_credential(&change->credential,
												  &change->place);

	if (span_equal(tc_span(change->store.file, change->store.len), before))
		return;					/* it never was another */
	/* A slot must not go for which there is a credential. */
	if (suits &&
		tool_replace_keyring(&change->options, &change->store, before) == TC_TOOL_OK)
		tool_error("the keyring is as it was again");
	else
		tool_hint("The keyring has the old slot and the new one; see \"themis-keyring verify\".");
}

/* Whether there is room for one slot more, if only for a while. */
static int
check_room(const Change *change)
{
	if (change->store.keyring.nslots < TC_KEYRING_SLOTS_MAX)
		return TC_TOOL_OK;
	tool_error("the keyring has %d slots, and no room for another one",
			   TC_KEYRING_SLOTS_MAX);
	tool_hint("Remove one with \"themis-keyring remove-provider\" first.");
	return TC_TOOL_FAILED;
}

/* Lock and read; options->slot, if given, must be there. */
static int
begin(Change *change)
{
	int			slot = change->options.slot;
	int			code;

	code = tool_lock_keyring(&change->options);
	if (code == TC_TOOL_OK)
		code = tool_read_keyring(&change->options, &change->store);
	if (code == TC_TOOL_OK)
		code = tool_map_vault(&change->vault);
	if (code != TC_TOOL_OK)
		return code;
	tool_keyring_owner(&change->store, &change->owner);
	memcpy(change->before, change->store.file, change->store.len);
	change->before_len = change->store.len;
	if (slot <= change->store.keyring.nslots)
		return TC_TOOL_OK;
	tool_error("the keyring has no slot %d", slot);
	return TC_TOOL_USAGE;
}

/* Prepare the providers, and open the keyring through any slot but "skip". */
static int
open_for(Change *change, const char *sealing, int skip)
{
	TcProviderUse use = {.keyring = &change->store.keyring, .sealing = sealing};
	int			code;

	code = tool_prepare_providers(&change->options, change->vault, &use);
	if (code == TC_TOOL_OK)
		code = tool_open_any(&change->options, change->vault, &change->store,
							 skip);
	return code;
}

/* Seal a new slot, put it in at "at", and open it again: in memory as yet. */
static int
seal_at(Change *change, int at)
{
	TcVault    *vault = change->vault;
	int			code;

	code = tool_seal_secret(&change->options, vault, &change->sealed);
	if (code == TC_TOOL_OK)
		code = insert_slot(change, at);
	if (code != TC_TOOL_OK)
		return code;
	/* From here on only the new slot is opened. */
	memcpy(vault->pin, vault->new_pin, sizeof(vault->pin));
	return tool_reopen(&change->options, vault, &change->next, at);
}

static void
report(const Change *change, const char *what, int slot)
{
	tool_text("slot %d %s\n", slot + 1, what);
	tool_json_string("result", what);
	tool_json_number("slot", slot + 1);
	tool_json_string("keyring", change->options.keyring);
	tool_print_keyring(&change->store.keyring);
	tool_print_credential(&change->credential);
}

/* The name of a slot's credential, from its policy "credential NAME, ..."; "" if none. */
static void
credential_of(const TcKeyringSlot *slot, char ret_name[NAME_MAX + 1])
{
	static const char before[] = "credential ";
	const char *policy = (const char *) slot->policy.data;
	size_t		at = strlen(before);
	size_t		n = 0;

	if (tool_needs_credential(slot->provider) && slot->policy.len > at &&
		memcmp(policy, before, at) == 0)
		while (at < slot->policy.len && policy[at] != ',' &&
			   n < NAME_MAX)
			ret_name[n++] = policy[at++];
	ret_name[n] = '\0';
}

/* Say what file a slot has left behind that has gone, if any. */
static void
say_what_stays(const Change *change, const char *gone)
{
	char		name[NAME_MAX + 1];

	for (int i = 0; gone[0] != '\0' && i < change->store.keyring.nslots; i++)
	{
		credential_of(&change->store.keyring.slots[i], name);
		if (strcmp(name, gone) == 0)
			return;
	}
	if (gone[0] != '\0')
		tool_hint("Nothing needs the credential \"%s\" any more.  Delete its file, by default /etc/credstore.encrypted/%s: it opens older copies of the keyring.",
				  gone, gone);
}

static int
add_provider(Change *change)
{
	const TcOptions *options = &change->options;
	int			at = change->store.keyring.nslots;
	TcSpan		next;
	int			code;

	code = check_room(change);
	if (code == TC_TOOL_OK)
		code = open_for(change, options->provider, -1);
	if (code == TC_TOOL_OK && tool_needs_credential(options->provider))
		code = tool_check_credential_place(options, change->vault, NULL,
										   &change->place);
	if (code == TC_TOOL_OK)
		code = seal_at(change, at);
	if (code != TC_TOOL_OK)
		return code;

	next = tc_span(change->next.file, change->next.len);
	code = tool_owner_can_open(options, change->vault, &change->owner, next, at);
	if (code == TC_TOOL_OK && tool_needs_credential(options->provider))
		code = tool_write_credential(options, change->vault,
									 change->next.keyring.slots[at].blob,
									 &change->place, &change->credential);
	if (code != TC_TOOL_OK)
		return code;
	code = write_next(change);
	if (code == TC_TOOL_OK)
		code = tool_owner_can_read(options, &change->owner, next);
	else if (tool_keyring_is(options, change->store.uid,
							 tc_span(change->before, change->before_len)))
		tool_take_back_credential(&change->credential, &change->place);
	if (code == TC_TOOL_OK)
		report(change, "added", at);
	return code;
}

static int
remove_provider(Change *change)
{
	const TcOptions *options = &change->options;
	char		gone[NAME_MAX + 1];
	int			at = options->slot - 1;
	int			opened;
	int			code;

	credential_of(&change->store.keyring.slots[at], gone);
	if (change->store.keyring.nslots == 1)
	{
		tool_error("slot 1 is the last one: without it nothing opens the keyring");
		return TC_TOOL_FAILED;
	}
	code = open_for(change, NULL, at);
	if (code != TC_TOOL_OK)
	{
		tool_error("no other slot opens, so slot %d stays", at + 1);
		return code;
	}
	opened = change->store.slot;
	code = leave_out_slot(change, at, opened);
	if (code == TC_TOOL_OK)
		code = tool_owner_can_open(options, change->vault, &change->owner,
								   tc_span(change->next.file, change->next.len),
								   opened < at ? opened : opened - 1);
	if (code == TC_TOOL_OK)
		code = write_next(change);
	if (code == TC_TOOL_OK)
	{
		report(change, "removed", at);
		say_what_stays(change, gone);
	}
	return code;
}

/* The new slot must not be weaker than the old one by an oversight. */
static int
check_policy_kept(const Change *change, const TcKeyringSlot *old)
{
	const TcOptions *options = &change->options;

	if (strcmp(old->provider, "tpm2") != 0 ||
		strcmp(options->provider, "tpm2") != 0)
		return TC_TOOL_OK;
	if (old->policy.len >= 4 && memcmp(old->policy.data, "pcr ", 4) == 0 &&
		options->pcrs == NULL && !options->no_pcrs)
	{
		tool_error("slot %d is bound to PCRs (%.*s), and the new one would not be",
				   options->slot, (int) old->policy.len,
				   (const char *) old->policy.data);
		tool_hint("Give --pcrs again, or --no-pcrs.");
		return TC_TOOL_USAGE;
	}
	if (tool_slot_has_pin(old) && change->vault->new_pin[0] == '\0' &&
		!options->no_pin)
	{
		tool_error("slot %d has a PIN, and the new one would not have", options->slot);
		tool_hint("Give --pin, --new-pin or one of their kin, or --no-pin.");
		return TC_TOOL_USAGE;
	}
	return TC_TOOL_OK;
}

/*
 * With both slots in the file on the disk: whether the new one opens from
 * there, also for the owner.
 */
static int
try_both(Change *change, int at)
{
	const TcOptions *options = &change->options;
	TcSpan		file = tc_span(change->store.file, change->store.len);
	int			code;

	code = tool_reopen(options, change->vault, &change->store, at);
	if (code == TC_TOOL_OK)
		code = tool_owner_can_open(options, change->vault, &change->owner, file, at);
	if (code == TC_TOOL_OK)
		code = tool_owner_can_read(options, &change->owner, file);
	return code;
}

static int
reseal(Change *change)
{
	TcOptions  *options = &change->options;
	char		gone[NAME_MAX + 1];
	const TcKeyringSlot *old;
	int			at;
	int			code;

	if (options->slot == 0 && change->store.keyring.nslots > 1)
	{
		tool_error("the keyring has %d slots: say with --slot which to seal again",
				   change->store.keyring.nslots);
		return TC_TOOL_USAGE;
	}
	if (options->slot == 0)
		options->slot = 1;
	at = options->slot - 1;
	old = &change->store.keyring.slots[at];
	memcpy(change->provider, old->provider, sizeof(change->provider));
	credential_of(old, gone);
	if (options->provider == NULL)
		options->provider = change->provider;

	code = check_room(change);
	if (code == TC_TOOL_OK)
		code = open_for(change, options->provider, -1);
	if (code == TC_TOOL_OK)
		code = check_policy_kept(change, old);
	if (code == TC_TOOL_OK && tool_needs_credential(options->provider))
		code = tool_check_credential_place(options, change->vault, old,
										   &change->place);
	if (code == TC_TOOL_OK)
		code = seal_at(change, at);
	if (code != TC_TOOL_OK)
		return code;

	/* The new slot stands where the old one did, which is behind it now. */
	code = write_next(change);
	if (code == TC_TOOL_OK && tool_needs_credential(options->provider))
		code = tool_write_credential(options, change->vault,
									 change->store.keyring.slots[at].blob,
									 &change->place, &change->credential);
	if (code == TC_TOOL_OK)
		code = try_both(change, at);
	if (code == TC_TOOL_OK)
		code = leave_out_slot(change, at + 1, at);
	if (code != TC_TOOL_OK)
	{
		take_back(change);
		return code;
	}
	code = write_next(change);
	if (code == TC_TOOL_OK)
	{
		report(change, "resealed", at);
		say_what_stays(change, gone);
	}
	else
		tool_hint("The keyring may have the old slot behind the new one; see \"themis-keyring verify\".");
	return code;
}

static int
run(const TcOptions *options, int (*make) (Change *change))
{
	static Change change;		/* large, and one per process */
	int			code;

	change.options = *options;
	code = begin(&change);
	if (code == TC_TOOL_OK)
		code = make(&change);
	tool_unmap_vault(change.vault);
	return code;
}

int
cmd_add_provider(const TcOptions *options)
{
	return run(options, add_provider);
}

int
cmd_remove_provider(const TcOptions *options)
{
	return run(options, remove_provider);
}

int
cmd_reseal(const TcOptions *options)
{
	return run(options, reseal);
}
