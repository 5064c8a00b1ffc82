/*-------------------------------------------------------------------------
 *
 * keymaster.c
 *	  The instance and root keys, and all that is done with them.
 *
 * Roots are kept in a small cache, found by a hash of the whole record they
 * came from.  A record that a transaction made and rolled back is then simply
 * never asked for again.
 *
 * src/keymaster.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include <sodium.h>

#include "keymaster.h"
#include "keymaster_record.h"
#include "nonce.h"
#include "token.h"

#define ROOTS_MAX 32
#define STACK_BYTES 16384		/* wiped after use: libsodium leaves copies */

typedef struct Root
{
	uint64		used;			/* when, in look-ups; 0 = free */
	bool		trusted;
	uint8		hash[32];		/* of the record */
	uint8		realm[TC_UUID_BYTES];
	uint32		version;
	uint8		key[TC_KEY_BYTES];
} Root;

/* All of it in secret memory. */
typedef struct Secrets
{
	bool		unlocked;
	uint64		clock;
	TcKeyringPayload payload;
	TcKeyPair	pair;
	Root		roots[ROOTS_MAX];
	/* for one request or attempt, wiped after it */
	TcKeyringPayload candidate;
	TcProviderRun run;
	uint8		dek[TC_KEY_BYTES];
	uint8		slot_key[TC_KEY_BYTES];
	uint8		new_root[TC_KEY_BYTES];
} Secrets;

static Secrets *secrets;

void
tc_keymaster_init(void)
{
	void	   *memory;
	TcSecretKind kind;

	if (tc_secret_harden() != TC_OK)
		ereport(FATAL,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not exclude the key worker from core dumps: %m")));
	if (tc_secret_map(sizeof(Secrets), false, &memory, &kind) != TC_OK)
		ereport(FATAL,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("could not lock %zu bytes of memory for root keys: %m",
						sizeof(Secrets)),
				 errhint("Raise the limit on locked memory of the server (LimitMEMLOCK= of its service, or \"ulimit -l\").")));
	secrets = memory;
	secrets->run.in = secrets->run.out = secrets->run.err = -1;
}

TcProviderRun *
tc_keymaster_provider_run(void)
{
	return &secrets->run;
}

TcResult
tc_keymaster_open(const TcKeyring *keyring, int slot,
				  const uint8 secret[TC_PROVIDER_SECRET_BYTES])
{
	TcKeyPair  *pair = &secrets->pair;
	TcResult	result;

	result = tc_keyring_open(keyring, slot, secret, &secrets->candidate, NULL);
	if (result == TC_OK)
	{
		/* Pins may have changed, so trust is to be judged anew. */
		sodium_memzero(secrets->roots, sizeof(secrets->roots));
		secrets->payload = secrets->candidate;
		result = tc_identity_pair(secrets->payload.seed, pair);
		secrets->unlocked = result == TC_OK;
	}
	sodium_memzero(&secrets->candidate, sizeof(secrets->candidate));
	sodium_stackzero(STACK_BYTES);
	return result;
}

bool
tc_keymaster_unlocked(void)
{
	return secrets->unlocked;
}

static bool
has_recovery(void)
{
	for (int i = 0; i < secrets->payload.nenrolled; i++)
	{
		if (secrets->payload.enrolled[i].role == TC_ROLE_RECOVERY)
			return true;
	}
	return false;
}

void
tc_keymaster_describe(char ret_public_key[TC_RECIPIENT_TEXT_MAX],
					  bool *ret_has_recovery)
{
	if (tc_recipient_encode(secrets->pair.public_key, ret_public_key) != TC_OK)
		ret_public_key[0] = '\0';
	*ret_has_recovery = has_recovery();
}

void
tc_keymaster_forget(void)
{
	secrets->unlocked = false;
	sodium_memzero(&secrets->payload, sizeof(secrets->payload));
	sodium_memzero(&secrets->pair, sizeof(secrets->pair));
	sodium_memzero(secrets->roots, sizeof(secrets->roots));
}

static TcAnswer
answer_of(TcResult result)
{
	switch (result)
	{
		case TC_OK:
			return TC_ANS_OK;
		case TC_MALFORMED:
		case TC_TOO_LARGE:
			return TC_ANS_MALFORMED;
		case TC_UNSUPPORTED:
			return TC_ANS_UNSUPPORTED;
		case TC_REJECTED:
			return TC_ANS_REJECTED;
		case TC_SYSTEM:
			break;
	}
	return TC_ANS_FAILED;
}

