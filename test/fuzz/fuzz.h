/*-------------------------------------------------------------------------
 *
 * fuzz.h
 *	  What the fuzzers share.
 *
 * test/fuzz/fuzz.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_FUZZ_H
#define TC_FUZZ_H

#include <stdlib.h>

#include "aead.h"

/* An invariant: the fuzzer reports the input that breaks it. */
#define HOLDS(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

extern int	LLVMFuzzerInitialize(int *argc, char ***argv);
extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Without this aes256gcm would be an algorithm that the CPU lacks. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void) argc;
	(void) argv;
	HOLDS(tc_aead_init() == TC_OK);
	return 0;
}

/* The inputs of test/unit/vectors.txt: first, first + 1, ... */
static inline void
count_from(uint8_t first, uint8_t *ret, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ret[i] = (uint8_t) (first + i);
}

#endif							/* TC_FUZZ_H */
