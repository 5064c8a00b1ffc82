/*-------------------------------------------------------------------------
 *
 * pipeio.c
 *	  Bounded reading and complete writing of a pipe.
 *
 * contrib-keyprov/common/pipeio.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "pipeio.h"

TcExit
tc_read_input(int fd, size_t size, uint8_t *ret_bytes, size_t *ret_len,
			  TcReason *reterr_reason)
{
	size_t		len = 0;

	while (len < size)
	{
		ssize_t		got = read(fd, ret_bytes + len, size - len);

		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
							"could not read the input: %s", strerror(errno));
		if (got > 0)
			len += (size_t) got;
	}
	*ret_len = len;
	return TC_EXIT_OK;
}

TcExit
tc_write_output(int fd, const uint8_t *bytes, size_t len,
				TcReason *reterr_reason)
{
	while (len > 0)
	{
		ssize_t		put = write(fd, bytes, len);

		if (put < 0 && errno != EINTR)
			return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
							"could not write the output: %s", strerror(errno));
		if (put > 0)
		{
			bytes += put;
			len -= (size_t) put;
		}
	}
	return TC_EXIT_OK;
}
