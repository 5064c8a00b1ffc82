/*-------------------------------------------------------------------------
 *
 * typeparts.c
 *	  What is encrypted inside a type: domains, arrays, rows, ranges.
 *
 * src/typeparts.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "column_ddl.h"
#include "typeparts.h"
#include "typmod.h"

/* Asked of each encrypted part; true ends the walk. */
typedef bool (*PartTest) (int32 typmod, int32 *ret_typmod);

static bool any_part(Oid typid, int32 typmod, PartTest test, int32 *ret_typmod);

static bool
any_attribute(Oid typid, PartTest test, int32 *ret_typmod)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(typid, -1);
	bool		found = false;

	for (int i = 0; i < desc->natts && !found; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		found = !att->attisdropped &&
			any_part(att->atttypid, att->atttypmod, test, ret_typmod);
	}
	ReleaseTupleDesc(desc);
	return found;
}

static bool
any_part(Oid typid, int32 typmod, PartTest test, int32 *ret_typmod)
{
	check_stack_depth();

	/* quick for the types of core, which hold nothing of ours */
	if (typid < FirstNormalObjectId)
		return false;
	typid = getBaseTypeAndTypmod(typid, &typmod);
	if (tc_type_is_encrypted(typid))
		return test(typmod, ret_typmod);
	switch (get_typtype(typid))
	{
		case TYPTYPE_COMPOSITE:
			return any_attribute(typid, test, ret_typmod);
		case TYPTYPE_RANGE:
			return any_part(get_range_subtype(typid), -1, test, ret_typmod);
		case TYPTYPE_MULTIRANGE:
			return any_part(get_multirange_range(typid), -1, test, ret_typmod);
		default:
			return any_part(get_element_type(typid), -1, test, ret_typmod);
	}
}

static bool
is_any(int32 typmod, int32 *ret_typmod)
{
	return true;
}

static bool
is_without_equality(int32 typmod, int32 *ret_typmod)
{
	*ret_typmod = typmod;
	return typmod < 0 || tc_typmod_search(typmod) != TC_SEARCH_EQUAL;
}

bool
tc_type_has_encrypted(Oid typid)
{
	return any_part(typid, -1, is_any, NULL);
}

bool
tc_type_has_equality(Oid typid, int32 typmod, int32 *ret_typmod)
{
	return !any_part(typid, typmod, is_without_equality, ret_typmod);
}
