/*-------------------------------------------------------------------------
 *
 * frozen_vectors.c
 *	  Every format, frozen: fixed keys and nonces give exactly these bytes.
 *
 * What stands in vectors.txt was written once, by "frozen_vectors --write",
 * and is on somebody's disk by now.  If this test fails, a format has drifted:
 * repair the code, not the file.  New formats are new lines.
 *
 * Boxes and the keyring file have random parts.  They are recorded, and must
 * open for ever.
 *
 * test/unit/frozen_vectors.c
 *
 *-------------------------------------------------------------------------
 */
#include "armor.h"
#include "frozen.h"
#include "keyring.h"
#include "passwrap.h"
#include "ready.h"
#include "rootrec.h"
#include "token.h"

#define ALG				TC_ALG_XCHACHA20POLY1305

/* The fixed inputs. */
static uint8_t root[TC_KEY_BYTES];
static const uint32_t root_version = 2;
static TcKeyIdentity identity;
static uint8_t dek[TC_KEY_BYTES];
static TcKeyPair machine;
static TcKeyPair recovery;

/* Fill with first, first + 1, ... */
static void
count_from(uint8_t first, uint8_t *ret, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ret[i] = (uint8_t) (first + i);
}

static void
must(TcResult result)
{
	if (result != TC_OK)
		bail("a function of ours failed");
}

static void
setup(void)
{
	uint8_t		seed[TC_SEED_BYTES];

	count_from(0x40, root, sizeof(root));
	count_from(0xA0, identity.realm, TC_UUID_BYTES);
	count_from(0xB0, identity.uuid, TC_UUID_BYTES);
	identity.key_id = 74565;
	identity.version = 7;
	identity.purpose = TC_PURPOSE_VALUE;
	identity.algorithm = ALG;
	count_from(0x00, dek, sizeof(dek));
	count_from(0x60, seed, sizeof(seed));
	must(tc_identity_pair(seed, &machine));
	count_from(0x80, seed, sizeof(seed));
	must(tc_identity_pair(seed, &recovery));
}

static void
freeze_inputs(void)
{
	uint8_t		seed[TC_SEED_BYTES];

	frozen("root", root, sizeof(root));
	frozen_number("root_version", root_version);
	frozen("realm", identity.realm, TC_UUID_BYTES);
	frozen("uuid", identity.uuid, TC_UUID_BYTES);
	frozen_number("key_id", identity.key_id);
	frozen_number("version", identity.version);
	frozen("dek", dek, sizeof(dek));
	count_from(0x60, seed, sizeof(seed));
	frozen("machine.seed", seed, sizeof(seed));
	count_from(0x80, seed, sizeof(seed));
	frozen("recovery.seed", seed, sizeof(seed));
}

static void
freeze_kdf(void)
{
	static const char *const kcv_names[] = {"kcv.value", "kcv.index", "kcv.pending",
	"kcv.manifest", "kcv.audit", "kcv.root"};
	TcSpan		fields[3];
	uint8_t		out[64];

	fields[0] = tc_span("one", 3);
	fields[1] = tc_span(NULL, 0);
	fields[2] = tc_span("three", 5);
	must(tc_kdf(dek, "label", fields, 3, out, 64));
	frozen("kdf.keyed", out, 64);
	must(tc_kdf(NULL, "label", fields, 3, out, 16));
	frozen("kdf.unkeyed", out, 16);
	for (int purpose = 1; purpose <= 6; purpose++)
	{
		must(tc_kcv(root, (TcPurpose) purpose, out));
		frozen(kcv_names[purpose - 1], out, TC_KCV_BYTES);
	}
}

