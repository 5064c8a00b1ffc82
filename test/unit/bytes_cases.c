/*-------------------------------------------------------------------------
 *
 * bytes_cases.c
 *	  Readers and writers never leave their bytes, and fail for good.
 *
 * test/unit/bytes_cases.c
 *
 *-------------------------------------------------------------------------
 */
#include "tap.h"

static void
test_reader(void)
{
	const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
	uint8_t    *copy = exact_copy(bytes, sizeof(bytes));
	TcReader	reader = tc_reader(tc_span(copy, sizeof(bytes)));
	uint8_t		two[2] = {9, 9};

	ok(tc_read_u8(&reader) == 1, "u8");
	ok(tc_read_u16(&reader) == 0x0302, "u16 is little-endian");
	ok(tc_read_u32(&reader) == 0x07060504, "u32 is little-endian");
	ok(!tc_reader_done(&reader), "not done with a byte left");
	ok(tc_read_u16(&reader) == 0 && reader.failed, "reading over the end gives 0 and fails");
	ok(tc_read_u8(&reader) == 0 && reader.failed && !tc_reader_done(&reader),
	   "it stays failed, although a byte is left");
	tc_read_bytes(&reader, two, 2);
	ok(two[0] == 0 && two[1] == 0, "bytes are zeros after a failure");
	ok(tc_read_span(&reader, 0).data == NULL, "so is a span of none");

	reader = tc_reader(tc_span(copy, sizeof(bytes)));
	ok(tc_read_span(&reader, SIZE_MAX).len == 0 && reader.failed, "a length of SIZE_MAX fails");
	reader = tc_reader(tc_span(copy, sizeof(bytes)));
	ok(tc_read_span(&reader, 8).len == 8 && tc_reader_done(&reader), "done at the last byte");
	ok(tc_read_span(&reader, 0).len == 0 && tc_reader_done(&reader), "none more may be read there");
	free(copy);

	reader = tc_reader(tc_span(NULL, 0));
	ok(tc_reader_done(&reader), "NULL has no bytes");
	ok(tc_read_span(&reader, 0).len == 0 && tc_reader_done(&reader), "none may be read of NULL");
	ok(tc_read_u8(&reader) == 0 && reader.failed, "one may not");
}

static void
test_writer(void)
{
	uint8_t		bytes[8] = {0};
	uint8_t    *room = exact_copy(bytes, 8);
	TcWriter	writer = tc_writer(room, 8);
	TcReader	reader;

	tc_write_u8(&writer, 1);
	tc_write_u16(&writer, 0x0302);
	tc_write_u32(&writer, 0x07060504);
	ok(tc_written(&writer).len == 7 && !writer.failed, "seven bytes written");
	tc_write_u16(&writer, 0xFFFF);
	ok(writer.failed && tc_written(&writer).len == 7, "two do not fit into one");
	tc_write_u8(&writer, 8);
	ok(writer.failed && tc_written(&writer).len == 7, "it stays failed, although one fits");
	ok(tc_write_room(&writer, 0) == NULL, "no room after a failure, not even for none");

	writer = tc_writer(room, 8);
	ok(tc_write_room(&writer, SIZE_MAX) == NULL, "no room of SIZE_MAX");
	writer = tc_writer(room, 8);
	tc_write_uint(&writer, UINT64_C(0x0807060504030201), 8);
	ok(!writer.failed && writer.used == 8, "u64 fills it");
	tc_write_bytes(&writer, NULL, 0);
	ok(!writer.failed, "none of NULL fit into a full writer");
	reader = tc_reader(tc_span(room, 3));
	ok(tc_read_uint(&reader, 3) == 0x030201, "u24 reads back");
	reader = tc_reader(tc_span(room, 8));
	ok(tc_read_uint(&reader, 8) == UINT64_C(0x0807060504030201), "u64 reads back");
	free(room);

	writer = tc_writer(NULL, 0);
	tc_write_bytes(&writer, NULL, 0);
	ok(!writer.failed, "none fit into no room");
	tc_write_u8(&writer, 1);
	ok(writer.failed, "one does not");
}

int
main(void)
{
	test_reader();
	test_writer();
	return done();
}
