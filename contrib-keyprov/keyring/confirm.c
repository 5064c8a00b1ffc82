/*-------------------------------------------------------------------------
 *
 * confirm.c
 *	  Fingerprints that the operator confirms.  The contract is in confirm.h.
 *
 * contrib-keyprov/keyring/confirm.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "confirm.h"

/* Ask on the terminal, if there is one. */
static bool
answered_yes(const char *shown, const char *question)
{
	char		answer[16];
	ssize_t		len = -1;
	int			fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (dprintf(fd, "%s%s (yes/no) ", shown, question) > 0)
	{
		do
			len = read(fd, answer, sizeof(answer));
		while (len < 0 && errno == EINTR);
	}
	(void) close(fd);
	return len == 4 && memcmp(answer, "yes\n", 4) == 0;
}

bool
tool_confirmed(const TcOptions *options, const uint8_t fingerprint[TC_HEX_BYTES],
			   const char *shown, const char *question)
{
	for (int i = 0; i < options->nfingerprints; i++)
	{
		if (memcmp(options->fingerprints[i], fingerprint, TC_HEX_BYTES) == 0)
			return true;
	}
	return options->nfingerprints == 0 && answered_yes(shown, question);
}

const char *
tool_unconfirmed_text(const TcOptions *options)
{
	return options->nfingerprints == 0 ?
		"you have not confirmed this fingerprint" :
		"this fingerprint is none of those you gave";
}