/* Make a wrap with a fixed nonce, by FORMAT; wrap.c must open it. */
static void
freeze_wrap(const char *name, const TcKeyIdentity *of, const uint8_t *key, uint8_t first_of_nonce)
{
	uint8_t		wrapping[TC_KEY_BYTES];
	uint8_t		wrap[TC_WRAP_BYTES];
	uint8_t		ad[48];
	uint8_t		nonce[TC_NONCE_BYTES];
	uint8_t		got[TC_KEY_BYTES];
	TcSpan		purpose = tc_span(&of->purpose, 1);
	TcWriter	writer = tc_writer(ad, sizeof(ad));
	char		full[64];

	tc_write_bytes(&writer, "TCW1", 4);
	tc_write_bytes(&writer, of->realm, 16);
	tc_write_u32(&writer, root_version);
	tc_write_bytes(&writer, of->uuid, 16);
	tc_write_u32(&writer, of->key_id);
	tc_write_u16(&writer, of->version);
	tc_write_u8(&writer, of->purpose);
	tc_write_u8(&writer, of->algorithm);
	if (writer.failed || writer.used != sizeof(ad))
		bail("the associated data has another length");
	count_from(first_of_nonce, nonce, sizeof(nonce));
	writer = tc_writer(wrap, sizeof(wrap));
	tc_write_bytes(&writer, "TCW1", 4);
	tc_write_u32(&writer, root_version);
	tc_write_bytes(&writer, nonce, sizeof(nonce));
	must(tc_kdf(root, "themis/wrap/v1", &purpose, 1, wrapping, sizeof(wrapping)));
	must(tc_aead_wrap(wrapping, nonce, tc_span(ad, sizeof(ad)), tc_span(key, TC_KEY_BYTES),
					  tc_write_room(&writer, TC_KEY_BYTES + TC_TAG_BYTES)));

	snprintf(full, sizeof(full), "%s.wrapping_key", name);
	frozen(full, wrapping, sizeof(wrapping));
	snprintf(full, sizeof(full), "%s.ad", name);
	frozen(full, ad, sizeof(ad));
	frozen(name, wrap, sizeof(wrap));
	must(tc_unwrap_key(root, of, tc_span(wrap, sizeof(wrap)), got));
	if (memcmp(got, key, TC_KEY_BYTES) != 0)
		bail("a wrap opened to another key");

	must(tc_slot_key(key, of, got));
	snprintf(full, sizeof(full), "%s.slot_key", name);
	frozen(full, got, sizeof(got));
	must(tc_slot_address(of, tc_span(wrap, sizeof(wrap)), tc_span(NULL, 0), got));
	snprintf(full, sizeof(full), "%s.address", name);
	frozen(full, got, TC_ADDRESS_BYTES);
}

/* The text form of a value, and that the value opens. */
static void
freeze_opening(const char *name, TcSpan value, const uint8_t *subkey, TcSpan plain)
{
	uint8_t		back[VECTOR_MAX];
	char		armor[2 * VECTOR_MAX];
	char		full[64];
	TcEnvelope	envelope;
	uint8_t		algorithm;

	tc_armor_encode(value, armor);
	snprintf(full, sizeof(full), "%s.armor", name);
	frozen_text(full, armor);

	must(tc_envelope_parse(value, &envelope));
	algorithm = envelope.header.algorithm;
	if (envelope.body.len != plain.len + tc_sizes(algorithm)->tag)
		bail("a value has another length");
	if (!tc_aead_supports(algorithm))
		return;
	must(tc_aead_open(algorithm, ready(algorithm, subkey), envelope.nonce.data, envelope.ad, envelope.body, back));
	if (memcmp(back, plain.data, plain.len) != 0)
		bail("a value opened to another plaintext");
}

/*
 * Seal a value with a fixed nonce; it must open again.  Where the algorithm is
 * not supported, only its form is looked at.
 */
