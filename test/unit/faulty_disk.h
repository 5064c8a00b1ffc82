/*-------------------------------------------------------------------------
 *
 * faulty_disk.h
 *	  A second copy of src/keyring_file.c, on a disk that fails on demand.
 *
 * our_read_file and our_write_file are that copy's functions; "fault" says
 * what goes wrong in them.  Included before a test declares anything, since
 * the copy's names meet the test's.
 *
 * test/unit/faulty_disk.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_FAULTY_DISK_H
#define TC_FAULTY_DISK_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyring.h"
#include "nonce.h"

typedef enum Fault
{
	FAULT_NONE,
	FAULT_RANDOM,
	FAULT_CHOWN,
	FAULT_CHMOD,
	FAULT_WRITE,
	FAULT_FSYNC,
	FAULT_FSYNC_FOLDER,
	FAULT_READ_BACK,
	FAULT_CLOSE,
	FAULT_RENAME,
	FAULT_NO_FLAG,				/* no RENAME_NOREPLACE here */
	FAULT_SLOW,					/* a byte at a time, with interruptions */
	FAULT_SIZE,					/* fstat tells another size */
	FAULT_END
} Fault;

static Fault fault;
static int	fsyncs;
static int	interruptions;
static uint8_t fixed_random;	/* what FAULT_RANDOM gives */
static off_t size_error;

static int
fail(int error)
{
	errno = error;
	return -1;
}

static TcResult
our_random(uint8_t *ret_bytes, size_t len)
{
	if (fault != FAULT_RANDOM)
		return tc_random(ret_bytes, len);
	memset(ret_bytes, fixed_random++ / 4, len);
	return TC_OK;
}

static int
our_fchown(int fd, uid_t uid, gid_t gid)
{
	return fault == FAULT_CHOWN ? fail(EPERM) : fchown(fd, uid, gid);
}

static int
our_fchmod(int fd, mode_t mode)
{
	return fault == FAULT_CHMOD ? fail(EPERM) : fchmod(fd, mode);
}

static ssize_t
our_write(int fd, const void *bytes, size_t len)
{
	static bool interrupt;

	if (fault == FAULT_WRITE)
		return len <= 5 ? fail(ENOSPC) : write(fd, bytes, 5);
	if (fault != FAULT_SLOW)
		return write(fd, bytes, len);
	interrupt = !interrupt;
	interruptions += interrupt;
	return interrupt ? fail(EINTR) : write(fd, bytes, 1);
}

static ssize_t
our_read(int fd, void *bytes, size_t len)
{
	static bool interrupt;
	ssize_t		got;

	if (fault == FAULT_SLOW)
	{
		interrupt = !interrupt;
		interruptions += interrupt;
		return interrupt ? fail(EINTR) : read(fd, bytes, 1);
	}
	got = read(fd, bytes, len);
	if (fault == FAULT_READ_BACK && got > 0)
		((uint8_t *) bytes)[got - 1] ^= 1;
	return got;
}

static int
our_fsync(int fd)
{
	struct stat st;

	fsyncs++;
	if (fstat(fd, &st) != 0)
		return -1;
	if (fault == (S_ISDIR(st.st_mode) ? FAULT_FSYNC_FOLDER : FAULT_FSYNC))
		return fail(EIO);
	return fsync(fd);
}

static int
our_close(int fd)
{
	struct stat st;
	bool		bad = fault == FAULT_CLOSE && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

	if (close(fd) != 0)
		return -1;
	return bad ? fail(EIO) : 0;
}

static int
our_renameat(int from, const char *old, int to, const char *new)
{
	return fault == FAULT_RENAME ? fail(EIO) : renameat(from, old, to, new);
}

static int
our_renameat2(int from, const char *old, int to, const char *new, unsigned int flags)
{
	if (fault == FAULT_NO_FLAG)
		return fail(EINVAL);
	return fault == FAULT_RENAME ? fail(EIO) : renameat2(from, old, to, new, flags);
}

static int
our_fstat(int fd, struct stat *st)
{
	int			rc = fstat(fd, st);

	if (fault == FAULT_SIZE)
		st->st_size += size_error;
	return rc;
}

extern TcResult our_read_file(const char *path, uid_t owner, uint8_t *ret_file,
							  size_t *ret_len, const char **ret_why);
extern TcResult our_write_file(const char *path, TcSpan file, uid_t uid, gid_t gid,
							   bool replace, const char **ret_why);

#define tc_random our_random
#define fchown our_fchown
#define fchmod our_fchmod
#define write our_write
#define read our_read
#define fsync our_fsync
#define close our_close
#define renameat our_renameat
#define renameat2 our_renameat2
#define fstat our_fstat
#define tc_keyring_read_file our_read_file
#define tc_keyring_write_file our_write_file
#define fill fill_file			/* tap.h has one, too */
#include "../../src/keyring_file.c"
#undef tc_random
#undef fchown
#undef fchmod
#undef write
#undef read
#undef fsync
#undef close
#undef renameat
#undef renameat2
#undef fstat
#undef tc_keyring_read_file
#undef tc_keyring_write_file
#undef fill

#endif							/* TC_FAULTY_DISK_H */
