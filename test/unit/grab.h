/*-------------------------------------------------------------------------
 *
 * grab.h
 *	  What vector registers hold, as far as this CPU has them: 64 bytes for
 *	  each.  Elsewhere than on x86-64 nothing is written.
 *
 * test/unit/grab.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TEST_GRAB_H
#define TC_TEST_GRAB_H

#include <stdint.h>

#define REGISTERS_BYTES (32 * 64)

#define GRAB(instruction, n) \
	__asm__ volatile(instruction #n ", %0":"=m"(*(uint8_t (*)[64]) (ret_bytes + 64 * n)))
#define GRAB_LOW(i) \
	GRAB(i, 0); GRAB(i, 1); GRAB(i, 2); GRAB(i, 3); \
	GRAB(i, 4); GRAB(i, 5); GRAB(i, 6); GRAB(i, 7); \
	GRAB(i, 8); GRAB(i, 9); GRAB(i, 10); GRAB(i, 11); \
	GRAB(i, 12); GRAB(i, 13); GRAB(i, 14); GRAB(i, 15)
#define GRAB_HIGH(i) \
	GRAB(i, 16); GRAB(i, 17); GRAB(i, 18); GRAB(i, 19); \
	GRAB(i, 20); GRAB(i, 21); GRAB(i, 22); GRAB(i, 23); \
	GRAB(i, 24); GRAB(i, 25); GRAB(i, 26); GRAB(i, 27); \
	GRAB(i, 28); GRAB(i, 29); GRAB(i, 30); GRAB(i, 31)

static inline void
grab_registers(uint8_t *ret_bytes)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512f"))
	{
		GRAB_LOW("vmovdqu64 %%zmm");
		GRAB_HIGH("vmovdqu64 %%zmm");
	}
	else if (__builtin_cpu_supports("avx"))
	{
		GRAB_LOW("vmovdqu %%ymm");
	}
	else
	{
		GRAB_LOW("movups %%xmm");
	}
#endif
}

#endif							/* TC_TEST_GRAB_H */