static void
freeze_value(const char *name, const TcHeader *header, const uint8_t *key,
			 const TcKeyIdentity *of, TcSpan between, TcSpan plain)
{
	uint8_t		value[VECTOR_MAX];
	uint8_t		slot_key[TC_KEY_BYTES];
	uint8_t		subkey[TC_KEY_BYTES];
	uint8_t		nonce[TC_NONCE_MAX];
	const TcSizes *sizes = tc_sizes(header->algorithm);
	char		full[64];
	TcWriter	writer = tc_writer(value, sizeof(value));
	TcSpan		ad;
	size_t		len;

	count_from((uint8_t) (0xC0 + header->type_code), nonce, sizeof(nonce));
	tc_envelope_write_header(header, tc_write_room(&writer, TC_HEADER_BYTES));
	tc_write_bytes(&writer, between.data, between.len);
	ad = tc_written(&writer);
	tc_write_bytes(&writer, nonce, sizes->nonce);
	snprintf(full, sizeof(full), "%s.plain", name);
	frozen(full, plain.data, plain.len);
	must(tc_slot_key(key, of, slot_key));
	snprintf(full, sizeof(full), "%s.slot_key", name);
	frozen(full, slot_key, sizeof(slot_key));

	snprintf(full, sizeof(full), "%s.subkey", name);
	if (!tc_aead_supports(header->algorithm))
	{
		uint8_t		there[VECTOR_MAX];

		if (sizes->subkey_salt > 0)
			(void) recorded(full, subkey, sizeof(subkey), sizeof(subkey));
		len = recorded(name, there, writer.used, sizeof(there));
		if (len != writer.used + plain.len + sizes->tag || memcmp(there, value, writer.used) != 0)
			bail("a value has other parts");
		memcpy(value, there, len);
		skip(name, "this CPU or libsodium lacks the algorithm");
	}
	else
	{
		must(tc_aead_subkey(header->algorithm, slot_key, nonce, subkey));
		if (sizes->subkey_salt > 0)
			frozen(full, subkey, sizeof(subkey));
		must(tc_aead_seal(header->algorithm, ready(header->algorithm, subkey), nonce, ad, plain,
						  tc_write_room(&writer, plain.len + sizes->tag)));
		len = writer.used;
		frozen(name, value, len);
	}
	freeze_opening(name, tc_span(value, len), subkey, plain);
}

static void
freeze_values(void)
{
	TcHeader	header = {ALG, 0, 1, 74565, 7};
	TcKeyIdentity last = identity;
	static const uint8_t two_hundred_a[] = {
		200, 0, 0, 0, 0x1f, 'a', 1, 0, 175, 0x50, 'a', 'a', 'a', 'a', 'a'
	};
	uint8_t		long_plain[1000];
	uint8_t		token[TC_TOKEN_BYTES];

	count_from(0, long_plain, sizeof(long_plain));
	count_from(0xE0, token, sizeof(token));
	freeze_value("value.text", &header, dek, &identity, tc_span(NULL, 0), tc_span("123-45-6789", 11));
	header.type_code = 2;
	freeze_value("value.empty", &header, dek, &identity, tc_span(NULL, 0), tc_span("", 0));
	header.type_code = 18;
	header.flags = TC_FLAG_SEARCHABLE;
	freeze_value("value.searchable", &header, dek, &identity, tc_span(token, sizeof(token)),
				 tc_span("\2\40\12\0\0\1", 6));
	header.type_code = 1;
	header.flags = TC_FLAG_COMPRESSED;
	freeze_value("value.compressed", &header, dek, &identity, tc_span(NULL, 0),
				 tc_span(two_hundred_a, sizeof(two_hundred_a)));
	header.type_code = 4;
	header.flags = 0;
	header.version = last.version = 65535;
	freeze_value("value.long", &header, dek, &last, tc_span(NULL, 0), tc_span(long_plain, sizeof(long_plain)));
}

