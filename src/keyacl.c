/*-------------------------------------------------------------------------
 *
 * keyacl.c
 *	  Who may use a key: USAGE on its foreign server, and nothing else.
 *
 * src/keyacl.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_foreign_server.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#include "keyacl.h"

static uint64 generation = 1;

static void
forget_answers(Datum arg, int cacheid, uint32 hashvalue)
{
	generation++;
}

void
tc_acl_init(void)
{
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, forget_answers, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, forget_answers, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, forget_answers, (Datum) 0);
}

uint64
tc_acl_generation(void)
{
	return generation;
}

/* Whether the holder of a grant is the role itself or one it is a member of. */
static bool
grant_reaches(Oid grantee, Oid roleid)
{
	if (grantee == ACL_ID_PUBLIC || grantee == roleid)
		return true;

	/* has_privs_of_role() is true for a superuser whatever the grantee */
	if (superuser_arg(roleid))
		return is_member_of_role_nosuper(roleid, grantee);
	return has_privs_of_role(roleid, grantee);
}

bool
tc_acl_may_use(Oid serverid, Oid roleid)
{
	HeapTuple	tuple;
	Datum		datum;
	bool		isnull;
	Acl		   *acl;
	bool		allowed = false;

	tuple = SearchSysCache1(FOREIGNSERVEROID, ObjectIdGetDatum(serverid));
	if (!HeapTupleIsValid(tuple))
		return false;
	datum = SysCacheGetAttr(FOREIGNSERVEROID, tuple,
							Anum_pg_foreign_server_srvacl, &isnull);
	if (isnull)
		acl = acldefault(OBJECT_FOREIGN_SERVER,
						 ((Form_pg_foreign_server) GETSTRUCT(tuple))->srvowner);
	else
		acl = DatumGetAclPCopy(datum);

	for (int i = 0; i < ACL_NUM(acl) && !allowed; i++)
	{
		AclItem    *item = &ACL_DAT(acl)[i];

		allowed = (ACLITEM_GET_PRIVS(*item) & ACL_USAGE) != 0 &&
			grant_reaches(item->ai_grantee, roleid);
	}
	pfree(acl);
	ReleaseSysCache(tuple);
	return allowed;
}
