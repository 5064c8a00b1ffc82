/*-------------------------------------------------------------------------
 *
 * typmod.h
 *	  encrypted(key, type, searchable) as a type modifier, and back.
 *
 * 31 bits: key id << 7 | plaintext type code << 2 | search mode.  Never
 * negative: PostgreSQL takes a negative typmod for "none".  Neither way needs
 * the key itself or any privilege on it.
 *
 *	Errors	42704 for a key or type that does not exist, 22023 for a modifier
 *			out of order; both say what it should look like.
 *	Uses	keycat.h, plaintype.h, canonical.h.
 *
 * src/typmod.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TYPMOD_H
#define TC_TYPMOD_H

#include "postgres.h"

#include "envelope.h"

#define TC_SEARCH_NONE	0
#define TC_SEARCH_EQUAL 1

static inline int32
tc_typmod_make(uint32 key_id, uint8 type_code, uint8 search)
{
	return (int32) (key_id << 7 | (uint32) type_code << 2 | search);
}

static inline uint32
tc_typmod_key_id(int32 typmod)
{
	return (uint32) typmod >> 7;
}

static inline uint8
tc_typmod_type_code(int32 typmod)
{
	return ((uint32) typmod >> 2) & 31;
}

static inline uint8
tc_typmod_search(int32 typmod)
{
	return (uint32) typmod & 3;
}

/* The typmod of a column that a sealed value belongs in as it is. */
static inline int32
tc_typmod_of(const TcHeader *header)
{
	return tc_typmod_make(header->key_id, header->type_code,
						  (header->flags & TC_FLAG_SEARCHABLE) ?
						  TC_SEARCH_EQUAL : TC_SEARCH_NONE);
}

/* Whether a column has this typmod. */
static inline bool
tc_typmod_fits(int32 typmod, const TcHeader *header)
{
	return header->version != TC_VERSION_PENDING &&
		tc_typmod_of(header) == typmod;
}

/* "(payroll,numeric)"; palloc'd. */
extern char *tc_typmod_text(int32 typmod);

/*
 * "encrypted(payroll, numeric, searchable)", for hints: the type that a column
 * needs in order to be searched, which may hold another plaintext type;
 * palloc'd.
 */
extern char *tc_typmod_searchable(int32 typmod);

#endif							/* TC_TYPMOD_H */
