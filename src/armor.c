/*-------------------------------------------------------------------------
 *
 * armor.c
 *	  Sealed values as text.  The contract is in armor.h.
 *
 * src/armor.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "armor.h"

#define VARIANT		sodium_base64_VARIANT_URLSAFE_NO_PADDING

#define SAME_LENGTH(len) \
	(TC_BASE64_LEN(len) + 1 == sodium_base64_ENCODED_LEN(len, VARIANT))

_Static_assert(sizeof(TC_ARMOR_PREFIX) - 1 == TC_ARMOR_PREFIX_LEN,
			   "the armor prefix has another length");
_Static_assert(SAME_LENGTH(30) && SAME_LENGTH(31) && SAME_LENGTH(32),
			   "libsodium counts base64 differently");

bool
tc_armor_is(const char *text, size_t len)
{
	return len >= TC_ARMOR_PREFIX_LEN &&
		memcmp(text, TC_ARMOR_PREFIX, TC_ARMOR_PREFIX_LEN) == 0;
}

size_t
tc_armor_len(size_t value_len)
{
	return TC_ARMOR_PREFIX_LEN + TC_BASE64_LEN(value_len);
}

void
tc_armor_encode(TcSpan value, char *ret_text)
{
	memcpy(ret_text, TC_ARMOR_PREFIX, TC_ARMOR_PREFIX_LEN);
	tc_base64_encode(value, ret_text + TC_ARMOR_PREFIX_LEN);
}

TcResult
tc_armor_decode(const char *text, size_t len, uint8_t *ret_value, size_t size,
				size_t *ret_len)
{
	if (!tc_armor_is(text, len))
		return TC_MALFORMED;
	return tc_base64_decode(text + TC_ARMOR_PREFIX_LEN,
							len - TC_ARMOR_PREFIX_LEN,
							ret_value, size, ret_len);
}

void
tc_base64_encode(TcSpan bytes, char *ret_text)
{
	if (bytes.len == 0)
	{
		ret_text[0] = '\0';
		return;
	}
	/* It returns its first argument, and aborts where the room is too small. */
	(void) sodium_bin2base64(ret_text, TC_BASE64_LEN(bytes.len) + 1,
							 bytes.data, bytes.len, VARIANT);
}

/*
 * Whether a text has seven bits only.  libsodium 1.0.18 takes characters from
 * 0x80 on for digits, where a char is signed, so it must not see them.
 */
static bool
is_ascii(const char *text, size_t len)
{
	unsigned char seen = 0;

	for (size_t i = 0; i < len; i++)
		seen |= (unsigned char) text[i];
	return seen < 0x80;
}

TcResult
tc_base64_decode(const char *text, size_t len, uint8_t *ret_bytes, size_t size,
				 size_t *ret_len)
{
	size_t		rest = len % 4;
	size_t		need = len / 4 * 3 + (rest > 0 ? rest - 1 : 0);
	size_t		got = 0;

	/* One character left over has six bits: no byte. */
	if (rest == 1 || !is_ascii(text, len))
		return TC_MALFORMED;
	if (need > size)
		return TC_TOO_LARGE;
	if (need == 0)
	{
		*ret_len = 0;
		return TC_OK;
	}

	/*
	 * Without an end pointer libsodium takes all of the text or nothing, and
	 * it refuses unused bits that are not zero.
	 */
	if (sodium_base642bin(ret_bytes, need, text, len, NULL, &got, NULL,
						  VARIANT) != 0 || got != need)
	{
		sodium_memzero(ret_bytes, need);
		return TC_MALFORMED;
	}
	*ret_len = need;
	return TC_OK;
}
