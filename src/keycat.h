/*-------------------------------------------------------------------------
 *
 * keycat.h
 *	  Which keys exist, as this transaction sees them.
 *
 * Keys and roots by id, read from the options of our foreign servers and
 * kept per backend for as long as the catalog row stays the same.  What is
 * kept are wraps, slot references and nonce runs, no key.
 *
 *	Owns	the cached keys.  A pointer to one is good until the next call of
 *			a function here that looks a key up.
 *	Errors	lookups give NULL for what does not exist; a server of ours with
 *			options out of order, or that shares its id with another, is an
 *			error for whoever looks that key up.
 *	Uses	keyopts.h, keyacl.h, request.h, the syscache.
 *
 * src/keycat.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYCAT_H
#define TC_KEYCAT_H

#include "postgres.h"

#include "storage/itemptr.h"

#include "keyopts.h"
#include "nonce.h"
#include "request.h"

/*
 * One version of a key, ready to be used.  Here and in TcKey, what is read for
 * each value stands first, and close together.
 */
typedef struct TcKeyVersion
{
	TcKeyIdentity identity;
	TcSlotRef	slot;			/* where it was last found */
	TcNonceRun	nonces;
	uint8		wrap[TC_WRAP_BYTES];
	uint8		address[TC_ADDRESS_BYTES];
} TcKeyVersion;

/* A key or root, with the catalog row that it was read from. */
typedef struct TcKey
{
	uint32		id;				/* hash key: must be first */
	bool		is_root;
	bool		compresses;		/* of a key: plaintexts, before sealing */
	uint16		current;
	uint16		min_version;
	int			nversions;
	TcKeyVersion *versions;		/* ascending */
	uint64		checked;		/* catalog generation of the last check */

	/* the last answer of keyacl.h */
	uint64		acl_generation;
	Oid			acl_role;
	bool		acl_allowed;

	TcKeyVersion only;			/* versions, if there is one */
	TcKeyVersion index;			/* of a key: makes its blind tokens */
	char		name[NAMEDATALEN];
	uint8		realm[TC_UUID_BYTES];
	TcKeyMac	mac;			/* of a key */
	TcSpan		record;			/* of a root */
	MemoryContext context;		/* holds record, and versions if several */

	Oid			serverid;
	Oid			rival;			/* another server with this id, if any */
	TransactionId xmin;			/* invalid: not read, or not to its end */
	ItemPointerData tid;
	uint64		seen;			/* number of the last scan that saw it */
} TcKey;

/* Watch the caches that entries depend on; once per process. */
extern void tc_keycat_init(void);

/* The foreign-data wrapper of this extension, or InvalidOid. */
extern Oid	tc_keycat_wrapper(void);

/* Look up a key or root; NULL if there is none (or it is not ours). */
extern TcKey *tc_key_by_id(uint32 id);
extern TcKey *tc_key_by_server(Oid serverid);

/*
 * The name of a key, palloc'd, whatever else is wrong with it; NULL if there is
 * none, or two with this id, or it is a root.
 */
extern char *tc_key_name(uint32 id);

/* The root that new keys are wrapped under, or NULL before the first key. */
extern TcKey *tc_root_current(void);

/* The root of a realm, or NULL. */
extern TcKey *tc_root_by_realm(const uint8 realm[TC_UUID_BYTES]);

/* Whether no server of ours exists at all. */
extern bool tc_keycat_is_empty(void);

/* Whether some key or root other than server "except" has this uuid. */
extern bool tc_keycat_has_uuid(const uint8 uuid[TC_UUID_BYTES], Oid except);

/*
 * Look at every key and root until "visit" answers true; gives back that one
 * or NULL.  Keys with damaged options are left out, of two with one id the
 * first is shown; a damaged root is an error.  "visit" must not look keys up.
 */
typedef bool (*TcKeyVisitor) (TcKey *key, const void *arg);
extern TcKey *tc_keycat_find(TcKeyVisitor visit, const void *arg);

/*
 * The names of our servers whose options pass a test, as a List of char *.
 * The test gets NULL for options that are not in order, which is no error here.
 */
typedef bool (*TcOptionsTest) (const TcKeyOptions *options);
extern List *tc_keycat_names(TcOptionsTest test);

/* A version of a key, or NULL if it does not exist (any more). */
extern TcKeyVersion *tc_key_version(TcKey *key, uint16 version);

/* 42501 unless the current role has USAGE on the key.  Cached. */
extern void tc_key_require_usage(TcKey *key);
extern bool tc_key_may_use(TcKey *key);

/*
 * See to it that version->slot refers to a live slot: find it, or ask the
 * key worker to load it.  For the index key, too.  Errors as in errors.h.
 * Looks keys up on its way, so it gives back key and version as they are then.
 */
extern TcKeyVersion *tc_key_load(TcKey **key, TcKeyVersion *version);

#endif							/* TC_KEYCAT_H */
