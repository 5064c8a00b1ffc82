/*-------------------------------------------------------------------------
 *
 * pin.c
 *	  The PIN: where it comes from, and what may be one.
 *
 * contrib-keyprov/tpm2/pin.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pin.h"
#include "pipeio.h"

/*
 * Take these bytes as the PIN, if they may be one.
 *
 * A TPM drops zero bytes at the end of an authorization value.  The other
 * control characters are refused because they are there by mistake: the line
 * end of another system, or a second line.
 */
static TcExit
set_pin(const uint8_t *bytes, size_t len, TcPin *ret_pin,
		TcReason *reterr_reason)
{
	if (len < TC_PIN_MIN || len > TC_PIN_MAX)
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"a PIN must have %d to %d bytes", TC_PIN_MIN, TC_PIN_MAX);
	for (size_t i = 0; i < len; i++)
	{
		if (bytes[i] < ' ' || bytes[i] == 0x7f)
			return tc_fault(TC_EXIT_USAGE, reterr_reason,
							"a PIN must not contain control characters or line ends");
	}
	memcpy(ret_pin->bytes, bytes, len);
	ret_pin->len = len;
	return TC_EXIT_OK;
}

/* May this file hold a PIN? */
static TcExit
check_file(int fd, const char *path, TcReason *reterr_reason)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return tc_fault(TC_EXIT_DENIED, reterr_reason,
						"could not examine PIN file \"%s\": %s", path,
						strerror(errno));
	if (!S_ISREG(st.st_mode))
		return tc_fault(TC_EXIT_DENIED, reterr_reason,
						"PIN file \"%s\" is not a regular file", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return tc_fault(TC_EXIT_DENIED, reterr_reason,
						"PIN file \"%s\" belongs to another user", path);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return tc_fault(TC_EXIT_DENIED, reterr_reason,
						"PIN file \"%s\" is accessible to others: its mode must be 0400 or 0600",
						path);
	return TC_EXIT_OK;
}

TcExit
tc_pin_read_file(const char *path, TcPin *ret_pin, TcReason *reterr_reason)
{
	uint8_t		bytes[TC_PIN_MAX + 2];	/* a line end, and what is too much */
	size_t		len = 0;
	TcExit		code;
	int			fd;

	/* O_NONBLOCK: opening a FIFO would wait for somebody to write to it. */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return tc_fault(TC_EXIT_DENIED, reterr_reason,
						"could not open PIN file \"%s\": %s", path,
						errno == ELOOP ? "it is a symbolic link" : strerror(errno));
	code = check_file(fd, path, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_read_input(fd, sizeof(bytes), bytes, &len, reterr_reason);
	(void) close(fd);			/* it was only read */
	if (code == TC_EXIT_OK)
	{
		if (len > 0 && bytes[len - 1] == '\n')
			len--;
		code = set_pin(bytes, len, ret_pin, reterr_reason);
	}
	explicit_bzero(bytes, sizeof(bytes));
	return code;
}

TcExit
tc_pin_take_line(uint8_t *input, size_t *len, TcPin *ret_pin,
				 TcReason *reterr_reason)
{
	const uint8_t *end = memchr(input, '\n', *len);
	size_t		line;
	TcExit		code;

	if (end == NULL)
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"the first line of the input is not a PIN");
	line = (size_t) (end - input);
	code = set_pin(input, line, ret_pin, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	*len -= line + 1;
	memmove(input, end + 1, *len);
	return TC_EXIT_OK;
}
