-- Tables of the benchmark: the same :rows plaintexts of :len bytes, plain and
-- sealed by each contender.
SET client_min_messages = warning;
DROP TABLE IF EXISTS b_plain, b_ours, b_floor, b_floor2, b_aes, b_pgp;
CREATE UNLOGGED TABLE b_plain AS
  SELECT g AS id, substr(repeat(md5(g::text), 1 + :len / 32), 1, :len) AS v
    FROM generate_series(1, :rows) AS g;
CREATE UNLOGGED TABLE b_ours (id int, v encrypted(bench));
INSERT INTO b_ours SELECT id, v FROM b_plain;
CREATE UNLOGGED TABLE b_floor AS SELECT id, tc_floor_seal(v) AS v FROM b_plain;
CREATE UNLOGGED TABLE b_floor2 AS SELECT id, tc_floor_seal_subkey(v) AS v FROM b_plain;
CREATE UNLOGGED TABLE b_aes AS
  SELECT id, encrypt_iv(v::bytea, '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', '\x000102030405060708090a0b0c0d0e0f', 'aes-cbc') AS v
    FROM b_plain;
CREATE UNLOGGED TABLE b_pgp AS
  SELECT id, pgp_sym_encrypt(v, 'bench', 'cipher-algo=aes256,s2k-mode=0,compress-algo=0') AS v
    FROM b_plain WHERE id <= :rows / 10;
VACUUM ANALYZE b_plain, b_ours, b_floor, b_floor2, b_aes, b_pgp;
