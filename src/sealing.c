/*-------------------------------------------------------------------------
 *
 * sealing.c
 *	  Seal and open values under keys that the current role may use.
 *
 * src/sealing.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"

#include <sodium.h>

#include "compat.h"
#include "compress.h"
#include "errors.h"
#include "sealing.h"

/*
 * How often to load a key again that vanished between finding and using it.
 * More than once happens only when more keys are in use than there are slots.
 */
#define LOAD_TRIES 100

static void
take_nonce(TcKeyVersion *version, size_t plain_len, size_t nonce_len,
		   uint8 *ret_nonce)
{
	TcNonceEpoch epoch;

	epoch.pid = (uint32) MyProcPid;
	epoch.xact = tc_local_xact();
	epoch.statement = GetCurrentStatementStartTimestamp();
	epoch.generation = version->slot.generation;
	if (tc_nonce_take(&version->nonces, &epoch, plain_len, nonce_len,
					  ret_nonce) != TC_OK)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not draw random bytes: %m")));
}

/*
 * After a use that was not TC_SLOT_OK: an error, or another try.  The key may
 * have been read anew for it: it must be the one that was checked, and the
 * role still be allowed to use it.
 */
static TcKeyVersion *
try_again(TcSlotResult result, int tries, TcKey **key, TcKeyVersion *version,
		  size_t sealed_len)
{
	TcKeyIdentity identity = version->identity;

	if (result == TC_SLOT_REJECTED)
		tc_error_rejected((*key)->id, identity.version, sealed_len);
	if (result == TC_SLOT_UNTRUSTED)
		tc_error_answer(TC_ANS_UNTRUSTED, (*key)->name);
	if (result == TC_SLOT_ERROR)
		tc_error_algorithm((*key)->name, &identity);
	if (tries >= LOAD_TRIES)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("encryption key \"%s\" is evicted as fast as it is loaded",
						(*key)->name),
				 errhint("More keys are in use than fit into locked memory.  Raise the limit on locked memory of the server.")));
	CHECK_FOR_INTERRUPTS();
	version = tc_key_load(key, version);
	if (memcmp(&version->identity, &identity, sizeof(identity)) != 0)
		tc_error_unknown_key(identity.key_id);
	if (!(*key)->is_root)
		tc_key_require_usage(*key);
	return version;
}

/*
 * Seal under a version of a key.  "value" is the datum to be filled, its
 * associated data in place already; ad_len says how far they go.
 */
static void
seal_into(TcKey *key, TcKeyVersion *version, uint8 *value, size_t ad_len,
		  TcSpan plain)
{
	uint8	   *nonce = value + ad_len;
	size_t		nonce_len = tc_sizes(version->identity.algorithm)->nonce;
	TcSlotResult result = TC_SLOT_STALE;

	for (int tries = 0;; tries++)
	{
		if (likely(tc_slot_live(&version->slot)))
		{
			take_nonce(version, plain.len, nonce_len, nonce);
			result = tc_slot_seal(&version->slot, version->identity.algorithm,
								  nonce, tc_span(value, ad_len), plain,
								  nonce + nonce_len);
		}
		if (likely(result == TC_SLOT_OK))
			return;
		version = try_again(result, tries, &key, version, 0);
		result = TC_SLOT_STALE;
	}
}

/* Open with a version of a key, into a new varlena. */
static struct varlena *
open_with(TcKey *key, TcKeyVersion *version, const TcEnvelope *envelope)
{
	uint8		algorithm = envelope->header.algorithm;
	size_t		plain_len = envelope->body.len - tc_sizes(algorithm)->tag;
	struct varlena *plain = palloc(VARHDRSZ + plain_len);
	TcSlotResult result;

	SET_VARSIZE(plain, VARHDRSZ + plain_len);
	for (int tries = 0;; tries++)
	{
		result = tc_slot_open(&version->slot, algorithm, envelope->nonce.data,
							  envelope->ad, envelope->body,
							  (uint8 *) VARDATA(plain));
		if (likely(result == TC_SLOT_OK))
			return plain;
		version = try_again(result, tries, &key, version, envelope->body.len);
	}
}