/* A key of another algorithm, and values of it. */
static void
freeze_algorithm(uint8_t algorithm, const char *what, uint8_t first_of_nonce)
{
	TcHeader	header = {algorithm, 0, 1, 74565, 7};
	TcKeyIdentity of = identity;
	uint8_t		long_plain[1000];
	uint8_t		token[TC_TOKEN_BYTES];
	char		name[32];

	of.algorithm = algorithm;
	count_from(0, long_plain, sizeof(long_plain));
	count_from(0xE0, token, sizeof(token));
	snprintf(name, sizeof(name), "%s.wrap", what);
	freeze_wrap(name, &of, dek, first_of_nonce);
	snprintf(name, sizeof(name), "%s.text", what);
	freeze_value(name, &header, dek, &of, tc_span(NULL, 0), tc_span("123-45-6789", 11));
	snprintf(name, sizeof(name), "%s.empty", what);
	freeze_value(name, &header, dek, &of, tc_span(NULL, 0), tc_span("", 0));
	snprintf(name, sizeof(name), "%s.long", what);
	freeze_value(name, &header, dek, &of, tc_span(NULL, 0), tc_span(long_plain, sizeof(long_plain)));
	header.flags = TC_FLAG_SEARCHABLE;
	snprintf(name, sizeof(name), "%s.searchable", what);
	freeze_value(name, &header, dek, &of, tc_span(token, sizeof(token)), tc_span("sixteen bytes...", 16));
}

/* What an index key's slot holds, as in freeze_keys(). */
static void
index_slot_key(uint8_t index_algorithm, uint8_t *ret_key)
{
	TcKeyIdentity index = identity;
	uint8_t		key[TC_KEY_BYTES];

	index.version = 1;
	index.purpose = TC_PURPOSE_INDEX;
	index.algorithm = index_algorithm;
	count_from(0xD0, key, sizeof(key));
	must(tc_slot_key(key, &index, ret_key));
}

/* The tokens of a canonical form, by both algorithms; the last one made. */
static void
freeze_token(const char *name, uint8_t type_code, TcSpan plain, TcSpan canonical,
			 uint8_t (*ret_tokens)[TC_TOKEN_BYTES])
{
	static const char *const algorithm_names[] = {NULL, "blake2b", "siphash128"};
	char		full[64];

	snprintf(full, sizeof(full), "token.%s.plain", name);
	frozen(full, plain.data, plain.len);
	snprintf(full, sizeof(full), "token.%s.canonical", name);
	frozen(full, canonical.data, canonical.len);
	for (uint8_t algorithm = TC_INDEX_BLAKE2B; algorithm <= TC_INDEX_SIPHASH128; algorithm++)
	{
		uint8_t		key[TC_KEY_BYTES];
		uint8_t		subkey[TC_KEY_BYTES];
		uint8_t		token[TC_TOKEN_BYTES];

		index_slot_key(algorithm, key);
		must(tc_token_subkey(key, type_code, subkey));
		snprintf(full, sizeof(full), "token.%s.%s.subkey", name, algorithm_names[algorithm]);
		frozen(full, subkey, sizeof(subkey));
		snprintf(full, sizeof(full), "token.%s.%s", name, algorithm_names[algorithm]);
		if (tc_token_supports(algorithm))
		{
			must(tc_token_make(algorithm, subkey, canonical, token));
			frozen(full, token, sizeof(token));
		}
		else
		{
			recorded(full, token, sizeof(token), sizeof(token));
			skip(full, "this libsodium lacks the algorithm");
		}
		memcpy(ret_tokens[algorithm], token, sizeof(token));
	}
}

