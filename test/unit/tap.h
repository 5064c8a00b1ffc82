/*-------------------------------------------------------------------------
 *
 * tap.h
 *	  TAP for the tests of the leaves, and what several of them need.
 *
 * A test program prints one line per claim, "ok" or "not ok", and the plan at
 * the end.  Claims about many inputs count first and then say one line.
 *
 * test/unit/tap.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TAP_H
#define TC_TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bytes.h"

#define TAP_UNUSED __attribute__((unused))

static int	tap_run = 0;
static int	tap_bad = 0;

/* Say whether a claim holds. */
__attribute__((format(printf, 2, 3))) TAP_UNUSED
static bool
ok(bool holds, const char *format,...)
{
	va_list		args;

	tap_run++;
	if (!holds)
		tap_bad++;
	printf("%sok %d - ", holds ? "" : "not ", tap_run);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	return holds;
}

/* Say that a result is the expected one. */
TAP_UNUSED static bool
is_result(TcResult got, TcResult expected, const char *what)
{
	bool		holds = ok(got == expected, "%s", what);

	if (!holds)
		printf("# result %d, expected %d\n", got, expected);
	return holds;
}

TAP_UNUSED static bool
is_count(size_t got, size_t expected, const char *what)
{
	bool		holds = ok(got == expected, "%s", what);

	if (!holds)
		printf("# %zu, expected %zu\n", got, expected);
	return holds;
}

TAP_UNUSED static bool
is_bytes(const void *got, const void *expected, size_t len, const char *what)
{
	bool		holds = ok(memcmp(got, expected, len) == 0, "%s", what);

	for (size_t i = 0; !holds && i < len; i++)
		printf("%s%02x%02x%s", i == 0 ? "# got, expected: " : " ",
			   ((const uint8_t *) got)[i], ((const uint8_t *) expected)[i],
			   i + 1 == len ? "\n" : "");
	return holds;
}

TAP_UNUSED static void
skip(const char *what, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_run, what, reason);
}

/* Print the plan; the exit code of the program. */
TAP_UNUSED static int
done(void)
{
	printf("1..%d\n", tap_run);
	return tap_bad == 0 ? 0 : 1;
}

/* Stop a test that cannot go on. */
__attribute__((noreturn)) TAP_UNUSED
static void
bail(const char *why)
{
	printf("Bail out!  %s\n", why);
	exit(1);
}

/* Fill bytes with a pattern that differs from seed to seed. */
TAP_UNUSED static void
fill(uint8_t *bytes, size_t len, uint32_t seed)
{
	uint32_t	x = seed * 2654435761u + 1;

	for (size_t i = 0; i < len; i++)
	{
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		bytes[i] = (uint8_t) (x >> 11);
	}
}

TAP_UNUSED static bool
all_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/*
 * A copy in its own allocation of just this size, so that the address
 * sanitizer sees one byte too many.  NULL for no bytes.
 */
TAP_UNUSED static uint8_t *
exact_copy(const void *bytes, size_t len)
{
	uint8_t    *copy;

	if (len == 0)
		return NULL;
	copy = malloc(len);
	if (copy == NULL)
		bail("out of memory");
	memcpy(copy, bytes, len);
	return copy;
}

/* Go to the root of the source tree, from wherever the test was started. */
TAP_UNUSED static void
go_to_root(void)
{
	const char *src = getenv("TC_SRC");
	const char *places[] = {src != NULL ? src : "src", "src", "../src",
		"../../src", "../../../src"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
	{
		char		path[4096];

		snprintf(path, sizeof(path), "%s/kdf.h", places[i]);
		if (access(path, R_OK) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/..", places[i]);
		if (chdir(path) == 0)
			return;
	}
	bail("the sources are not there: set TC_SRC to the folder src");
}

#endif							/* TC_TAP_H */
