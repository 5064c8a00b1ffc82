/*-------------------------------------------------------------------------
 *
 * fuzz_compress.c
 *	  Compressed plaintexts: any bytes are taken or refused, never misread.
 *
 * test/fuzz/fuzz_compress.c
 *
 *-------------------------------------------------------------------------
 */
#include "compress.h"
#include "fuzz.h"

#define READ_MAX	(1024 * 1024)

/* Any bytes as a compressed plaintext. */
static void
read_compressed(const uint8_t *data, size_t size)
{
	size_t		len;
	uint8_t    *plain;

	if (tc_decompressed_len(tc_span(data, size), &len) != TC_OK || len > READ_MAX)
		return;
	HOLDS(size <= tc_compressed_max(len));
	plain = malloc(len);
	if (tc_decompress(tc_span(data, size), plain, len) != TC_OK)
	{
		for (size_t i = 0; i < len; i++)
			HOLDS(plain[i] == 0);
	}
	free(plain);
}

/* Any bytes compressed, and back. */
static void
write_compressed(const uint8_t *data, size_t size)
{
	size_t		max = tc_compressed_max(size);
	uint8_t    *bytes = malloc(max + 1);
	uint8_t    *back = malloc(size + 1);
	size_t		len = 0;
	size_t		back_len = 0;

	if (tc_compress(tc_span(data, size), bytes, &len) == TC_OK)
	{
		HOLDS(len <= max);
		HOLDS(tc_decompressed_len(tc_span(bytes, len), &back_len) == TC_OK && back_len == size);
		HOLDS(tc_decompress(tc_span(bytes, len), back, size) == TC_OK);
		HOLDS(memcmp(back, data, size) == 0);
	}
	free(bytes);
	free(back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_compressed(data, size);
	write_compressed(data, size);
	return 0;
}
