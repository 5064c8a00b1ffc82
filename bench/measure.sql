-- How time is taken, in whatever database.
CREATE TABLE result (work text, contender text, round int, ns_per_row float8,
                     cpu_per_row float8);
CREATE TABLE cpu (ns bigint);

-- Nanoseconds that this backend has been on a CPU, as of the last tick of the
-- clock or switch to another process: to be taken over many ticks.
CREATE FUNCTION on_cpu() RETURNS bigint LANGUAGE sql VOLATILE AS
  $$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint $$;

-- Run each statement :rounds times, in turn, and note the time per row.
CREATE PROCEDURE measure(work text, contenders text[], statements text[],
                         rows bigint[], rounds int)
LANGUAGE plpgsql AS $$
DECLARE
  start timestamptz;
  cpu bigint;
  ns float8;
BEGIN
  FOR r IN 0..rounds LOOP
    FOR i IN 1..cardinality(statements) LOOP
      cpu := on_cpu();
      start := clock_timestamp();
      EXECUTE statements[i];
      ns := extract(epoch FROM clock_timestamp() - start) * 1e9 / rows[i];
      cpu := on_cpu() - cpu;
      ROLLBACK;
      IF r > 0 THEN  -- round 0 warms up
        INSERT INTO result VALUES (work, contenders[i], r, ns, cpu::float8 / rows[i]);
      END IF;
      COMMIT;
    END LOOP;
  END LOOP;
END $$;
