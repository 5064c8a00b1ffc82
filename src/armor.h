/*-------------------------------------------------------------------------
 *
 * armor.h
 *	  Sealed values as text: "tc1:" and unpadded base64url.
 *
 * One value has one spelling only: no padding, no line breaks, no other
 * alphabet, and the unused bits of the last character are zero (RFC 4648,
 * sections 3.5 and 5).  libsodium does the base64 coding.
 *
 *	Owns	nothing.
 *	Errors	TC_MALFORMED, TC_TOO_LARGE.
 *	Uses	bytes.h, libsodium utils (sodium_bin2base64, sodium_base642bin).
 *
 * src/armor.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_ARMOR_H
#define TC_ARMOR_H

#include "bytes.h"

#define TC_ARMOR_PREFIX		"tc1:"
#define TC_ARMOR_PREFIX_LEN 4

/* Characters of unpadded base64 for len bytes, without a terminator. */
#define TC_BASE64_LEN(len)	(((len) * 4 + 2) / 3)

/* Whether a text starts like armor; says nothing about the rest. */
extern bool tc_armor_is(const char *text, size_t len);

/* Characters of the armor of a value of len bytes, without a terminator. */
extern size_t tc_armor_len(size_t value_len);

/*
 * Write the armor of "value" and a terminating zero.  ret_text has
 * tc_armor_len(value.len) + 1 bytes.
 */
extern void tc_armor_encode(TcSpan value, char *ret_text);

/*
 * Read armor, prefix included.  ret_value has room for "size" bytes; len * 3
 * / 4 always suffices.  It holds no part of a text that was refused.
 */
extern TcResult tc_armor_decode(const char *text, size_t len,
								uint8_t *ret_value, size_t size,
								size_t *ret_len) TC_CHECK_RESULT;

/* The same without a prefix, for options, records and recipients. */
extern void tc_base64_encode(TcSpan bytes, char *ret_text);
extern TcResult tc_base64_decode(const char *text, size_t len,
								 uint8_t *ret_bytes, size_t size,
								 size_t *ret_len) TC_CHECK_RESULT;

#endif							/* TC_ARMOR_H */
