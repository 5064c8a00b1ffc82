/*-------------------------------------------------------------------------
 *
 * typmod.c
 *	  encrypted(key, type, searchable) as a type modifier, and back.
 *
 * src/typmod.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "canonical.h"
#include "keycat.h"
#include "plaintype.h"
#include "typmod.h"

#define SPELLING_TYPE "encrypted(key, type)"
#define SPELLING "Write encrypted(key), " SPELLING_TYPE " or encrypted(key, type, searchable)."

/* The id in "#a1b2c3", or 0 if this is not of that form. */
static uint32
parse_id(const char *str)
{
	uint32		id = 0;

	if (str[0] != '#' || strlen(str) != 7)
		return 0;
	for (const char *c = str + 1; *c != '\0'; c++)
	{
		if (!isxdigit((unsigned char) *c) || isupper((unsigned char) *c))
			return 0;
		id = id << 4 | (uint32) (*c <= '9' ? *c - '0' : *c - 'a' + 10);
	}
	return id;
}

/* The id of the key that is named, or given as "#a1b2c3". */
static uint32
key_id_of(const char *name)
{
	uint32		id = parse_id(name);
	Oid			serverid;
	TcKey	   *key;

	if (id != 0)
		return id;
	serverid = get_foreign_server_oid(name, true);
	key = OidIsValid(serverid) ? tc_key_by_server(serverid) : NULL;
	if (key == NULL || key->is_root)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("encryption key \"%s\" does not exist", name),
				 tc_plaintype_by_name(name) != NULL ?
				 errhint("The key comes first: " SPELLING_TYPE ".") :
				 errhint("Make a key with CREATE SERVER ... FOREIGN DATA WRAPPER %s; for a dump, restore its key first.",
						 TC_WRAPPER_NAME)));
	return key->id;
}

char *
tc_typmod_text(int32 typmod)
{
	const TcPlainType *type = tc_plaintype_by_code(tc_typmod_type_code(typmod));
	const char *name = tc_key_name(tc_typmod_key_id(typmod));

	/* must not fail for a key that is gone: \d and pg_dump need this */
	name = name != NULL ? quote_identifier(name) :
		psprintf("'#%06x'", tc_typmod_key_id(typmod));
	if (tc_typmod_search(typmod) == TC_SEARCH_EQUAL)
		return psprintf("(%s,%s,searchable)", name, type ? type->name : "?");
	if (type == NULL || type->code != TC_TYPE_TEXT)
		return psprintf("(%s,%s)", name, type ? type->name : "?");
	return psprintf("(%s)", name);
}

char *
tc_typmod_searchable(int32 typmod)
{
	const TcPlainType *type = tc_plaintype_by_code(tc_typmod_type_code(typmod));
	const char *key = tc_key_name(tc_typmod_key_id(typmod));
	const char *name;

	if (type == NULL)
		name = "type";
	else if (tc_type_is_searchable(type))
		name = type->name;
	else
		name = type->typid == JSONOID ? "jsonb" : "numeric";
	return psprintf("encrypted(%s, %s, searchable)",
					key != NULL ? quote_identifier(key) : "key", name);
}

PG_FUNCTION_INFO_V1(themis_crypt_typmod_in);

Datum
themis_crypt_typmod_in(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	const TcPlainType *type = tc_plaintype_by_code(TC_TYPE_TEXT);
	Datum	   *words;
	int			nwords;

	deconstruct_array(array, CSTRINGOID, -2, false, TYPALIGN_CHAR,
					  &words, NULL, &nwords);
	if (nwords < 1 || nwords > 3 || strlen(DatumGetCString(words[0])) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid modifier for type encrypted"),
				 errhint(SPELLING)));
	if (nwords > 1)
		type = tc_plaintype_by_name(DatumGetCString(words[1]));
	if (type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type \"%s\" cannot be encrypted",
						DatumGetCString(words[1])),
				 errhint("Types are text, bytea, json, jsonb, bool, int2, int4, int8, float4, float8, numeric, date, time, timestamp, timestamptz, interval, uuid and inet.")));
	if (nwords > 2 && strcmp(DatumGetCString(words[2]), "searchable") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid modifier \"%s\" for type encrypted",
						DatumGetCString(words[2])),
				 errhint(SPELLING)));
	if (nwords > 2 && !tc_type_is_searchable(type))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("encrypted columns of type %s cannot be searchable",
						type->name),
				 errhint("Use jsonb instead of json, and numeric instead of float4 and float8.")));

	PG_RETURN_INT32(tc_typmod_make(key_id_of(DatumGetCString(words[0])),
								   type->code, nwords > 2 ?
								   TC_SEARCH_EQUAL : TC_SEARCH_NONE));
}

PG_FUNCTION_INFO_V1(themis_crypt_typmod_out);

Datum
themis_crypt_typmod_out(PG_FUNCTION_ARGS)
{
	int32		typmod = PG_GETARG_INT32(0);

	PG_RETURN_CSTRING(typmod < 0 ? pstrdup("") : tc_typmod_text(typmod));
}
