# Goal of this test: statements that write do the same with searchable columns as
# with a plain twin: uniqueness, ON CONFLICT, MERGE, foreign keys, exclusion,
# deferred constraints, partitions, triggers, and functions of all kinds.
use strict;
use warnings;
use ThemisTwin;
use Test::More;

my $twin = ThemisTwin->new(extra => <<'END');
CREATE TABLE par (t @text@ PRIMARY KEY, n @numeric@ UNIQUE, u @uuid@, k int, UNIQUE (t, u));
CREATE TABLE chi (id int PRIMARY KEY,
	cas @text@ REFERENCES par ON DELETE CASCADE ON UPDATE CASCADE,
	nul @text@ REFERENCES par ON DELETE SET NULL ON UPDATE CASCADE,
	def @text@ DEFAULT 'p0'::text REFERENCES par ON DELETE SET DEFAULT ON UPDATE CASCADE,
	res @text@ REFERENCES par ON DELETE RESTRICT,
	num @numeric@ REFERENCES par (n) ON UPDATE CASCADE,
	late @text@ REFERENCES par DEFERRABLE INITIALLY DEFERRED,
	t2 @text@, u2 @uuid@, FOREIGN KEY (t2, u2) REFERENCES par (t, u) MATCH FULL);
INSERT INTO par SELECT 'p' || i, i * 1.5, ('00000000-0000-0000-0000-0000000000' || lpad(i::text, 2, '0'))::uuid, i FROM generate_series(0, 9) AS i;
INSERT INTO chi SELECT i, 'p' || i % 3, 'p' || 3 + i % 2, 'p' || 5 + i % 2, 'p7', CASE WHEN i < 7 THEN i * 1.50 END, 'p8', 'p9', '00000000-0000-0000-0000-000000000009' FROM generate_series(1, 9) AS i;
INSERT INTO chi (id, def) VALUES (20, NULL);
CREATE TABLE ex (id int, t @text@, l @text@, EXCLUDE USING hash (l WITH =), CONSTRAINT later UNIQUE (t) DEFERRABLE INITIALLY IMMEDIATE);
INSERT INTO ex VALUES (1, 'a', repeat('x', 5000)), (2, 'b', repeat('y', 5000)), (3, NULL, NULL), (4, NULL, NULL);
CREATE TABLE ck (id int, t @text@ CHECK (t <> 'forbidden'::text), n @numeric@, CHECK (n IS DISTINCT FROM 0::numeric OR t IN ('a'::text, 'b'::text)));
CREATE TABLE nn (id int, t @text@, UNIQUE NULLS NOT DISTINCT (t));
INSERT INTO nn VALUES (1, NULL), (2, '');
CREATE TABLE part (id int, t @text@, n @numeric@, PRIMARY KEY (id, t), UNIQUE (t, id)) PARTITION BY HASH (t);
CREATE TABLE part0 PARTITION OF part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part1 PARTITION OF part FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO part SELECT i, 'v' || i % 7, i FROM generate_series(1, 50) AS i;
CREATE TABLE few (t @text@, k int) PARTITION BY LIST (t);
CREATE TABLE few_ab PARTITION OF few FOR VALUES IN ('a', 'b');
CREATE TABLE few_c PARTITION OF few FOR VALUES IN ('c', NULL);
INSERT INTO few VALUES ('a', 1), ('b', 2), ('c', 3), (NULL, 4), ('a', 5);
CREATE TABLE audit (what text, id int);
CREATE TABLE tr (id int PRIMARY KEY, t @text@, n @numeric@, k int);
INSERT INTO tr SELECT i, 'v' || i % 4, i % 3, i FROM generate_series(1, 12) AS i;
CREATE FUNCTION tr_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.t IS DISTINCT FROM OLD.t THEN
		INSERT INTO audit VALUES ('t', NEW.id);
	END IF;
	IF NEW.n <> OLD.n THEN
		INSERT INTO audit VALUES ('n', NEW.id);
	END IF;
	IF NEW.t = 'v2' OR NEW.t IN ('v3', 'v9') THEN
		INSERT INTO audit VALUES ('v', NEW.id);
	END IF;
	IF NEW IS DISTINCT FROM OLD THEN
		INSERT INTO audit VALUES ('row', NEW.id);
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER tr_row BEFORE UPDATE ON tr FOR EACH ROW EXECUTE FUNCTION tr_row();
CREATE FUNCTION tr_when() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES ('when', NEW.id); RETURN NULL; END $$;
CREATE TRIGGER tr_when AFTER UPDATE ON tr FOR EACH ROW WHEN (OLD.t IS DISTINCT FROM NEW.t AND OLD.n = NEW.n) EXECUTE FUNCTION tr_when();
CREATE FUNCTION tr_stm() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO audit SELECT 'stm', n.id FROM news n JOIN olds o ON n.t = o.t AND n.id = o.id;
	RETURN NULL;
