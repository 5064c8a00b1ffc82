/*-------------------------------------------------------------------------
 *
 * secretmem.h
 *	  Memory for keys: locked, out of core dumps, secret where possible.
 *
 * memfd_secret(2) where the kernel has it: the pages leave the kernel's own
 * map and cannot be read through /proc or ptrace's peek.  Its descriptor is
 * closed at once, since an open one can be fetched with pidfd_getfd(2).
 * Elsewhere anonymous memory with mlock(2) and MADV_DONTDUMP.  Never the
 * target of I/O that the kernel would do in place (direct I/O, splicing): it
 * cannot.  read(2) and write(2) on pipes copy, and work.
 *
 *	Owns	mappings, for the life of the process.
 *	Errors	TC_SYSTEM with errno (EAGAIN or ENOMEM: RLIMIT_MEMLOCK is too
 *			low).
 *	Units	bytes, rounded up to whole pages.
 *
 * src/secretmem.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_SECRETMEM_H
#define TC_SECRETMEM_H

#include "bytes.h"

typedef enum TcSecretKind
{
	TC_SECRET_NONE = 0,
	TC_SECRET_MEMFD,			/* memfd_secret */
	TC_SECRET_LOCKED			/* anonymous, locked, left out of dumps */
} TcSecretKind;

/*
 * Whether memfd_secret is left out even where the kernel has it, for machines
 * where it is in the way (a kernel with secretmem in use does not hibernate),
 * and for tests.  Set it before the first mapping; false to begin with.
 */
extern bool tc_secret_no_memfd;

/*
 * Map zeroed memory, every page of it present and locked; an error rather
 * than memory that could be paged out.  "shared" memory is inherited by
 * children as the same pages, other memory is not inherited at all
 * (MADV_DONTFORK).
 */
extern TcResult tc_secret_map(size_t len, bool shared, void **ret_memory,
							  TcSecretKind *ret_kind) TC_CHECK_RESULT;

/* Wipe and unmap. */
extern void tc_secret_unmap(void *memory, size_t len);

/* Take this process out of core dumps and ptrace's reach (Linux prctl). */
extern TcResult tc_secret_harden(void) TC_CHECK_RESULT;

#endif							/* TC_SECRETMEM_H */