static void
freeze_tokens(void)
{
	static const uint8_t numeric[] = {0, 2, 0, 0, 0x40, 0, 0, 3, 0x04, 0xB0, 0x01, 0xF4};
	static const uint8_t numeric_canonical[] = {0, 2, 0, 0, 0x40, 0, 0, 0, 0x04, 0xB0, 0x01, 0xF4};
	static const uint8_t interval[] = {0, 0, 0, 0x14, 0x1D, 0xD7, 0x5F, 0xFF, 0, 0, 0, 29, 0, 0, 0, 0};
	static const uint8_t interval_canonical[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x5B, 0x7F, 0x3D, 0x3F, 0xFF};
	static const char jsonb[] = "{\"a\": null, \"b\": [1.50, \"\xc3\xa9\"]}";
	static const uint8_t jsonb_canonical[] = {
		'{', 2, 0, 0, 0,
		1, 0, 0, 0, 'a', 'n',
		1, 0, 0, 0, 'b', '[', 2, 0, 0, 0,
		'd', 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0x13, 0x88,
		's', 2, 0, 0, 0, 0xC3, 0xA9
	};
	uint8_t		tokens[TC_INDEX_SIPHASH128 + 1][TC_TOKEN_BYTES];
	uint8_t		long_plain[1000];
	TcHeader	header = {ALG, TC_FLAG_SEARCHABLE, 11, 74565, 7};
	TcSpan		text = tc_span("123-45-6789", 11);

	count_from(0, long_plain, sizeof(long_plain));
	freeze_token("text", 1, text, text, tokens);
	freeze_token("empty", 1, tc_span("", 0), tc_span("", 0), tokens);
	freeze_token("long", 2, tc_span(long_plain, sizeof(long_plain)), tc_span(long_plain, sizeof(long_plain)), tokens);
	freeze_token("jsonb", 4, tc_span(jsonb, sizeof(jsonb) - 1), tc_span(jsonb_canonical, sizeof(jsonb_canonical)), tokens);
	freeze_token("numeric", 11, tc_span(numeric, sizeof(numeric)),
				 tc_span(numeric_canonical, sizeof(numeric_canonical)), tokens);
	freeze_value("value.numeric", &header, dek, &identity, tc_span(tokens[TC_INDEX_BLAKE2B], TC_TOKEN_BYTES),
				 tc_span(numeric, sizeof(numeric)));
	header.type_code = 16;
	freeze_token("interval", 16, tc_span(interval, sizeof(interval)),
				 tc_span(interval_canonical, sizeof(interval_canonical)), tokens);
	freeze_value("value.interval", &header, dek, &identity, tc_span(tokens[TC_INDEX_SIPHASH128], TC_TOKEN_BYTES),
				 tc_span(interval, sizeof(interval)));
}

static void
freeze_pending(void)
{
	TcHeader	header = {ALG, 0, 0, 8, TC_VERSION_PENDING};
	TcKeyIdentity transit = identity;
	uint8_t		key[TC_KEY_BYTES];

	memcpy(transit.uuid, transit.realm, TC_UUID_BYTES);
	transit.key_id = 8;
	transit.version = 3;
	transit.purpose = TC_PURPOSE_PENDING;
	count_from(0x20, key, sizeof(key));
	frozen("transit.key", key, sizeof(key));
	frozen_number("transit.key_id", transit.key_id);
	frozen_number("transit.version", transit.version);
	freeze_wrap("transit.wrap", &transit, key, 0x18);
	freeze_value("value.pending", &header, key, &transit, tc_span("\3\0\5alice", 8), tc_span("5200.50", 7));
}

