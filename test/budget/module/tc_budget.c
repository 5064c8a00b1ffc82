/*-------------------------------------------------------------------------
 *
 * tc_budget.c
 *	  Begin and end counting instructions, in a backend under callgrind.
 *
 * Elsewhere the requests do nothing.  Only for tests.
 *
 * test/budget/module/tc_budget.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <valgrind/callgrind.h>

#include "fmgr.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(budget_start);
PG_FUNCTION_INFO_V1(budget_stop);

/* budget_start(): whether there is a callgrind that counts from here on */
Datum
budget_start(PG_FUNCTION_ARGS)
{
	CALLGRIND_START_INSTRUMENTATION;
	CALLGRIND_ZERO_STATS;
	PG_RETURN_BOOL(RUNNING_ON_VALGRIND != 0);
}

/*
 * budget_stop(name): write what was counted to a file; name stands in it.  Goes
 * on, for callgrind would have to translate all code anew after a stop.
 */
Datum
budget_stop(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	CALLGRIND_DUMP_STATS_AT(name);
	pfree(name);
	PG_RETURN_VOID();
}
