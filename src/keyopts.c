/*-------------------------------------------------------------------------
 *
 * keyopts.c
 *	  The options of our foreign servers: read, checked, written.
 *
 * src/keyopts.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "armor.h"
#include "keyopts.h"
#include "token.h"

typedef struct AlgorithmName
{
	uint8		algorithm;
	const char *name;
} AlgorithmName;

static const AlgorithmName algorithms[] =
{
	{TC_ALG_XCHACHA20POLY1305, "xchacha20poly1305"},
	{TC_ALG_AES256GCM, "aes256gcm"},
	{TC_ALG_AEGIS256, "aegis256"},
};

static const AlgorithmName index_algorithms[] =
{
	{TC_INDEX_BLAKE2B, "blake2b"},
	{TC_INDEX_SIPHASH128, "siphash128"},
};

#define COMPRESSION_LZ4		"lz4"
#define COMPRESSION_NONE	"none"	/* in CREATE SERVER; not kept */

/* Options that a new key may be made with; "index_algorithm" is not kept. */
static const char *const choice_names[] =
{"algorithm", "index_algorithm", "compression", NULL};

/* Options beside the versions. */
static const char *const root_names[] =
{"kind", "id", "realm", "record", "transit_current", NULL};
static const char *const key_names[] =
{"kind", "id", "uuid", "realm", "algorithm", "current", "min_version",
"state", "index", "compression", "mac", NULL};

static uint8
number_of(const AlgorithmName *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
	{
		if (strcmp(names[i].name, name) == 0)
			return names[i].algorithm;
	}
	return 0;
}

static const char *
name_of(const AlgorithmName *names, size_t n, uint8 algorithm)
{
	for (size_t i = 0; i < n; i++)
	{
		if (names[i].algorithm == algorithm)
			return names[i].name;
	}
	return NULL;
}

uint8
tc_algorithm_by_name(const char *name)
{
	return number_of(algorithms, lengthof(algorithms), name);
}

const char *
tc_algorithm_name(uint8 algorithm)
{
	return name_of(algorithms, lengthof(algorithms), algorithm);
}

uint8
tc_index_algorithm_by_name(const char *name)
{
	return number_of(index_algorithms, lengthof(index_algorithms), name);
}

const char *
tc_index_algorithm_name(uint8 algorithm)
{
	return name_of(index_algorithms, lengthof(index_algorithms), algorithm);
}

static bool
is_among(const char *const *names, const char *name)
{
	for (int i = 0; names[i] != NULL; i++)
	{
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

const char *
tc_keyopts_get(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *def = lfirst_node(DefElem, cell);

		if (strcmp(def->defname, name) == 0)
			return def->arg != NULL ? defGetString(def) : "";
	}
	return NULL;
}

bool
tc_keyopts_have_material(List *options)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		if (!is_among(choice_names, lfirst_node(DefElem, cell)->defname))
			return true;
	}
	return false;
}

/* A decimal number without sign or leading zeros, 1..max; 0 if it is none. */
static uint32
parse_number(const char *str, uint32 max)
{
	uint64		value = 0;

	if (str == NULL || *str == '0')
		return 0;
	for (const char *c = str; *c != '\0'; c++)
	{
		if (!isdigit((unsigned char) *c))
			return 0;
		value = value * 10 + (uint64) (*c - '0');
		if (value > max)
			return 0;
	}
	return (uint32) value;
}

uint32
tc_keyopts_id(Datum options)
{
	Datum	   *each;
	int			count;
	uint32		id = 0;

	deconstruct_array(DatumGetArrayTypeP(options), TEXTOID, -1, false,
					  TYPALIGN_INT, &each, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		const char *str = VARDATA_ANY(DatumGetPointer(each[i]));
		Size		len = VARSIZE_ANY_EXHDR(DatumGetPointer(each[i]));
		char		number[sizeof("16777215")] = {0};

		if (len < 3 || memcmp(str, "id=", 3) != 0)
			continue;
		if (len - 3 < sizeof(number))
		{
			memcpy(number, str + 3, len - 3);
			id = parse_number(number, TC_KEY_ID_MAX);
		}
		break;					/* the first, as for tc_keyopts_get() */
	}
	pfree(each);
	return id;
}

