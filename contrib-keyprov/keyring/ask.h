/*-------------------------------------------------------------------------
 *
 * ask.h
 *	  Secrets that people type or hand over: PINs and passphrases.
 *
 * From the terminal without echo, from a descriptor, or from a file; never
 * from arguments or the environment.  One line each, without its end.
 *
 *	Owns	nothing: a secret goes straight into the caller's buffer, which is
 *			in secret memory and has room for a zero byte at its end.
 *	Errors	as common.h; no message holds any of the secret.  On failure the
 *			buffer is all zeros.
 *	Units	"size" is that of the buffer.
 *	Uses	common.h.
 *
 * contrib-keyprov/keyring/ask.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_ASK_H
#define TC_TOOL_ASK_H

#include <stddef.h>

/*
 * Ask on the terminal of this process, "PROMPT: ".  With "again" (a buffer of
 * the same size, wiped afterwards) it is asked for twice and must be the same.
 * The terminal is as it was afterwards, also after a signal.
 */
extern int	tool_ask_secret(const char *prompt, char *ret_secret, size_t size,
							char *again);

/*
 * Read one line of a descriptor, byte by byte, so that the next line can be
 * read from it later.  "what" names the secret in messages.
 */
extern int	tool_read_secret_fd(int fd, const char *what, char *ret_secret,
								size_t size);

/*
 * Read a file that holds one line.  It must be a regular one, no symbolic
 * link, closed to others, and belong to this user or to root (root may read
 * anybody's).
 */
extern int	tool_read_secret_file(const char *path, const char *what,
								  char *ret_secret, size_t size);

#endif							/* TC_TOOL_ASK_H */
