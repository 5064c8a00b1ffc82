/*-------------------------------------------------------------------------
 *
 * plan_opened.c
 *	  Comparisons of opened values, answered without opening them.
 *
 * src/plan_opened.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "column_ddl.h"
#include "compat.h"
#include "plaintype.h"
#include "plan_opened.h"
#include "plan_probe.h"
#include "typmod.h"

/* The type whose "=" an operator is, or InvalidOid. */
static Oid
type_of_equality(Oid opno)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(opno));
	Form_pg_operator form;
	Oid			type = InvalidOid;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	form = (Form_pg_operator) GETSTRUCT(tuple);
	if (form->oprnamespace == PG_CATALOG_NAMESPACE &&
		form->oprleft == form->oprright &&
		strcmp(NameStr(form->oprname), "=") == 0)
		type = form->oprleft;
	ReleaseSysCache(tuple);
	return type;
}

/*
 * The column in a cast to "type" that opens it, if it is searchable and of
 * just that type; NULL for all else.
 */
static Node *
opened_column(Node *expr, Oid type)
{
	FuncExpr   *cast = (FuncExpr *) expr;
	const TcPlainType *plain;
	HeapTuple	tuple;
	Node	   *column;
	int32		typmod;
	bool		opens;

	if (!IsA(expr, FuncExpr) || cast->funcresulttype != type ||
		list_length(cast->args) != 1)
		return NULL;
	column = linitial(cast->args);
	if (exprType(column) != tc_encrypted_type())
		return NULL;
	typmod = tc_expr_typmod(column);
	if (typmod < 0 || tc_typmod_search(typmod) != TC_SEARCH_EQUAL)
		return NULL;
	plain = tc_plaintype_by_code(tc_typmod_type_code(typmod));
	if (plain == NULL || plain->typid != type)
		return NULL;

	/* a cast of ours: nobody else can make one */
	tuple = SearchSysCache2(CASTSOURCETARGET, ObjectIdGetDatum(exprType(column)),
							ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		return NULL;
	opens = ((Form_pg_cast) GETSTRUCT(tuple))->castfunc == cast->funcid;
	ReleaseSysCache(tuple);
	return opens ? column : NULL;
}

static bool
is_null(Node *expr)
{
	return IsA(expr, Const) && ((Const *) expr)->constisnull;
}

bool
tc_plan_opened(Oid opno, Oid collation, List *args)
{
	Node	   *left = linitial(args);
	Node	   *right = lsecond(args);
	Oid			type;
	Node	   *left_column;
	Node	   *right_column;

	if ((!IsA(left, FuncExpr) && !IsA(right, FuncExpr)) ||
		is_null(left) || is_null(right) ||
		(OidIsValid(collation) && !get_collation_isdeterministic(collation)))
		return false;
	type = type_of_equality(opno);
	if (!OidIsValid(type))
		return false;
	left_column = opened_column(left, type);
	right_column = opened_column(right, type);

	/* across keys, opened values are the way to compare */
	if ((left_column == NULL && right_column == NULL) ||
		(left_column != NULL && right_column != NULL &&
		 tc_expr_typmod(left_column) != tc_expr_typmod(right_column)))
		return false;
	if (left_column != NULL)
		linitial(args) = left_column;
	if (right_column != NULL)
		lsecond(args) = right_column;
	return true;
}
