-- Medians, and ratios to the plain column and to the floor of the same work: by
-- the clock, and by the time that the backend was on a CPU.
CREATE TEMP VIEW m AS
SELECT work, contender, percentile_cont(0.5) WITHIN GROUP (ORDER BY ns_per_row) AS ns,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY cpu_per_row) AS cpu
  FROM result GROUP BY work, contender;

SELECT work, contender, round(ns::numeric) AS "ns/row",
       round((ns / max(ns) FILTER (WHERE contender = 'plain') OVER w)::numeric, 2) AS "x plain",
       round((ns / max(ns) FILTER (WHERE contender = 'floor') OVER w)::numeric, 2) AS "x floor",
       round(cpu::numeric) AS "CPU ns/row",
       round((cpu / nullif(max(cpu) FILTER (WHERE contender = 'plain') OVER w, 0))::numeric, 2) AS "CPU x plain",
       round((cpu / nullif(max(cpu) FILTER (WHERE contender = 'floor') OVER w, 0))::numeric, 2) AS "CPU x floor"
  FROM m WINDOW w AS (PARTITION BY work)
 ORDER BY work, ns;

SELECT exists(SELECT FROM m WHERE work LIKE 'parallel%') AS parallel,
       exists(SELECT FROM m WHERE work LIKE 'lookup,%') AS lookups,
       to_regclass('size') IS NOT NULL AS sizes \gset
\if :parallel
\qecho
SELECT contender,
       round((max(ns) FILTER (WHERE work = 'parallel 0') / max(ns) FILTER (WHERE work = 'parallel 2'))::numeric, 2)
         AS "two workers plus leader: times the serial plan"
  FROM m WHERE work LIKE 'parallel%' GROUP BY contender;
\endif
\if :lookups
\qecho
SELECT work, contender, round((1e9 / ns)::numeric) AS "TPS",
       round((max(ns) FILTER (WHERE contender = 'plain') OVER (PARTITION BY work) / ns)::numeric, 3) AS "of plain"
  FROM m WHERE work LIKE 'lookup,%' ORDER BY work, ns;
\endif
\if :sizes
\qecho
SELECT contender, round(bytes::numeric / rows, 1) AS "table, bytes/row",
       round(btree::numeric / rows, 1) AS "btree, bytes/entry", round(hash::numeric / rows, 1) AS "hash, bytes/entry"
  FROM size ORDER BY btree;
\endif