static void
freeze_keys(void)
{
	static const char *const option_texts[] = {"key", "sLGys7S1tre4ubq7vL2-vw", "74565", "7", "1",
		"enabled", "blake2b:AAAA", "v7", "xchacha20poly1305:BBBB"};
	TcKeyIdentity index = identity;
	TcSpan		fields[9];
	uint8_t		digest[TC_MAC_BYTES];
	uint8_t		mac[TC_KEY_MAC_BYTES];
	uint8_t		key[TC_KEY_BYTES];
	TcSpan		field = tc_span(digest, sizeof(digest));

	freeze_wrap("value.wrap", &identity, dek, 0x10);
	index.version = 1;
	index.purpose = TC_PURPOSE_INDEX;
	index.algorithm = TC_INDEX_BLAKE2B;
	count_from(0xD0, key, sizeof(key));
	frozen("index.key", key, sizeof(key));
	freeze_wrap("index.wrap", &index, key, 0x14);
	index.algorithm = TC_INDEX_SIPHASH128;
	freeze_wrap("index.siphash128.wrap", &index, key, 0x1C);

	for (int i = 0; i < 9; i++)
		fields[i] = tc_span(option_texts[i], strlen(option_texts[i]));
	must(tc_kdf(NULL, TC_LABEL_KEY_FIELDS, fields, 9, digest, sizeof(digest)));
	frozen("key.digest", digest, sizeof(digest));
	must(tc_key_mac(root, root_version, &field, 1, mac));
	frozen("key.mac", mac, sizeof(mac));
	must(tc_key_mac_verify(root, &field, 1, tc_span(mac, sizeof(mac))));
}

static void
freeze_recipient(const char *who, const TcKeyPair *pair)
{
	char		full[64];
	char		text[TC_RECIPIENT_TEXT_MAX];
	uint8_t		id[TC_RECIPIENT_ID_BYTES];

	snprintf(full, sizeof(full), "%s.secret_key", who);
	frozen(full, pair->secret_key, TC_X25519_BYTES);
	snprintf(full, sizeof(full), "%s.public_key", who);
	frozen(full, pair->public_key, TC_X25519_BYTES);
	must(tc_recipient_id(TC_KIND_X25519, tc_span(pair->public_key, TC_X25519_BYTES), id));
	snprintf(full, sizeof(full), "%s.id", who);
	frozen(full, id, sizeof(id));
	must(tc_recipient_encode(pair->public_key, text));
	snprintf(full, sizeof(full), "%s.text", who);
	frozen_text(full, text);
}

static void
make_recipient(TcRecipient *recipient, TcRecipientRole role, const TcKeyPair *pair, const char *name)
{
	memset(recipient, 0, sizeof(*recipient));
	recipient->kind = TC_KIND_X25519;
	recipient->role = (uint8_t) role;
	memcpy(recipient->public_key, pair->public_key, TC_X25519_BYTES);
	recipient->name_len = (uint8_t) strlen(name);
	memcpy(recipient->name, name, strlen(name));
}

static void
freeze_record(void)
{
	static TcRootRecord record;
	static TcRootRecord parsed;
	uint8_t		boxes[2][TC_BOX_BYTES];
	uint8_t		seed[TC_SEED_BYTES];
	uint8_t		kcv[TC_KCV_BYTES];
	uint8_t		attestation[TC_MAC_BYTES];
	uint8_t		prev[92];
	uint8_t		bytes[TC_RECORD_MAX];
	uint8_t		got[TC_KEY_BYTES];
	char		text[TC_BASE64_LEN(TC_RECORD_MAX) + 1];
	size_t		len;

	count_from(0x60, seed, sizeof(seed));
	count_from(0x07, prev, sizeof(prev));
	must(tc_kcv(root, TC_PURPOSE_ROOT, kcv));
	must(tc_record_attest(seed, identity.realm, root_version, kcv, attestation));
	frozen("record.attestation", attestation, sizeof(attestation));

	memcpy(record.realm, identity.realm, TC_UUID_BYTES);
	record.root_version = root_version;
	record.nentries = 2;
	make_recipient(&record.entries[0].recipient, TC_ROLE_MACHINE, &machine, "db1.example.org");
	make_recipient(&record.entries[1].recipient, TC_ROLE_RECOVERY, &recovery, "safe, 2nd floor");
	for (int i = 0; i < 2; i++)
	{
		must(tc_box_root(&record.entries[i].recipient, identity.realm, root_version, root, boxes[i]));
		if (recorded(i == 0 ? "box.machine" : "box.recovery", boxes[i], TC_BOX_BYTES, TC_BOX_BYTES) != TC_BOX_BYTES)
			bail("a box has another length");
		record.entries[i].box = tc_span(boxes[i], TC_BOX_BYTES);
	}
	record.entries[0].attestation = tc_span(attestation, sizeof(attestation));
	record.prev = tc_span(prev, sizeof(prev));
	must(tc_record_build(&record, root, bytes, &len));
	frozen("record", bytes, len);
	tc_base64_encode(tc_span(bytes, len), text);
	frozen_text("record.option", text);

	must(tc_record_parse(tc_span(bytes, len), &parsed));
	must(tc_record_open(&parsed, &recovery, got));
	if (memcmp(got, root, TC_KEY_BYTES) != 0)
		bail("the record opened to another root");
	must(tc_record_open(&parsed, &machine, got));
	if (memcmp(got, root, TC_KEY_BYTES) != 0 || !tc_record_attested(&parsed, seed))
		bail("the record opened to another root, or is not attested");
}

