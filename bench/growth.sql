-- What grows with keys: many keys, and values of each.  In a server of its own.
CREATE TABLE many (key int, n int, armor text);

-- Keys up to this number, each with some values that share no subkey; the time
-- of making one.
CREATE PROCEDURE make_keys(upto int, each int) LANGUAGE plpgsql AS $$
DECLARE
  have int := (SELECT coalesce(max(key), 0) FROM many);
  start timestamptz;
  ns float8;
BEGIN
  start := clock_timestamp();
  FOR i IN have + 1..upto LOOP
    EXECUTE format('CREATE SERVER many_%s FOREIGN DATA WRAPPER themis_crypt', i);
    COMMIT;
  END LOOP;
  ns := extract(epoch FROM clock_timestamp() - start) * 1e9 / greatest(upto - have, 1);
  IF upto > have THEN
    INSERT INTO result (kind, part, work, contender, x, round, ns)
      VALUES ('once', 'w8', 'CREATE SERVER, up to % keys', 'themis_crypt', upto, 1, ns);
  END IF;
  FOR i IN have + 1..upto LOOP
    FOR g IN 1..each LOOP
      EXECUTE format('INSERT INTO many SELECT $1, $2, format(''%%s'', text_of($2, 16)::encrypted(many_%s))', i) USING i, g;
      COMMIT;
    END LOOP;
  END LOOP;
END $$;

-- Sealed values from their text form.
CREATE FUNCTION sealed_array(armors text[]) RETURNS encrypted[] LANGUAGE plpgsql AS $$
DECLARE
  sealed encrypted[];
BEGIN
  EXECUTE format('SELECT %L::encrypted[]', armors) INTO sealed;
  RETURN sealed;
END $$;

-- The same number of values under 1 key, under 10, ...: opened from an array,
-- each under another key than the one before.
CREATE PROCEDURE measure_keys(work text, counts int[], rows int, rounds int) LANGUAGE plpgsql AS $$
DECLARE
  sealed encrypted[] := '{}';
  plain text[] := ARRAY(SELECT text_of(g, 16) FROM generate_series(1, rows) AS g);
  part encrypted[];
  start timestamptz;
  i int;
BEGIN
  SET LOCAL themis_crypt.sealed_input = on;
  FOR i IN 1..cardinality(counts) LOOP
    sealed := sealed || sealed_array(ARRAY(
      SELECT armor FROM many, generate_series(1, rows) AS again
       WHERE key <= counts[i] AND again <= 1 + rows / counts[i] ORDER BY again, n, key LIMIT rows));
  END LOOP;
  COMMIT;
  FOR r IN 0..rounds LOOP
    FOR i IN SELECT g FROM generate_series(1, cardinality(counts)) AS g ORDER BY random() LOOP
      part := sealed[(i - 1) * rows + 1:i * rows];
      start := clock_timestamp();
      PERFORM sum(octet_length(v::text)) FROM unnest(part) AS v;
      INSERT INTO result (part, work, contender, x, round, ns)
        SELECT 'w8', measure_keys.work, 'themis_crypt', counts[i], r, extract(epoch FROM clock_timestamp() - start) * 1e9 / rows
         WHERE r > 0;
      start := clock_timestamp();
      PERFORM sum(octet_length(v)) FROM unnest(plain) AS v;
      INSERT INTO result (part, work, contender, x, round, ns)
        SELECT 'w8', measure_keys.work, 'plain', counts[i], r, extract(epoch FROM clock_timestamp() - start) * 1e9 / rows
         WHERE r > 0;
      COMMIT;
    END LOOP;
  END LOOP;
END $$;

-- After lock() and unlock(), in a new session: a value under the first key, then
-- one under each of the others, and those once more.
CREATE PROCEDURE measure_cold(keys int, round int) LANGUAGE plpgsql AS $$
DECLARE
  sealed encrypted[];
  start timestamptz;
BEGIN
  SET LOCAL themis_crypt.sealed_input = on;
  sealed := sealed_array(ARRAY(SELECT armor FROM many WHERE n = 1 AND key <= keys ORDER BY key));
  IF cardinality(sealed) <> keys THEN RAISE 'too few keys'; END IF;
  FOR i IN 0..2 LOOP
    CONTINUE WHEN i > 0 AND keys = 1;
    start := clock_timestamp();
    PERFORM sum(octet_length(v::text)) FROM unnest(CASE i WHEN 0 THEN sealed[1:1] ELSE sealed[2:] END) AS v;
    INSERT INTO result (kind, part, work, contender, x, round, ns)
      VALUES ('once', 'w8',
              CASE i WHEN 0 THEN 'first open of a session, % keys'
                     WHEN 1 THEN 'first open of a further key, % keys'
                     ELSE 'second open of a further key, % keys' END,
              'themis_crypt', keys, round,
              extract(epoch FROM clock_timestamp() - start) * 1e9 / CASE i WHEN 0 THEN 1 ELSE keys - 1 END);
  END LOOP;
END $$;
