/*-------------------------------------------------------------------------
 *
 * plan_probe.c
 *	  Comparisons bound to a key while a query is planned.
 *
 * Trees are changed in place: the planner owns what it is given.
 *
 * src/plan_probe.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/plancat.h"
#include "optimizer/planner.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "column_ddl.h"
#include "compat.h"
#include "errors.h"
#include "plan_group.h"
#include "plan_opened.h"
#include "plan_probe.h"
#include "plan_refuse.h"
#include "probe.h"
#include "typmod.h"

static planner_hook_type next_planner;
static get_relation_info_hook_type next_relation_info;

/* Our objects in this database, looked up once until any of their kind change. */
static struct
{
	bool		known;
	uint64		changes;		/* counted, to notice one while looking up */
	Oid			equal[2];		/* operators = and <> of (encrypted, encrypted) */
	Oid			probe;			/* functions */
	Oid			probe_array;
	Oid			coerce;
}			objects;

static void
objects_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	objects.known = false;
	objects.changes++;
}

static Oid
function_oid(const char *name, int nargs, const Oid *argtypes)
{
	return LookupFuncName(list_make2(makeString("themis_crypt"),
									 makeString(pstrdup(name))),
						  nargs, argtypes, false);
}

static Oid
operator_oid(const char *name, Oid type)
{
	Oid			oid = OpernameGetOprid(list_make2(makeString("pg_catalog"),
												  makeString(pstrdup(name))),
									   type, type);

	if (!OidIsValid(oid))
		elog(ERROR, "operator %s of type encrypted is missing", name);
	return oid;
}

static void
look_up_objects(void)
{
	Oid			type = tc_encrypted_type();
	Oid			probe[2] = {ANYOID, INT4OID};
	Oid			probe_array[2] = {ANYARRAYOID, INT4OID};
	Oid			coerce[3] = {type, INT4OID, BOOLOID};
	uint64		changes = objects.changes;

	if (objects.known)
		return;
	objects.equal[false] = operator_oid("=", type);
	objects.equal[true] = operator_oid("<>", type);
	objects.probe = function_oid("probe", 2, probe);
	objects.probe_array = function_oid("probe_array", 2, probe_array);
	objects.coerce = function_oid("coerce", 3, coerce);
	objects.known = objects.changes == changes;
}

static bool
is_null(Node *expr)
{
	return IsA(expr, Const) && ((Const *) expr)->constisnull;
}

List *
tc_expr_branches(Node *expr)
{
	List	   *results = NIL;
	ListCell   *cell;

	switch (nodeTag(expr))
	{
		case T_RelabelType:
			return list_make1(((RelabelType *) expr)->arg);
		case T_NullIfExpr:
			return list_make1(linitial(((NullIfExpr *) expr)->args));
		case T_CoalesceExpr:
			return ((CoalesceExpr *) expr)->args;
		case T_ArrayExpr:
			return ((ArrayExpr *) expr)->elements;
		case T_CaseExpr:
			foreach(cell, ((CaseExpr *) expr)->args)
				results = lappend(results, lfirst_node(CaseWhen, cell)->result);
			if (((CaseExpr *) expr)->defresult != NULL)
				results = lappend(results, ((CaseExpr *) expr)->defresult);
			return results;
		default:
			return NIL;
	}
}

/*
 * The typmod that the branches have in common, NULLs aside.  If "some", that
 * of any one of them will do.
 */
static int32
typmod_of_branches(Node *expr, bool some)
{
	int32		common = -1;
	ListCell   *cell;

	foreach(cell, tc_expr_branches(expr))
	{
		Node	   *branch = lfirst(cell);
		int32		typmod = tc_expr_typmod(branch);

		if (some && typmod < 0)
			typmod = typmod_of_branches(branch, some);
		if (some && typmod >= 0)
			return typmod;
		if (some || is_null(branch))
			continue;
		if (typmod < 0 || (common >= 0 && typmod != common))
			return -1;
		common = typmod;
	}
	return common;
}

int32
tc_expr_typmod(Node *expr)
{
	int32		typmod = exprTypmod(expr);
	Oid			type = exprType(expr);

	/* of a domain the base type has it, and casts to that drop it */
	if (typmod < 0)
		type = getBaseTypeAndTypmod(type, &typmod);
	if (!tc_type_is_encrypted(type))
		return -1;
	return typmod >= 0 ? typmod : typmod_of_branches(expr, false);
}

