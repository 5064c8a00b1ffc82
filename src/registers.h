/*-------------------------------------------------------------------------
 *
 * registers.h
 *	  Vector registers, wiped.
 *
 * libsodium wipes none.  What computes with a key leaves it there in pieces, or
 * its first and last round key (measured for all that we call).  Nearly nothing
 * else uses the upper ones, and the next signal would save them on the stack.
 *
 *	Owns	nothing.
 *	Errors	none; elsewhere than on x86-64 nothing is done.
 *
 * src/registers.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_REGISTERS_H
#define TC_REGISTERS_H

static inline void
tc_wipe_registers(void)
{
#ifdef __x86_64__
	__asm__ volatile("pxor %%xmm0, %%xmm0\n\t"
					 "pxor %%xmm1, %%xmm1\n\t"
					 "pxor %%xmm2, %%xmm2\n\t"
					 "pxor %%xmm3, %%xmm3\n\t"
					 "pxor %%xmm4, %%xmm4\n\t"
					 "pxor %%xmm5, %%xmm5\n\t"
					 "pxor %%xmm6, %%xmm6\n\t"
					 "pxor %%xmm7, %%xmm7\n\t"
					 "pxor %%xmm8, %%xmm8\n\t"
					 "pxor %%xmm9, %%xmm9\n\t"
					 "pxor %%xmm10, %%xmm10\n\t"
					 "pxor %%xmm11, %%xmm11\n\t"
					 "pxor %%xmm12, %%xmm12\n\t"
					 "pxor %%xmm13, %%xmm13\n\t"
					 "pxor %%xmm14, %%xmm14\n\t"
					 "pxor %%xmm15, %%xmm15"
					 :::"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
					 "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
					 "xmm14", "xmm15");
#endif
}

#endif							/* TC_REGISTERS_H */
