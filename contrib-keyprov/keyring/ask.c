/*-------------------------------------------------------------------------
 *
 * ask.c
 *	  Secrets that people type or hand over.  The contract is in ask.h.
 *
 * contrib-keyprov/keyring/ask.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "ask.h"
#include "common.h"

/* Signals that must not leave the terminal without echo. */
static const int handled[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};

#define NHANDLED (sizeof(handled) / sizeof(handled[0]))

static volatile sig_atomic_t caught;	/* the last one, 0 if none */

static void
catch_signal(int number)
{
	caught = number;
}

/* Say what is wrong with a secret, and forget it. */
static int
refuse(const char *what, const char *why, char *secret, size_t size)
{
	sodium_memzero(secret, size);
	tool_error("%s %s", what, why);
	return TC_TOOL_FAILED;
}

/* Wait for input with another signal mask, so that none comes unnoticed. */
static bool
wait_for_input(int fd, const sigset_t *mask)
{
	struct pollfd input = {.fd = fd, .events = POLLIN};

	return ppoll(&input, 1, NULL, mask) >= 0;
}

/*
 * Read up to the end of a line or of the input; -1 with errno, EMSGSIZE if it
 * does not fit.  With a mask, a signal that it lets through ends this, too.
 */
static int
read_line(int fd, const sigset_t *mask, char *ret_line, size_t size)
{
	size_t		len = 0;

	for (;;)
	{
		char		c;
		ssize_t		got;

		if (mask != NULL && !wait_for_input(fd, mask))
			return -1;
		got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0 || c == '\n')
			break;
		if (len + 1 >= size)
		{
			sodium_memzero(&c, 1);
			errno = EMSGSIZE;
			return -1;
		}
		ret_line[len++] = c;
		sodium_memzero(&c, 1);
	}
	ret_line[len] = '\0';
	return (int) len;
}

/* Whether a line may be a secret: a zero byte would cut it short. */
static int
check_line(const char *what, int len, char *secret, size_t size)
{
	char		why[80];

	if (len < 0 && errno == EMSGSIZE)
	{
		snprintf(why, sizeof(why), "has more than %zu bytes", size - 1);
		return refuse(what, why, secret, size);
	}
	if (len < 0)
	{
		snprintf(why, sizeof(why), "could not be read: %s", strerror(errno));
		return refuse(what, why, secret, size);
	}
	if (len == 0)
		return refuse(what, "is empty", secret, size);
	for (int i = 0; i < len; i++)
		if ((unsigned char) secret[i] < 0x20 || secret[i] == 0x7F)
			return refuse(what, "has control characters in it", secret, size);
	return TC_TOOL_OK;
}

/*
 * Ask once, with signals caught and echo off.  The same values as read_line;
 * the signal that came, if any, is "caught".
 */
static int
ask_once(int tty, const char *prompt, char *ret_secret, size_t size)
{
	struct sigaction before[NHANDLED];
	struct sigaction action = {.sa_handler = catch_signal};
	sigset_t	mask;
	sigset_t	blocked;
	struct termios normal;
	struct termios silent;
	int			len = -1;
	int			save_errno;

	caught = 0;
	(void) sigemptyset(&action.sa_mask);
	(void) sigemptyset(&blocked);
	for (size_t i = 0; i < NHANDLED; i++)
		(void) sigaddset(&blocked, handled[i]);
	(void) sigprocmask(SIG_BLOCK, &blocked, &mask);
	for (size_t i = 0; i < NHANDLED; i++)
		(void) sigaction(handled[i], &action, &before[i]);

	if (tcgetattr(tty, &normal) == 0)
	{
		silent = normal;
		silent.c_lflag &= ~(tcflag_t) (ECHO | ECHOE | ECHOK | ECHONL);
		silent.c_lflag |= ICANON | ISIG;
		if (tcsetattr(tty, TCSAFLUSH, &silent) == 0)
		{
			if (dprintf(tty, "%s: ", prompt) > 0)
				len = read_line(tty, &mask, ret_secret, size);
			save_errno = errno;
			/* The line end that was not shown; what was typed too much goes. */
			(void) dprintf(tty, "\n");
			while (tcsetattr(tty, TCSAFLUSH, &normal) != 0 && errno == EINTR)
				continue;
			errno = save_errno;
		}
	}

	save_errno = errno;
	for (size_t i = 0; i < NHANDLED; i++)
		(void) sigaction(handled[i], &before[i], NULL);
	(void) sigprocmask(SIG_SETMASK, &mask, NULL);
	errno = save_errno;
	return len;
}

/* Ask; a signal that came meanwhile takes effect, and if it is over, ask anew. */
static int
ask_line(int tty, const char *prompt, char *ret_secret, size_t size)
{
	int			len;

	do
	{
		len = ask_once(tty, prompt, ret_secret, size);
		if (caught != 0)
		{
			sodium_memzero(ret_secret, size);
			(void) raise(caught);
		}
	} while (caught == SIGTSTP);
	return len;
}

int
tool_ask_secret(const char *prompt, char *ret_secret, size_t size, char *again)
{
	char		second[200];
	int			tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int			code;

	sodium_memzero(ret_secret, size);
	if (tty < 0)
	{
		tool_error("could not ask for the %s: there is no terminal", prompt);
		tool_hint("Options that end with -fd or -file take it from elsewhere; see --help.");
		return TC_TOOL_FAILED;
	}
	code = check_line(prompt, ask_line(tty, prompt, ret_secret, size),
					  ret_secret, size);
	if (code == TC_TOOL_OK && again != NULL)
	{
		snprintf(second, sizeof(second), "%s, again", prompt);
		code = check_line(prompt, ask_line(tty, second, again, size), again, size);
		if (code == TC_TOOL_OK && sodium_memcmp(ret_secret, again, size) != 0)
			code = refuse(prompt, "was not the same the second time", ret_secret,
						  size);
		sodium_memzero(again, size);
	}
	(void) close(tty);
	if (code != TC_TOOL_OK)
		sodium_memzero(ret_secret, size);
	return code;
}

int
tool_read_secret_fd(int fd, const char *what, char *ret_secret, size_t size)
{
	sodium_memzero(ret_secret, size);
	return check_line(what, read_line(fd, NULL, ret_secret, size), ret_secret,
					  size);
}

/* Why a file may not hold a secret; NULL if it may. */
static const char *
file_refused(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return "could not be examined";
	if (!S_ISREG(st.st_mode))
		return "is not a regular file";
	if (geteuid() != 0 && st.st_uid != geteuid() && st.st_uid != 0)
		return "belongs to another user";
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "is accessible to its group or to others";
	return NULL;
}

int
tool_read_secret_file(const char *path, const char *what, char *ret_secret,
					  size_t size)
{
	const char *why;
	char		more;
	int			code = TC_TOOL_FAILED;
	int			fd;

	sodium_memzero(ret_secret, size);
	/* Not blocking: a FIFO must be refused, not waited for. */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
	{
		tool_error("%s file \"%s\" could not be opened: %s", what, path,
				   errno == ELOOP ? "it is a symbolic link" : strerror(errno));
		return TC_TOOL_FAILED;
	}
	why = file_refused(fd);
	if (why != NULL)
		tool_error("%s file \"%s\" %s", what, path, why);
	else
		code = tool_read_secret_fd(fd, what, ret_secret, size);
	if (code == TC_TOOL_OK && read(fd, &more, 1) != 0)
		code = refuse(what, "is followed by more than its line", ret_secret, size);
	(void) close(fd);
	return code;
}
