/*-------------------------------------------------------------------------
 *
 * frozen.h
 *	  What stands in test/unit/vectors.txt: read, compared, or written anew.
 *
 * A vector is a line "name text", where text is hex, "-" for no bytes, or
 * what it says.  For one test program, which checks all of them.
 *
 * test/unit/frozen.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_FROZEN_H
#define TC_FROZEN_H

#include <sodium.h>

#include "tap.h"

#define VECTORS_MAX		400
#define VECTOR_MAX		4096

static bool writing = false;
static char *names[VECTORS_MAX];
static char *values[VECTORS_MAX];
static bool used[VECTORS_MAX];
static int	nvectors = 0;

static void
read_vectors(void)
{
	FILE	   *file = fopen("test/unit/vectors.txt", "r");
	static char line[2 * VECTOR_MAX + 100];

	if (file == NULL)
		bail("test/unit/vectors.txt is not there");
	while (fgets(line, sizeof(line), file) != NULL)
	{
		char	   *value = strchr(line, ' ');

		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (value == NULL || strchr(line, '\n') == NULL || nvectors == VECTORS_MAX)
			bail("test/unit/vectors.txt has a line that is none");
		*value++ = '\0';
		value[strcspn(value, "\n")] = '\0';
		names[nvectors] = strdup(line);
		values[nvectors++] = strdup(value);
	}
	fclose(file);
}

/* The recorded text of a name. */
static const char *
find(const char *name)
{
	for (int i = 0; i < nvectors; i++)
		if (strcmp(names[i], name) == 0)
		{
			used[i] = true;
			return values[i];
		}
	ok(false, "%s stands in test/unit/vectors.txt", name);
	return "";
}

/* Say that a text is the frozen one, or write it. */
static void
frozen_text(const char *name, const char *text)
{
	if (writing)
		printf("%s %s\n", name, text);
	else
	{
		const char *expected = find(name);

		if (!ok(strcmp(text, expected) == 0, "%s", name))
			printf("# got      %s\n# expected %s\n", text, expected);
	}
}

static void
frozen(const char *name, const void *bytes, size_t len)
{
	static char hex[2 * VECTOR_MAX + 1];

	if (len > VECTOR_MAX)
		bail("a vector is too long");
	sodium_bin2hex(hex, sizeof(hex), bytes, len);
	frozen_text(name, len > 0 ? hex : "-");
}

static void
frozen_number(const char *name, uint32_t number)
{
	char		text[16];

	snprintf(text, sizeof(text), "%u", number);
	frozen_text(name, text);
}

/* Replace what was made by chance with what was recorded. */
static size_t
recorded(const char *name, uint8_t *bytes, size_t len, size_t size)
{
	const char *hex;

	if (writing)
	{
		frozen(name, bytes, len);
		return len;
	}
	hex = find(name);
	if (sodium_hex2bin(bytes, size, hex, strlen(hex), NULL, &len, NULL) != 0)
		bail("a vector is not hex");
	return len;
}

/* Say that each line was looked at, and stands there once. */
static void
check_all_used(void)
{
	int			unused = 0;

	for (int i = 0; i < nvectors; i++)
	{
		if (!used[i])
			unused++, printf("# nothing checks %s\n", names[i]);
		for (int j = 0; j < i; j++)
			unused += strcmp(names[i], names[j]) == 0;
	}
	is_count((size_t) unused, 0, "each line of vectors.txt is checked, and none stands there twice");
}

static void
free_vectors(void)
{
	for (int i = 0; i < nvectors; i++)
	{
		free(names[i]);
		free(values[i]);
	}
}

#endif							/* TC_FROZEN_H */
