/*-------------------------------------------------------------------------
 *
 * keymake.h
 *	  New keys and roots, and material that comes from elsewhere.
 *
 *	Owns	nothing.
 *	Locks	heavyweight, to the end of the transaction, always in this order:
 *			(wrapper, 1) root, (wrapper, 2) make-root, (server class, id).
 *	Errors	errors.h; 42501, 42710 and 22023 of its own.  All of them before
 *			anything is written.
 *	Uses	keycat.h, keyopts.h, request.h.
 *
 * src/keymake.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYMAKE_H
#define TC_KEYMAKE_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "keyopts.h"

#define TC_LOCK_ROOT		1
#define TC_LOCK_MAKE_ROOT	2

/*
 * Make the material of a new key, and the root first if this is the first
 * key of the database.  "options" may hold an algorithm.  Gives back the full
 * options of its server.
 */
extern List *tc_make_key(List *options);

/*
 * Check a statement that brings material along, for server "serverid"
 * (InvalidOid for a new one): ids unique, and, where the root can be opened,
 * that the wraps are genuine.  The caller has checked who may do this.
 */
extern void tc_check_material(List *options, const char *name, Oid serverid);

/* After a server of ours was created: record what depends on what. */
extern void tc_key_record_dependencies(Oid serverid);

/* Watch for PREPARE TRANSACTION; once per process. */
extern void tc_keymake_init(void);

#endif							/* TC_KEYMAKE_H */