END $$;
CREATE TRIGGER tr_stm AFTER UPDATE ON tr REFERENCING OLD TABLE AS olds NEW TABLE AS news FOR EACH STATEMENT EXECUTE FUNCTION tr_stm();
CREATE FUNCTION by_text(x text) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT id FROM a WHERE t = x';
CREATE FUNCTION by_list(x text[]) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT id FROM a WHERE t = ANY (x)';
CREATE FUNCTION by_other(x text) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT id FROM a WHERE t IS NOT DISTINCT FROM x OR NULLIF(dom, x) IS NULL';
CREATE FUNCTION by_atomic(x text) RETURNS SETOF int LANGUAGE sql STABLE BEGIN ATOMIC SELECT id FROM a WHERE t = x OR t IN (x, x || 'x'); END;
CREATE FUNCTION by_sealed(x @text@) RETURNS SETOF int LANGUAGE sql STABLE AS $$ SELECT id FROM a WHERE t = x::@text@ $$;
CREATE FUNCTION is_it(x @text@, y text) RETURNS bool LANGUAGE sql IMMUTABLE AS $$ SELECT x::@text@ = y $$;
CREATE FUNCTION how_many(x text) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT count(*) FROM a WHERE t = x';
CREATE FUNCTION by_num(x numeric) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT id FROM a WHERE n IN (x, x + 1) GROUP BY id, n';
CREATE FUNCTION in_plpgsql(x text, y numeric) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	own @text@ := x;
	col a.t%TYPE := x;
	loose @text@;
	r a%ROWTYPE;
	rec record;
	ids int[];
	c CURSOR (v text) FOR SELECT id FROM a WHERE t = v ORDER BY id;
BEGIN
	RETURN QUERY SELECT 'own ' || id FROM a WHERE t = own;
	RETURN QUERY SELECT 'col ' || id FROM a WHERE col = t;
	RETURN QUERY SELECT 'x ' || id FROM a WHERE t = x AND n <> y;
	RETURN QUERY SELECT 'list ' || id FROM a WHERE t = ANY (ARRAY[x, 'ä']) OR n IN (y, 100);
	RETURN QUERY EXECUTE 'SELECT ''using '' || id FROM a WHERE t = $1 OR n = $2' USING x, y;
	RETURN QUERY EXECUTE format('SELECT ''format '' || id FROM a WHERE t = %L', x);
	FOR rec IN SELECT id, t, n FROM a WHERE t IN (x, 'A') LOOP
		IF rec.t = own THEN
			RETURN NEXT 'loop ' || rec.id;
		END IF;
		IF rec.t = x AND rec.t IS DISTINCT FROM 'A' THEN
			RETURN NEXT 'plain ' || rec.id;
		END IF;
	END LOOP;
	FOR rec IN c (x) LOOP
		RETURN NEXT 'cursor ' || rec.id;
	END LOOP;
	SELECT * INTO r FROM a WHERE t = x ORDER BY id LIMIT 1;
	IF r.t = col AND r.t = x AND own = col THEN
		RETURN NEXT 'row ' || r.id;
	END IF;
	loose := r.t;
	RETURN QUERY SELECT 'loose ' || id FROM a WHERE t = loose AND id < 100;
	CASE own WHEN 'a' THEN RETURN NEXT 'case a'; WHEN 'ä' THEN RETURN NEXT 'case ä'; ELSE RETURN NEXT 'case else'; END CASE;
	IF own = 'a' OR own IN ('b', 'ä') OR (own <> 'c') IS NULL THEN
		RETURN NEXT 'if';
	END IF;
	WHILE own = x LOOP
		own := x || '!';
	END LOOP;
	PERFORM FROM a WHERE t = own;
	RETURN NEXT found::text;
	SELECT array_agg(id) INTO ids FROM a WHERE t = (SELECT b.t FROM b WHERE b.t = x LIMIT 1);
	RETURN NEXT cardinality(ids)::text;