static void
freeze_texts(void)
{
	uint8_t		seed[TC_SEED_BYTES];
	char		text[TC_IDENTITY_TEXT_MAX];

	freeze_recipient("machine", &machine);
	freeze_recipient("recovery", &recovery);
	count_from(0x80, seed, sizeof(seed));
	must(tc_identity_encode(seed, text));
	frozen_text("recovery.identity", text);
}

static void
freeze_keyring(void)
{
	static TcKeyringPayload payload;
	static TcKeyringPayload got;
	static TcKeyring keyring;
	static uint8_t file[TC_KEYRING_MAX];
	uint8_t		secret[2][TC_PROVIDER_SECRET_BYTES];
	uint8_t		file_key[TC_KEY_BYTES];
	TcKeyringNewSlot slots[2] = {
		{.provider = "tpm2", .binding = TC_BINDING_TPM2},
		{.provider = "systemd-creds", .binding = TC_BINDING_HOST}
	};
	size_t		len = 0;

	count_from(0x30, secret[0], TC_PROVIDER_SECRET_BYTES);
	count_from(0x31, secret[1], TC_PROVIDER_SECRET_BYTES);
	count_from(0x33, file_key, sizeof(file_key));
	frozen("keyring.secret0", secret[0], TC_PROVIDER_SECRET_BYTES);
	frozen("keyring.secret1", secret[1], TC_PROVIDER_SECRET_BYTES);
	count_from(0x60, payload.seed, TC_SEED_BYTES);
	payload.npins = 1;
	memcpy(payload.pins[0].realm, identity.realm, TC_UUID_BYTES);
	payload.pins[0].root_version = root_version;
	must(tc_kcv(root, TC_PURPOSE_ROOT, payload.pins[0].kcv));
	payload.nenrolled = 1;
	make_recipient(&payload.enrolled[0], TC_ROLE_RECOVERY, &recovery, "safe, 2nd floor");
	slots[0].policy = tc_span("pcrs=7", 6);
	slots[0].blob = tc_span("a sealed object", 15);
	slots[0].secret = secret[0];
	count_from(0x50, slots[1].type_id, TC_TYPE_ID_BYTES);
	slots[1].blob = tc_span("a credential", 12);
	slots[1].secret = secret[1];
	must(tc_keyring_build(&payload, file_key, slots, 2, file, &len));
	len = recorded("keyring.file", file, len, sizeof(file));

	must(tc_keyring_parse(tc_span(file, len), &keyring));
	frozen("keyring.instance_id", keyring.instance_id, TC_RECIPIENT_ID_BYTES);
	for (int i = 0; i < 2; i++)
	{
		uint8_t		got_key[TC_KEY_BYTES];

		must(tc_keyring_open(&keyring, i, secret[i], &got, got_key));
		if (memcmp(&got, &payload, sizeof(got)) != 0 || memcmp(got_key, file_key, TC_KEY_BYTES) != 0)
			bail("the keyring opened to another payload");
	}
}

