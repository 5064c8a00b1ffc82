/*-------------------------------------------------------------------------
 *
 * plaintype.h
 *	  The plaintext types of encrypted columns, and their bytes.
 *
 * Each has a code of ours that stands in typmods and sealed values (FORMAT,
 * "Plaintext types"), never an OID.  The bytes that are sealed are what the
 * type's send function gives; for text, json and jsonb the text form in
 * UTF-8, because their send functions follow client_encoding.
 *
 *	Owns	nothing.
 *	Errors	those of the types' own functions, whose texts may quote input;
 *			42804 where there is no cast.
 *	Uses	the types' own functions, found by OID.
 *
 * src/plaintype.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_PLAINTYPE_H
#define TC_PLAINTYPE_H

#include "postgres.h"

#include "parser/parse_coerce.h"

#include "bytes.h"

#define TC_TYPE_UNTYPED 0		/* of a pending literal: its text form */
#define TC_TYPE_OCTETS	31		/* of a pending parameter: its binary form */
#define TC_TYPE_TEXT	1
#define TC_TYPE_BYTEA	2
#define TC_TYPE_MAX		31		/* five bits of a typmod */

typedef struct TcPlainType
{
	uint8		code;
	Oid			typid;
	const char *name;			/* as in encrypted(key, name) */
} TcPlainType;

/* NULL if there is none. */
extern const TcPlainType *tc_plaintype_by_code(uint8 code);
extern const TcPlainType *tc_plaintype_by_name(const char *name);

/* varchar, bpchar and name count as text. */
extern const TcPlainType *tc_plaintype_by_oid(Oid typid);

/*
 * The bytes of a value of a plaintext type, as a varlena of the caller's to
 * be freed with tc_plain_free(), or *ret_borrowed true and it must not be.
 */
extern struct varlena *tc_plain_from_datum(const TcPlainType *type,
										   Datum value, bool *ret_borrowed);

/* And back.  "plain" may become part of the result, or is wiped and freed. */
extern Datum tc_plain_to_datum(const TcPlainType *type, struct varlena *plain);

/* Wipe and free a varlena that holds plaintext. */
extern void tc_plain_free(struct varlena *plain);

/* Wipe a datum of a plaintext type that nobody else refers to. */
extern void tc_plain_wipe_datum(const TcPlainType *type, Datum value);

/*
 * Text in the server's encoding as UTF-8: the same pointer if nothing is to be
 * converted, else palloc'd, to be wiped by the caller.  Errors show nothing of it.
 */
extern char *tc_plain_text_to_utf8(const char *str, int len);

/* A type's input function. */
extern Datum tc_plain_input(const TcPlainType *type, char *text);

/*
 * A type's receive function, on what a client sent in binary form; "encoding",
 * of PostgreSQL's enum, is that of text in it.  Error 22P03, 08P01 or one of
 * the type's.
 */
extern Datum tc_plain_receive(const TcPlainType *type, const char *bytes,
							  int len, int encoding);

/*
 * Convert as PostgreSQL would in this context (assignment or explicit cast);
 * 42804 if it would not.  A cast may give NULL: then *ret_isnull is set.
 */
extern Datum tc_plain_convert(Datum value, Oid from, Oid to,
							  CoercionContext context, bool *ret_isnull);

#endif							/* TC_PLAINTYPE_H */
