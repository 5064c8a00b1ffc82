/*-------------------------------------------------------------------------
 *
 * nonce.h
 *	  Nonces: drawn by the process that seals, then counted.
 *
 * A run is one drawing from the kernel: a salt and behind it a 64-bit
 * little-endian counter with a random start.  The salt has 16 bytes, or 24
 * where the algorithm has a nonce of 32.  Each value takes the counter
 * plus one.  The counter moves before the value is sealed and is never moved
 * back: values of aborted transactions lie on disk too.  A run serves one
 * version of one DEK, and is given up as soon as anything around it changes,
 * so that neither a fork nor a resumed virtual machine goes on with it for
 * long.  Nothing is drawn ahead of need, pooled, or handed to another
 * process.
 *
 *	Owns	nothing; the caller keeps a TcNonceRun for each DEK version, in
 *			memory of its own process.
 *	Errors	TC_SYSTEM when the kernel gives no random bytes.
 *	Units	bytes; counts are values.
 *	Uses	bytes.h, getrandom(2).
 *
 * src/nonce.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_NONCE_H
#define TC_NONCE_H

#include "bytes.h"
#include "envelope.h"

#define TC_RUN_VALUES_MAX	1024
#define TC_RUN_BYTES_MAX	((uint64_t) 1024 * 1024 * 1024)
#define TC_RUN_SOLO_BYTES	((size_t) 64 * 1024)	/* from here on a value
													 * takes a new nonce */

/* All that a run may not outlive. */
typedef struct TcNonceEpoch
{
	uint32_t	pid;			/* the process */
	uint32_t	xact;			/* its local transaction */
	int64_t		statement;		/* when its statement started */
	uint64_t	generation;		/* the slot's, so the DEK version's */
} TcNonceEpoch;

typedef struct TcNonceRun
{
	TcNonceEpoch epoch;
	uint32_t	values;			/* given out; 0 = nothing drawn yet */
	uint64_t	bytes;			/* of plaintext sealed in this run */
	size_t		nonce_len;
	uint8_t		next[TC_NONCE_MAX];
} TcNonceRun;

/*
 * Take the nonce for a plaintext of plain_len bytes.  A run starts zeroed.
 * nonce_len, of the algorithm (tc_sizes()), is 16 at least.
 */
extern TcResult tc_nonce_take(TcNonceRun *run, const TcNonceEpoch *epoch,
							  size_t plain_len, size_t nonce_len,
							  uint8_t *ret_nonce) TC_CHECK_RESULT;

/*
 * Fill ret_bytes from getrandom(2), for nonces, keys and ids alike.  Blocks
 * only before the kernel's generator is seeded, at boot.
 */
extern TcResult tc_random(uint8_t *ret_bytes, size_t len) TC_CHECK_RESULT;

#endif							/* TC_NONCE_H */
