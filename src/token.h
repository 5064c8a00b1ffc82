/*-------------------------------------------------------------------------
 *
 * token.h
 *	  Blind tokens: what makes equal plaintexts findable, and nothing else.
 *
 * A token is a keyed hash of the canonical form of a plaintext (src/FORMAT,
 * "Blind tokens").  Its key is derived for each plaintext type from what the
 * slot of an index key holds, so equal bytes of two types, or under two keys,
 * have tokens that nobody can link.
 *
 *	Owns	nothing; callers keep subkeys in secret memory and wipe them.
 *	Errors	TC_UNSUPPORTED for an index algorithm that this build lacks.
 *	Units	bytes.  Tokens have TC_TOKEN_BYTES.
 *	Uses	kdf.h, envelope.h (sizes), libsodium "Generic hashing" and
 *			"Short-input hashing".
 *
 * src/token.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOKEN_H
#define TC_TOKEN_H

#include "envelope.h"
#include "kdf.h"

/* The algorithm of an index key; FORMAT, "Blind tokens". */
#define TC_INDEX_BLAKE2B	1
#define TC_INDEX_SIPHASH128 2

/* Whether this build has the algorithm. */
extern bool tc_token_supports(uint8_t algorithm);

/*
 * The subkey for tokens of one plaintext type, from the slot key of an index
 * key.  TC_KEY_BYTES are written, whatever the algorithm uses of them.
 */
extern TcResult tc_token_subkey(const uint8_t key[TC_KEY_BYTES],
								uint8_t type_code,
								uint8_t ret_subkey[TC_KEY_BYTES]) TC_CHECK_RESULT;

/* The token of a canonical form; zeroed on failure. */
extern TcResult tc_token_make(uint8_t algorithm,
							  const uint8_t subkey[TC_KEY_BYTES],
							  TcSpan canonical,
							  uint8_t ret_token[TC_TOKEN_BYTES]) TC_CHECK_RESULT;

#endif							/* TC_TOKEN_H */