END $$;
END

my $uq = 'SELECT id, t::text, n::numeric, k FROM uq';
my ($some, $other) = map { "'$twin->{pool}{text}[$_]'" } 20, 25;

# One table with a unique column.
$twin->add($_) for "INSERT INTO uq VALUES (500, 'a')", "INSERT INTO uq VALUES (500, 'a'::text)",
	"INSERT INTO uq SELECT 500 + id, t FROM p WHERE t = 'a'", "UPDATE uq SET t = 'a' WHERE t = 'A'",
	"UPDATE uq SET t = 'a' WHERE t = 'a' RETURNING id",
	"INSERT INTO nn VALUES (3, NULL)", "INSERT INTO nn VALUES (3, '')", "RESET ROLE; CREATE UNIQUE INDEX ON a (t)",
	"RESET ROLE; ALTER TABLE b ADD UNIQUE (t)";
$twin->add($_, $uq) for
	"INSERT INTO uq VALUES (500, 'new', '1.0', 1) RETURNING id, t = 'new', n = 1",
	"INSERT INTO uq VALUES (500, 'a', 1, 1), (501, 'fresh', 2, 2) ON CONFLICT DO NOTHING RETURNING id",
	"INSERT INTO uq VALUES (500, 'a'), (501, 'a '), (502, 'b?'), (503, NULL) ON CONFLICT (t) DO NOTHING",
	"INSERT INTO uq AS u VALUES (500, 'a', 7, 7), (501, 'other', 8, 8) ON CONFLICT (t) DO UPDATE SET n = excluded.n, k = u.k + 100 RETURNING id",
	"INSERT INTO uq AS u VALUES (500, 'a', 7, 7) ON CONFLICT (t) DO UPDATE SET n = excluded.n WHERE u.t = excluded.t AND u.n IS DISTINCT FROM excluded.n RETURNING u.id",
	"INSERT INTO uq VALUES (500, 'a', 7, 7) ON CONFLICT (t) DO UPDATE SET t = 'ab' WHERE uq.t = 'a'",
	"INSERT INTO uq VALUES (500, 'a', 7), (501, 'a', 8) ON CONFLICT (t) DO UPDATE SET n = excluded.n",
	"INSERT INTO uq SELECT min(id) + 2000, t, min(n::numeric), min(k) FROM b GROUP BY t ON CONFLICT (t) DO UPDATE SET k = 77",
	"INSERT INTO uq SELECT id + 2000, t FROM p ON CONFLICT ON CONSTRAINT uq_t_key DO NOTHING",
	"UPDATE uq SET k = 9 WHERE t = 'a' RETURNING id, k, t::text", "UPDATE uq SET k = 9 WHERE t IN ('a', 'ä', $some) RETURNING id",
	"UPDATE uq SET k = 9, n = 3 WHERE t <> $some AND n = 1", "UPDATE uq SET n = CASE t WHEN 'a' THEN 1 WHEN $some THEN 2 ELSE 3 END",
	"UPDATE uq SET k = b.id FROM (SELECT t, min(id) AS id FROM b GROUP BY t) b WHERE b.t = uq.t", "UPDATE uq SET t = p.t FROM p WHERE uq.t = p.t",
	"UPDATE uq SET k = p.id FROM (SELECT t, max(id) AS id FROM p GROUP BY t) p WHERE p.t = uq.t RETURNING uq.id",
	"UPDATE uq SET (t, n) = (SELECT 'x' || id::text, 5) WHERE t = 'a'", "UPDATE uq SET t = NULLIF(t, 'a')",
	"UPDATE uq SET n = b.n FROM b WHERE b.id = uq.id",
	"UPDATE uq SET k = (SELECT count(*) FROM a WHERE a.t = uq.t)", "DELETE FROM uq WHERE t = 'a' RETURNING id, t::text",
	"DELETE FROM uq WHERE t = ANY (ARRAY['a', 'A', $other]) RETURNING id", "DELETE FROM uq USING b WHERE b.t = uq.t RETURNING uq.id",
	"DELETE FROM uq USING p WHERE p.t = uq.t", "DELETE FROM uq WHERE t NOT IN (SELECT t FROM b WHERE t IS NOT NULL)",
	"DELETE FROM uq WHERE EXISTS (SELECT FROM a WHERE a.t = uq.t AND a.n = uq.n)", "DELETE FROM uq WHERE t IS NULL OR n IS DISTINCT FROM 1",
	"WITH gone AS (DELETE FROM uq WHERE t IN ('a', 'A') RETURNING *) INSERT INTO uq SELECT id + 3000, t, n, k FROM gone",
	"WITH d AS (DELETE FROM uq WHERE n = 1 RETURNING t) SELECT count(*) FROM a WHERE t IN (SELECT t FROM d)",
	"MERGE INTO uq USING (SELECT t, min(id) AS id FROM b GROUP BY t) s ON uq.t = s.t WHEN MATCHED AND uq.t = 'a' THEN DELETE WHEN MATCHED THEN UPDATE SET k = s.id WHEN NOT MATCHED THEN INSERT VALUES (4000 + s.id, s.t, 1, 1)",
	"MERGE INTO uq USING p ON uq.t = p.t AND p.id < 0 WHEN MATCHED THEN UPDATE SET k = 1 WHEN NOT MATCHED AND p.t = 'nothing' THEN INSERT VALUES (1, p.t)",
	"MERGE INTO uq USING (VALUES ('a', 1), ('brand new', 2)) v(t, k) ON uq.t = v.t WHEN MATCHED THEN UPDATE SET k = v.k + 50 WHEN NOT MATCHED THEN INSERT (id, t, k) VALUES (5000, v.t, v.k)",
	"MERGE INTO uq USING (SELECT 'a'::text AS t) v ON v.t = uq.t WHEN MATCHED AND uq.n IS DISTINCT FROM 1 THEN UPDATE SET t = 'merged' WHEN MATCHED THEN DO NOTHING",
	"TRUNCATE uq";
