/*-------------------------------------------------------------------------
 *
 * typanalyze.c
 *	  ANALYZE of encrypted columns, with no key.
 *
 * Of a searchable column the most-common values are kept, sealed as they are,
 * with their frequencies; a histogram and a correlation would be about the
 * order of tokens, which nobody asks for.  Values of other columns are never
 * equal: only NULLs and widths are counted.
 *
 * src/typanalyze.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_statistic.h"
#include "commands/vacuum.h"
#include "fmgr.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "typmod.h"

/* What std_typanalyze() had set up, while our function is in its place. */
typedef struct StandardAnalysis
{
	AnalyzeAttrComputeStatsFunc compute_stats;
	void	   *extra_data;
} StandardAnalysis;

static void
clear_slot(VacAttrStats *stats, int slot)
{
	stats->stakind[slot] = 0;
	stats->staop[slot] = InvalidOid;
	stats->stacoll[slot] = InvalidOid;
	stats->numnumbers[slot] = 0;
	stats->stanumbers[slot] = NULL;
	stats->numvalues[slot] = 0;
	stats->stavalues[slot] = NULL;
}

static void
compute_searchable(VacAttrStats *stats, AnalyzeAttrFetchFunc fetch,
				   int samplerows, double totalrows)
{
	StandardAnalysis *standard = stats->extra_data;

	stats->extra_data = standard->extra_data;
	standard->compute_stats(stats, fetch, samplerows, totalrows);
	stats->extra_data = standard;
	for (int slot = 0; slot < STATISTIC_NUM_SLOTS; slot++)
	{
		if (stats->stakind[slot] != STATISTIC_KIND_MCV)
			clear_slot(stats, slot);
	}
}

static void
compute_unsearchable(VacAttrStats *stats, AnalyzeAttrFetchFunc fetch,
					 int samplerows, double totalrows)
{
	int			nulls = 0;
	double		width = 0;

	for (int row = 0; row < samplerows; row++)
	{
		bool		isnull;
		Datum		value = fetch(stats, row, &isnull);

		vacuum_delay_point_of_analyze();
		if (isnull)
			nulls++;
		else
			width += VARSIZE_ANY(DatumGetPointer(value));
	}
	if (samplerows == 0)
		return;
	stats->stats_valid = true;
	stats->stanullfrac = (float4) nulls / (float4) samplerows;
	stats->stawidth = nulls < samplerows ?
		(int32) (width / (samplerows - nulls)) : 0;

	/* 0 = not known, as PostgreSQL has it for a column of NULLs */
	stats->stadistinct = nulls < samplerows ? stats->stanullfrac - 1.0f : 0.0f;
}

PG_FUNCTION_INFO_V1(themis_crypt_typanalyze);

/* See CREATE TYPE, analyze_function. */
Datum
themis_crypt_typanalyze(PG_FUNCTION_ARGS)
{
	VacAttrStats *stats = (VacAttrStats *) PG_GETARG_POINTER(0);
	int32		typmod = stats->attrtypmod;
	StandardAnalysis *standard;

	if (!std_typanalyze(stats))
		PG_RETURN_BOOL(false);

	/* a domain has the modifier itself */
	(void) getBaseTypeAndTypmod(stats->attrtypid, &typmod);
	if (typmod < 0 || tc_typmod_search(typmod) != TC_SEARCH_EQUAL)
	{
		stats->compute_stats = compute_unsearchable;
		PG_RETURN_BOOL(true);
	}
	standard = palloc(sizeof(StandardAnalysis));
	standard->compute_stats = stats->compute_stats;
	standard->extra_data = stats->extra_data;
	stats->compute_stats = compute_searchable;
	stats->extra_data = standard;
	PG_RETURN_BOOL(true);
}
