-- What the benchmark needs once per server.
CREATE EXTENSION pgcrypto;
CREATE SERVER bench FOREIGN DATA WRAPPER themis_crypt;
CREATE FUNCTION tc_floor_seal(text) RETURNS bytea AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE FUNCTION tc_floor_open(bytea) RETURNS text AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE FUNCTION tc_floor_seal_subkey(text) RETURNS bytea AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE FUNCTION tc_floor_open_subkey(bytea) RETURNS text AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE TABLE result (work text, contender text, round int, ns_per_row float8);

-- Run each statement :rounds times, in turn, and note the time per row.
CREATE PROCEDURE measure(work text, contenders text[], statements text[],
                         rows bigint[], rounds int)
LANGUAGE plpgsql AS $$
DECLARE
  start timestamptz;
  ns float8;
BEGIN
  FOR r IN 0..rounds LOOP
    FOR i IN 1..cardinality(statements) LOOP
      start := clock_timestamp();
      EXECUTE statements[i];
      ns := extract(epoch FROM clock_timestamp() - start) * 1e9 / rows[i];
      ROLLBACK;
      IF r > 0 THEN  -- round 0 warms up
        INSERT INTO result VALUES (work, contenders[i], r, ns);
      END IF;
      COMMIT;
    END LOOP;
  END LOOP;
END $$;
