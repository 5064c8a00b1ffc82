/*-------------------------------------------------------------------------
 *
 * bytes.h
 *	  Spans, results, and bounded reading and writing of bytes.
 *
 * Every leaf takes and gives bytes through these.  A leaf knows nothing of
 * PostgreSQL: it never throws, never allocates, and is shared by the server,
 * the keyring tool and the fuzzers.
 *
 *	Owns	nothing: a span borrows, a reader and a writer walk a caller's
 *			buffer.
 *	Errors	TcResult.  A reader or writer that once ran over its end stays
 *			failed and gives zeros, so a parser checks once, at the end.
 *	Units	lengths are bytes; all integers in our formats are little-endian.
 *
 * src/bytes.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_BYTES_H
#define TC_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What a leaf answers.  Only a face turns this into words for a user. */
typedef enum TcResult
{
	TC_OK = 0,
	TC_MALFORMED,				/* not in our format; nothing was decrypted */
	TC_UNSUPPORTED,				/* our format, but a version or algorithm that
								 * this build does not know */
	TC_REJECTED,				/* authentication failed: wrong key or altered */
	TC_TOO_LARGE,				/* over a stated limit, or a buffer too small */
	TC_SYSTEM					/* a system call failed: see errno */
} TcResult;

#define TC_CHECK_RESULT __attribute__((warn_unused_result))

/* Bytes that somebody else owns. */
typedef struct TcSpan
{
	const uint8_t *data;
	size_t		len;
} TcSpan;

/* Walks over bytes that are not trusted. */
typedef struct TcReader
{
	const uint8_t *at;
	size_t		left;
	bool		failed;
} TcReader;

/* Fills a buffer of a known size. */
typedef struct TcWriter
{
	uint8_t    *start;
	size_t		size;
	size_t		used;
	bool		failed;
} TcWriter;

static inline TcSpan
tc_span(const void *data, size_t len)
{
	TcSpan		span = {(const uint8_t *) data, len};

	return span;
}

static inline TcReader
tc_reader(TcSpan span)
{
	TcReader	reader = {span.data, span.len, false};

	return reader;
}

/* The next len bytes, borrowed; an empty span once the reader has failed. */
static inline TcSpan
tc_read_span(TcReader *reader, size_t len)
{
	TcSpan		span = {NULL, 0};

	if (reader->failed || len > reader->left)
	{
		reader->failed = true;
		return span;
	}
	span = tc_span(reader->at, len);
	if (len > 0)				/* NULL has no bytes, and may not be added to */
		reader->at += len;
	reader->left -= len;
	return span;
}

/* The next len bytes, copied; zeros once the reader has failed. */
static inline void
tc_read_bytes(TcReader *reader, uint8_t *ret_bytes, size_t len)
{
	TcSpan		span = tc_read_span(reader, len);

	memset(ret_bytes, 0, len);
	if (!reader->failed && len > 0)
		memcpy(ret_bytes, span.data, len);
}

static inline uint64_t
tc_read_uint(TcReader *reader, int nbytes)
{
	uint8_t		bytes[8] = {0};
	uint64_t	value = 0;

	tc_read_bytes(reader, bytes, (size_t) nbytes);
	for (int i = nbytes - 1; i >= 0; i--)
		value = value << 8 | bytes[i];
	return value;
}

static inline uint8_t
tc_read_u8(TcReader *reader)
{
	return (uint8_t) tc_read_uint(reader, 1);
}

static inline uint16_t
tc_read_u16(TcReader *reader)
{
	return (uint16_t) tc_read_uint(reader, 2);
}

static inline uint32_t
tc_read_u32(TcReader *reader)
{
	return (uint32_t) tc_read_uint(reader, 4);
}

/* True if everything was there and nothing is left over. */
static inline bool
tc_reader_done(const TcReader *reader)
{
	return !reader->failed && reader->left == 0;
}

static inline TcWriter
tc_writer(uint8_t *start, size_t size)
{
	TcWriter	writer = {start, size, 0, false};

	return writer;
}

/* Room for len bytes, to be filled by the caller; NULL if they do not fit. */
static inline uint8_t *
tc_write_room(TcWriter *writer, size_t len)
{
	uint8_t    *room;

	if (writer->failed || len > writer->size - writer->used)
	{
		writer->failed = true;
		return NULL;
	}
	room = writer->start;
	if (len > 0)
		room += writer->used;
	writer->used += len;
	return room;
}

static inline void
tc_write_bytes(TcWriter *writer, const void *bytes, size_t len)
{
	uint8_t    *room = tc_write_room(writer, len);

	if (room != NULL && len > 0)
		memcpy(room, bytes, len);
}

static inline void
tc_write_uint(TcWriter *writer, uint64_t value, int nbytes)
{
	uint8_t		bytes[8];

	for (int i = 0; i < nbytes; i++)
	{
		bytes[i] = (uint8_t) value;
		value >>= 8;
	}
	tc_write_bytes(writer, bytes, (size_t) nbytes);
}

static inline void
tc_write_u8(TcWriter *writer, uint8_t value)
{
	tc_write_uint(writer, value, 1);
}

static inline void
tc_write_u16(TcWriter *writer, uint16_t value)
{
	tc_write_uint(writer, value, 2);
}

static inline void
tc_write_u32(TcWriter *writer, uint32_t value)
{
	tc_write_uint(writer, value, 4);
}

/* What has been written so far. */
static inline TcSpan
tc_written(const TcWriter *writer)
{
	return tc_span(writer->start, writer->used);
}

#endif							/* TC_BYTES_H */
