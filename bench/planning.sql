-- Tables that have nothing to do with the extension, and loops that plan.
CREATE TABLE p_customer (id int PRIMARY KEY, name text);
CREATE TABLE p_order (id int PRIMARY KEY, customer int REFERENCES p_customer, day date, note text);
CREATE INDEX ON p_order (customer);

-- Plan a statement n times, and run it.
CREATE FUNCTION run(statement text, n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..n LOOP
    EXECUTE statement;
  END LOOP;
END $$;

-- Plan it n times, and show the plan.
CREATE FUNCTION explain(statement text, n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..n LOOP
    EXECUTE 'EXPLAIN (COSTS OFF) ' || statement;
  END LOOP;
END $$;