/* One side of a comparison. */
typedef struct Side
{
	Node	   *expr;
	Oid			type;			/* of the elements, for an array */
	bool		is_array;
	bool		is_ours;
	int32		typmod;			/* -1 = not ours, or key unknown */
} Side;

static Side
side_of(Node *expr, bool is_array)
{
	Side		side = {.expr = expr, .is_array = is_array, .typmod = -1};

	side.type = getBaseType(exprType(expr));
	if (is_array)
		side.type = getBaseType(get_element_type(side.type));
	side.is_ours = side.type == tc_encrypted_type();
	if (side.is_ours)
		side.typmod = tc_expr_typmod(expr);
	return side;
}

/* function(expr, typmod), in the shape of a cast: exprTypmod() knows it. */
static Node *
make_call(Oid function, Oid result, Node *expr, int32 typmod)
{
	Node	   *constant = (Node *) makeConst(INT4OID, -1, InvalidOid,
											  sizeof(int32), Int32GetDatum(typmod),
											  false, true);

	return (Node *) makeFuncExpr(function, result, list_make2(expr, constant),
								 InvalidOid, InvalidOid, COERCE_EXPLICIT_CAST);
}

static Node *
bind_side(const Side *side, int32 typmod)
{
	Oid			type = tc_encrypted_type();

	if (side->is_ours && side->typmod == typmod)
		return side->expr;
	tc_probe_refuse_collation(exprCollation(side->expr));
	if (side->is_array)
		return make_call(objects.probe_array, get_array_type(type), side->expr,
						 typmod);
	return make_call(objects.probe, type, side->expr, typmod);
}

/*
 * Bind both sides to the key of the column that one of them is.  False if
 * there is nothing to do, or nothing can be done before the values are there.
 */
static bool
bind_sides(Node **left_expr, Node **right_expr, bool right_is_array)
{
	Side		left = side_of(*left_expr, false);
	Side		right = side_of(*right_expr, right_is_array);
	int32		typmod = left.typmod >= 0 ? left.typmod : right.typmod;

	if (is_null(left.expr) || is_null(right.expr))
		return false;
	if (left.typmod >= 0 && tc_typmod_search(left.typmod) != TC_SEARCH_EQUAL)
		tc_error_unsearchable(left.typmod);
	if (right.typmod >= 0 && tc_typmod_search(right.typmod) != TC_SEARCH_EQUAL)
		tc_error_unsearchable(right.typmod);
	if (left.typmod >= 0 && right.typmod >= 0)
	{
		if (left.typmod != right.typmod)
			tc_error_other_key(left.typmod, right.typmod);
		return false;
	}
	/* as in COALESCE(column, 'x') = 'y' */
	if (typmod < 0)
		typmod = typmod_of_branches(left.expr, true);
	if (typmod < 0)
		typmod = typmod_of_branches(right.expr, true);
	if (typmod < 0)
	{
		/* beside a plaintext, the value itself says under which key */
		if (left.is_ours && right.is_ours)
			tc_error_unbound();
		return false;
	}
	look_up_objects();
	*left_expr = bind_side(&left, typmod);
	*right_expr = bind_side(&right, typmod);
	return true;
}

/*
 * Whether an operator is = or <> of ours.  It is known that an operand is of
 * type encrypted.
 */
static bool
is_comparison(Oid opno, bool *ret_negated)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(opno));
	Form_pg_operator form;
	bool		ours;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_operator) GETSTRUCT(tuple);
	*ret_negated = strcmp(NameStr(form->oprname), "<>") == 0;
	ours = form->oprnamespace == PG_CATALOG_NAMESPACE &&
		(*ret_negated || strcmp(NameStr(form->oprname), "=") == 0) &&
		(form->oprleft == tc_encrypted_type() ||
		 form->oprright == tc_encrypted_type());
	ReleaseSysCache(tuple);
	return ours;
}

static bool
has_our_operand(List *args)
{
	Oid			left = exprType(linitial(args));
	Oid			right = exprType(lsecond(args));

	/* quick for the types of core */
	if (left < FirstNormalObjectId && right < FirstNormalObjectId)
		return false;
	return tc_type_is_encrypted(getBaseType(left)) ||
		tc_type_is_encrypted(getBaseType(right));
}

