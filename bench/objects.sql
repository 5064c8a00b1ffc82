-- What the benchmark needs once per server.
SET client_min_messages = warning;
CREATE EXTENSION pgcrypto;
CREATE SERVER bench FOREIGN DATA WRAPPER themis_crypt;
CREATE FUNCTION tc_floor_seal(text) RETURNS bytea AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE FUNCTION tc_floor_open(bytea) RETURNS text AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE FUNCTION tc_floor_seal_subkey(text) RETURNS bytea AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE FUNCTION tc_floor_open_subkey(bytea) RETURNS text AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;
CREATE FUNCTION tc_floor_token(text) RETURNS bytea AS 'tc_floor' LANGUAGE C STRICT STABLE PARALLEL SAFE;
