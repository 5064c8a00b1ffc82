/*-------------------------------------------------------------------------
 *
 * envelope.h
 *	  The bytes around a sealed value: header, token, nonce, tag.
 *
 * Writes and reads the layout of src/FORMAT, "A sealed value" and "A pending
 * value".  It checks form only: whether a value is genuine is for aead.h.
 *
 *	Owns	nothing; spans point into the caller's bytes.
 *	Errors	TC_MALFORMED for bytes that are no envelope, TC_UNSUPPORTED for
 *			a format, algorithm, flag or type code that this build does not
 *			know.
 *	Units	bytes.  A key id has 24 bits and is never 0.
 *	Uses	bytes.h.
 *
 * src/envelope.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_ENVELOPE_H
#define TC_ENVELOPE_H

#include "bytes.h"

#define TC_FORMAT_1			0xF9	/* never starts a UTF-8 text */
#define TC_SEALED_FIRST_MIN 0xF8	/* first bytes 0xF8..0xFF are kept for
									 * sealed values of every version */
#define TC_HEADER_BYTES		8
#define TC_TOKEN_BYTES		16
#define TC_NONCE_BYTES		24	/* of XChaCha20-Poly1305: wraps, and all */
#define TC_TAG_BYTES		16	/* values but those of aegis256 */
#define TC_NONCE_MAX		32
#define TC_TAG_MAX			32
#define TC_KEY_ID_MAX		0xFFFFFF
#define TC_PLAIN_MAX		((size_t) 256 * 1024 * 1024)

/* The algorithm of a DEK version; FORMAT, "Algorithms". */
typedef enum TcAlgorithm
{
	TC_ALG_XCHACHA20POLY1305 = 1,
	TC_ALG_AES256GCM = 2,
	TC_ALG_AEGIS256 = 3
} TcAlgorithm;

/* What depends on the algorithm. */
typedef struct TcSizes
{
	size_t		subkey_salt;	/* head of the nonce that chooses a subkey;
								 * 0 = the key itself is used */
	size_t		nonce;
	size_t		tag;
} TcSizes;

/* The sizes of an algorithm; those of the first for one that is not known. */
static inline const TcSizes *
tc_sizes(uint8_t algorithm)
{
	static const TcSizes sizes[] = {
		[0] = {16, TC_NONCE_BYTES, TC_TAG_BYTES},
		[TC_ALG_XCHACHA20POLY1305] = {16, TC_NONCE_BYTES, TC_TAG_BYTES},
		[TC_ALG_AES256GCM] = {16, 24, 16},
		[TC_ALG_AEGIS256] = {0, TC_NONCE_MAX, TC_TAG_MAX},
	};

	return &sizes[algorithm <= TC_ALG_AEGIS256 ? algorithm : 0];
}

#define TC_FLAG_SEARCHABLE	0x10
#define TC_FLAG_CONTEXT		0x20	/* reserved */
#define TC_FLAG_COMPRESSED	0x40	/* compress.h */
#define TC_FLAG_SUBJECT		0x80	/* reserved */

#define TC_VERSION_PENDING	0	/* key version of a pending value */
#define TC_ROLE_NAME_MAX	63

typedef struct TcHeader
{
	uint8_t		algorithm;		/* TcAlgorithm */
	uint8_t		flags;			/* TC_FLAG_* */
	uint8_t		type_code;		/* plaintext type, FORMAT "Plaintext types" */
	uint32_t	key_id;			/* 1..TC_KEY_ID_MAX */
	uint16_t	version;		/* DEK version, 0 = pending */
} TcHeader;

/* A sealed value, taken apart. */
typedef struct TcEnvelope
{
	TcHeader	header;
	uint16_t	transit_version;	/* pending only, else 0 */
	TcSpan		role;			/* pending only: name of the role */
	TcSpan		ad;				/* what the AEAD authenticates beside the text */
	TcSpan		nonce;			/* as long as the algorithm wants it */
	TcSpan		body;			/* ciphertext and tag */
} TcEnvelope;

/*
 * Where the nonce of a value to be sealed starts: the sum of header, token
 * or transit fields.  Everything before it is the associated data.
 */
extern size_t tc_envelope_prefix_len(const TcHeader *header, size_t role_len);

/* Write the 8 header bytes to ret_bytes. */
extern void tc_envelope_write_header(const TcHeader *header,
									 uint8_t ret_bytes[TC_HEADER_BYTES]);

/*
 * Read the 8 header bytes at the start of "value" (which may be longer).
 * TC_MALFORMED if it is shorter, or has the key id 0.
 */
extern TcResult tc_envelope_read_header(TcSpan value, TcHeader *ret_header) TC_CHECK_RESULT;

/*
 * Take a whole value apart; ret_envelope borrows from "value", and means
 * nothing but with TC_OK.
 */
extern TcResult tc_envelope_parse(TcSpan value, TcEnvelope *ret_envelope) TC_CHECK_RESULT;

/*
 * A probe stands for a plaintext in comparisons, in memory only: a header of
 * version 0 with the flag "searchable", and a token.
 */
#define TC_PROBE_BYTES		(TC_HEADER_BYTES + TC_TOKEN_BYTES)

extern void tc_envelope_write_probe(uint8_t type_code, uint32_t key_id,
									const uint8_t token[TC_TOKEN_BYTES],
									uint8_t ret_probe[TC_PROBE_BYTES]);

/* What the first TC_PROBE_BYTES of a value say, without judging the rest. */
typedef enum TcBound
{
	TC_BOUND_SEARCHABLE,		/* sealed, with a token */
	TC_BOUND_PROBE,
	TC_BOUND_UNSEARCHABLE,		/* sealed, without one */
	TC_BOUND_PENDING,			/* not sealed under a key yet */
	TC_BOUND_NOT				/* no value of ours */
} TcBound;

extern TcBound tc_envelope_bound(TcSpan value);

/*
 * The order of sealed values and probes, as memcmp() gives it: total, and 0
 * exactly if both have the same token under one key and for one type, or are
 * the same bytes.  It means nothing; it only serves to find equals.  Both must
 * have TC_PROBE_BYTES at least, and all of their bytes if they are
 * unsearchable.
 */
extern int	tc_envelope_compare(TcSpan a, TcSpan b);

/*
 * Whether two of them tell by their bytes if their plaintexts are equal: both
 * have a token, under one key and for one type.  A probe says of itself which
 * type it is of.
 */
extern bool tc_envelope_comparable(TcSpan a, TcSpan b);

/* The bytes that are equal in equal values, for hashing; lengths as above. */
extern TcSpan tc_envelope_hashed(TcSpan value);

#endif							/* TC_ENVELOPE_H */