/*
 * Whether we made this root, or the operator pinned it; and no newer one of
 * its realm is pinned.
 */
static bool
is_trusted(const TcRootRecord *record)
{
	bool		trusted = tc_record_attested(record, secrets->payload.seed);

	for (int i = 0; i < secrets->payload.npins; i++)
	{
		const TcPin *pin = &secrets->payload.pins[i];

		if (memcmp(pin->realm, record->realm, TC_UUID_BYTES) != 0)
			continue;
		if (pin->root_version > record->root_version)
			return false;
		if (memcmp(pin->kcv, record->kcv, TC_KCV_BYTES) == 0 &&
			(pin->root_version == 0 ||
			 pin->root_version == record->root_version))
			trusted = true;
	}
	return trusted;
}

/* Say it once that a root is not ours, for whoever reads the log. */
static void
tell_untrusted(const TcRootRecord *record)
{
	char		realm[TC_UUID_BYTES * 2 + 1];
	char		fingerprint[TC_KCV_BYTES * 2 + 1];

	sodium_bin2hex(realm, sizeof(realm), record->realm, TC_UUID_BYTES);
	sodium_bin2hex(fingerprint, sizeof(fingerprint), record->kcv, TC_KCV_BYTES);
	ereport(LOG,
			(errmsg("root of encryption keys with fingerprint %s was made by another machine and is not trusted",
					fingerprint),
			 errdetail("Values under its keys can be opened, but none is sealed."),
			 errhint("If you know the fingerprint, run \"themis-keyring trust %s %s\" and call themis_crypt.unlock().",
					 realm, fingerprint)));
}

/* Name the root that is trusted in the place of one that is not. */
static void
tell_pinned(TcRequest *request, const Root *root)
{
	uint32		newest = 0;

	for (int i = 0; i < secrets->payload.npins; i++)
	{
		const TcPin *pin = &secrets->payload.pins[i];

		if (memcmp(pin->realm, root->realm, TC_UUID_BYTES) != 0 ||
			(request->has_pinned && pin->root_version < newest))
			continue;
		request->has_pinned = true;
		newest = pin->root_version;
		memcpy(request->pinned, pin->kcv, TC_KCV_BYTES);
	}
}

/* A place for another root: a free one, or the least recently used. */
static Root *
root_place(void)
{
	Root	   *place = &secrets->roots[0];

	for (int i = 1; i < ROOTS_MAX; i++)
	{
		if (secrets->roots[i].used < place->used)
			place = &secrets->roots[i];
	}
	sodium_memzero(place, sizeof(*place));
	return place;
}

/* Hash of a record; the name of a cached root. */
static bool
record_hash(TcSpan bytes, uint8 ret_hash[32])
{
	return crypto_generichash(ret_hash, 32, bytes.data, bytes.len, NULL, 0) == 0;
}

/* Find the root of a record in the cache, or open its box. */
static TcAnswer
find_root(TcSpan bytes, Root **ret_root)
{
	static TcRootRecord record; /* large, and nothing in it is secret */
	uint8		hash[32];
	Root	   *root;
	TcResult	result;

	if (!record_hash(bytes, hash))
		return TC_ANS_FAILED;
	for (int i = 0; i < ROOTS_MAX; i++)
	{
		root = &secrets->roots[i];
		if (root->used != 0 && memcmp(root->hash, hash, sizeof(hash)) == 0)
		{
			root->used = ++secrets->clock;
			*ret_root = root;
			return TC_ANS_OK;
		}
	}

	result = tc_record_parse(bytes, &record);
	if (result != TC_OK)
		return answer_of(result);
	root = root_place();
	result = tc_record_open(&record, &secrets->pair, root->key);
	if (result != TC_OK)
	{
		sodium_memzero(root, sizeof(*root));
		return result == TC_UNSUPPORTED ? TC_ANS_NOT_ENROLLED : answer_of(result);
	}
	memcpy(root->hash, hash, sizeof(hash));
	memcpy(root->realm, record.realm, TC_UUID_BYTES);
	root->version = record.root_version;
	root->trusted = is_trusted(&record);
	if (!root->trusted)
		tell_untrusted(&record);
	root->used = ++secrets->clock;
	*ret_root = root;
	return TC_ANS_OK;
}

