/*-------------------------------------------------------------------------
 *
 * keyacl.h
 *	  Who may use a key: USAGE on its foreign server, and nothing else.
 *
 * PostgreSQL's own check answers yes to every superuser, and so does its
 * aclmask() as soon as anybody holds the privilege.  Here a superuser needs
 * the grant like anybody else (it can give it to itself, where that can be
 * seen).  Views do not delegate: the role is the current one.
 *
 *	Errors	none.
 *	Uses	the syscache.
 *
 * src/keyacl.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYACL_H
#define TC_KEYACL_H

#include "postgres.h"

/* Whether a role has USAGE on a foreign server, membership considered. */
extern bool tc_acl_may_use(Oid serverid, Oid roleid);

/*
 * Changes whenever an answer may have changed: whoever caches one keeps this
 * number beside it.
 */
extern uint64 tc_acl_generation(void);

/* Watch the caches that answers depend on; once per process. */
extern void tc_acl_init(void);

#endif							/* TC_KEYACL_H */