/*
 * A new datum with its associated data written, but for a token; the rest is
 * to be sealed.
 */
static struct varlena *
new_value(const TcHeader *header, TcSpan role, uint16 transit_version,
		  size_t plain_len, size_t *ret_ad_len)
{
	struct varlena *value;
	TcWriter	writer;
	const TcSizes *sizes = tc_sizes(header->algorithm);
	size_t		ad_len = tc_envelope_prefix_len(header, role.len);
	size_t		len;

	if (plain_len > TC_PLAIN_MAX)
		tc_error_too_large();
	len = ad_len + sizes->nonce + plain_len + sizes->tag;
	value = palloc(VARHDRSZ + len);
	SET_VARSIZE(value, VARHDRSZ + len);
	tc_envelope_write_header(header, (uint8 *) VARDATA(value));
	writer = tc_writer((uint8 *) VARDATA(value) + TC_HEADER_BYTES,
					   ad_len - TC_HEADER_BYTES);
	if (header->version == TC_VERSION_PENDING)
	{
		tc_write_u16(&writer, transit_version);
		tc_write_u8(&writer, (uint8) role.len);
		tc_write_bytes(&writer, role.data, role.len);
		if (writer.failed || writer.used != writer.size)
			elog(ERROR, "associated data of a value do not fit");
	}
	*ret_ad_len = ad_len;
	return value;
}

/* A key that exists and that the current role may use. */
static TcKey *
usable_key(uint32 key_id)
{
	TcKey	   *key = tc_key_by_id(key_id);

	if (key == NULL || key->is_root)
		tc_error_unknown_key(key_id);
	tc_key_require_usage(key);
	return key;
}

void
tc_value_token(uint32 key_id, uint8 type_code, TcSpan canonical,
			   uint8 ret_token[TC_TOKEN_BYTES])
{
	TcKey	   *key = usable_key(key_id);
	TcKeyVersion *index = &key->index;
	TcSlotResult result;

	for (int tries = 0;; tries++)
	{
		result = TC_SLOT_STALE;
		if (likely(tc_slot_live(&index->slot)))
			result = tc_slot_token(&index->slot, index->identity.algorithm,
								   type_code, canonical, ret_token);
		if (likely(result == TC_SLOT_OK))
			return;
		index = try_again(result, tries, &key, index, 0);
	}
}

/* Seal bytes that are the plaintext or (with the flag) it, compressed. */
static struct varlena *
seal_bytes(TcKey *key, uint8 flags, uint8 type_code, TcSpan plain,
		   const uint8 *token)
{
	TcKeyVersion *version = tc_key_version(key, key->current);
	TcHeader	header;
	struct varlena *value;
	size_t		ad_len;

	if (version == NULL)
		tc_error_unknown_key(key->id);

	header.algorithm = version->identity.algorithm;
	header.flags = flags | (token != NULL ? TC_FLAG_SEARCHABLE : 0);
	header.type_code = type_code;
	header.key_id = key->id;
	header.version = version->identity.version;
	value = new_value(&header, tc_span(NULL, 0), 0, plain.len, &ad_len);
	if (token != NULL)
		memcpy(VARDATA(value) + TC_HEADER_BYTES, token, TC_TOKEN_BYTES);
	seal_into(key, version, (uint8 *) VARDATA(value), ad_len, plain);
	return value;
}

/* Compress and seal; NULL if that would not be shorter. */
static struct varlena *
seal_compressed(TcKey *key, uint8 type_code, TcSpan plain, const uint8 *token)
{
	size_t		max = tc_compressed_max(plain.len);
	uint8	   *bytes;
	size_t		len;
	struct varlena *volatile value = NULL;

	if (max == 0 || plain.len > TC_PLAIN_MAX)
		return NULL;
	bytes = palloc(max);
	if (tc_compress(plain, bytes, &len) == TC_OK)
	{
		PG_TRY();
		{
			value = seal_bytes(key, TC_FLAG_COMPRESSED, type_code,
							   tc_span(bytes, len), token);
		}
		PG_FINALLY();
		{
			sodium_memzero(bytes, len);
		}
		PG_END_TRY();
	}
	pfree(bytes);
	return value;
}