/* IN, = ANY, <> ALL: the other comparisons with the same fields follow. */
static void
bind_array_comparison(ScalarArrayOpExpr *node)
{
	bool		negated;

	if (list_length(node->args) != 2 || !has_our_operand(node->args) ||
		!is_comparison(node->opno, &negated))
		return;
	if (bind_sides((Node **) &linitial(node->args), (Node **) &lsecond(node->args),
				   true))
	{
		node->opno = objects.equal[negated];
		node->opfuncid = get_opcode(node->opno);
		node->hashfuncid = InvalidOid;
	}
}

static void
use_our_equality(OpExpr *node)
{
	node->opno = objects.equal[false];
	node->opfuncid = get_opcode(node->opno);
}

static void
bind_distinct(DistinctExpr *node)
{
	bool		negated;

	if (list_length(node->args) == 2 && has_our_operand(node->args) &&
		is_comparison(node->opno, &negated) &&
		bind_sides((Node **) &linitial(node->args),
				   (Node **) &lsecond(node->args), false))
		use_our_equality(node);
}

/* column::type = x, IN and ANY, as if the column had been named itself. */
static void
bind_opened(Node *node, Oid *opno, Oid *opfuncid, Oid *collation, List *args)
{
	if (list_length(args) != 2 || !tc_plan_opened(*opno, *collation, args))
		return;
	look_up_objects();
	(void) bind_sides((Node **) &linitial(args), (Node **) &lsecond(args),
					  IsA(node, ScalarArrayOpExpr));
	*opno = objects.equal[false];
	*opfuncid = get_opcode(*opno);
	*collation = InvalidOid;
}

/*
 * The left side of NULLIF is its result, so it may not become a probe.  A
 * literal there is sealed under the column's key; a plaintext stays what it
 * is, and is compared at run time.
 */
static void
bind_nullif(NullIfExpr *node)
{
	bool		negated;
	Side		left;
	Node	   *left_expr;
	Node	   *right_expr;

	if (list_length(node->args) != 2 || !has_our_operand(node->args) ||
		!is_comparison(node->opno, &negated))
		return;
	left = side_of(linitial(node->args), false);
	if (!left.is_ours)
		return;
	left_expr = linitial(node->args);
	right_expr = lsecond(node->args);
	if (!bind_sides(&left_expr, &right_expr, false))
		return;
	if (left_expr != linitial(node->args))
		left_expr = (Node *) makeFuncExpr(objects.coerce, tc_encrypted_type(),
										  list_make3(linitial(node->args),
													 lsecond(castNode(FuncExpr, left_expr)->args),
													 makeBoolConst(false, false)),
										  InvalidOid, InvalidOid,
										  COERCE_IMPLICIT_CAST);
	node->args = list_make2(left_expr, right_expr);
	use_our_equality(node);
}

/* column = x, which is otherwise bound by the operator's support function. */
static void
bind_operator(OpExpr *node)
{
	bool		negated;

	if (list_length(node->args) == 2 && has_our_operand(node->args) &&
		is_comparison(node->opno, &negated))
		(void) bind_sides((Node **) &linitial(node->args),
						  (Node **) &lsecond(node->args), false);
}

/* A walk through a tree. */
typedef struct Walk
{
	const TcQueries *queries;	/* around what is looked at; may be NULL */
	bool		operators;		/* those with a support function, too */
} Walk;

/* Bind the comparisons of a tree, and refuse what must be. */
static bool
bind_tree(Node *node, void *context)
{
	Walk	   *walk = context;

	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Query:
			{
				TcQueries	queries = {(Query *) node, walk->queries};
				Walk		inner = {&queries, walk->operators};

				tc_plan_group((Query *) node);
				tc_refuse_clauses(&queries);
				return query_tree_walker((Query *) node, bind_tree, &inner, 0);
			}
		case T_OpExpr:
			bind_opened(node, &((OpExpr *) node)->opno,
						&((OpExpr *) node)->opfuncid,
						&((OpExpr *) node)->inputcollid, ((OpExpr *) node)->args);
			if (walk->operators)
				bind_operator((OpExpr *) node);
			break;
		case T_ScalarArrayOpExpr:
			bind_opened(node, &((ScalarArrayOpExpr *) node)->opno,
						&((ScalarArrayOpExpr *) node)->opfuncid,
						&((ScalarArrayOpExpr *) node)->inputcollid,
						((ScalarArrayOpExpr *) node)->args);
			bind_array_comparison((ScalarArrayOpExpr *) node);
			break;
		case T_DistinctExpr:
			bind_distinct((DistinctExpr *) node);
			break;
		case T_NullIfExpr:
			bind_nullif((NullIfExpr *) node);
			break;
		default:
			break;
	}
	tc_refuse_node(node, walk->queries);
	return expression_tree_walker(node, bind_tree, context);
}