/* Verify the mac over a key's options, as the root it names. */
static TcResult
verify_mac(const Root *root, const TcRequest *request)
{
	TcSpan		digest = tc_span(request->mac.digest, TC_MAC_BYTES);

	return tc_key_mac_verify(root->key, &digest, 1,
							 tc_span(request->mac.mac, TC_KEY_MAC_BYTES));
}

static TcAnswer
serve_load(TcRequest *request, const Root *root)
{
	TcSpan		wrap = tc_span(request->wrap, sizeof(request->wrap));
	uint8		address[TC_ADDRESS_BYTES];
	uint32		root_version;
	TcResult	result;

	if (memcmp(request->identity.realm, root->realm, TC_UUID_BYTES) != 0)
		return TC_ANS_REJECTED;
	result = tc_wrap_root_version(wrap, &root_version);
	if (result == TC_OK && root_version != root->version)
		result = TC_REJECTED;
	if (result == TC_OK && request->check_mac)
		result = verify_mac(root, request);
	if (result == TC_OK)
		result = tc_unwrap_key(root->key, &request->identity, wrap, secrets->dek);
	if (result == TC_OK)
		result = tc_slot_key(secrets->dek, &request->identity, secrets->slot_key);
	if (result == TC_OK)
		result = tc_slot_address(&request->identity, wrap,
								 tc_span(&request->mac, request->check_mac ?
										 sizeof(TcKeyMac) : 0), address);
	if (result == TC_OK)
		result = tc_slot_publish(address, secrets->slot_key, root->trusted,
								 &request->slot);
	if (tc_slots_locked_by() != NULL)
		return TC_ANS_LOCKED;
	return answer_of(result);
}

/* The entries of a new root: this machine, then whom the keyring names. */
static void
new_root_entries(TcRootRecord *record)
{
	TcRecipient *self = &record->entries[0].recipient;
	char		host[TC_RECIPIENT_NAME_MAX + 1];

	if (gethostname(host, sizeof(host)) != 0 ||
		memchr(host, '\0', sizeof(host)) == NULL ||
		!tc_recipient_name_ok(host, strlen(host)))
		strlcpy(host, "machine", sizeof(host));
	self->kind = TC_KIND_X25519;
	self->role = TC_ROLE_MACHINE;
	memcpy(self->public_key, secrets->pair.public_key, TC_X25519_BYTES);
	self->name_len = (uint8) strlen(host);
	strlcpy(self->name, host, sizeof(self->name));
	record->nentries = 1;
	for (int i = 0; i < secrets->payload.nenrolled; i++)
	{
		const TcRecipient *other = &secrets->payload.enrolled[i];

		if (memcmp(other->public_key, self->public_key, TC_X25519_BYTES) != 0)
			record->entries[record->nentries++].recipient = *other;
	}
}

/* Make the transit key of a new root; the request gets identity and wrap. */
static TcResult
make_transit(TcRequest *request, const TcRootRecord *record)
{
	TcKeyIdentity *identity = &request->identity;
	TcResult	result;

	memcpy(identity->realm, record->realm, TC_UUID_BYTES);
	memcpy(identity->uuid, record->realm, TC_UUID_BYTES);
	identity->version = 1;
	identity->purpose = TC_PURPOSE_PENDING;
	identity->algorithm = TC_ALG_XCHACHA20POLY1305;
	result = tc_random(secrets->dek, TC_KEY_BYTES);
	if (result == TC_OK)
		result = tc_wrap_key(secrets->new_root, record->root_version, identity,
							 secrets->dek, request->wrap);
	return result;
}

static TcAnswer
serve_make_root(TcRequest *request)
{
	static TcRootRecord record;
	uint8		attestation[TC_MAC_BYTES];
	TcResult	result;

	if (!has_recovery() && !request->allow_no_recovery)
		return TC_ANS_NO_RECOVERY;

	memset(&record, 0, sizeof(record));
	record.root_version = 1;
	new_root_entries(&record);
	result = tc_random(record.realm, TC_UUID_BYTES);
	if (result == TC_OK)
		result = tc_random(secrets->new_root, TC_KEY_BYTES);
	if (result == TC_OK)
		result = tc_kcv(secrets->new_root, TC_PURPOSE_ROOT, record.kcv);
	if (result == TC_OK)
		result = tc_record_attest(secrets->payload.seed, record.realm,
								  record.root_version, record.kcv, attestation);
	record.entries[0].attestation = tc_span(attestation, sizeof(attestation));
	if (result == TC_OK)
		result = tc_record_build(&record, secrets->new_root, request->record,
								 &request->record_len);
	if (result == TC_OK)
		result = make_transit(request, &record);
	return answer_of(result);
}