/* Exactly len bytes of base64url. */
static bool
parse_bytes(const char *str, uint8 *ret_bytes, size_t len)
{
	size_t		got;

	return str != NULL &&
		tc_base64_decode(str, strlen(str), ret_bytes, len, &got) == TC_OK &&
		got == len;
}

/* "<algorithm>:<wrap>", into algorithm and wrap of a version. */
static bool
parse_wrap(const char *str, bool is_index, TcVersionOption *ret_version)
{
	const char *colon = str != NULL ? strchr(str, ':') : NULL;
	char	   *name;

	if (colon == NULL)
		return false;
	name = pnstrdup(str, (Size) (colon - str));
	ret_version->identity.algorithm = is_index ?
		tc_index_algorithm_by_name(name) : tc_algorithm_by_name(name);
	pfree(name);
	return ret_version->identity.algorithm != 0 &&
		parse_bytes(colon + 1, ret_version->wrap, TC_WRAP_BYTES);
}

/* The version number in an option name such as "v12", or 0. */
static uint32
version_of_name(const char *name, const char *prefix)
{
	size_t		len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 ?
		parse_number(name + len, PG_UINT16_MAX) : 0;
}

static int
compare_versions(const void *a, const void *b)
{
	return (int) ((const TcVersionOption *) a)->identity.version -
		(int) ((const TcVersionOption *) b)->identity.version;
}

/* All versions of a key, or of a root's transit key. */
static const char *
parse_versions(List *options, const char *prefix, uint8 purpose,
			   TcKeyOptions *key)
{
	ListCell   *cell;

	key->versions = palloc0(sizeof(TcVersionOption) * list_length(options));
	foreach(cell, options)
	{
		DefElem    *def = lfirst_node(DefElem, cell);
		uint32		number = version_of_name(def->defname, prefix);
		TcVersionOption *version = &key->versions[key->nversions];

		if (number == 0)
			continue;
		if (key->nversions == TC_VERSIONS_MAX)
			return "There are too many versions.";
		if (!parse_wrap(defGetString(def), false, version))
			return "A wrapped key is not in order.";
		memcpy(version->identity.realm, key->realm, TC_UUID_BYTES);
		memcpy(version->identity.uuid, key->uuid, TC_UUID_BYTES);
		version->identity.key_id = key->id;
		version->identity.version = (uint16) number;
		version->identity.purpose = purpose;
		key->nversions++;
	}
	if (key->nversions == 0)
		return "There is no version.";
	qsort(key->versions, (size_t) key->nversions, sizeof(TcVersionOption),
		  compare_versions);
	for (int i = 0; i < key->nversions; i++)
	{
		if (key->versions[i].identity.version == key->current)
			return NULL;
	}
	return "The current version is missing.";
}

static TcSpan
text_span(const char *str)
{
	return tc_span(str, str != NULL ? strlen(str) : 0);
}

/* The digest that a key's mac covers; FORMAT, "The mac of a key". */
static bool
options_digest(List *options, const TcKeyOptions *key,
			   uint8 ret_digest[TC_MAC_BYTES])
{
	static const char *const names[] =
	{"kind", "uuid", "id", "algorithm", "current", "min_version", "state",
	"index"};
	const char *compression = tc_keyopts_get(options, "compression");
	int			nfields = lengthof(names) + 2 * key->nversions + 2;
	TcSpan	   *fields = palloc(sizeof(TcSpan) * nfields);
	int			n = 0;

	for (size_t i = 0; i < lengthof(names); i++)
		fields[n++] = text_span(tc_keyopts_get(options, names[i]));
	for (int i = 0; i < key->nversions; i++)
	{
		char	   *name = psprintf("v%u", key->versions[i].identity.version);

		fields[n++] = text_span(name);
		fields[n++] = text_span(tc_keyopts_get(options, name));
	}
	if (compression != NULL)
	{
		fields[n++] = text_span("compression");
		fields[n++] = text_span(compression);
	}
	return tc_kdf(NULL, TC_LABEL_KEY_FIELDS, fields, n, ret_digest,
				  TC_MAC_BYTES) == TC_OK;
}

bool
tc_keyopts_compression(const char *name, bool *ret_compresses)
{
	*ret_compresses = name != NULL && strcmp(name, COMPRESSION_LZ4) == 0;
	return name == NULL || *ret_compresses || strcmp(name, COMPRESSION_NONE) == 0;
}