for my $mode ('force_custom_plan', 'force_generic_plan')
{
	my $set = ["plan_cache_mode = $mode"];
	$twin->add($set, "PREPARE q AS UPDATE uq SET k = \$2 WHERE t = \$1 RETURNING id", map({ "EXECUTE q($_, 42)" } "'a'", $some, "'absent'", 'NULL'),
		$uq);
	$twin->add($set, "PREPARE q AS INSERT INTO uq VALUES (\$1, \$2, \$3, \$4) ON CONFLICT (t) DO UPDATE SET k = excluded.k RETURNING id",
		"EXECUTE q(600, 'a', 1, 11)", "EXECUTE q(601, 'a', 2, 12)", "EXECUTE q(602, 'aha', 2, 12)", $uq);
	$twin->add($set, "PREPARE q(text, numeric) AS DELETE FROM uq WHERE t = \$1 OR n = \$2", "EXECUTE q('a', 1)", "EXECUTE q('A', 0.10)", $uq);
}

# Foreign keys, both ends.
my $fk = 'SELECT id, cas::text, nul::text, def::text, res::text, num::numeric, late::text, t2::text, u2::uuid FROM chi';
$twin->add($_, $fk, 'SELECT t::text, n::numeric, k FROM par') for
	"DELETE FROM par WHERE t = 'p1'", "DELETE FROM par WHERE t = 'p3'", "DELETE FROM par WHERE t = 'p5'", "DELETE FROM par WHERE t = 'p7'",
	"DELETE FROM par WHERE t = 'p0'", "DELETE FROM par WHERE k = 9", "DELETE FROM par", "UPDATE par SET t = 'q1' WHERE t = 'p1'",
	"UPDATE par SET t = 'q3' WHERE t = 'p3'", "UPDATE par SET t = 'q5' WHERE t = 'p5'", "UPDATE par SET t = 'q7' WHERE t = 'p7'",
	"UPDATE par SET t = 'q9' WHERE t = 'p9'",
	"UPDATE par SET t = t", "UPDATE par SET t = t::text", "UPDATE par SET n = n::numeric * 1.00",
	"UPDATE par SET n = n::numeric + 100 WHERE n IN (1.5, 3)", "UPDATE par SET u = NULL WHERE t = 'p9'",
	"INSERT INTO chi (id, cas) VALUES (30, 'p2'), (31, 'absent')", "INSERT INTO chi (id, cas) VALUES (30, 'p2'), (31, NULL)",
	"INSERT INTO chi (id, num) VALUES (30, '1.50000')", "INSERT INTO chi (id, num) VALUES (30, 1.51)",
	"INSERT INTO chi (id, def, t2) VALUES (30, NULL, 'p9')",
	"INSERT INTO chi (id, t2, u2) VALUES (30, 'p9', '00000000-0000-0000-0000-000000000008')", "UPDATE chi SET cas = 'absent' WHERE id = 3",
	"UPDATE chi SET cas = nul", "UPDATE chi SET num = NULL, cas = 'p' || id", "INSERT INTO chi (id, cas) SELECT 40 + id, t FROM uq",
	"INSERT INTO chi (id, cas) SELECT 40 + k, t FROM par WHERE t IN ('p1', 'p2')", "RESET ROLE; ALTER TABLE uq ADD FOREIGN KEY (t) REFERENCES par",
	"TRUNCATE par CASCADE";
