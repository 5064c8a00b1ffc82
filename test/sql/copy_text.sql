-- COPY in its text forms: plaintext goes in and is sealed, and comes out sealed.
SET themis_crypt.sealed_input = on;
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_key2 FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (id int, v encrypted(regress_key), n encrypted(regress_key, numeric) DEFAULT 7);

COPY t FROM stdin;
1	plain	1.50
2	\N	\N
3		0
4	tab\tand\\backslash	-1
\.
COPY t (id, v) FROM stdin (FORMAT csv, NULL 'none');
5,"quoted, ""v"""
6,none
7,""
8,
\.
COPY t FROM stdin (FORMAT csv, FORCE_NULL (v), HEADER) WHERE id = 10;
id,v,n
9,left out,1
10,"",1
\.
SELECT id, v IS NULL AS is_null, v::text, n::numeric FROM t ORDER BY id;

-- out: sealed, and back
SET themis_crypt.client_output = 'plaintext';
COPY t TO stdout \g results/copy_text.data
COPY (SELECT * FROM t) TO stdout (FORMAT csv) \g results/copy_text.csv
RESET themis_crypt.client_output;
CREATE TABLE t2 (LIKE t);
\copy t2 from 'results/copy_text.data'
\copy t2 from 'results/copy_text.csv' (format csv)
SELECT t.id, count(*), count(t2.v) AS v, bool_and(t.v::text = t2.v::text) AS same,
	bool_and(themis_crypt.encrypted_out(t.v)::text = themis_crypt.encrypted_out(t2.v)::text) AS same_bytes,
	bool_and(t.n::text = t2.n::text) AS same_n
	FROM t JOIN t2 USING (id) GROUP BY id ORDER BY id;
CREATE TABLE lines (line text);
\copy lines from 'results/copy_text.csv' (delimiter E'\x01')
SELECT count(*) AS lines, count(*) FILTER (WHERE line ~ 'plain|quoted|1\.50') AS with_plaintext,
	count(*) FILTER (WHERE line ~ '^[0-9]+,(tc1:[A-Za-z0-9_-]+)?,(tc1:[A-Za-z0-9_-]+)?$') AS sealed FROM lines;
\copy lines from 'results/copy_text.data' (delimiter E'\x01')
SELECT count(*) AS lines, count(*) FILTER (WHERE line ~ 'plain|quoted|1\.50') AS with_plaintext FROM lines;

-- out as plaintext: by a cast
COPY (SELECT id, v::text, n::numeric FROM t ORDER BY id) TO stdout;

-- what cannot be taken in
COPY t FROM stdin;
20	x	not a number
\.
COPY t FROM stdin;
20	tc1:damaged	1
\.
CREATE TABLE t3 (v encrypted(regress_key2));
COPY (SELECT v FROM t WHERE id = 1) TO stdout \g results/copy_text.armor
\set SHOW_CONTEXT never
\copy t3 from 'results/copy_text.armor'

-- into a partition
CREATE TABLE part (id int, v encrypted(regress_key)) PARTITION BY LIST (id);
CREATE TABLE part1 (v encrypted(regress_key), id int);
ALTER TABLE part ATTACH PARTITION part1 FOR VALUES IN (1);
COPY part FROM stdin;
1	routed
\.
SELECT v::text FROM part1;

-- without USAGE
RESET ROLE;
CREATE ROLE regress_other;
GRANT USAGE ON SCHEMA regress_user TO regress_other;
GRANT ALL ON ALL TABLES IN SCHEMA regress_user TO regress_other;
SET ROLE regress_other;
COPY regress_user.t FROM stdin;
21	x	1
\.
COPY regress_user.t FROM stdin;
21	\N	\N
\.
\copy regress_user.t from 'results/copy_text.data'
COPY (SELECT v::text FROM regress_user.t) TO stdout;
COPY regress_user.t TO stdout \g results/copy_text.data2

RESET ROLE;
SET ROLE regress_user;
-- dropped columns, of tables with and without encrypted ones
CREATE TABLE dropped (a int, b int, v encrypted(regress_key));
CREATE TABLE dropped_plain (a int, b int);
ALTER TABLE dropped DROP a;
ALTER TABLE dropped_plain DROP a;
COPY dropped FROM stdin;
1	x
\.
COPY dropped_plain FROM stdin;
1
\.
SELECT b, v::text FROM dropped JOIN dropped_plain USING (b);

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key, regress_key2;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
DROP OWNED BY regress_other;
DROP ROLE regress_other;
