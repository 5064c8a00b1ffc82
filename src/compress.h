/*-------------------------------------------------------------------------
 *
 * compress.h
 *	  Plaintexts made shorter before they are sealed, by LZ4.
 *
 * A compressed plaintext is its length as u32 and one LZ4 block (src/FORMAT,
 * "A compressed plaintext").  Nothing here is secret from the caller, but all
 * of it is plaintext: buffers are the caller's, and the caller wipes them.
 * What is read has been authenticated, and is checked all the same.
 *
 *	Owns	nothing.
 *	Errors	TC_TOO_LARGE: does not become shorter, or would become longer than a
 *			plaintext may be.  TC_MALFORMED: not what tc_compress() writes.
 *	Units	bytes.
 *	Uses	bytes.h, liblz4 (lz4.h: LZ4_compress_default, LZ4_decompress_safe).
 *
 * src/compress.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_COMPRESS_H
#define TC_COMPRESS_H

#include "bytes.h"

/* Shorter ones do not win enough to be opened more slowly for it. */
#define TC_COMPRESS_MIN		128

/*
 * The most bytes that a plaintext of len bytes may take compressed: an eighth
 * less.  With fewer than TC_COMPRESS_MIN bytes it is 0, and none is compressed.
 */
extern size_t tc_compressed_max(size_t len);

/*
 * Compress into ret_bytes, of tc_compressed_max(plain.len) bytes.  On failure
 * they are zeroed.
 */
extern TcResult tc_compress(TcSpan plain, uint8_t *ret_bytes,
							size_t *ret_len) TC_CHECK_RESULT;

/* How long the plaintext is, without looking further. */
extern TcResult tc_decompressed_len(TcSpan compressed, size_t *ret_len) TC_CHECK_RESULT;

/*
 * Decompress into ret_plain, of the length that tc_decompressed_len() gave.
 * On failure it is zeroed.
 */
extern TcResult tc_decompress(TcSpan compressed, uint8_t *ret_plain,
							  size_t len) TC_CHECK_RESULT;

#endif							/* TC_COMPRESS_H */
