/*-------------------------------------------------------------------------
 *
 * key_ddl.h
 *	  CREATE, ALTER and DROP SERVER for encryption keys.
 *
 * A ProcessUtility hook gives CREATE SERVER its material and keeps hands off
 * what only we may write; an object access hook guards DROP, by whatever
 * statement it comes.
 *
 * src/key_ddl.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEY_DDL_H
#define TC_KEY_DDL_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "bytes.h"

/* Install the hooks; once, from _PG_init. */
extern void tc_key_ddl_init(void);

/*
 * Run ALTER SERVER name OPTIONS (...) for one of our own functions.  "options"
 * is a List of DefElem with defaction set.  A change of the server's row by
 * somebody else is waited for.
 */
extern void tc_key_alter_options(const char *name, List *options);

/* Set the record of a root so. */
extern void tc_key_set_record(const char *name, TcSpan record);

#endif							/* TC_KEY_DDL_H */
