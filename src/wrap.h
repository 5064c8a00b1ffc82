/*-------------------------------------------------------------------------
 *
 * wrap.h
 *	  Keys wrapped by a root, and what a wrapped key is bound to.
 *
 * A wrap is what stands in the options of a key: one random 32-byte key
 * under its root, with everything that says which key it is as associated
 * data (src/FORMAT, "A wrapped key").  A wrap moved to another key, version
 * or purpose does not open.
 *
 *	Owns	nothing; callers keep key bytes in secret memory and wipe them.
 *	Errors	TC_MALFORMED, TC_REJECTED (wrong root, or altered), TC_SYSTEM.
 *	Units	a wrap is TC_WRAP_BYTES long.
 *	Uses	aead.h, kdf.h, nonce.h.
 *
 * src/wrap.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_WRAP_H
#define TC_WRAP_H

#include "aead.h"
#include "kdf.h"

#define TC_WRAP_BYTES	(4 + 4 + TC_NONCE_BYTES + TC_KEY_BYTES + TC_TAG_BYTES)

/* Which key a wrap holds.  All of it is authenticated. */
typedef struct TcKeyIdentity
{
	uint8_t		realm[TC_UUID_BYTES];
	uint8_t		uuid[TC_UUID_BYTES];	/* the realm again for a transit key */
	uint32_t	key_id;
	uint16_t	version;		/* from 1; 1 for an index key */
	uint8_t		purpose;		/* TcPurpose */
	uint8_t		algorithm;		/* TcAlgorithm, or TC_INDEX_* of token.h */
} TcKeyIdentity;

/* Wrap a key under version "root_version" of the root. */
extern TcResult tc_wrap_key(const uint8_t root[TC_KEY_BYTES],
							uint32_t root_version,
							const TcKeyIdentity *identity,
							const uint8_t key[TC_KEY_BYTES],
							uint8_t ret_wrap[TC_WRAP_BYTES]) TC_CHECK_RESULT;

/* Unwrap; ret_key is zeroed on failure. */
extern TcResult tc_unwrap_key(const uint8_t root[TC_KEY_BYTES],
							  const TcKeyIdentity *identity, TcSpan wrap,
							  uint8_t ret_key[TC_KEY_BYTES]) TC_CHECK_RESULT;

/* The root version a wrap names (not authenticated until unwrapped). */
extern TcResult tc_wrap_root_version(TcSpan wrap,
									 uint32_t *ret_version) TC_CHECK_RESULT;

/* The key that a slot holds: the DEK bound to its identity. */
extern TcResult tc_slot_key(const uint8_t dek[TC_KEY_BYTES],
							const TcKeyIdentity *identity,
							uint8_t ret_key[TC_KEY_BYTES]) TC_CHECK_RESULT;

#define TC_ADDRESS_BYTES 16

/*
 * The address of a slot: a hash over the identity, the wrap as it stands in
 * the options, and the mac over those options (empty where there is none).
 * Nothing else names a slot; so a key whose options were altered in any way
 * is not found, but loaded, and its mac checked.
 */
extern TcResult tc_slot_address(const TcKeyIdentity *identity, TcSpan wrap,
								TcSpan maced,
								uint8_t ret_address[TC_ADDRESS_BYTES]) TC_CHECK_RESULT;

#define TC_KEY_MAC_BYTES (4 + TC_MAC_BYTES)

/*
 * The "mac" option of a key: root version and BLAKE2b-256 under a subkey of
 * the root over "fields", which FORMAT lists in order.
 */
extern TcResult tc_key_mac(const uint8_t root[TC_KEY_BYTES],
						   uint32_t root_version,
						   const TcSpan *fields, int nfields,
						   uint8_t ret_mac[TC_KEY_MAC_BYTES]) TC_CHECK_RESULT;

/* TC_OK if "mac" is that of the fields; compared in constant time. */
extern TcResult tc_key_mac_verify(const uint8_t root[TC_KEY_BYTES],
								  const TcSpan *fields, int nfields,
								  TcSpan mac) TC_CHECK_RESULT;

#endif							/* TC_WRAP_H */
