-- Medians, and ratios to the plain column and to the floor of the same work.
WITH m AS (
  SELECT work, contender, percentile_cont(0.5) WITHIN GROUP (ORDER BY ns_per_row) AS ns
    FROM result GROUP BY work, contender)
SELECT work, contender, round(ns::numeric) AS "ns/row",
       round((ns / max(ns) FILTER (WHERE contender = 'plain') OVER w)::numeric, 2) AS "x plain",
       round((ns / max(ns) FILTER (WHERE contender = 'floor') OVER w)::numeric, 2) AS "x floor"
  FROM m WINDOW w AS (PARTITION BY work)
 ORDER BY work, ns;
SELECT contender,
       round((max(ns) FILTER (WHERE work = 'parallel 0') / max(ns) FILTER (WHERE work = 'parallel 2'))::numeric, 2)
         AS "two workers plus leader: times the serial plan"
  FROM (SELECT work, contender, percentile_cont(0.5) WITHIN GROUP (ORDER BY ns_per_row) AS ns
          FROM result WHERE work LIKE 'parallel%' GROUP BY work, contender) AS m
 GROUP BY contender;