const char *
tc_keyopts_unknown(List *options)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		const char *name = lfirst_node(DefElem, cell)->defname;

		if (version_of_name(name, "v") == 0 &&
			version_of_name(name, "transit") == 0 &&
			!is_among(root_names, name) && !is_among(key_names, name) &&
			!is_among(choice_names, name))
			return name;
	}
	return NULL;
}

const char *
tc_keyopts_repeated(List *options)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		const char *name = lfirst_node(DefElem, cell)->defname;
		int			times = 0;
		ListCell   *other;

		foreach(other, options)
			times += strcmp(lfirst_node(DefElem, other)->defname, name) == 0;
		if (times != 1)
			return name;
	}
	return NULL;
}

/* No option but ours, and none twice. */
static const char *
check_names(List *options, const char *const *names, const char *prefix)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		const char *name = lfirst_node(DefElem, cell)->defname;

		if (version_of_name(name, prefix) == 0 && !is_among(names, name))
			return "There is an option that does not belong there.";
	}
	return tc_keyopts_repeated(options) == NULL ? NULL :
		"There is an option twice.";
}

static const char *
parse_root(List *options, TcKeyOptions *key)
{
	const char *record = tc_keyopts_get(options, "record");
	TcRootRecord *parsed = palloc(sizeof(TcRootRecord));
	uint8	   *bytes;
	size_t		len;
	const char *what;

	what = check_names(options, root_names, "transit");
	if (what != NULL)
		return what;
	memcpy(key->uuid, key->realm, TC_UUID_BYTES);
	key->current = (uint16) parse_number(tc_keyopts_get(options, "transit_current"),
										 PG_UINT16_MAX);
	key->min_version = 1;
	bytes = palloc(TC_RECORD_MAX);
	if (record == NULL ||
		tc_base64_decode(record, strlen(record), bytes, TC_RECORD_MAX, &len) != TC_OK ||
		tc_record_parse(tc_span(bytes, len), parsed) != TC_OK ||
		memcmp(parsed->realm, key->realm, TC_UUID_BYTES) != 0)
		return "The root record is not in order.";
	key->record = tc_span(bytes, len);
	pfree(parsed);
	return parse_versions(options, "transit", TC_PURPOSE_PENDING, key);
}

static const char *
parse_key(List *options, TcKeyOptions *key)
{
	const char *algorithm = tc_keyopts_get(options, "algorithm");
	const char *state = tc_keyopts_get(options, "state");
	const char *compression = tc_keyopts_get(options, "compression");
	const char *what;

	what = check_names(options, key_names, "v");
	if (what != NULL)
		return what;
	if (!parse_bytes(tc_keyopts_get(options, "uuid"), key->uuid, TC_UUID_BYTES))
		return "The uuid is not in order.";
	if (algorithm == NULL || tc_algorithm_by_name(algorithm) == 0)
		return "The algorithm is not in order.";
	if (state == NULL || strcmp(state, "enabled") != 0)
		return "The state is not in order.";
	if (!tc_keyopts_compression(compression, &key->compresses) ||
		(compression != NULL && !key->compresses))
		return "The compression is not in order.";
	key->current = (uint16) parse_number(tc_keyopts_get(options, "current"),
										 PG_UINT16_MAX);
	key->min_version = (uint16) parse_number(tc_keyopts_get(options, "min_version"),
											 PG_UINT16_MAX);
	if (key->min_version == 0 || key->current < key->min_version)
		return "The versions are not in order.";
	if (!parse_wrap(tc_keyopts_get(options, "index"), true, &key->index))
		return "The index key is not in order.";
	memcpy(key->index.identity.realm, key->realm, TC_UUID_BYTES);
	memcpy(key->index.identity.uuid, key->uuid, TC_UUID_BYTES);
	key->index.identity.key_id = key->id;
	key->index.identity.version = 1;
	key->index.identity.purpose = TC_PURPOSE_INDEX;
	if (!parse_bytes(tc_keyopts_get(options, "mac"), key->mac.mac,
					 TC_KEY_MAC_BYTES))
		return "The mac is not in order.";
	what = parse_versions(options, "v", TC_PURPOSE_VALUE, key);
	if (what == NULL && !options_digest(options, key, key->mac.digest))
		what = "The digest could not be computed.";
	return what;
}

