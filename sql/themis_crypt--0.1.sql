/* sql/themis_crypt--0.1.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION themis_crypt" to load this file. \quit

-- The type, its casts and its support functions are found with any
-- search_path, because the type lives in pg_catalog.  All else is here.
CREATE SCHEMA themis_crypt;
GRANT USAGE ON SCHEMA themis_crypt TO PUBLIC;
COMMENT ON SCHEMA themis_crypt IS 'functions and views of the extension themis_crypt';

-- encrypted type

CREATE TYPE encrypted;

CREATE FUNCTION themis_crypt.encrypted_in(cstring, oid, integer) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_encrypted_in'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.encrypted_in(cstring, oid, integer) IS
    'I/O: seals plaintext, or takes in the text form of a sealed value';

CREATE FUNCTION themis_crypt.encrypted_out(encrypted) RETURNS cstring
    AS 'MODULE_PATHNAME', 'themis_crypt_encrypted_out'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.encrypted_out(encrypted) IS
    'I/O: the text form of a sealed value, still sealed';

CREATE FUNCTION themis_crypt.encrypted_recv(internal, oid, integer) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_encrypted_recv'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.encrypted_recv(internal, oid, integer) IS
    'I/O: seals plaintext, or takes in the binary form of a sealed value';

CREATE FUNCTION themis_crypt.encrypted_send(encrypted) RETURNS bytea
    AS 'MODULE_PATHNAME', 'themis_crypt_encrypted_send'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.encrypted_send(encrypted) IS
    'I/O: the binary form of a sealed value, still sealed';

CREATE FUNCTION themis_crypt.encrypted_typmod_in(cstring[]) RETURNS integer
    AS 'MODULE_PATHNAME', 'themis_crypt_typmod_in'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.encrypted_typmod_in(cstring[]) IS
    'I/O: key and plaintext type of a column, as in encrypted(key, type)';

CREATE FUNCTION themis_crypt.encrypted_typmod_out(integer) RETURNS cstring
    AS 'MODULE_PATHNAME', 'themis_crypt_typmod_out'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.encrypted_typmod_out(integer) IS
    'I/O: key and plaintext type of a column, as in encrypted(key, type)';

CREATE FUNCTION themis_crypt.typanalyze(internal) RETURNS boolean
    AS 'MODULE_PATHNAME', 'themis_crypt_typanalyze'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.typanalyze(internal) IS
    'statistics of encrypted columns, with no value opened';

CREATE TYPE encrypted (
    INPUT = themis_crypt.encrypted_in,
    OUTPUT = themis_crypt.encrypted_out,
    RECEIVE = themis_crypt.encrypted_recv,
    SEND = themis_crypt.encrypted_send,
    TYPMOD_IN = themis_crypt.encrypted_typmod_in,
    TYPMOD_OUT = themis_crypt.encrypted_typmod_out,
    ANALYZE = themis_crypt.typanalyze,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = external
);
COMMENT ON TYPE encrypted IS
    'value sealed under a key: encrypted(key), encrypted(key, type) or encrypted(key, type, searchable)';

-- functions on values

CREATE FUNCTION themis_crypt.seal("any", integer) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_seal'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.seal("any", integer) IS
    'seals a value for a column with this type modifier; put into plans for the cast';

CREATE FUNCTION themis_crypt.coerce_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'themis_crypt_coerce_support'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.coerce_support(internal) IS
    'planner support for themis_crypt.coerce';

CREATE FUNCTION themis_crypt.coerce(encrypted, integer, boolean) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_coerce'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.coerce_support;
COMMENT ON FUNCTION themis_crypt.coerce(encrypted, integer, boolean) IS
    'seals a value under the key of the column it goes into';

CREATE CAST (encrypted AS encrypted)
    WITH FUNCTION themis_crypt.coerce(encrypted, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (encrypted AS encrypted) IS 'seals a value under the key of its column';

-- casts: to encrypted when assigned, from encrypted (which opens) when asked

CREATE FUNCTION themis_crypt.from_plain(text) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(text) IS 'cast: seals until a column''s key is known';
CREATE CAST (text AS encrypted) WITH FUNCTION themis_crypt.from_plain(text) AS ASSIGNMENT;
COMMENT ON CAST (text AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_text(encrypted) RETURNS text
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_text(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS text) WITH FUNCTION themis_crypt.to_text(encrypted);
COMMENT ON CAST (encrypted AS text) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(varchar) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(varchar) IS 'cast: seals until a column''s key is known';
CREATE CAST (varchar AS encrypted) WITH FUNCTION themis_crypt.from_plain(varchar) AS ASSIGNMENT;
COMMENT ON CAST (varchar AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_varchar(encrypted) RETURNS varchar
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_varchar(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS varchar) WITH FUNCTION themis_crypt.to_varchar(encrypted);
COMMENT ON CAST (encrypted AS varchar) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(bpchar) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(bpchar) IS 'cast: seals until a column''s key is known';
CREATE CAST (bpchar AS encrypted) WITH FUNCTION themis_crypt.from_plain(bpchar) AS ASSIGNMENT;
COMMENT ON CAST (bpchar AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_bpchar(encrypted) RETURNS bpchar
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_bpchar(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS bpchar) WITH FUNCTION themis_crypt.to_bpchar(encrypted);
COMMENT ON CAST (encrypted AS bpchar) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.to_name(encrypted) RETURNS name
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_name(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS name) WITH FUNCTION themis_crypt.to_name(encrypted);
COMMENT ON CAST (encrypted AS name) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(bytea) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(bytea) IS 'cast: seals until a column''s key is known';
CREATE CAST (bytea AS encrypted) WITH FUNCTION themis_crypt.from_plain(bytea) AS ASSIGNMENT;
COMMENT ON CAST (bytea AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_bytea(encrypted) RETURNS bytea
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_bytea(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS bytea) WITH FUNCTION themis_crypt.to_bytea(encrypted);
COMMENT ON CAST (encrypted AS bytea) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(json) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(json) IS 'cast: seals until a column''s key is known';
CREATE CAST (json AS encrypted) WITH FUNCTION themis_crypt.from_plain(json) AS ASSIGNMENT;
COMMENT ON CAST (json AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_json(encrypted) RETURNS json
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_json(encrypted) IS 'opens a sealed value; needs USAGE on its key';
-- No cast to json: to_json(), to_jsonb() and row_to_json() would find it and
-- open values on their way into audit tables and the like.

CREATE FUNCTION themis_crypt.from_plain(jsonb) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(jsonb) IS 'cast: seals until a column''s key is known';
CREATE CAST (jsonb AS encrypted) WITH FUNCTION themis_crypt.from_plain(jsonb) AS ASSIGNMENT;
COMMENT ON CAST (jsonb AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_jsonb(encrypted) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_jsonb(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS jsonb) WITH FUNCTION themis_crypt.to_jsonb(encrypted);
COMMENT ON CAST (encrypted AS jsonb) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(bool) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(bool) IS 'cast: seals until a column''s key is known';
CREATE CAST (bool AS encrypted) WITH FUNCTION themis_crypt.from_plain(bool) AS ASSIGNMENT;
COMMENT ON CAST (bool AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_bool(encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_bool(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS bool) WITH FUNCTION themis_crypt.to_bool(encrypted);
COMMENT ON CAST (encrypted AS bool) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(int2) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(int2) IS 'cast: seals until a column''s key is known';
CREATE CAST (int2 AS encrypted) WITH FUNCTION themis_crypt.from_plain(int2) AS ASSIGNMENT;
COMMENT ON CAST (int2 AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_int2(encrypted) RETURNS int2
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_int2(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS int2) WITH FUNCTION themis_crypt.to_int2(encrypted);
COMMENT ON CAST (encrypted AS int2) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(int4) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(int4) IS 'cast: seals until a column''s key is known';
CREATE CAST (int4 AS encrypted) WITH FUNCTION themis_crypt.from_plain(int4) AS ASSIGNMENT;
COMMENT ON CAST (int4 AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_int4(encrypted) RETURNS int4
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_int4(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS int4) WITH FUNCTION themis_crypt.to_int4(encrypted);
COMMENT ON CAST (encrypted AS int4) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(int8) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(int8) IS 'cast: seals until a column''s key is known';
CREATE CAST (int8 AS encrypted) WITH FUNCTION themis_crypt.from_plain(int8) AS ASSIGNMENT;
COMMENT ON CAST (int8 AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_int8(encrypted) RETURNS int8
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_int8(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS int8) WITH FUNCTION themis_crypt.to_int8(encrypted);
COMMENT ON CAST (encrypted AS int8) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(float4) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(float4) IS 'cast: seals until a column''s key is known';
CREATE CAST (float4 AS encrypted) WITH FUNCTION themis_crypt.from_plain(float4) AS ASSIGNMENT;
COMMENT ON CAST (float4 AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_float4(encrypted) RETURNS float4
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_float4(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS float4) WITH FUNCTION themis_crypt.to_float4(encrypted);
COMMENT ON CAST (encrypted AS float4) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(float8) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(float8) IS 'cast: seals until a column''s key is known';
CREATE CAST (float8 AS encrypted) WITH FUNCTION themis_crypt.from_plain(float8) AS ASSIGNMENT;
COMMENT ON CAST (float8 AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_float8(encrypted) RETURNS float8
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_float8(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS float8) WITH FUNCTION themis_crypt.to_float8(encrypted);
COMMENT ON CAST (encrypted AS float8) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(numeric) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(numeric) IS 'cast: seals until a column''s key is known';
CREATE CAST (numeric AS encrypted) WITH FUNCTION themis_crypt.from_plain(numeric) AS ASSIGNMENT;
COMMENT ON CAST (numeric AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_numeric(encrypted) RETURNS numeric
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_numeric(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS numeric) WITH FUNCTION themis_crypt.to_numeric(encrypted);
COMMENT ON CAST (encrypted AS numeric) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(date) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(date) IS 'cast: seals until a column''s key is known';
CREATE CAST (date AS encrypted) WITH FUNCTION themis_crypt.from_plain(date) AS ASSIGNMENT;
COMMENT ON CAST (date AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_date(encrypted) RETURNS date
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_date(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS date) WITH FUNCTION themis_crypt.to_date(encrypted);
COMMENT ON CAST (encrypted AS date) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(time) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(time) IS 'cast: seals until a column''s key is known';
CREATE CAST (time AS encrypted) WITH FUNCTION themis_crypt.from_plain(time) AS ASSIGNMENT;
COMMENT ON CAST (time AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_time(encrypted) RETURNS time
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_time(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS time) WITH FUNCTION themis_crypt.to_time(encrypted);
COMMENT ON CAST (encrypted AS time) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(timestamp) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(timestamp) IS 'cast: seals until a column''s key is known';
CREATE CAST (timestamp AS encrypted) WITH FUNCTION themis_crypt.from_plain(timestamp) AS ASSIGNMENT;
COMMENT ON CAST (timestamp AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_timestamp(encrypted) RETURNS timestamp
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_timestamp(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS timestamp) WITH FUNCTION themis_crypt.to_timestamp(encrypted);
COMMENT ON CAST (encrypted AS timestamp) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(timestamptz) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(timestamptz) IS 'cast: seals until a column''s key is known';
CREATE CAST (timestamptz AS encrypted) WITH FUNCTION themis_crypt.from_plain(timestamptz) AS ASSIGNMENT;
COMMENT ON CAST (timestamptz AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_timestamptz(encrypted) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_timestamptz(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS timestamptz) WITH FUNCTION themis_crypt.to_timestamptz(encrypted);
COMMENT ON CAST (encrypted AS timestamptz) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(interval) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(interval) IS 'cast: seals until a column''s key is known';
CREATE CAST (interval AS encrypted) WITH FUNCTION themis_crypt.from_plain(interval) AS ASSIGNMENT;
COMMENT ON CAST (interval AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_interval(encrypted) RETURNS interval
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_interval(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS interval) WITH FUNCTION themis_crypt.to_interval(encrypted);
COMMENT ON CAST (encrypted AS interval) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(uuid) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(uuid) IS 'cast: seals until a column''s key is known';
CREATE CAST (uuid AS encrypted) WITH FUNCTION themis_crypt.from_plain(uuid) AS ASSIGNMENT;
COMMENT ON CAST (uuid AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_uuid(encrypted) RETURNS uuid
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_uuid(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS uuid) WITH FUNCTION themis_crypt.to_uuid(encrypted);
COMMENT ON CAST (encrypted AS uuid) IS 'opens a sealed value';

CREATE FUNCTION themis_crypt.from_plain(inet) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_from_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.from_plain(inet) IS 'cast: seals until a column''s key is known';
CREATE CAST (inet AS encrypted) WITH FUNCTION themis_crypt.from_plain(inet) AS ASSIGNMENT;
COMMENT ON CAST (inet AS encrypted) IS 'seals a plaintext';

CREATE FUNCTION themis_crypt.to_inet(encrypted) RETURNS inet
    AS 'MODULE_PATHNAME', 'themis_crypt_to_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.to_inet(encrypted) IS 'cast: opens a sealed value; needs USAGE on its key';
CREATE CAST (encrypted AS inet) WITH FUNCTION themis_crypt.to_inet(encrypted);
COMMENT ON CAST (encrypted AS inet) IS 'opens a sealed value';

-- in place of functions of core that are SQL, as $1::text, and would open

CREATE FUNCTION themis_crypt.concat_before(encrypted, text) RETURNS text
    AS 'MODULE_PATHNAME', 'themis_crypt_concat_before'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.concat_before(encrypted, text) IS 'implementation of || operator';
CREATE OPERATOR || (LEFTARG = encrypted, RIGHTARG = text,
    FUNCTION = themis_crypt.concat_before);
COMMENT ON OPERATOR || (encrypted, text) IS 'concatenate, still sealed';

CREATE FUNCTION themis_crypt.concat_after(text, encrypted) RETURNS text
    AS 'MODULE_PATHNAME', 'themis_crypt_concat_after'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.concat_after(text, encrypted) IS 'implementation of || operator';
CREATE OPERATOR || (LEFTARG = text, RIGHTARG = encrypted,
    FUNCTION = themis_crypt.concat_after);
COMMENT ON OPERATOR || (text, encrypted) IS 'concatenate, still sealed';

CREATE FUNCTION quote_literal(encrypted) RETURNS text
    AS 'MODULE_PATHNAME', 'themis_crypt_quote'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION quote_literal(encrypted) IS 'quote a sealed value for usage in a querystring';

CREATE FUNCTION quote_nullable(encrypted) RETURNS text
    AS 'MODULE_PATHNAME', 'themis_crypt_quote'
    LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION quote_nullable(encrypted) IS 'quote a possibly-null sealed value for usage in a querystring';

-- search: operators that compare sealed values by their tokens

CREATE FUNCTION themis_crypt.probe("any", integer) RETURNS encrypted
    AS 'MODULE_PATHNAME', 'themis_crypt_probe'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.probe("any", integer) IS
    'what a column with this type modifier is compared with; put into plans';

CREATE FUNCTION themis_crypt.probe_array(anyarray, integer) RETURNS encrypted[]
    AS 'MODULE_PATHNAME', 'themis_crypt_probe_array'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.probe_array(anyarray, integer) IS
    'what a column with this type modifier is compared with; put into plans for IN and ANY';

CREATE FUNCTION themis_crypt.search_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'themis_crypt_search_support'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.search_support(internal) IS
    'planner support for = and <> of type encrypted';

CREATE FUNCTION themis_crypt.eq(encrypted, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq'
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, encrypted) IS 'implementation of = operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, encrypted) IS 'equal';

CREATE FUNCTION themis_crypt.ne(encrypted, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne'
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, encrypted) IS 'not equal';

-- The order of tokens, for btree indexes and merge joins.  It means nothing, so
-- these operators have names that nobody types, and only indexes may use them.

CREATE FUNCTION themis_crypt.lt(encrypted, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_lt'
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.lt(encrypted, encrypted) IS 'implementation of #< operator';
REVOKE ALL ON FUNCTION themis_crypt.lt(encrypted, encrypted) FROM PUBLIC;
CREATE OPERATOR pg_catalog.#< (
    LEFTARG = encrypted, RIGHTARG = encrypted, FUNCTION = themis_crypt.lt,
    COMMUTATOR = OPERATOR(pg_catalog.#>), NEGATOR = OPERATOR(pg_catalog.#>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR pg_catalog.#< (encrypted, encrypted) IS 'order of tokens, for indexes';

CREATE FUNCTION themis_crypt.le(encrypted, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_le'
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.le(encrypted, encrypted) IS 'implementation of #<= operator';
REVOKE ALL ON FUNCTION themis_crypt.le(encrypted, encrypted) FROM PUBLIC;
CREATE OPERATOR pg_catalog.#<= (
    LEFTARG = encrypted, RIGHTARG = encrypted, FUNCTION = themis_crypt.le,
    COMMUTATOR = OPERATOR(pg_catalog.#>=), NEGATOR = OPERATOR(pg_catalog.#>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR pg_catalog.#<= (encrypted, encrypted) IS 'order of tokens, for indexes';

CREATE FUNCTION themis_crypt.ge(encrypted, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ge'
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.ge(encrypted, encrypted) IS 'implementation of #>= operator';
REVOKE ALL ON FUNCTION themis_crypt.ge(encrypted, encrypted) FROM PUBLIC;
CREATE OPERATOR pg_catalog.#>= (
    LEFTARG = encrypted, RIGHTARG = encrypted, FUNCTION = themis_crypt.ge,
    COMMUTATOR = OPERATOR(pg_catalog.#<=), NEGATOR = OPERATOR(pg_catalog.#<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR pg_catalog.#>= (encrypted, encrypted) IS 'order of tokens, for indexes';

CREATE FUNCTION themis_crypt.gt(encrypted, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_gt'
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.gt(encrypted, encrypted) IS 'implementation of #> operator';
REVOKE ALL ON FUNCTION themis_crypt.gt(encrypted, encrypted) FROM PUBLIC;
CREATE OPERATOR pg_catalog.#> (
    LEFTARG = encrypted, RIGHTARG = encrypted, FUNCTION = themis_crypt.gt,
    COMMUTATOR = OPERATOR(pg_catalog.#<), NEGATOR = OPERATOR(pg_catalog.#<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR pg_catalog.#> (encrypted, encrypted) IS 'order of tokens, for indexes';

CREATE FUNCTION themis_crypt.cmp(encrypted, encrypted) RETURNS integer
    AS 'MODULE_PATHNAME', 'themis_crypt_cmp'
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.cmp(encrypted, encrypted) IS 'order of tokens, for indexes';
CREATE FUNCTION themis_crypt.sortsupport(internal) RETURNS void
    AS 'MODULE_PATHNAME', 'themis_crypt_sortsupport'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.sortsupport(internal) IS 'sort support';
CREATE FUNCTION themis_crypt.hash(encrypted) RETURNS integer
    AS 'MODULE_PATHNAME', 'themis_crypt_hash'
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.hash(encrypted) IS 'hash';
CREATE FUNCTION themis_crypt.hash_extended(encrypted, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'themis_crypt_hash_extended'
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.hash_extended(encrypted, bigint) IS 'hash';

CREATE OPERATOR CLASS pg_catalog.encrypted_ops DEFAULT FOR TYPE encrypted USING btree AS
    OPERATOR 1 pg_catalog.#<,
    OPERATOR 2 pg_catalog.#<=,
    OPERATOR 3 pg_catalog.=,
    OPERATOR 4 pg_catalog.#>=,
    OPERATOR 5 pg_catalog.#>,
    FUNCTION 1 themis_crypt.cmp(encrypted, encrypted),
    FUNCTION 2 themis_crypt.sortsupport(internal);
COMMENT ON OPERATOR FAMILY pg_catalog.encrypted_ops USING btree IS 'equality of searchable encrypted values';
COMMENT ON OPERATOR CLASS pg_catalog.encrypted_ops USING btree IS 'equality of searchable encrypted values';

CREATE OPERATOR CLASS pg_catalog.encrypted_ops DEFAULT FOR TYPE encrypted USING hash AS
    OPERATOR 1 pg_catalog.=,
    FUNCTION 1 themis_crypt.hash(encrypted),
    FUNCTION 2 themis_crypt.hash_extended(encrypted, bigint);
COMMENT ON OPERATOR FAMILY pg_catalog.encrypted_ops USING hash IS 'equality of searchable encrypted values';
COMMENT ON OPERATOR CLASS pg_catalog.encrypted_ops USING hash IS 'equality of searchable encrypted values';

-- search: comparisons with plaintexts, which the planner makes probes

CREATE FUNCTION themis_crypt.eq(encrypted, text) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, text) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(text, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(text, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, text) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, text) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(text, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(text, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = text, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, text) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = text, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (text, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = text, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, text) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = text, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (text, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, bytea) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, bytea) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(bytea, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(bytea, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, bytea) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, bytea) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(bytea, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(bytea, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = bytea, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, bytea) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = bytea, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (bytea, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = bytea, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, bytea) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = bytea, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (bytea, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, jsonb) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, jsonb) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(jsonb, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(jsonb, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, jsonb) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, jsonb) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(jsonb, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(jsonb, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = jsonb, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, jsonb) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = jsonb, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (jsonb, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = jsonb, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, jsonb) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = jsonb, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (jsonb, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, bool) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, bool) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(bool, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(bool, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, bool) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, bool) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(bool, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(bool, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = bool, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, bool) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = bool, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (bool, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = bool, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, bool) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = bool, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (bool, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, int2) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, int2) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(int2, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(int2, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, int2) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, int2) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(int2, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(int2, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = int2, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, int2) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = int2, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (int2, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = int2, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, int2) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = int2, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (int2, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, int4) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, int4) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(int4, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(int4, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, int4) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, int4) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(int4, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(int4, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = int4, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, int4) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = int4, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (int4, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = int4, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, int4) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = int4, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (int4, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, int8) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, int8) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(int8, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(int8, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, int8) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, int8) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(int8, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(int8, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = int8, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, int8) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = int8, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (int8, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = int8, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, int8) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = int8, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (int8, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, float4) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, float4) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(float4, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(float4, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, float4) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, float4) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(float4, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(float4, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = float4, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, float4) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = float4, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (float4, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = float4, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, float4) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = float4, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (float4, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, float8) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, float8) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(float8, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(float8, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, float8) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, float8) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(float8, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(float8, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = float8, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, float8) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = float8, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (float8, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = float8, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, float8) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = float8, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (float8, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, numeric) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, numeric) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(numeric, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(numeric, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, numeric) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, numeric) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(numeric, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(numeric, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = numeric, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, numeric) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = numeric, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (numeric, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = numeric, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, numeric) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = numeric, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (numeric, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, date) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, date) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(date, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(date, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, date) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, date) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(date, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(date, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = date, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, date) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = date, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (date, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = date, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, date) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = date, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (date, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, time) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, time) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(time, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(time, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, time) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, time) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(time, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(time, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = time, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, time) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = time, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (time, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = time, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, time) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = time, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (time, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, timestamp) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, timestamp) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(timestamp, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(timestamp, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, timestamp) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, timestamp) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(timestamp, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(timestamp, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = timestamp, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, timestamp) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = timestamp, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (timestamp, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = timestamp, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, timestamp) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = timestamp, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (timestamp, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, timestamptz) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, timestamptz) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(timestamptz, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(timestamptz, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, timestamptz) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, timestamptz) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(timestamptz, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(timestamptz, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = timestamptz, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, timestamptz) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = timestamptz, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (timestamptz, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = timestamptz, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, timestamptz) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = timestamptz, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (timestamptz, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, interval) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, interval) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(interval, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(interval, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, interval) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, interval) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(interval, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(interval, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = interval, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, interval) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = interval, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (interval, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = interval, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, interval) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = interval, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (interval, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, uuid) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, uuid) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(uuid, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(uuid, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, uuid) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, uuid) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(uuid, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(uuid, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = uuid, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, uuid) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = uuid, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (uuid, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = uuid, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, uuid) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = uuid, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (uuid, encrypted) IS 'not equal';

CREATE FUNCTION themis_crypt.eq(encrypted, inet) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(encrypted, inet) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.eq(inet, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_eq_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.eq(inet, encrypted) IS 'implementation of = operator';
CREATE FUNCTION themis_crypt.ne(encrypted, inet) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(encrypted, inet) IS 'implementation of <> operator';
CREATE FUNCTION themis_crypt.ne(inet, encrypted) RETURNS bool
    AS 'MODULE_PATHNAME', 'themis_crypt_ne_plain'
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SUPPORT themis_crypt.search_support;
COMMENT ON FUNCTION themis_crypt.ne(inet, encrypted) IS 'implementation of <> operator';
CREATE OPERATOR pg_catalog.= (
    LEFTARG = encrypted, RIGHTARG = inet, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (encrypted, inet) IS 'equal';

CREATE OPERATOR pg_catalog.= (
    LEFTARG = inet, RIGHTARG = encrypted, FUNCTION = themis_crypt.eq,
    COMMUTATOR = OPERATOR(pg_catalog.=), NEGATOR = OPERATOR(pg_catalog.<>), RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR pg_catalog.= (inet, encrypted) IS 'equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = encrypted, RIGHTARG = inet, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (encrypted, inet) IS 'not equal';

CREATE OPERATOR pg_catalog.<> (
    LEFTARG = inet, RIGHTARG = encrypted, FUNCTION = themis_crypt.ne,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR pg_catalog.<> (inet, encrypted) IS 'not equal';

-- A row comparison, (a, b) = (x, y), wants to see that "=" is an equality, and
-- looks for it in operator families.  In one of their own these operators are
-- recognised, and no index has it.
CREATE OPERATOR FAMILY pg_catalog.encrypted_plain_ops USING btree;
COMMENT ON OPERATOR FAMILY pg_catalog.encrypted_plain_ops USING btree IS
    'equality of encrypted values and plaintexts; no operator class, no index';
ALTER OPERATOR FAMILY pg_catalog.encrypted_plain_ops USING btree ADD
    OPERATOR 3 pg_catalog.= (encrypted, text),
    OPERATOR 3 pg_catalog.= (text, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, bytea),
    OPERATOR 3 pg_catalog.= (bytea, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, jsonb),
    OPERATOR 3 pg_catalog.= (jsonb, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, bool),
    OPERATOR 3 pg_catalog.= (bool, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, int2),
    OPERATOR 3 pg_catalog.= (int2, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, int4),
    OPERATOR 3 pg_catalog.= (int4, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, int8),
    OPERATOR 3 pg_catalog.= (int8, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, float4),
    OPERATOR 3 pg_catalog.= (float4, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, float8),
    OPERATOR 3 pg_catalog.= (float8, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, numeric),
    OPERATOR 3 pg_catalog.= (numeric, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, date),
    OPERATOR 3 pg_catalog.= (date, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, time),
    OPERATOR 3 pg_catalog.= (time, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, timestamp),
    OPERATOR 3 pg_catalog.= (timestamp, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, timestamptz),
    OPERATOR 3 pg_catalog.= (timestamptz, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, interval),
    OPERATOR 3 pg_catalog.= (interval, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, uuid),
    OPERATOR 3 pg_catalog.= (uuid, encrypted),
    OPERATOR 3 pg_catalog.= (encrypted, inet),
    OPERATOR 3 pg_catalog.= (inet, encrypted);

-- keys

CREATE FUNCTION themis_crypt.validator(text[], oid) RETURNS void
    AS 'MODULE_PATHNAME', 'themis_crypt_validator'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.validator(text[], oid) IS
    'validator of the foreign-data wrapper themis_crypt';

CREATE FOREIGN DATA WRAPPER themis_crypt
    NO HANDLER VALIDATOR themis_crypt.validator;
COMMENT ON FOREIGN DATA WRAPPER themis_crypt IS
    'each foreign server of this wrapper is an encryption key; USAGE on it is the right to use the key';

CREATE FUNCTION themis_crypt.create_key(
    name text, algorithm text DEFAULT 'xchacha20poly1305',
    index_algorithm text DEFAULT 'blake2b', compression text DEFAULT 'none')
    RETURNS void
    AS 'MODULE_PATHNAME', 'themis_crypt_create_key'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION themis_crypt.create_key(text, text, text, text) IS
    'makes an encryption key, as CREATE SERVER name FOREIGN DATA WRAPPER themis_crypt does';

CREATE FUNCTION themis_crypt.root_records(
    OUT name text, OUT realm text, OUT fingerprint text, OUT recipients integer,
    OUT state text, OUT record bytea)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'themis_crypt_root_records'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION themis_crypt.root_records() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION themis_crypt.root_records() TO pg_monitor;
COMMENT ON FUNCTION themis_crypt.root_records() IS
    'the roots of this database, with the fingerprints to compare';

CREATE FUNCTION themis_crypt.replace_root_record(record bytea) RETURNS void
    AS 'MODULE_PATHNAME', 'themis_crypt_replace_root_record'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION themis_crypt.replace_root_record(bytea) FROM PUBLIC;
COMMENT ON FUNCTION themis_crypt.replace_root_record(bytea) IS
    'replaces the record of a root by one with more recipients; called by themis-keyring recover';

CREATE FUNCTION themis_crypt.add_recipient(name text, public_key text, role text DEFAULT 'machine')
    RETURNS text
    AS 'MODULE_PATHNAME', 'themis_crypt_add_recipient'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION themis_crypt.add_recipient(text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION themis_crypt.add_recipient(text, text, text) IS
    'lets a machine or recovery key open every root of this database; gives the fingerprint to compare';

CREATE FUNCTION themis_crypt.drop_recipient(name text) RETURNS void
    AS 'MODULE_PATHNAME', 'themis_crypt_drop_recipient'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION themis_crypt.drop_recipient(text) FROM PUBLIC;
COMMENT ON FUNCTION themis_crypt.drop_recipient(text) IS
    'takes a recipient out of every root of this database, by its name or public key; it has held the roots';

CREATE FUNCTION themis_crypt.root_recipients(
    OUT root text, OUT realm text, OUT name text, OUT role text,
    OUT fingerprint text, OUT public_key text, OUT this_machine boolean,
    OUT attested boolean)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'themis_crypt_root_recipients'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION themis_crypt.root_recipients() IS
    'implementation of view recipients';

CREATE VIEW themis_crypt.recipients AS
    SELECT root, realm, name, role, fingerprint, public_key, this_machine, attested
      FROM themis_crypt.root_recipients();
GRANT SELECT ON themis_crypt.recipients TO PUBLIC;
COMMENT ON VIEW themis_crypt.recipients IS
    'who can open the roots of this database; everybody may see it, as the options of servers it is read from';
COMMENT ON COLUMN themis_crypt.recipients.this_machine IS
    'whether it is the machine that is asked; null while encryption keys are not unlocked';
COMMENT ON COLUMN themis_crypt.recipients.attested IS
    'whether it made the root, as it says itself; only that machine can tell whether that is genuine';

CREATE VIEW themis_crypt.keys AS
    SELECT s.srvname AS name,
           to_hex(o.id::integer) AS id,
           s.srvowner::regrole AS owner,
           o.algorithm,
           o.index_algorithm,
           coalesce(o.compression, 'none') AS compression,
           o.versions,
           o.current::integer AS current,
           ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'public' ELSE a.grantee::regrole::text END
                   FROM aclexplode(coalesce(s.srvacl, acldefault('S', s.srvowner))) AS a
                  WHERE a.privilege_type = 'USAGE' ORDER BY 1) AS usable_by
      FROM pg_foreign_server AS s
      JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw AND w.fdwname = 'themis_crypt'
     CROSS JOIN LATERAL (
           SELECT max(option_value) FILTER (WHERE option_name = 'kind') AS kind,
                  max(option_value) FILTER (WHERE option_name = 'id') AS id,
                  max(option_value) FILTER (WHERE option_name = 'algorithm') AS algorithm,
                  max(split_part(option_value, ':', 1)) FILTER (WHERE option_name = 'index') AS index_algorithm,
                  max(option_value) FILTER (WHERE option_name = 'compression') AS compression,
                  max(option_value) FILTER (WHERE option_name = 'current') AS current,
                  (count(*) FILTER (WHERE option_name ~ '^v[0-9]+$'))::integer AS versions
             FROM pg_options_to_table(s.srvoptions)) AS o
     WHERE o.kind = 'key';
GRANT SELECT ON themis_crypt.keys TO PUBLIC;
COMMENT ON VIEW themis_crypt.keys IS 'the encryption keys of this database, and who may use them';

-- the instance

CREATE FUNCTION themis_crypt.status(
    OUT state text, OUT reason text, OUT attempts integer,
    OUT changed_at timestamptz, OUT next_retry timestamptz,
    OUT provider text, OUT binding text, OUT memory text, OUT locked_by text,
    OUT public_key text, OUT has_recovery boolean, OUT worker_pid integer,
    OUT unsupported text[], OUT key_slots integer)
    RETURNS record
    AS 'MODULE_PATHNAME', 'themis_crypt_status'
    LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION themis_crypt.status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION themis_crypt.status() TO pg_monitor;
COMMENT ON FUNCTION themis_crypt.status() IS
    'whether encryption keys are unlocked, and if not, why; which keys of this database this machine lacks the algorithm for, or cannot read; and how many keys fit into locked memory at a time, searchable ones counted twice';

CREATE FUNCTION themis_crypt.lock() RETURNS void
    AS 'MODULE_PATHNAME', 'themis_crypt_lock'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION themis_crypt.lock() FROM PUBLIC;
COMMENT ON FUNCTION themis_crypt.lock() IS
    'wipes all keys from memory, in the whole cluster, until unlock() or a restart';

CREATE FUNCTION themis_crypt.unlock() RETURNS void
    AS 'MODULE_PATHNAME', 'themis_crypt_unlock'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION themis_crypt.unlock() FROM PUBLIC;
COMMENT ON FUNCTION themis_crypt.unlock() IS
    'reads the keyring (again) and unlocks encryption keys through its providers';
