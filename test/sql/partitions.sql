-- Partitions, inheritance, LIKE: one column, one key.
CREATE ROLE regress_user;
CREATE SCHEMA AUTHORIZATION regress_user;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_user;
SET ROLE regress_user;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE SERVER regress_key2 FOREIGN DATA WRAPPER themis_crypt;

-- routing, with columns in another order
CREATE TABLE p (id int, v encrypted(regress_key), n encrypted(regress_key, int4)) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (10);
CREATE TABLE p2 (n encrypted(regress_key, int4), dropped int, v encrypted(regress_key), id int);
ALTER TABLE p2 DROP dropped;
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20);
CREATE TABLE p3 PARTITION OF p DEFAULT PARTITION BY LIST (id);
CREATE TABLE p31 PARTITION OF p3 DEFAULT;
INSERT INTO p VALUES (1, 'first', 1), (10, 'second', '10'), (20, 'third'::text, 20);
INSERT INTO p2 (id, v) VALUES (11, 'direct');
SELECT tableoid::regclass, id, v::text, n::int4 FROM p ORDER BY id;
-- rows that move keep their value as it is
CREATE TABLE before AS SELECT themis_crypt.encrypted_out(v)::text AS v FROM p WHERE id = 1;
UPDATE p SET id = 12 WHERE id = 1;
SELECT p.tableoid::regclass, p.v::text, themis_crypt.encrypted_out(p.v)::text = before.v AS same FROM p, before WHERE id = 12;
UPDATE p SET id = 2, v = 'moved', n = '2' WHERE id = 12 RETURNING tableoid::regclass, v::text, n::int4;

-- another key, another type, no encryption: not a partition of this
CREATE TABLE other_key (id int, v encrypted(regress_key2), n encrypted(regress_key, int4));
ALTER TABLE p ATTACH PARTITION other_key FOR VALUES FROM (30) TO (40);
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE other_type (id int, v encrypted(regress_key), n encrypted(regress_key, int8));
ALTER TABLE p ATTACH PARTITION other_type FOR VALUES FROM (30) TO (40);
CREATE TABLE plain (id int, v text, n int);
ALTER TABLE p ATTACH PARTITION plain FOR VALUES FROM (30) TO (40);
-- nor may a partition go its own way (18 points at the column)
\set VERBOSITY sqlstate
ALTER TABLE p1 ALTER v TYPE encrypted(regress_key2);
\set VERBOSITY default
ALTER TABLE p ALTER v TYPE encrypted(regress_key2);
\d p31
SELECT tableoid::regclass, id, v::text FROM p ORDER BY id;
ALTER TABLE p DETACH PARTITION p1;
ALTER TABLE p1 ALTER v TYPE encrypted(regress_key);
SELECT v::text FROM p1;

-- inheritance
CREATE TABLE parent (id int, v encrypted(regress_key));
CREATE TABLE child (w encrypted(regress_key2)) INHERITS (parent);
CREATE TABLE merged (v encrypted(regress_key)) INHERITS (parent);
CREATE TABLE conflict (v encrypted(regress_key2)) INHERITS (parent);
ALTER TABLE other_key INHERIT parent;
INSERT INTO child VALUES (1, 'inherited', 'own');
INSERT INTO parent VALUES (2, 'parent');
UPDATE parent SET v = v::text || '!';
SELECT tableoid::regclass, id, v::text FROM parent ORDER BY id;
ALTER TABLE parent ADD x encrypted(regress_key, date) DEFAULT '2024-02-29'::date;
SELECT x::date FROM child;

-- LIKE, with what comes along
ALTER TABLE parent ALTER v SET DEFAULT 'default'::text;
CREATE TABLE liked (LIKE parent INCLUDING ALL);
INSERT INTO liked (id) VALUES (1);
SELECT v::text, x::date FROM liked;
\d liked

-- foreign keys to a table with encrypted columns
CREATE TABLE pk (id int PRIMARY KEY, v encrypted(regress_key));
CREATE TABLE fk (id int REFERENCES pk ON DELETE CASCADE ON UPDATE CASCADE, v encrypted(regress_key) DEFAULT 'fk'::text);
INSERT INTO pk VALUES (1, 'pk');
INSERT INTO fk VALUES (1);
UPDATE pk SET id = 2;
SELECT fk.id, fk.v::text, pk.v::text FROM fk JOIN pk USING (id);
CREATE TABLE fkv (v encrypted(regress_key) REFERENCES pk (v));

SET client_min_messages = warning;
RESET ROLE;
DROP SCHEMA regress_user CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key, regress_key2;
DROP OWNED BY regress_user;
DROP ROLE regress_user;