void
tc_plan_check(Node *expr)
{
	Walk		walk = {.operators = true};

	if (!OidIsValid(tc_encrypted_type()))
		return;
	(void) bind_tree(copyObject(expr), &walk);
}

static PlannedStmt *
plan(Query *parse, const char *query_string, int cursor_options,
	 ParamListInfo params)
{
	Walk		walk = {.operators = false};

	if (OidIsValid(tc_encrypted_type()))
		(void) bind_tree((Node *) parse, &walk);
	if (next_planner != NULL)
		return next_planner(parse, query_string, cursor_options, params);
	return standard_planner(parse, query_string, cursor_options, params);
}

static bool
has_encrypted_column(Oid relid)
{
	Relation	rel = RelationIdGetRelation(relid);
	bool		found = false;

	if (!RelationIsValid(rel))
		return false;
	for (int i = 0; i < RelationGetNumberOfAttributes(rel) && !found; i++)
	{
		Oid			type = TupleDescAttr(RelationGetDescr(rel), i)->atttypid;

		found = type >= FirstNormalObjectId &&
			tc_type_is_encrypted(getBaseType(type));
	}
	RelationClose(rel);
	return found;
}

/*
 * Functions written in SQL may have been put in place since plan() saw the
 * query; this is the last moment before its clauses are distributed.
 */
static void
relation_info(PlannerInfo *root, Oid relid, bool inhparent, RelOptInfo *rel)
{
	TcQueries	queries = {.query = root->parse};
	Walk		walk = {.queries = &queries};

	if (next_relation_info != NULL)
		next_relation_info(root, relid, inhparent, rel);
	if (rel->reloptkind == RELOPT_OTHER_MEMBER_REL ||	/* has its parent's */
		!OidIsValid(tc_encrypted_type()) || !has_encrypted_column(relid))
		return;
	(void) bind_tree((Node *) root->parse->jointree, &walk);
	(void) bind_tree((Node *) root->processed_tlist, &walk);
	(void) bind_tree(root->parse->havingQual, &walk);
	for (; root != NULL; root = root->parent_root)
	{
		queries.query = root->parse;
		tc_refuse_clauses(&queries);
	}
}

void
tc_plan_probe_init(void)
{
	next_planner = planner_hook;
	planner_hook = plan;
	next_relation_info = get_relation_info_hook;
	get_relation_info_hook = relation_info;
	CacheRegisterSyscacheCallback(OPEROID, objects_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, objects_changed, (Datum) 0);
}

PG_FUNCTION_INFO_V1(themis_crypt_search_support);

/* column = x  ->  column = probe(x, typmod), for = and <> of all kinds. */
Datum
themis_crypt_search_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	FuncExpr   *call;
	Node	   *left;
	Node	   *right;
	OpExpr	   *result;
	bool		negated;
	char	   *name;

	if (!IsA(request, SupportRequestSimplify))
		PG_RETURN_POINTER(NULL);
	call = ((SupportRequestSimplify *) request)->fcall;
	if (list_length(call->args) != 2)
		PG_RETURN_POINTER(NULL);
	left = linitial(call->args);
	right = lsecond(call->args);
	if (!bind_sides(&left, &right, false))
		PG_RETURN_POINTER(NULL);

	/*
	 * The column first, as index conditions have it: a clause that is found
	 * again among these is not evaluated a second time.
	 */
	if (left != linitial(call->args))
	{
		Node	   *probe = left;

		left = right;
		right = probe;
	}
	name = get_func_name(call->funcid);
	negated = name != NULL && strcmp(name, "ne") == 0;
	result = (OpExpr *) make_opclause(objects.equal[negated], BOOLOID, false,
									  (Expr *) left, (Expr *) right,
									  InvalidOid, InvalidOid);
	set_opfuncid(result);
	PG_RETURN_POINTER(result);
}
