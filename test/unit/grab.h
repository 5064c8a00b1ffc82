/*-------------------------------------------------------------------------
 *
 * grab.h
 *	  What vector registers hold.  Elsewhere than on x86-64 nothing is written.
 *
 * test/unit/grab.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TEST_GRAB_H
#define TC_TEST_GRAB_H

#include <stdint.h>

#define REGISTERS_BYTES (16 * 16)

static inline void
grab_registers(uint8_t *ret_bytes)
{
#ifdef __x86_64__
#define GRAB(n) \
	__asm__ volatile("movups %%xmm" #n ", %0":"=m"(*(uint8_t (*)[16]) (ret_bytes + 16 * n)))
	GRAB(0); GRAB(1); GRAB(2); GRAB(3); GRAB(4); GRAB(5); GRAB(6); GRAB(7);
	GRAB(8); GRAB(9); GRAB(10); GRAB(11); GRAB(12); GRAB(13); GRAB(14); GRAB(15);
#undef GRAB
#endif
}

#endif							/* TC_TEST_GRAB_H */