static TcAnswer
serve_make_key(TcRequest *request, const Root *root)
{
	TcKeyIdentity *identity = &request->identity;
	TcKeyIdentity index;
	TcResult	result;

	if (!root->trusted)
		return TC_ANS_UNTRUSTED;
	if (!tc_aead_supports(identity->algorithm) ||
		!tc_token_supports(request->index_algorithm))
		return TC_ANS_UNSUPPORTED;

	memcpy(identity->realm, root->realm, TC_UUID_BYTES);
	identity->version = 1;
	identity->purpose = TC_PURPOSE_VALUE;
	result = tc_random(identity->uuid, TC_UUID_BYTES);
	if (result == TC_OK)
		result = tc_random(secrets->dek, TC_KEY_BYTES);
	if (result == TC_OK)
		result = tc_wrap_key(root->key, root->version, identity, secrets->dek,
							 request->wrap);

	index = *identity;
	index.purpose = TC_PURPOSE_INDEX;
	index.algorithm = request->index_algorithm;
	if (result == TC_OK)
		result = tc_random(secrets->dek, TC_KEY_BYTES);
	if (result == TC_OK)
		result = tc_wrap_key(root->key, root->version, &index, secrets->dek,
							 request->index_wrap);
	return answer_of(result);
}

static TcAnswer
serve_key_mac(TcRequest *request, const Root *root)
{
	TcSpan		digest = tc_span(request->mac.digest, TC_MAC_BYTES);

	if (!root->trusted)
		return TC_ANS_UNTRUSTED;
	return answer_of(tc_key_mac(root->key, root->version, &digest, 1,
								request->mac.mac));
}

/* The recipients of a root that we vouch for, and its mac anew. */
static TcAnswer
serve_change_record(TcRequest *request, const Root *root)
{
	TcResult	result;

	if (!root->trusted)
		return TC_ANS_UNTRUSTED;
	result = tc_keymaster_change_record(request, root->key,
										secrets->pair.public_key);
	return result == TC_TOO_LARGE ? TC_ANS_FULL : answer_of(result);
}

TcAnswer
tc_keymaster_serve(TcRequest *request)
{
	TcAnswer	answer = TC_ANS_OK;
	Root	   *root = NULL;

	if (!secrets->unlocked)
		return TC_ANS_LOCKED;
	if (request->record_len > sizeof(request->record))
		return TC_ANS_MALFORMED;
	if (request->kind != TC_REQ_MAKE_ROOT)
		answer = find_root(tc_span(request->record, request->record_len), &root);
	if (answer == TC_ANS_OK)
	{
		switch (request->kind)
		{
			case TC_REQ_LOAD:
				answer = serve_load(request, root);
				break;
			case TC_REQ_MAKE_ROOT:
				answer = serve_make_root(request);
				break;
			case TC_REQ_MAKE_KEY:
				answer = serve_make_key(request, root);
				break;
			case TC_REQ_KEY_MAC:
				answer = serve_key_mac(request, root);
				break;
			case TC_REQ_CHECK_RECORD:
				request->trusted = root->trusted;
				break;
			case TC_REQ_ADD_RECIPIENT:
			case TC_REQ_DROP_RECIPIENT:
				answer = serve_change_record(request, root);
				break;
			case TC_REQ_LOCK:
			case TC_REQ_UNLOCK:
				answer = TC_ANS_FAILED; /* the worker's own business */
				break;
		}
	}
	if (root != NULL && !root->trusted)
		tell_pinned(request, root);
	sodium_memzero(secrets->dek, sizeof(secrets->dek));
	sodium_memzero(secrets->slot_key, sizeof(secrets->slot_key));
	sodium_memzero(secrets->new_root, sizeof(secrets->new_root));
	sodium_stackzero(STACK_BYTES);
	return answer;
}
