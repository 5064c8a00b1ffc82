/*-------------------------------------------------------------------------
 *
 * sealdatum.h
 *	  Seal and open datums of SQL types, for the faces of the type.
 *
 * Between sealing.h, which knows bytes, and the input functions and casts of
 * the type.  Wipes what it copied, on errors too.
 *
 *	Owns	nothing; results are palloc'd in the current context.
 *	Errors	those of sealing.h and plaintype.h.
 *	Uses	sealing.h, plaintype.h, typmod.h.
 *
 * src/sealdatum.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_SEALDATUM_H
#define TC_SEALDATUM_H

#include "postgres.h"

#include "plaintype.h"
#include "sealing.h"

/*
 * An error context callback that keeps the text of the statement, in which a
 * plaintext may stand, out of the server log, and the column's value out of
 * what COPY has to say.
 */
extern void tc_hide_plaintext(void *arg);

/* Evaluate something with that callback in place. */
#define TC_HIDING_PLAINTEXT(expression) \
	do { \
		ErrorContextCallback hiding = {error_context_stack, tc_hide_plaintext, NULL}; \
		\
		error_context_stack = &hiding; \
		expression; \
		error_context_stack = hiding.previous; \
	} while (0)

/* The plaintext type of a column with this typmod; 0A000 for unknown modes. */
extern const TcPlainType *tc_column_type(int32 typmod);

/* Seal a datum of a plaintext type for a column, or (typmod < 0) pending. */
extern struct varlena *tc_datum_seal(const TcPlainType *type, Datum value,
									 int32 typmod);

/* The same for a datum of the caller's own, which is wiped. */
extern struct varlena *tc_datum_seal_and_wipe(const TcPlainType *type,
											  Datum value, int32 typmod);

/*
 * The blind token of a datum of a searchable plaintext type under a key.
 * Needs USAGE, as sealing does.
 */
extern void tc_datum_token(const TcPlainType *type, Datum value, uint32 key_id,
						   uint8 ret_token[TC_TOKEN_BYTES]);

/* Open any value, pending or not, as a datum of the type it was sealed as. */
extern Datum tc_datum_open(const TcEnvelope *envelope, const TcPlainType *type);

/* Open a pending value whose type is still open as a datum of this one. */
extern Datum tc_datum_open_untyped(const TcEnvelope *envelope,
								   const TcPlainType *type);

/*
 * Seal anew, under the key of a column, a pending value or one of another
 * key, type or search mode.  NULL if its type's conversion gives NULL.
 */
extern struct varlena *tc_datum_reseal(const TcEnvelope *envelope, int32 typmod);

#endif							/* TC_SEALDATUM_H */