TcKeyOptions *
tc_keyopts_parse(List *options, const char **reterr_what)
{
	TcKeyOptions *key = palloc0(sizeof(TcKeyOptions));
	const char *kind = tc_keyopts_get(options, "kind");
	const char *what = NULL;

	if (list_length(options) > TC_VERSIONS_MAX + 16)
	{
		*reterr_what = "There are too many options.";
		return NULL;
	}
	key->id = parse_number(tc_keyopts_get(options, "id"), TC_KEY_ID_MAX);
	if (kind == NULL)
		what = "The kind is missing.";
	else if (key->id == 0)
		what = "The id is not in order.";
	else if (!parse_bytes(tc_keyopts_get(options, "realm"), key->realm,
						  TC_UUID_BYTES))
		what = "The realm is not in order.";
	else if (strcmp(kind, "root") == 0)
	{
		key->is_root = true;
		what = parse_root(options, key);
	}
	else if (strcmp(kind, "key") == 0)
		what = parse_key(options, key);
	else
		what = "The kind is not in order.";

	if (what == NULL)
		return key;
	*reterr_what = what;
	return NULL;
}

char *
tc_keyopts_base64(TcSpan bytes)
{
	char	   *str = palloc(TC_BASE64_LEN(bytes.len) + 1);

	tc_base64_encode(bytes, str);
	return str;
}

static DefElem *
make_option(const char *name, const char *value)
{
	return makeDefElem(pstrdup(name), (Node *) makeString(pstrdup(value)), -1);
}

static char *
wrap_text(const char *algorithm, const uint8 *wrap)
{
	return psprintf("%s:%s", algorithm,
					tc_keyopts_base64(tc_span(wrap, TC_WRAP_BYTES)));
}

List *
tc_keyopts_make_key(const TcKeyIdentity *identity,
					const uint8 wrap[TC_WRAP_BYTES],
					uint8 index_algorithm,
					const uint8 index_wrap[TC_WRAP_BYTES], bool compresses,
					uint8 ret_digest[TC_MAC_BYTES])
{
	const char *algorithm = tc_algorithm_name(identity->algorithm);
	TcVersionOption version = {.identity = *identity};
	TcKeyOptions key = {.nversions = 1, .versions = &version};
	List	   *options;

	options = list_make5(make_option("kind", "key"),
						 make_option("id", psprintf("%u", identity->key_id)),
						 make_option("uuid", tc_keyopts_base64(tc_span(identity->uuid, TC_UUID_BYTES))),
						 make_option("realm", tc_keyopts_base64(tc_span(identity->realm, TC_UUID_BYTES))),
						 make_option("algorithm", algorithm));
	options = lappend(options, make_option("v1", wrap_text(algorithm, wrap)));
	options = lappend(options, make_option("current", "1"));
	options = lappend(options, make_option("min_version", "1"));
	options = lappend(options, make_option("state", "enabled"));
	options = lappend(options, make_option("index", wrap_text(tc_index_algorithm_name(index_algorithm), index_wrap)));
	if (compresses)
		options = lappend(options, make_option("compression", COMPRESSION_LZ4));
	if (!options_digest(options, &key, ret_digest))
		elog(ERROR, "could not compute the digest of a key's options");
	return options;
}

List *
tc_keyopts_add_mac(List *options, const uint8 mac[TC_KEY_MAC_BYTES])
{
	return lappend(options,
				   make_option("mac", tc_keyopts_base64(tc_span(mac, TC_KEY_MAC_BYTES))));
}

List *
tc_keyopts_make_root(const TcKeyIdentity *transit,
					 const uint8 wrap[TC_WRAP_BYTES], TcSpan record)
{
	List	   *options;

	options = list_make5(make_option("kind", "root"),
						 make_option("id", psprintf("%u", transit->key_id)),
						 make_option("realm", tc_keyopts_base64(tc_span(transit->realm, TC_UUID_BYTES))),
						 make_option("record", tc_keyopts_base64(record)),
						 make_option("transit1", wrap_text(tc_algorithm_name(transit->algorithm), wrap)));
	return lappend(options, make_option("transit_current", "1"));
}
