-- How time is taken, in whatever database.
CREATE TABLE result (id int GENERATED ALWAYS AS IDENTITY, kind text DEFAULT 'row',
                     part text, work text, contender text, x float8, round int,
                     ns float8, cpu float8);
COMMENT ON TABLE result IS 'time of a row, or of a transaction; x is what grows, if anything does';

-- Nanoseconds that this backend has been on a CPU, as of the last tick of the
-- clock or switch to another process: to be taken over many ticks, of which
-- there are a hundred or more a second.
CREATE FUNCTION on_cpu() RETURNS bigint LANGUAGE sql VOLATILE AS
  $$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint $$;

-- Run each statement :rounds times, in another order each time, and note the
-- time per row.  "before" runs before each of them, and is not measured.
CREATE PROCEDURE measure(part text, work text, x float8, contenders text[], statements text[],
                         rows bigint[], rounds int, before text)
LANGUAGE plpgsql AS $$
DECLARE
  start timestamptz;
  cpu bigint;
  ns float8;
  i int;
BEGIN
  FOR r IN 0..rounds LOOP
    FOR i IN SELECT g FROM generate_subscripts(statements, 1) AS g ORDER BY random() LOOP
      IF before <> '' THEN
        EXECUTE before;
        COMMIT;
      END IF;
      cpu := on_cpu();
      start := clock_timestamp();
      EXECUTE statements[i];
      ns := extract(epoch FROM clock_timestamp() - start) * 1e9;
      cpu := CASE WHEN ns > 5e7 THEN on_cpu() - cpu END;
      ROLLBACK;
      IF r > 0 THEN  -- round 0 warms up
        INSERT INTO result (part, work, contender, x, round, ns, cpu)
          VALUES (part, work, contenders[i], x, r, ns / rows[i], cpu::float8 / rows[i]);
      END IF;
      COMMIT;
    END LOOP;
  END LOOP;
END $$;