struct varlena *
tc_value_seal(uint32 key_id, uint8 type_code, TcSpan plain,
			  const uint8 *token)
{
	TcKey	   *key = usable_key(key_id);
	struct varlena *value = NULL;

	if (unlikely(key->compresses))
		value = seal_compressed(key, type_code, plain, token);
	return value != NULL ? value : seal_bytes(key, 0, type_code, plain, token);
}

/* Decompress what was opened, and wipe that. */
static struct varlena *
decompress(struct varlena *opened)
{
	TcSpan		compressed = tc_span(VARDATA(opened), VARSIZE(opened) - VARHDRSZ);
	struct varlena *volatile plain = NULL;
	size_t		len;
	TcResult	result = tc_decompressed_len(compressed, &len);

	PG_TRY();
	{
		if (result == TC_OK)
		{
			plain = palloc(VARHDRSZ + len);
			SET_VARSIZE(plain, VARHDRSZ + len);
			result = tc_decompress(compressed, (uint8 *) VARDATA(plain), len);
		}
	}
	PG_FINALLY();
	{
		sodium_memzero(opened, VARSIZE(opened));
		pfree(opened);
	}
	PG_END_TRY();
	if (result != TC_OK)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("could not decompress value")));
	return plain;
}

struct varlena *
tc_value_open(const TcEnvelope *envelope)
{
	const TcHeader *header = &envelope->header;
	TcKey	   *key = tc_key_by_id(header->key_id);
	TcKeyVersion *version;
	struct varlena *plain;

	if (unlikely(InSecurityRestrictedOperation()))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("encrypted values cannot be opened in a security-restricted operation"),
				 errdetail("Materialized views, indexes and statistics would store the plaintext.")));
	if (key == NULL || key->is_root)
		tc_error_unknown_key(header->key_id);
	tc_key_require_usage(key);
	version = tc_key_version(key, header->version);
	if (version == NULL || version->identity.algorithm != header->algorithm)
		tc_error_rejected(header->key_id, header->version, envelope->body.len);
	plain = open_with(key, version, envelope);
	return header->flags & TC_FLAG_COMPRESSED ? decompress(plain) : plain;
}

struct varlena *
tc_pending_seal(uint8 type_code, TcSpan plain)
{
	TcKey	   *root = tc_root_current();
	TcKeyVersion *version = root != NULL ?
		tc_key_version(root, root->current) : NULL;
	char	   *role;
	TcHeader	header;
	struct varlena *value;
	size_t		ad_len;

	if (version == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is no encryption key in this database"),
				 errhint("Make one with CREATE SERVER ... FOREIGN DATA WRAPPER %s.",
						 TC_WRAPPER_NAME)));
	role = GetUserNameFromId(GetUserId(), false);
	header.algorithm = version->identity.algorithm;
	header.flags = 0;
	header.type_code = type_code;
	header.key_id = root->id;
	header.version = TC_VERSION_PENDING;
	value = new_value(&header, tc_span(role, strlen(role)),
					  version->identity.version, plain.len, &ad_len);
	seal_into(root, version, (uint8 *) VARDATA(value), ad_len, plain);
	return value;
}

struct varlena *
tc_pending_open(const TcEnvelope *envelope)
{
	TcKey	   *root = tc_key_by_id(envelope->header.key_id);
	TcKeyVersion *version;

	if (root == NULL || !root->is_root)
		tc_error_unknown_key(envelope->header.key_id);
	version = tc_key_version(root, envelope->transit_version);
	if (version == NULL ||
		version->identity.algorithm != envelope->header.algorithm)
		tc_error_rejected(root->id, envelope->transit_version,
						  envelope->body.len);
	return open_with(root, version, envelope);
}

void
tc_value_parse(struct varlena *value, TcEnvelope *ret_envelope)
{
	TcSpan		bytes = tc_span(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	TcResult	result = tc_envelope_parse(bytes, ret_envelope);

	if (likely(result == TC_OK))
		return;
	if (tc_envelope_bound(bytes) == TC_BOUND_PROBE)
		tc_error_probe();
	tc_error_form(result);
}
