/*-------------------------------------------------------------------------
 *
 * aead.h
 *	  The only calls of an AEAD in this project.
 *
 * Sealing and opening of values, with a nonce whose first 16 bytes (the
 * salt) choose a subkey, so that a run of values under one salt derives it
 * once.  HChaCha20 of the key and the salt, then ChaCha20-Poly1305-IETF
 * under the rest of the nonce, is XChaCha20-Poly1305 to the letter
 * (draft-irtf-cfrg-xchacha, section 2.3); a unit test compares both.
 * aes256gcm takes the same subkey and AES-256-GCM, whose key schedule is as
 * secret as the subkey and is kept as long.  aegis256 has a nonce of 256 bits,
 * and needs no subkey: it uses the key itself.
 *
 *	Owns	nothing.
 *	Errors	TC_REJECTED when a tag does not verify, TC_UNSUPPORTED for an
 *			algorithm that this build or CPU lacks, TC_TOO_LARGE for more
 *			than TC_PLAIN_MAX.  No reasons beyond that, by design.
 *	Units	bytes.
 *	Uses	bytes.h, libsodium "AEAD constructions".
 *
 * src/aead.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_AEAD_H
#define TC_AEAD_H

#include "bytes.h"
#include "envelope.h"
#include "kdf.h"

#define TC_SALT_BYTES	16		/* head of a nonce that chooses a subkey */

/*
 * Make libsodium ready.  Call once per process before anything else here;
 * calling again is harmless.  TC_SYSTEM if it cannot be used.
 */
extern TcResult tc_aead_init(void) TC_CHECK_RESULT;

/*
 * Whether this build and this CPU have the algorithm: aes256gcm needs a CPU
 * that libsodium has AES code for, aegis256 a libsodium of 1.0.19 or newer.
 */
extern bool tc_aead_supports(uint8_t algorithm);

/*
 * The subkey of a key for one salt (the first 16 bytes of a nonce); for an
 * algorithm without subkeys a copy of the key.
 */
extern TcResult tc_aead_subkey(uint8_t algorithm,
							   const uint8_t key[TC_KEY_BYTES],
							   const uint8_t salt[TC_SALT_BYTES],
							   uint8_t ret_subkey[TC_KEY_BYTES]) TC_CHECK_RESULT;

/*
 * Whether the algorithm has a key schedule, to be made of the subkey once and
 * used in its place; false for what is no algorithm.
 */
static inline bool
tc_aead_has_schedule(uint8_t algorithm)
{
	return algorithm == TC_ALG_AES256GCM;
}

/* Make it.  ret_schedule is aligned to 16 bytes. */
#define TC_SCHEDULE_BYTES	512

extern TcResult tc_aead_expand(const uint8_t subkey[TC_KEY_BYTES],
							   uint8_t ret_schedule[TC_SCHEDULE_BYTES]) TC_CHECK_RESULT;

/*
 * Seal "plain": ret_body gets ciphertext and tag, plain.len and the
 * algorithm's tag (tc_sizes()) bytes long.  It may start where plain starts,
 * else they must not overlap.  The nonce is as long as tc_sizes() says.
 * "ready" is the subkey, or its schedule where the algorithm has one.
 */
extern TcResult tc_aead_seal(uint8_t algorithm, const uint8_t *ready,
							 const uint8_t *nonce, TcSpan ad, TcSpan plain,
							 uint8_t *ret_body) TC_CHECK_RESULT;

/*
 * Open "body" (ciphertext and tag): ret_plain gets body.len less the tag
 * bytes of plaintext, or zeros on anything but TC_OK.  Empty plaintext is
 * valid; a body shorter than a tag is TC_REJECTED.
 */
extern TcResult tc_aead_open(uint8_t algorithm, const uint8_t *ready,
							 const uint8_t *nonce, TcSpan ad, TcSpan body,
							 uint8_t *ret_plain) TC_CHECK_RESULT;

/*
 * Seal and open with a whole key and the whole nonce, for the rare small
 * things: wraps and keyring slots.  XChaCha20-Poly1305 always.
 */
extern TcResult tc_aead_wrap(const uint8_t key[TC_KEY_BYTES],
							 const uint8_t nonce[TC_NONCE_BYTES],
							 TcSpan ad, TcSpan plain,
							 uint8_t *ret_body) TC_CHECK_RESULT;
extern TcResult tc_aead_unwrap(const uint8_t key[TC_KEY_BYTES],
							   const uint8_t nonce[TC_NONCE_BYTES],
							   TcSpan ad, TcSpan body,
							   uint8_t *ret_plain) TC_CHECK_RESULT;

#endif							/* TC_AEAD_H */