$twin->add("INSERT INTO chi (id, late) VALUES (30, 'later')", "INSERT INTO par VALUES ('later')", 'SET CONSTRAINTS ALL IMMEDIATE', $fk);
$twin->add("INSERT INTO chi (id, late) VALUES (30, 'later')", 'SELECT 1', 'SET CONSTRAINTS ALL IMMEDIATE', $fk);
$twin->add("DELETE FROM par WHERE t = 'p8'", "INSERT INTO par VALUES ('p8')", 'SET CONSTRAINTS ALL IMMEDIATE', $fk);
$twin->add("DELETE FROM par WHERE t = 'p8'", 'SET CONSTRAINTS ALL IMMEDIATE', $fk);

# Exclusion, and uniqueness that is checked later.
my $ex = 'SELECT id, t::text, md5(l::text) FROM ex';
$twin->add($_, $ex) for "INSERT INTO ex VALUES (5, 'c', repeat('x', 5000))", "INSERT INTO ex VALUES (5, 'c', repeat('x', 5001))",
	"INSERT INTO ex VALUES (5, 'c', repeat('x', 5000)) ON CONFLICT DO NOTHING", "INSERT INTO ex VALUES (5, 'a', 'z')",
	"UPDATE ex SET l = repeat('y', 5000) WHERE id = 1", "UPDATE ex SET l = l",
	"UPDATE ex SET t = CASE t WHEN 'a' THEN 'b' ELSE 'a' END::text WHERE id < 3";
