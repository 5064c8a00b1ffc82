-- Who may use a key: who has USAGE on it, and nobody else.
CREATE ROLE regress_super SUPERUSER;
CREATE ROLE regress_officer;
CREATE ROLE regress_hr;
CREATE ROLE regress_member IN ROLE regress_hr;
CREATE ROLE regress_heir NOINHERIT IN ROLE regress_hr;
CREATE ROLE regress_other;
CREATE SCHEMA regress_grants;
GRANT CREATE, USAGE ON SCHEMA regress_grants TO PUBLIC;
SET search_path = regress_grants;
GRANT USAGE ON FOREIGN DATA WRAPPER themis_crypt TO regress_officer;
SET ROLE regress_officer;
CREATE SERVER regress_key FOREIGN DATA WRAPPER themis_crypt;
CREATE TABLE t (id int, v encrypted(regress_key));
GRANT SELECT, INSERT ON t TO PUBLIC;
INSERT INTO t VALUES (1, 'secret');
\set VERBOSITY terse

-- a new key is its owner's only
CREATE FUNCTION can(role text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text := '';
	statement text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	FOREACH statement IN ARRAY ARRAY['SELECT v::text FROM t WHERE id = 1', 'INSERT INTO t VALUES (2, ''x'')', 'INSERT INTO t VALUES (2, ''x''::text)',
		'SELECT ''x''::encrypted(regress_key)', 'SELECT json_populate_record(NULL::t, ''{"v":"x"}'')']
	LOOP
		BEGIN
			EXECUTE statement;
			result := result || '+';
		EXCEPTION WHEN insufficient_privilege THEN
			result := result || '-';
		END;
	END LOOP;
	RESET ROLE;
	RETURN result;
END $$;
RESET ROLE;
CREATE VIEW everyone AS SELECT role, can(role) FROM unnest('{regress_super,regress_officer,regress_hr,regress_member,regress_heir,regress_other}'::text[]) AS role;
SELECT * FROM everyone;

-- granted to a role: its members, if they inherit
SET ROLE regress_officer;
GRANT USAGE ON FOREIGN SERVER regress_key TO regress_hr;
REVOKE USAGE ON FOREIGN SERVER regress_key FROM regress_officer;
RESET ROLE;
SELECT * FROM everyone;
SELECT usable_by FROM themis_crypt.keys WHERE name = 'regress_key';
SET ROLE regress_heir;
SELECT v::text FROM t WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
SET ROLE regress_hr;
SELECT v::text FROM t WHERE id = 1;
-- the owner can grant, to himself too; a grant option passes on
SET ROLE regress_officer;
GRANT USAGE ON FOREIGN SERVER regress_key TO regress_member WITH GRANT OPTION;
SET ROLE regress_member;
GRANT USAGE ON FOREIGN SERVER regress_key TO regress_other;
RESET ROLE;
SELECT * FROM everyone;
SET ROLE regress_officer;
REVOKE USAGE ON FOREIGN SERVER regress_key FROM regress_member CASCADE;
-- a superuser needs the grant, by itself or as a member
RESET ROLE;
GRANT regress_hr TO regress_super;
SELECT * FROM everyone WHERE role = 'regress_super';
REVOKE regress_hr FROM regress_super;
GRANT USAGE ON FOREIGN SERVER regress_key TO regress_super;
SELECT * FROM everyone WHERE role = 'regress_super';
REVOKE USAGE ON FOREIGN SERVER regress_key FROM regress_super;
ALTER ROLE regress_hr SUPERUSER;
SELECT * FROM everyone WHERE role = 'regress_hr';
ALTER ROLE regress_hr NOSUPERUSER;
-- PUBLIC is everybody
GRANT USAGE ON FOREIGN SERVER regress_key TO PUBLIC;
SELECT * FROM everyone;
SELECT usable_by FROM themis_crypt.keys WHERE name = 'regress_key';
REVOKE USAGE ON FOREIGN SERVER regress_key FROM PUBLIC;
-- predefined roles are no key
GRANT pg_read_all_data, pg_write_all_data TO regress_other;
SELECT * FROM everyone WHERE role = 'regress_other';

-- a view does not delegate; a SECURITY DEFINER function does
SET ROLE regress_hr;
CREATE VIEW opened AS SELECT id, v::text FROM t;
CREATE VIEW barrier WITH (security_barrier) AS SELECT id, v::text FROM t;
CREATE FUNCTION last3(wanted int) RETURNS text STABLE SECURITY DEFINER LANGUAGE sql
	SET search_path = regress_grants, pg_temp AS 'SELECT right(v::text, 3) FROM t WHERE id = wanted';
CREATE FUNCTION keep(plain text) RETURNS void SECURITY DEFINER LANGUAGE sql
	SET search_path = regress_grants, pg_temp AS 'INSERT INTO t VALUES (3, plain)';
CREATE FUNCTION keep(sealed encrypted) RETURNS void SECURITY DEFINER LANGUAGE plpgsql
	SET search_path = regress_grants, pg_temp AS 'BEGIN INSERT INTO t VALUES (4, sealed); END';
CREATE FUNCTION hand_out() RETURNS SETOF encrypted SECURITY DEFINER LANGUAGE sql
	SET search_path = regress_grants, pg_temp AS 'SELECT v FROM t WHERE id = 1';
CREATE FUNCTION as_invoker() RETURNS text LANGUAGE sql
	SET search_path = regress_grants, pg_temp AS 'SELECT v::text FROM t WHERE id = 1';
GRANT SELECT ON opened, barrier TO PUBLIC;
SET ROLE regress_other;
SELECT * FROM opened;
SELECT * FROM barrier;
SELECT id FROM opened WHERE id = 1;
SELECT last3(1);
SELECT keep('by a definer'::text);
SELECT keep('pending'::encrypted);
SELECT as_invoker();
SELECT themis_crypt.encrypted_out(h)::text ~ '^tc1:' AS sealed FROM hand_out() AS h;
SELECT hand_out()::text;
SET ROLE regress_hr;
SELECT id, v::text FROM t WHERE id > 2;
SELECT * FROM opened WHERE id = 1;

-- what runs on behalf of others uses their rights: CHECK, DEFAULT, triggers
SET ROLE regress_hr;
CREATE TABLE checked (v encrypted(regress_key) CHECK (length(v::text) > 3));
CREATE TABLE defaulted (id int, v encrypted(regress_key) DEFAULT 'default'::text);
GRANT INSERT ON checked, defaulted TO regress_other;
INSERT INTO checked VALUES ('long enough');
INSERT INTO checked VALUES ('x');
SET ROLE regress_other;
INSERT INTO checked VALUES (NULL);
INSERT INTO checked SELECT v FROM t WHERE id = 1;
INSERT INTO defaulted VALUES (1);
INSERT INTO defaulted VALUES (1, NULL);

-- row-level security comes first: what a policy hides is not opened
SET ROLE regress_officer;
GRANT USAGE ON FOREIGN SERVER regress_key TO regress_heir;
SET ROLE regress_hr;
CREATE TABLE rls (owner name, v encrypted(regress_key));
ALTER TABLE rls ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON rls USING (owner = current_user);
INSERT INTO rls VALUES ('regress_hr', 'of hr'), ('regress_heir', 'of heir');
GRANT SELECT ON rls TO regress_heir;
CREATE FUNCTION leak(text) RETURNS boolean COST 0.0001 LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''saw %'', $1; RETURN true; END';
SET ROLE regress_heir;
SELECT owner, v::text FROM rls WHERE leak(v::text);

-- REVOKE acts at the next statement, in an open transaction too
SET ROLE regress_hr;
BEGIN;
SELECT v::text FROM t WHERE id = 1;
SET LOCAL ROLE regress_officer;
REVOKE USAGE ON FOREIGN SERVER regress_key FROM regress_hr;
SET LOCAL ROLE regress_hr;
SELECT v::text FROM t WHERE id = 1;
ROLLBACK;
SELECT v::text FROM t WHERE id = 1;
-- and between two FETCHes
INSERT INTO t SELECT 100 + i, i::text FROM generate_series(1, 3) AS i;
BEGIN;
DECLARE c CURSOR FOR SELECT v::text FROM t WHERE id > 100;
FETCH c;
SET LOCAL ROLE regress_officer;
REVOKE USAGE ON FOREIGN SERVER regress_key FROM regress_hr;
SET LOCAL ROLE regress_hr;
FETCH c;
ROLLBACK;
-- within the savepoint only
BEGIN;
SAVEPOINT s;
SET LOCAL ROLE regress_officer;
REVOKE USAGE ON FOREIGN SERVER regress_key FROM regress_hr;
ROLLBACK TO s;
SELECT v::text FROM t WHERE id = 1;
COMMIT;

-- one plan, several roles: the check is made when it runs
SET plan_cache_mode = force_generic_plan;
PREPARE opening AS SELECT v::text FROM t WHERE id = 1;
PREPARE sealing(text) AS INSERT INTO t VALUES (5, $1);
PREPARE sealing_unknown AS INSERT INTO t VALUES (6, $1);
EXECUTE opening;
EXECUTE sealing('x');
EXECUTE sealing_unknown('x');
SET ROLE regress_other;
EXECUTE opening;
EXECUTE sealing('x');
EXECUTE sealing_unknown('x');
SET ROLE regress_member;
EXECUTE opening;
EXECUTE sealing('x');
EXECUTE sealing_unknown('x');
RESET plan_cache_mode;

-- membership: taken away, it is gone at once
RESET ROLE;
REVOKE regress_hr FROM regress_member;
SET ROLE regress_member;
EXECUTE opening;
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA regress_grants CASCADE;
SET themis_crypt.allow_drop_key = on;
DROP SERVER regress_key;
DROP OWNED BY regress_super, regress_officer, regress_hr, regress_member, regress_heir, regress_other;
DROP ROLE regress_super, regress_officer, regress_hr, regress_member, regress_heir, regress_other;
