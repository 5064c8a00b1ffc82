-- What the benchmark of search needs once.
SET client_min_messages = warning;
CREATE SERVER bench_siphash FOREIGN DATA WRAPPER themis_crypt OPTIONS (index_algorithm 'siphash128');

-- 11 digits, different for each number up to two thousand millions.
CREATE FUNCTION value_of(bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT (10000000000 + $1 * 48271 % 2147483647)::text $$;

CREATE FUNCTION hmac_of(text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT hmac($1, '000102030405060708090a0b0c0d0e0f', 'sha256') $$;
CREATE FUNCTION sealed_of(text) RETURNS bytea LANGUAGE sql VOLATILE PARALLEL SAFE AS
  $$ SELECT encrypt_iv(convert_to($1, 'UTF8'), '\x000102030405060708090a0b0c0d0e0f', '\x000102030405060708090a0b0c0d0e0f', 'aes-cbc') $$;
CREATE FUNCTION opened(bytea) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT convert_from(decrypt_iv($1, '\x000102030405060708090a0b0c0d0e0f', '\x000102030405060708090a0b0c0d0e0f', 'aes-cbc'), 'UTF8') $$;

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

CREATE TABLE size (contender text, rows bigint, bytes bigint, btree bigint, hash bigint);

-- Make both indexes of a column, note what they take, and drop them.
CREATE PROCEDURE note_size(contender text, tab regclass) LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM %s', tab) INTO n;
  EXECUTE format('CREATE INDEX size_btree ON %s (v)', tab);
  EXECUTE format('CREATE INDEX size_hash ON %s USING hash (v)', tab);
  INSERT INTO size VALUES (contender, n, pg_relation_size(tab), pg_relation_size('size_btree'), pg_relation_size('size_hash'));
  DROP INDEX size_btree, size_hash;
END $$;
