/*-------------------------------------------------------------------------
 *
 * registers.h
 *	  Vector registers, wiped.
 *
 * libsodium wipes none.  What computes with a key leaves it there in pieces, or
 * its first and last round key.  Nearly nothing else uses the upper ones, and
 * the next signal would save them on the stack.
 *
 * Measured: ciphers leave keys in the sixteen registers of SSE and nowhere else.
 * What copies keys by memcpy() leaves them in those above, too, where glibc
 * finds AVX-512; libsodium's BLAKE2b does that.
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

/* The sixteen of SSE. */
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
					 :::"memory",
					 "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
					 "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
					 "xmm14", "xmm15");
#endif
}

#ifdef __x86_64__
__attribute__((noinline, unused, target("avx512vl")))
static void
tc_wipe_upper_registers(void)
{
	/* the upper halves of the sixteen, then those above */
	__asm__ volatile("vzeroupper\n\t"
					 "vpxord %%xmm16, %%xmm16, %%xmm16\n\t"
					 "vpxord %%xmm17, %%xmm17, %%xmm17\n\t"
					 "vpxord %%xmm18, %%xmm18, %%xmm18\n\t"
					 "vpxord %%xmm19, %%xmm19, %%xmm19\n\t"
					 "vpxord %%xmm20, %%xmm20, %%xmm20\n\t"
					 "vpxord %%xmm21, %%xmm21, %%xmm21\n\t"
					 "vpxord %%xmm22, %%xmm22, %%xmm22\n\t"
					 "vpxord %%xmm23, %%xmm23, %%xmm23\n\t"
					 "vpxord %%xmm24, %%xmm24, %%xmm24\n\t"
					 "vpxord %%xmm25, %%xmm25, %%xmm25\n\t"
					 "vpxord %%xmm26, %%xmm26, %%xmm26\n\t"
					 "vpxord %%xmm27, %%xmm27, %%xmm27\n\t"
					 "vpxord %%xmm28, %%xmm28, %%xmm28\n\t"
					 "vpxord %%xmm29, %%xmm29, %%xmm29\n\t"
					 "vpxord %%xmm30, %%xmm30, %%xmm30\n\t"
					 "vpxord %%xmm31, %%xmm31, %%xmm31"
					 :::"memory",
					 "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
					 "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
					 "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19",
					 "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",
					 "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31");
}
#endif

/* These, and those of AVX-512. */
static inline void
tc_wipe_all_registers(void)
{
	tc_wipe_registers();
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512vl"))
		tc_wipe_upper_registers();
#endif
}

#endif							/* TC_REGISTERS_H */