$twin->add('SET CONSTRAINTS later DEFERRED', "UPDATE ex SET t = 'b' WHERE id = 1", "UPDATE ex SET t = 'a' WHERE id = 2",
	'SET CONSTRAINTS later IMMEDIATE', $ex);
$twin->add('SET CONSTRAINTS later DEFERRED', "UPDATE ex SET t = 'b' WHERE id = 1", 'SET CONSTRAINTS later IMMEDIATE', $ex);

# Checks
$twin->add($_, 'SELECT id, t::text, n::numeric FROM ck') for "INSERT INTO ck VALUES (1, 'forbidden', 1)",
	"INSERT INTO ck VALUES (1, 'allowed', 1), (2, NULL, NULL)", "INSERT INTO ck VALUES (1, 'a', 0), (2, 'b', 0.00)",
	"INSERT INTO ck VALUES (1, 'c', 0.0)", "INSERT INTO ck VALUES (1, 'a', 0)" . q(; UPDATE ck SET t = 'c');

# Rows find their partition, and move.
$twin->add($_, 'SELECT id, t::text, n::numeric FROM part') for "UPDATE part SET t = 'w' || id", "UPDATE part SET t = 'same' WHERE t IN ('v1', 'v2')",
	"DELETE FROM part WHERE t = 'v3'", "INSERT INTO part VALUES (1, 'v1')",
	"INSERT INTO part VALUES (1, 'v1', 5), (1, 'v8', 5) ON CONFLICT (t, id) DO UPDATE SET n = excluded.n",
	"INSERT INTO part SELECT 100 + id, t, n FROM b WHERE t IS NOT NULL", "UPDATE part SET n = 1 FROM b WHERE b.t = part.t",
	"MERGE INTO part USING (VALUES (1, 'v1'), (7, 'v8')) s(id, t) ON part.id = s.id AND part.t = s.t WHEN MATCHED THEN UPDATE SET t = 'moved' WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.t, 0)";
$twin->add($_, 'SELECT t::text, k, tableoid::regclass::text FROM few') for "SELECT 1", "UPDATE few SET t = 'c' WHERE t = 'a'",
	"UPDATE few SET t = NULL WHERE t = 'b'", "UPDATE few SET t = 'absent' WHERE t = 'b'", "INSERT INTO few VALUES ('a', 7), (NULL, 8), ('c', 9)",
	"INSERT INTO few VALUES ('d', 7)", "DELETE FROM few WHERE t IN ('a', 'c')", "INSERT INTO few SELECT t, id FROM p WHERE t = 'a'",
	"RESET ROLE; CREATE TABLE few_d PARTITION OF few FOR VALUES IN ('d', 'a')",
	"RESET ROLE; CREATE TABLE few_d PARTITION OF few DEFAULT; INSERT INTO few VALUES ('d', 7)",
	"DELETE FROM few_ab; INSERT INTO few_ab VALUES ('c', 1)",
	"RESET ROLE; ALTER TABLE few DETACH PARTITION few_ab; ALTER TABLE few ATTACH PARTITION few_ab FOR VALUES IN ('a')",
	"RESET ROLE; ALTER TABLE few DETACH PARTITION few_ab; ALTER TABLE few ATTACH PARTITION few_ab FOR VALUES IN ('a', 'b')";

# Triggers
$twin->add($_, 'SELECT * FROM audit', 'SELECT id, t::text, n::numeric, k FROM tr') for "UPDATE tr SET t = t", "UPDATE tr SET t = t::text",
	"UPDATE tr SET n = n::numeric * 1.0", "UPDATE tr SET t = 'v2' WHERE id < 6", "UPDATE tr SET t = 'v2', n = 1",
	"UPDATE tr SET n = NULL WHERE t = 'v1'", "UPDATE tr SET k = k + 1";

