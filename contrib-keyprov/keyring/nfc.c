/*-------------------------------------------------------------------------
 *
 * nfc.c
 *	  Passphrases in Unicode's normalization form C.  The contract is in nfc.h.
 *
 * contrib-keyprov/keyring/nfc.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres_fe.h"

#include <sodium.h>

#include "common/unicode_norm.h"
#include "mb/pg_wchar.h"

#include "nfc.h"

static bool
is_ascii(const char *utf8, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char) utf8[i] & 0x80) != 0)
			return false;
	return true;
}

/*
 * Decode UTF-8 to code points with a zero at the end; NULL if it is none, or
 * there is no memory.  The caller wipes and frees (len + 1) of them.
 */
static pg_wchar *
decode(const char *utf8, size_t len)
{
	pg_wchar   *points = calloc(len + 1, sizeof(pg_wchar));
	pg_wchar   *to = points;
	const unsigned char *at = (const unsigned char *) utf8;
	const unsigned char *end = at + len;

	while (points != NULL && at < end)
	{
		int			n = pg_utf_mblen(at);

		if (n > end - at || !pg_utf8_islegal(at, n))
		{
			sodium_memzero(points, (len + 1) * sizeof(pg_wchar));
			free(points);
			return NULL;
		}
		*to++ = utf8_to_unicode(at);
		at += n;
	}
	return points;
}

/* Encode code points up to a zero. */
static bool
encode(const pg_wchar *points, char *ret_utf8, size_t size)
{
	unsigned char bytes[4];
	size_t		len = 0;

	for (; *points != 0; points++)
	{
		int			n;

		unicode_to_utf8(*points, bytes);
		n = pg_utf_mblen(bytes);
		if (len + (size_t) n >= size)
			return false;
		memcpy(ret_utf8 + len, bytes, (size_t) n);
		len += (size_t) n;
	}
	sodium_memzero(bytes, sizeof(bytes));
	ret_utf8[len] = '\0';
	return true;
}

bool
tool_to_nfc(const char *utf8, char *ret_normal, size_t size)
{
	size_t		len = strlen(utf8);
	pg_wchar   *points;
	pg_wchar   *normal;
	bool		done = false;

	sodium_memzero(ret_normal, size);
	if (is_ascii(utf8, len))
	{
		if (len < size)
			memcpy(ret_normal, utf8, len);
		return len < size;
	}
	points = decode(utf8, len);
	normal = points == NULL ? NULL : unicode_normalize(UNICODE_NFC, points);
	if (normal != NULL)
	{
		size_t		n = 0;

		done = encode(normal, ret_normal, size);
		while (normal[n] != 0)
			n++;
		sodium_memzero(normal, n * sizeof(pg_wchar));
		free(normal);
	}
	if (points != NULL)
		sodium_memzero(points, (len + 1) * sizeof(pg_wchar));
	free(points);
	if (!done)
		sodium_memzero(ret_normal, size);
	return done;
}
