/*-------------------------------------------------------------------------
 *
 * sealing.h
 *	  Seal and open values under keys that the current role may use.
 *
 * Between the faces, which know SQL types, and the slots, which know bytes:
 * finds the key, checks the privilege, loads the key if it is not there,
 * takes a nonce, and turns every failure into its error.
 *
 *	Owns	nothing; results are palloc'd in the current context.
 *	Errors	see errors.h.  On an error no plaintext is left in memory that
 *			was allocated here.
 *	Units	plaintexts have at most TC_PLAIN_MAX bytes.
 *	Uses	keycat.h, dekslots.h, envelope.h, nonce.h.
 *
 * src/sealing.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_SEALING_H
#define TC_SEALING_H

#include "postgres.h"

#include "envelope.h"
#include "keycat.h"

/*
 * Seal under the current version of a key.  42704 if there is none with this
 * id, 42501 without USAGE.  The result is a datum of type encrypted.  With a token
 * (of TC_TOKEN_BYTES) it is searchable, without (NULL) it is not.
 */
extern struct varlena *tc_value_seal(uint32 key_id, uint8 type_code,
									 TcSpan plain, const uint8 *token);

/*
 * The blind token of a plaintext under a key, from its canonical form.  As
 * tc_value_seal(): whoever may make tokens may guess what was sealed.
 */
extern void tc_value_token(uint32 key_id, uint8 type_code, TcSpan canonical,
						   uint8 ret_token[TC_TOKEN_BYTES]);

/*
 * Open a sealed value that tc_envelope_parse() has taken apart.  42501
 * without USAGE.  The result is a varlena whose data are the plaintext.
 */
extern struct varlena *tc_value_open(const TcEnvelope *envelope);

/*
 * The same for pending values, under the transit key of the current root.
 * No privilege is needed to make one; who may open one is the caller's
 * business (the role that made it is in envelope->role).
 */
extern struct varlena *tc_pending_seal(uint8 type_code, TcSpan plain);
extern struct varlena *tc_pending_open(const TcEnvelope *envelope);

/* Take a datum of type encrypted apart, whole; errors as tc_error_form(). */
extern void tc_value_parse(struct varlena *value, TcEnvelope *ret_envelope);

#endif							/* TC_SEALING_H */
