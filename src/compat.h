/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  What differs between the supported versions of PostgreSQL.
 *
 * The only place that looks at PG_VERSION_NUM.
 *
 * src/compat.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_COMPAT_H
#define TC_COMPAT_H

#include "postgres.h"

#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/wait_event.h"

#if PG_VERSION_NUM < 150000
#error "themis_crypt needs PostgreSQL 15 or newer"
#endif

/* What the macros below need, and varatt.h, which 16 took out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "utils/acl.h"
#include "varatt.h"
#endif

/* A number for each backend, from 0, below MaxBackends + auxiliaries. */
#if PG_VERSION_NUM >= 170000
#define tc_backend_index()	((int) MyProcNumber)
#define tc_local_xact()		((uint32) MyProc->vxid.lxid)
#else
#define tc_backend_index()	((int) MyBackendId - 1)
#define tc_local_xact()		((uint32) MyProc->lxid)
#endif

/* Wait events of extensions have names of their own from 17 on. */
#if PG_VERSION_NUM >= 170000
#define tc_wait_event_new(name) WaitEventExtensionNew(name)
#else
#define tc_wait_event_new(name) ((void) (name), (uint32) PG_WAIT_EXTENSION)
#endif

/* A set belongs to a resource owner from 17 on; ours are freed by hand. */
#if PG_VERSION_NUM >= 170000
#define tc_create_wait_set(n) CreateWaitEventSet(NULL, n)
#else
#define tc_create_wait_set(n) CreateWaitEventSet(CurrentMemoryContext, n)
#endif

#if PG_VERSION_NUM >= 160000
#define tc_fdw_usage_ok(fdwid, roleid) \
	(object_aclcheck(ForeignDataWrapperRelationId, fdwid, roleid, \
					 ACL_USAGE) == ACLCHECK_OK)
#define tc_owns_server(serverid, roleid) \
	object_ownercheck(ForeignServerRelationId, serverid, roleid)
#define tc_owns_fdw(fdwid, roleid) \
	object_ownercheck(ForeignDataWrapperRelationId, fdwid, roleid)
#else
#define tc_fdw_usage_ok(fdwid, roleid) \
	(pg_foreign_data_wrapper_aclcheck(fdwid, roleid, ACL_USAGE) == ACLCHECK_OK)
#define tc_owns_server(serverid, roleid) \
	pg_foreign_server_ownercheck(serverid, roleid)
#define tc_owns_fdw(fdwid, roleid) \
	pg_foreign_data_wrapper_ownercheck(fdwid, roleid)
#endif

/* ExecutorRun lost an argument in 18. */
#if PG_VERSION_NUM >= 180000
#define TC_EXECUTOR_RUN_PARAMS \
	QueryDesc *query, ScanDirection direction, uint64 count
#define TC_EXECUTOR_RUN_ARGS query, direction, count
#else
#define TC_EXECUTOR_RUN_PARAMS \
	QueryDesc *query, ScanDirection direction, uint64 count, bool execute_once
#define TC_EXECUTOR_RUN_ARGS query, direction, count, execute_once
#endif

/* JSON_VALUE, JSON_TABLE and the like came with 17. */
#if PG_VERSION_NUM >= 170000
#define tc_is_json_expr(node) IsA(node, JsonExpr)
#else
#define tc_is_json_expr(node) ((void) (node), false)
#endif

/* Grouped expressions are columns of a range table entry from 18 on. */
#if PG_VERSION_NUM >= 180000
#define tc_has_grouped_exprs(query) ((query)->hasGroupRTE)
#define tc_grouped_exprs(rte) ((rte)->groupexprs)
#else
#define tc_has_grouped_exprs(query) ((void) (query), false)
#define tc_grouped_exprs(rte) ((void) (rte), NIL)
#endif

/* The columns of a range table entry as Vars; 18 added an argument. */
#if PG_VERSION_NUM >= 180000
#define tc_expand_rte(rte, varno, ret_vars) \
	expandRTE(rte, varno, 0, VAR_RETURNING_DEFAULT, -1, false, NULL, ret_vars)
#else
#define tc_expand_rte(rte, varno, ret_vars) \
	expandRTE(rte, varno, 0, -1, false, NULL, ret_vars)
#endif

/* ANALYZE has a delay point of its own from 18 on. */
#if PG_VERSION_NUM >= 180000
#define vacuum_delay_point_of_analyze() vacuum_delay_point(true)
#else
#define vacuum_delay_point_of_analyze() vacuum_delay_point()
#endif

#endif							/* TC_COMPAT_H */
