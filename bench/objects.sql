-- What the benchmarks need once per server, and all contenders.
SET client_min_messages = warning;
CREATE EXTENSION pgcrypto;

-- --- plaintexts -----------------------------------------------------------------

-- A text of len bytes that does not compress.
CREATE FUNCTION text_of(n bigint, len int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT left(string_agg(translate(encode(sha512(int8send(n * 1000 + g)), 'base64'), E'\n', ''), ''), len)
       FROM generate_series(1, 1 + len / 88) AS g $$;

-- 11 digits, different for each number up to two thousand millions, in no order.
CREATE FUNCTION value_of(bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT (10000000000 + $1 * 48271 % 2147483647)::text $$;

-- --- algorithms, and which of them there are here ---------------------------------

CREATE TABLE algorithm (name text, index_algorithm text, key text, refused text);

DO $$
DECLARE
  a text;
  i text;
  key text;
  hint text;
BEGIN
  FOREACH a IN ARRAY '{xchacha20poly1305,aes256gcm,aegis256}'::text[] LOOP
    FOREACH i IN ARRAY '{blake2b,siphash128}'::text[] LOOP
      key := concat_ws('_', 'bench', a, i);
      BEGIN
        EXECUTE format('CREATE SERVER %I FOREIGN DATA WRAPPER themis_crypt OPTIONS (algorithm %L, index_algorithm %L)',
                       key, a, i);
        INSERT INTO algorithm VALUES (a, i, key);
      EXCEPTION WHEN feature_not_supported OR invalid_parameter_value OR fdw_invalid_attribute_value THEN
        GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
        INSERT INTO algorithm VALUES (a, i, NULL, sqlerrm || coalesce(' (' || hint || ')', ''));
      END;
    END LOOP;
  END LOOP;
END $$;

-- --- the floor -----------------------------------------------------------------------

CREATE FUNCTION tc_floor_copy(text) RETURNS text AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE FUNCTION tc_floor_libsodium() RETURNS text AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;

CREATE TABLE floor (name text, refused text);

-- What libsodium has not is not in the module, what the CPU has not fails.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY '{blake2b,siphash128}'::text[] LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION tc_floor_token_%s(text) RETURNS bytea AS ''tc_floor'' LANGUAGE C STRICT STABLE PARALLEL SAFE', name);
    EXCEPTION WHEN undefined_function THEN
      INSERT INTO floor VALUES (name, 'this libsodium does not have it');
    END;
  END LOOP;
  FOREACH name IN ARRAY '{xchacha20poly1305,subkey,aes256gcm,aes256gcm_salt,aegis256}'::text[]
                        || ARRAY(SELECT concat_ws('_', a, i) FROM unnest('{xchacha20poly1305,aes256gcm,aegis256}'::text[]) AS a,
                                        unnest('{blake2b,siphash128}'::text[]) AS i) LOOP
    BEGIN
      EXECUTE replace($f$
        CREATE FUNCTION tc_floor_seal_@(text) RETURNS bytea AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;
        CREATE FUNCTION tc_floor_open_@(bytea) RETURNS text AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;
        CREATE TYPE floor_@;
        CREATE FUNCTION tc_floor_in_@(cstring) RETURNS floor_@ AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;
        CREATE FUNCTION tc_floor_out_@(floor_@) RETURNS cstring AS 'byteaout' LANGUAGE internal STRICT STABLE PARALLEL SAFE;
        CREATE TYPE floor_@ (INPUT = tc_floor_in_@, OUTPUT = tc_floor_out_@, LIKE = bytea);
        $f$, '@', name);
      EXECUTE format('DO $d$ BEGIN ASSERT tc_floor_open_%1$s(tc_floor_seal_%1$s(''x'')) = ''x''; END $d$', name);
      INSERT INTO floor VALUES (name);
    EXCEPTION
      WHEN undefined_function THEN
        INSERT INTO floor VALUES (name, 'this libsodium does not have it');
      WHEN internal_error THEN
        INSERT INTO floor VALUES (name, 'this CPU does not have it');
    END;
  END LOOP;
END $$;

-- --- pgcrypto, as its users spell it ---------------------------------------------------

CREATE FUNCTION hmac_of(text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT hmac($1, '000102030405060708090a0b0c0d0e0f', 'sha256') $$;
CREATE FUNCTION sealed_of(text) RETURNS bytea LANGUAGE sql VOLATILE PARALLEL SAFE AS
  $$ SELECT iv || encrypt_iv(convert_to($1, 'UTF8'), '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', iv, 'aes-cbc') FROM gen_random_bytes(16) AS iv $$;
CREATE FUNCTION opened(bytea) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT convert_from(decrypt_iv(substr($1, 17), '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', substr($1, 1, 16), 'aes-cbc'), 'UTF8') $$;

-- --- contenders ------------------------------------------------------------------------

-- How each seals and opens the column v.  Of slow ones fewer rows are taken.
-- The floor of a contender has the same words behind its name (report.sql).
CREATE TABLE contender (ord int GENERATED ALWAYS AS IDENTITY, name text, tab text, column_type text,
                        seal text, open text, share int DEFAULT 1, input_type text, searchable bool DEFAULT false);

-- "xchacha20poly1305" and "blake2b" go without saying.
CREATE FUNCTION named(text, VARIADIC words text[]) RETURNS text LANGUAGE sql AS
  $$ SELECT concat_ws(', ', $1, nullif(array_to_string(array_remove(array_remove(words, 'xchacha20poly1305'), 'blake2b'), ', '), '')) $$;

INSERT INTO contender (name, tab, column_type, seal, open, input_type)
  VALUES ('plain', 'plain', 'text', 'v', 'v', 'text'),
         ('plain, copied', 'plain', 'text', 'tc_floor_copy(v)', 'tc_floor_copy(v)', NULL);
INSERT INTO contender (name, tab, column_type, seal, open, input_type)
  SELECT CASE name WHEN 'subkey' THEN 'floor, subkey ready'
                   WHEN 'aes256gcm_salt' THEN 'floor, aes256gcm, subkey of each value'
                   ELSE named('floor', name) END,
         'floor_' || name, 'bytea', format('tc_floor_seal_%s(v)', name), format('tc_floor_open_%s(v)', name),
         'floor_' || name
    FROM floor WHERE refused IS NULL AND name !~ 'blake2b|siphash128';
INSERT INTO contender (name, tab, column_type, seal, open, input_type)
  SELECT named('themis_crypt', name), 'ours_' || name, format('encrypted(%s)', key), 'v', 'v::text', format('encrypted(%s)', key)
    FROM algorithm WHERE refused IS NULL AND index_algorithm = 'blake2b';
INSERT INTO contender (name, tab, column_type, seal, open, input_type, searchable)
  SELECT named('floor', 'searchable', a, i), concat_ws('_', 'floor', a, i), 'bytea',
         format('tc_floor_seal_%s_%s(v)', a, i), format('tc_floor_open_%s_%s(v)', a, i), concat_ws('_', 'floor', a, i), true
    FROM floor, split_part(name, '_', 1) AS a, split_part(name, '_', 2) AS i
   WHERE refused IS NULL AND name ~ '_(blake2b|siphash128)$';
INSERT INTO contender (name, tab, column_type, seal, open, input_type, searchable)
  SELECT named('themis_crypt', 'searchable', name, index_algorithm), concat_ws('_', 'ours', name, index_algorithm),
         format('encrypted(%s, text, searchable)', key), 'v', 'v::text', format('encrypted(%s, text, searchable)', key), true
    FROM algorithm WHERE refused IS NULL;
INSERT INTO contender (name, tab, column_type, seal, open, share)
  VALUES ('pgcrypto aes-cbc', 'aes', 'bytea',
          $$encrypt_iv(v::bytea, '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', '\x000102030405060708090a0b0c0d0e0f', 'aes-cbc')$$,
          $$decrypt_iv(v, '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', '\x000102030405060708090a0b0c0d0e0f', 'aes-cbc')$$, 1),
         ('pgcrypto aes-cbc, random iv', 'aes_iv', 'bytea', 'sealed_of(v)', 'opened(v)', 1),
         ('pgcrypto pgp', 'pgp', 'bytea',
          $$pgp_sym_encrypt(v, 'bench', 'cipher-algo=aes256,s2k-mode=0,compress-algo=0')$$,
          $$pgp_sym_decrypt(v, 'bench')$$, 10);

-- --- tables of them --------------------------------------------------------------------

-- b_NAME for each contender: the same texts of len bytes.
CREATE PROCEDURE make_values(rows bigint, len int, storage text, with_searchable bool DEFAULT false)
LANGUAGE plpgsql AS $$
DECLARE
  c contender;
  tab text;
BEGIN
  FOR c IN SELECT * FROM contender ORDER BY ord LOOP
    tab := 'b_' || c.tab;
    CONTINUE WHEN c.name = 'plain, copied';
    EXECUTE format('DROP TABLE IF EXISTS %I', tab);
    CONTINUE WHEN c.searchable AND NOT with_searchable;
    EXECUTE format('CREATE UNLOGGED TABLE %I (id int, v %s)', tab, c.column_type);
    EXECUTE format('ALTER TABLE %I ALTER v SET STORAGE %s', tab, storage);
    IF c.name = 'plain' THEN
      EXECUTE format('INSERT INTO %I SELECT g, text_of(g, $2) FROM generate_series(1, $1) AS g', tab) USING rows, len;
    ELSE
      EXECUTE format('INSERT INTO %I SELECT id, %s FROM b_plain WHERE id <= $1', tab, c.seal) USING rows / c.share;
    END IF;
    COMMIT;
  END LOOP;
END $$;

-- The rows of a table (id, v) anew, each by a transaction of its own, from a
-- table of plaintexts.
CREATE PROCEDURE load_singly(tab text, source text) LANGUAGE plpgsql AS $$
DECLARE
  r record;
BEGIN
  EXECUTE format('TRUNCATE %I', tab);
  FOR r IN EXECUTE format('SELECT id, v FROM %I ORDER BY id', source) LOOP
    EXECUTE format('INSERT INTO %I VALUES ($1, $2)', tab) USING r.id, r.v;
    COMMIT;
  END LOOP;
END $$;

-- Write a tenth of the rows anew, another one in each round.
CREATE PROCEDURE update_tenth(tab text, expression text, round int) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('UPDATE %I SET v = %s WHERE abs(hashint4extended(id, $1) %% 10) = 0', tab, expression) USING round;
END $$;

-- --- tables that are searched ------------------------------------------------------------

-- s_TAB (id, v, s): v is searched, s holds the sealed value where v does not.
-- "key" is what v is compared with, for @.
CREATE TABLE searcher (ord int GENERATED ALWAYS AS IDENTITY, name text, tab text, columns text, fill text,
                       key text, open text, method text DEFAULT 'btree');
INSERT INTO searcher (name, tab, columns, fill, key, open)
  VALUES ('plain', 'plain', 'v text', 'v', '@', 'v'),
         ('plain, collation C', 'plain_c', 'v text COLLATE "C"', 'v', '@', 'v');
INSERT INTO searcher (name, tab, columns, fill, key, open)
  SELECT named('floor', a, i), concat_ws('_', 'floor', a, i), 'v bytea, s bytea',
         format('tc_floor_token_%s(v), tc_floor_seal_%s(v)', i, a), format('tc_floor_token_%s(@)', i), format('tc_floor_open_%s(s)', a)
    FROM floor, split_part(name, '_', 1) AS a, split_part(name, '_', 2) AS i
   WHERE refused IS NULL AND (name ~ '_siphash128$' OR name = 'xchacha20poly1305_blake2b');
INSERT INTO searcher (name, tab, columns, fill, key, open)
  SELECT named('themis_crypt', name, index_algorithm), concat_ws('_', 'ours', name, index_algorithm),
         format('v encrypted(%s, text, searchable)', key), 'v', '@', 'v::text'
    FROM algorithm
   WHERE refused IS NULL AND (index_algorithm = 'siphash128' OR name = 'xchacha20poly1305');
INSERT INTO searcher (name, tab, columns, fill, key, open, method)
  SELECT 'themis_crypt, hash index', 'hash', columns, fill, key, open, 'hash'
    FROM searcher WHERE tab = 'ours_xchacha20poly1305_blake2b';
INSERT INTO searcher (name, tab, columns, fill, key, open)
  VALUES ('pgcrypto aes-cbc and hmac', 'aes', 'v bytea, s bytea', 'hmac_of(v), sealed_of(v)', 'hmac_of(@)', 'opened(s)'),
         ('pgcrypto pgp and hmac', 'pgp', 'v bytea, s bytea',
          $$hmac_of(v), pgp_sym_encrypt(v, 'bench', 'cipher-algo=aes256,s2k-mode=0,compress-algo=0')$$,
          'hmac_of(@)', $$pgp_sym_decrypt(s, 'bench')$$);

-- The texts all differ, and are in no order.  "loaded" is bulk, singly (by
-- single-row transactions) or updated (ten rounds of a tenth of the rows);
-- other than in bulk only plain texts and ours.  Indexes are there before.
-- "which" is a regular expression for names of contenders.
CREATE PROCEDURE make_searched(rows bigint, loaded text, which text DEFAULT '') LANGUAGE plpgsql AS $$
DECLARE
  s searcher;
  tab text;
BEGIN
  DROP TABLE IF EXISTS s_source;
  CREATE UNLOGGED TABLE s_source AS SELECT g AS id, value_of(g) AS v FROM generate_series(1, rows) AS g;
  COMMIT;
  FOR s IN SELECT * FROM searcher ORDER BY ord LOOP
    tab := 's_' || s.tab;
    EXECUTE format('DROP TABLE IF EXISTS %I', tab);
    CONTINUE WHEN s.name !~ which OR loaded <> 'bulk' AND s.name !~ '^(plain|themis_crypt)';
    EXECUTE format('CREATE UNLOGGED TABLE %I (id int, %s)', tab, s.columns);
    IF loaded = 'bulk' THEN
      EXECUTE format('INSERT INTO %I SELECT id, %s FROM s_source', tab, s.fill);
    END IF;
    EXECUTE format('CREATE INDEX ON %I USING %s (v)', tab, s.method);
    COMMIT;
    IF loaded <> 'bulk' THEN
      IF loaded = 'singly' THEN
        CALL load_singly(tab, 's_source');
      ELSE
        EXECUTE format('INSERT INTO %I SELECT id, v FROM s_source', tab);
        FOR i IN 1..10 LOOP
          CALL update_tenth(tab, s.open, i);
        END LOOP;
      END IF;
      COMMIT;
    END IF;
  END LOOP;
END $$;

-- Run n lookups in one call: the function of this name looks one value up by a
-- statement that it keeps prepared.
CREATE PROCEDURE make_loop(name text, lookup text) LANGUAGE plpgsql AS $make$
BEGIN
  EXECUTE format($f$
    CREATE FUNCTION %I(n int, rows int) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
      x text;
      r text;
      found_rows bigint := 0;
    BEGIN
      FOR i IN 1..n LOOP
        x := value_of(1 + (i::bigint * 7919) %% rows);
        %s;
        IF r IS NOT NULL THEN found_rows := found_rows + 1; END IF;
      END LOOP;
      IF found_rows <> n THEN RAISE 'found %% of %% rows', found_rows, n; END IF;
      RETURN n;
    END $$ $f$, name, lookup);
END $make$;
