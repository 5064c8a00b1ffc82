/*-------------------------------------------------------------------------
 *
 * pipeio.h
 *	  Bounded reading and complete writing of a pipe.
 *
 * Plain read(2) and write(2), because stdio would keep copies of secrets in
 * buffers that nobody wipes.
 *
 *	Owns	nothing: descriptors and buffers are the caller's.
 *	Errors	TC_EXIT_INTERNAL, with the reason of the system.
 *	Units	bytes.
 *	Uses	fault.h.
 *
 * contrib-keyprov/common/pipeio.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_PIPEIO_H
#define TC_PIPEIO_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"

/*
 * Read until the end of the input, or until the buffer of "size" bytes is
 * full.
 *
 * A full buffer means that the input may be longer: whoever wants at most n
 * bytes passes room for n + 1, and refuses a length of n + 1.
 */
extern TcExit tc_read_input(int fd, size_t size, uint8_t *ret_bytes,
							size_t *ret_len, TcReason *reterr_reason);

/*
 * Write all the bytes.  On failure some may have been written; the caller of
 * the provider ignores them, because the exit code is then not 0.
 */
extern TcExit tc_write_output(int fd, const uint8_t *bytes, size_t len,
							  TcReason *reterr_reason);

#endif							/* TC_PIPEIO_H */