/* A passphrase of more than ASCII, in normal form C. */
static void
freeze_protected(void)
{
	static const char passphrase[] = "correct horse b\xc3\xa4ttery";
	TcPasswrap	wrap = {.passes = TC_PASSWRAP_PASSES_MIN, .kib = TC_PASSWRAP_KIB_MIN};
	TcPasswrap	parsed;
	uint8_t		stretched[TC_STRETCHED_BYTES];
	uint8_t		seed[TC_SEED_BYTES];
	uint8_t		got[TC_SEED_BYTES];
	char		text[TC_PASSWRAP_TEXT_MAX];

	count_from(0x80, seed, sizeof(seed));
	count_from(0x21, wrap.salt, sizeof(wrap.salt));
	count_from(0x41, wrap.nonce, sizeof(wrap.nonce));
	frozen("protected.passphrase", passphrase, sizeof(passphrase) - 1);
	must(tc_passwrap_stretch(&wrap, passphrase, sizeof(passphrase) - 1, stretched));
	frozen("protected.stretched", stretched, sizeof(stretched));
	must(tc_passwrap_seal(&wrap, stretched, seed));
	frozen("protected.commitment", wrap.commitment, sizeof(wrap.commitment));
	must(tc_passwrap_encode(&wrap, text));
	frozen_text("protected.identity", text);
	must(tc_passwrap_parse(text, strlen(text), &parsed));
	must(tc_passwrap_open(&parsed, stretched, got));
	if (memcmp(got, seed, sizeof(seed)) != 0)
		bail("the protected identity opened to another seed");
}

/* FORMAT's worked examples are these vectors. */
static void
check_format(void)
{
	static const char *const examples[] = {"dek", "realm", "uuid", "value.text.slot_key", "value.text.subkey",
		"value.text", "value.text.armor", "aes256gcm.text.slot_key", "aes256gcm.text.subkey",
		"aes256gcm.text", "aegis256.text.slot_key", "aegis256.text", "value.wrap", "value.wrap.wrapping_key", "value.wrap.ad", "root",
		"value.pending", "index.key", "index.wrap.slot_key", "token.numeric.plain", "token.numeric.canonical",
		"token.numeric.blake2b.subkey", "token.numeric.blake2b", "value.numeric", "value.numeric.armor",
		"index.siphash128.wrap.slot_key", "token.numeric.siphash128.subkey", "token.numeric.siphash128",
		"token.interval.canonical", "token.jsonb.canonical", "machine.text", "recovery.identity", "kcv.root",
		"protected.stretched", "protected.commitment", "protected.identity"};
	static char format[1 << 17];
	FILE	   *file = fopen("src/FORMAT", "r");
	size_t		len = 0;
	int			c;

	if (file == NULL)
		bail("src/FORMAT is not there");
	while ((c = getc(file)) != EOF && len + 1 < sizeof(format))
		if (strchr(" \t\n", c) == NULL)
			format[len++] = (char) c;
	fclose(file);
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		ok(strstr(format, find(examples[i])) != NULL, "FORMAT shows %s", examples[i]);
}

int
main(int argc, char **argv)
{
	if (tc_aead_init() != TC_OK)
		bail("no libsodium");
	writing = argc > 1 && strcmp(argv[1], "--write") == 0;
	if (!writing)
	{
		go_to_root();
		read_vectors();
	}
	setup();
	freeze_inputs();
	freeze_kdf();
	freeze_keys();
	freeze_values();
	freeze_tokens();
	freeze_algorithm(TC_ALG_AES256GCM, "aes256gcm", 0x11);
	freeze_algorithm(TC_ALG_AEGIS256, "aegis256", 0x12);
	freeze_pending();
	freeze_texts();
	freeze_record();
	freeze_keyring();
	freeze_protected();
	if (writing)
		return 0;
	check_all_used();
	check_format();
	free_vectors();
	return done();
}
