/*-------------------------------------------------------------------------
 *
 * compress.c
 *	  Plaintexts made shorter by LZ4.  The contract is in compress.h.
 *
 * src/compress.c
 *
 *-------------------------------------------------------------------------
 */
#include <lz4.h>
#include <sodium.h>

#include "compress.h"
#include "envelope.h"

#define LENGTH_BYTES	4		/* before the block */

/* LZ4 leaves hashes of the plaintext on the stack: measured, 16548 bytes deep. */
#define STACK_BYTES		(20 * 1024)

_Static_assert(TC_PLAIN_MAX <= LZ4_MAX_INPUT_SIZE,
			   "LZ4 does not take the longest plaintext");

size_t
tc_compressed_max(size_t len)
{
	return len < TC_COMPRESS_MIN ? 0 : len - len / 8;
}

TcResult
tc_compress(TcSpan plain, uint8_t *ret_bytes, size_t *ret_len)
{
	size_t		max = tc_compressed_max(plain.len);
	TcWriter	writer = tc_writer(ret_bytes, max);
	int			block_len;

	if (max == 0 || plain.len > TC_PLAIN_MAX)
		return TC_TOO_LARGE;
	tc_write_u32(&writer, (uint32_t) plain.len);
	block_len = LZ4_compress_default((const char *) plain.data,
									 (char *) ret_bytes + LENGTH_BYTES,
									 (int) plain.len,
									 (int) (max - LENGTH_BYTES));
	sodium_stackzero(STACK_BYTES);
	if (block_len <= 0)
	{
		sodium_memzero(ret_bytes, max);
		return TC_TOO_LARGE;
	}
	*ret_len = LENGTH_BYTES + (size_t) block_len;
	return TC_OK;
}

TcResult
tc_decompressed_len(TcSpan compressed, size_t *ret_len)
{
	TcReader	reader = tc_reader(compressed);
	uint32_t	len = tc_read_u32(&reader);

	if (reader.failed || len < TC_COMPRESS_MIN ||
		compressed.len > tc_compressed_max(len))
		return TC_MALFORMED;
	if (len > TC_PLAIN_MAX)
		return TC_TOO_LARGE;
	*ret_len = len;
	return TC_OK;
}

TcResult
tc_decompress(TcSpan compressed, uint8_t *ret_plain, size_t len)
{
	size_t		expected;
	TcResult	result = tc_decompressed_len(compressed, &expected);

	if (result == TC_OK &&
		(expected != len ||
		 LZ4_decompress_safe((const char *) compressed.data + LENGTH_BYTES,
							 (char *) ret_plain,
							 (int) (compressed.len - LENGTH_BYTES),
							 (int) len) != (int) len))
		result = TC_MALFORMED;
	if (result != TC_OK)
		sodium_memzero(ret_plain, len);
	return result;
}
