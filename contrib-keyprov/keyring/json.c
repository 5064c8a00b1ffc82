/*-------------------------------------------------------------------------
 *
 * json.c
 *	  Results as text or as JSON.  The contract is in json.h.
 *
 * contrib-keyprov/keyring/json.c
 *
 *-------------------------------------------------------------------------
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

static int	depth;				/* 0: text is printed */
static char closing[TC_JSON_DEPTH_MAX];
static bool filled[TC_JSON_DEPTH_MAX];	/* a member is there already */

/*
 * The length of the UTF-8 character at "at", or 0: overlong forms,
 * surrogates and what is beyond U+10FFFF are none.
 */
static size_t
utf8_len(const uint8_t *at, size_t len)
{
	size_t		n = at[0] < 0x80 ? 1 : at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2 :
		at[0] < 0xF0 ? 3 : at[0] < 0xF5 ? 4 : 0;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((at[i] & 0xC0) != 0x80)
			return 0;
	if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F) ||
		(at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F))
		return 0;
	return n;
}

static void
put_string(TcSpan value)
{
	putchar('"');
	for (size_t i = 0; i < value.len;)
	{
		const uint8_t *at = value.data + i;
		size_t		n = utf8_len(at, value.len - i);

		if (n == 0)
			fputs("\\ufffd", stdout);
		else if (*at == '"' || *at == '\\')
			printf("\\%c", *at);
		else if (*at < 0x20 || *at == 0x7F)
			printf("\\u%04x", (unsigned int) *at);
		else
			fwrite(at, 1, n, stdout);
		i += n == 0 ? 1 : n;
	}
	putchar('"');
}

/* Begin a member: comma, line, name.  False if text is printed instead. */
static bool
begin(const char *name)
{
	if (depth == 0)
		return false;
	printf("%s\n%*s", filled[depth - 1] ? "," : "", 2 * depth, "");
	filled[depth - 1] = true;
	if (name != NULL)
	{
		put_string(tc_span(name, strlen(name)));
		fputs(": ", stdout);
	}
	return true;
}

static void
enter(char opening, char closed_by)
{
	if (depth >= TC_JSON_DEPTH_MAX)
		abort();				/* our own code nests, not the input */
	putchar(opening);
	closing[depth] = closed_by;
	filled[depth] = false;
	depth++;
}

void
tool_json_start(const char *command)
{
	enter('{', '}');
	tool_json_string("command", command);
}

void
tool_json_finish(int exit_code)
{
	if (depth == 0)
		return;
	while (depth > 1)
		tool_json_end();
	tool_json_number("exit_code", exit_code);
	tool_json_end();
	putchar('\n');
}

void
tool_text(const char *format,...)
{
	va_list		args;

	if (depth > 0)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	/* Whoever has both outputs in one file finds them in order. */
	(void) fflush(stdout);
}

void
tool_json_object(const char *name)
{
	if (begin(name))
		enter('{', '}');
}

void
tool_json_array(const char *name)
{
	if (begin(name))
		enter('[', ']');
}

void
tool_json_end(void)
{
	if (depth == 0)
		return;
	depth--;
	if (filled[depth])
		printf("\n%*s", 2 * depth, "");
	putchar(closing[depth]);
}

void
tool_json_span(const char *name, TcSpan value)
{
	if (begin(name))
		put_string(value);
}

void
tool_json_string(const char *name, const char *value)
{
	tool_json_span(name, tc_span(value, strlen(value)));
}

void
tool_json_number(const char *name, long value)
{
	if (begin(name))
		printf("%ld", value);
}

void
tool_json_bool(const char *name, bool value)
{
	if (begin(name))
		fputs(value ? "true" : "false", stdout);
}
