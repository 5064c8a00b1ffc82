/*-------------------------------------------------------------------------
 *
 * keyopts.h
 *	  The options of our foreign servers: read, checked, written.
 *
 * A key or a root is a foreign server, and all that is stored of it stands
 * in the server's options (src/FORMAT, "Server options").  Everybody may
 * read them: only ids and wrapped keys are there.
 *
 *	Owns	nothing; results are palloc'd in the current context.
 *	Errors	none are thrown for bad options: the caller gets words for what
 *			is wrong, and decides.
 *	Uses	wrap.h, rootrec.h, armor.h for base64.
 *
 * src/keyopts.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYOPTS_H
#define TC_KEYOPTS_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "rootrec.h"
#include "wrap.h"

#define TC_WRAPPER_NAME		"themis_crypt"
#define TC_ROOT_NAME		"themis_root"	/* reserved, also as a prefix */
#define TC_VERSIONS_MAX		1000

/* Whether a name is one that only roots have. */
static inline bool
tc_name_is_root(const char *name)
{
	return strncmp(name, TC_ROOT_NAME, strlen(TC_ROOT_NAME)) == 0;
}

/* One wrapped key: a DEK version, or a version of a root's transit key. */
typedef struct TcVersionOption
{
	TcKeyIdentity identity;
	uint8		wrap[TC_WRAP_BYTES];
} TcVersionOption;

/* The mac of a key's options, behind the digest that it covers. */
typedef struct TcKeyMac
{
	uint8		digest[TC_MAC_BYTES];
	uint8		mac[TC_KEY_MAC_BYTES];
} TcKeyMac;

StaticAssertDecl(sizeof(TcKeyMac) == TC_MAC_BYTES + TC_KEY_MAC_BYTES,
				 "a TcKeyMac is hashed as it is");

typedef struct TcKeyOptions
{
	bool		is_root;
	uint32		id;
	uint8		realm[TC_UUID_BYTES];
	uint8		uuid[TC_UUID_BYTES];	/* of a root: the realm */
	uint16		current;		/* version for new values */
	uint16		min_version;	/* oldest version that still opens */
	int			nversions;
	TcVersionOption *versions;	/* ascending */
	/* of a key */
	TcVersionOption index;
	bool		compresses;		/* plaintexts, before they are sealed */
	TcKeyMac	mac;
	/* of a root */
	TcSpan		record;
} TcKeyOptions;

/*
 * Read the options of a server (a List of DefElem).  NULL if they are not in
 * order, and then *reterr_what says what is wrong, in a sentence.
 */
extern TcKeyOptions *tc_keyopts_parse(List *options, const char **reterr_what);

/*
 * The options of a new key with one version, as a List of DefElem: all but
 * "mac", and the digest that the mac must cover.
 */
extern List *tc_keyopts_make_key(const TcKeyIdentity *identity,
								 const uint8 wrap[TC_WRAP_BYTES],
								 uint8 index_algorithm,
								 const uint8 index_wrap[TC_WRAP_BYTES],
								 bool compresses,
								 uint8 ret_digest[TC_MAC_BYTES]);

/* Add the mac to such a list. */
extern List *tc_keyopts_add_mac(List *options,
								const uint8 mac[TC_KEY_MAC_BYTES]);

/* The options of a new root. */
extern List *tc_keyopts_make_root(const TcKeyIdentity *transit,
								  const uint8 wrap[TC_WRAP_BYTES],
								  TcSpan record);

/* Bytes as unpadded base64url, as options hold them; palloc'd. */
extern char *tc_keyopts_base64(TcSpan bytes);

/*
 * The id in options as they stand in the catalog (text[]), 0 if there is none
 * in order.  Looks at nothing else: it is asked of every key there is.
 */
extern uint32 tc_keyopts_id(Datum options);

/* The value of an option, or NULL. */
extern const char *tc_keyopts_get(List *options, const char *name);

/* Algorithm names, as in options and CREATE SERVER.  0 and NULL: unknown. */
extern uint8 tc_algorithm_by_name(const char *name);
extern const char *tc_algorithm_name(uint8 algorithm);

/* The same for the algorithms of index keys. */
extern uint8 tc_index_algorithm_by_name(const char *name);
extern const char *tc_index_algorithm_name(uint8 algorithm);

/* Whether the name of a compression, or none, means any.  False: unknown. */
extern bool tc_keyopts_compression(const char *name, bool *ret_compresses);

/* The name of an option that no server of ours has, or NULL. */
extern const char *tc_keyopts_unknown(List *options);

/* The name of an option that is given twice, or NULL. */
extern const char *tc_keyopts_repeated(List *options);

/*
 * Whether any option of the list is one that only we may write: all are but
 * "algorithm", "index_algorithm" and "compression", which choose for a new key.
 */
extern bool tc_keyopts_have_material(List *options);

#endif							/* TC_KEYOPTS_H */
