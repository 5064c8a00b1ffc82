/*-------------------------------------------------------------------------
 *
 * wycheproof.h
 *	  Vectors of Project Wycheproof, as lines from vectors.py.
 *
 * The files stand beside the project, in the folder $TC_VECTORS, else in
 * ../shared/vectors.
 *
 * test/unit/wycheproof.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_WYCHEPROOF_H
#define TC_WYCHEPROOF_H

#include "tap.h"

#define FIELD_MAX	4096
#define FIELDS_MAX	8

typedef struct Field
{
	uint8_t		bytes[FIELD_MAX];
	size_t		len;
	char	   *text;
} Field;

/* Decode a field in hex; "-" is empty. */
static void
decode_field(Field *field)
{
	const char *text = strcmp(field->text, "-") == 0 ? "" : field->text;

	field->len = 0;
	for (; text[0] != '\0' && text[1] != '\0' && field->len < FIELD_MAX; text += 2)
	{
		char		pair[3] = {text[0], text[1], '\0'};
		char	   *end;

		field->bytes[field->len++] = (uint8_t) strtoul(pair, &end, 16);
		if (*end != '\0')
			bail("a vector is not hex");
	}
	if (text[0] != '\0')
		bail("a vector is too long or has half a byte");
}

/* Open the vectors of a file; NULL, with a test skipped, if not to be had. */
TAP_UNUSED static FILE *
open_vectors(const char *kind, const char *name)
{
	const char *folder = getenv("TC_VECTORS");
	char		path[4096];
	char		command[8192];
	FILE	   *pipe;

	go_to_root();
	snprintf(path, sizeof(path), "%s/%s", folder != NULL ? folder : "../shared/vectors", name);
	if (access(path, R_OK) != 0)
	{
		skip(name, "the vectors are not here: TC_VECTORS names their folder");
		return NULL;
	}
	if (system("python3 -c '' 2>/dev/null") != 0)
	{
		skip(name, "missing python3");
		return NULL;
	}
	snprintf(command, sizeof(command), "python3 test/unit/vectors.py %s '%s'", kind, path);
	pipe = popen(command, "r");
	if (pipe == NULL)
		bail("python3 did not start");
	return pipe;
}

/* Read a line of nfields; the fields of "hex" places are decoded. */
static bool
next_vector(FILE *pipe, Field *fields, int nfields, int first_hex, int last_hex)
{
	static char line[4 * FIELD_MAX];
	char	   *rest = line;

	if (fgets(line, sizeof(line), pipe) == NULL)
		return false;
	if (strchr(line, '\n') == NULL)
		bail("a vector is too long");
	for (int i = 0; i < nfields; i++)
	{
		fields[i].text = strsep(&rest, " \n");
		if (fields[i].text == NULL || fields[i].text[0] == '\0')
			bail("a vector lacks a field");
		if (i >= first_hex && i <= last_hex)
			decode_field(&fields[i]);
	}
	return true;
}

#endif							/* TC_WYCHEPROOF_H */