# Functions
for my $x ("'a'", "'ä'", "''", "'absent'", 'NULL')
{
	$twin->add("SELECT * FROM $_") for "by_text($x)", "by_list(ARRAY[$x, 'A'])", "by_other($x)", "by_atomic($x)", "by_sealed($x)", "how_many($x)",
		"in_plpgsql($x, 1)", "in_plpgsql($x, NULL)", "a JOIN by_text($x) AS x ON a.id = x WHERE false";
	$twin->add("SELECT id, is_it(t, $x) FROM a", "SELECT id FROM a WHERE is_it(t, $x)",
		"SELECT id FROM b WHERE EXISTS (SELECT FROM by_text(b.t::text))", "SELECT p.id, f FROM p, by_text(p.t) AS f",
		"SELECT p.id, how_many(t) FROM p", "SELECT count(*) FROM a, by_atomic($x) AS x WHERE a.id = x AND a.t = $x");
}
$twin->add("SELECT * FROM by_num($_)") for 1, 0.1, 100, 'NULL';
$twin->compare('writing, constraints, triggers and functions');

# Views that can be written, copies of tables, and the same searches in them.
$twin->in($_, <<'END') for 'plain', 'sealed';
CREATE TABLE ctas AS SELECT * FROM a;
CREATE TABLE likea (LIKE a INCLUDING ALL);
INSERT INTO likea SELECT * FROM a;
CREATE TABLE heir () INHERITS (b);
INSERT INTO heir SELECT 1000 + id, k, t, n, i, u, d, l FROM b;
CREATE VIEW vu AS SELECT id, t, k FROM uq WHERE t <> 'a'::text WITH CHECK OPTION;
CREATE MATERIALIZED VIEW mv AS SELECT t, count(*) AS c FROM a GROUP BY t;
CREATE UNIQUE INDEX ON mv (t);
CREATE INDEX ON a (lower(k::text), t) WHERE t IS NOT NULL;
CREATE INDEX ON a (z) INCLUDE (n);
CREATE STATISTICS st (ndistinct, dependencies) ON t, k FROM a;
ALTER TABLE p ADD s @text@;
UPDATE p SET s = t;
CREATE INDEX ON p (s);
GRANT ALL ON ALL TABLES IN SCHEMA plain TO regress_twin;
GRANT ALL ON ALL TABLES IN SCHEMA sealed TO regress_twin;
CLUSTER b USING b_t_idx;
VACUUM FULL heir;
ANALYZE;
REINDEX TABLE a;
END
for my $table (qw(ctas likea b heir p))
{
	my $c = $table eq 'p' ? 's' : 't';
	$twin->add($_) for "SELECT id FROM $table WHERE $c = 'a'", "SELECT count(*) FROM $table GROUP BY $c",
		"SELECT count(*) FROM $table JOIN a ON a.t = $table.$c", "SELECT id FROM ONLY $table WHERE $c IN ('a', 'ä')";
}
$twin->add($_) for "SELECT count(*) FROM mv JOIN a USING (t)", "SELECT c FROM mv WHERE t = 'a'",
	"SELECT count(*) FROM a WHERE lower(k::text) = '3' AND t = 'a'", "SELECT n::numeric FROM a WHERE z = 'z2'", "SELECT id FROM p WHERE s = t",
	"SELECT id FROM p WHERE t <> s", "UPDATE vu SET t = 'a' WHERE t = 'A'", "UPDATE vu SET k = 3 WHERE t = 'A' RETURNING id",
	"INSERT INTO vu VALUES (700, 'a'), (701, 'ok')", "DELETE FROM vu WHERE t IN ('a', 'A') RETURNING id";
$twin->compare('copies, views that are written, other indexes');
cmp_ok($twin->total, '>', 150, 'cases in all: ' . $twin->total);
done_testing();
