-- One benchmark's tables: medians and quartiles, and ratios to the plain column
-- and to the floor of the same work, each taken within a round.
CREATE TEMP VIEW r AS
SELECT *, replace(work, '%', coalesce(x::text, '')) AS what FROM result WHERE part = :'part';

-- The floor with the same words behind its name, as many of them as there are.
CREATE TEMP TABLE floor_of AS
SELECT DISTINCT ON (what, contender) c.what, c.contender, f.contender AS floor
  FROM (SELECT DISTINCT what, contender FROM r) AS c
  JOIN (SELECT DISTINCT what, contender FROM r) AS f USING (what)
 WHERE f.contender ~ '^floor(,|$)'
   AND (string_to_array(f.contender, ', '))[2:] <@ (string_to_array(c.contender, ', '))[2:]
 ORDER BY what, contender, cardinality(string_to_array(f.contender, ', ')) DESC;

CREATE TEMP VIEW ratio AS
SELECT r.*, r.ns / p.ns AS to_plain, CASE WHEN r.contender !~ '^floor' THEN r.ns / f.ns END AS to_floor, r.cpu / nullif(p.cpu, 0) AS cpu_to_plain,
       CASE WHEN r.contender !~ '^floor' THEN r.cpu / nullif(f.cpu, 0) END AS cpu_to_floor
  FROM r LEFT JOIN floor_of USING (what, contender)
  LEFT JOIN r AS p ON p.what = r.what AND p.round = r.round AND p.contender = 'plain'
  LEFT JOIN r AS f ON f.what = r.what AND f.round = r.round AND f.contender = floor;

CREATE FUNCTION pg_temp.figure(float8, digits int) RETURNS text LANGUAGE sql AS
  $$ SELECT round($1::numeric, digits)::text $$;
CREATE FUNCTION pg_temp.quartiles(float8[], digits int) RETURNS text LANGUAGE sql AS
  $$ SELECT format('%s [%s %s]', round($1[2]::numeric, digits), round($1[1]::numeric, digits), round($1[3]::numeric, digits))
      WHERE $1[2] IS NOT NULL $$;

CREATE TEMP TABLE m AS
SELECT kind, what, contender, min(id) AS id, work, x,
       percentile_cont('{0.25,0.5,0.75}'::float8[]) WITHIN GROUP (ORDER BY ns) AS ns,
       percentile_cont('{0.25,0.5,0.75}'::float8[]) WITHIN GROUP (ORDER BY to_plain) AS to_plain,
       percentile_cont('{0.25,0.5,0.75}'::float8[]) WITHIN GROUP (ORDER BY 1 / to_plain) AS of_plain,
       percentile_cont('{0.25,0.5,0.75}'::float8[]) WITHIN GROUP (ORDER BY to_floor) AS to_floor,
       percentile_cont('{0.25,0.5,0.75}'::float8[]) WITHIN GROUP (ORDER BY 1e9 / ns) AS tps,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY cpu) AS cpu,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY cpu_to_plain) AS cpu_to_plain,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY cpu_to_floor) AS cpu_to_floor
  FROM ratio GROUP BY kind, what, contender, work, x;

SELECT coalesce(bool_or(kind = 'row'), false) AS by_row, coalesce(bool_or(kind = 'transaction'), false) AS by_transaction,
       coalesce(bool_or(kind = 'once'), false) AS once, to_regclass('table_' || :'part') IS NOT NULL AS others, 'table_' || :'part' AS tab FROM m \gset
\if :by_row
\set ns 'ns/' :per
\set cpu_ns 'CPU ns/' :per
SELECT what AS work, contender, pg_temp.quartiles(ns, 0) AS :"ns", pg_temp.quartiles(to_plain, 2) AS "x plain",
       pg_temp.quartiles(to_floor, 2) AS "x floor", round(cpu::numeric) AS :"cpu_ns",
       round(cpu_to_plain::numeric, 2) AS "CPU x plain", round(cpu_to_floor::numeric, 2) AS "CPU x floor"
  FROM m WHERE kind = 'row' ORDER BY min(id) OVER (PARTITION BY work), x, ns[2];
\endif
\if :by_transaction
\qecho
SELECT what AS work, contender, pg_temp.quartiles(tps, 0) AS "TPS", pg_temp.quartiles(of_plain, 3) AS "TPS, of plain"
  FROM m WHERE kind = 'transaction' ORDER BY min(id) OVER (PARTITION BY work), x, ns[2];
\endif
\if :once
\qecho
SELECT what AS work, contender, pg_temp.quartiles(ARRAY[ns[1] / 1e3, ns[2] / 1e3, ns[3] / 1e3], 1) AS microseconds
  FROM m WHERE kind = 'once' ORDER BY min(id) OVER (PARTITION BY work), x, ns[2];
\endif
\if :others
\qecho
TABLE :"tab";
\endif

-- For the plots.
CREATE TABLE IF NOT EXISTS plotted (kind text, what text, contender text, work text, x float8, n float8[], id int);
TRUNCATE plotted;
INSERT INTO plotted
  SELECT kind, what, contender, work, x,
         CASE kind WHEN 'row' THEN CASE WHEN x IS NULL THEN to_plain ELSE ns END
                   WHEN 'transaction' THEN of_plain ELSE ns END, id
    FROM m;
