-- Tables that are searched: the same :rows texts of 11 digits, all different, in
-- no order, and what each contender makes of them.
SET client_min_messages = warning;
DROP TABLE IF EXISTS s_plain, s_plain_c, s_floor, s_hmac, s_ours, s_hash, s_siphash, s_sealed;
CREATE UNLOGGED TABLE s_plain AS SELECT g AS id, value_of(g) AS v FROM generate_series(1, :rows) AS g;
CREATE UNLOGGED TABLE s_plain_c AS SELECT id, v COLLATE "C" AS v FROM s_plain;
CREATE UNLOGGED TABLE s_floor AS SELECT id, tc_floor_token(v) AS v, tc_floor_seal(v) AS s FROM s_plain;
CREATE UNLOGGED TABLE s_hmac AS SELECT id, hmac_of(v) AS v, sealed_of(v) AS s FROM s_plain;
CREATE UNLOGGED TABLE s_ours (id int, v encrypted(bench, text, searchable));
CREATE UNLOGGED TABLE s_hash (id int, v encrypted(bench, text, searchable));
CREATE UNLOGGED TABLE s_siphash (id int, v encrypted(bench_siphash, text, searchable));
CREATE UNLOGGED TABLE s_sealed (id int, v encrypted(bench));
INSERT INTO s_ours SELECT id, v FROM s_plain;
INSERT INTO s_hash SELECT id, v FROM s_plain;
INSERT INTO s_siphash SELECT id, v FROM s_plain;
CREATE INDEX ON s_plain (v);
CREATE INDEX ON s_floor (v);
CREATE INDEX ON s_hmac (v);
CREATE INDEX ON s_ours (v);
CREATE INDEX ON s_hash USING hash (v);
CREATE INDEX ON s_siphash (v);
VACUUM ANALYZE s_plain, s_plain_c, s_floor, s_hmac, s_ours, s_hash, s_siphash;
