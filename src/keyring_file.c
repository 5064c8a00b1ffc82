/*-------------------------------------------------------------------------
 *
 * keyring_file.c
 *	  The keyring file on disk.  The contract is in keyring.h.
 *
 * Nothing here looks into the file: an identity file is read and written by
 * the same rules.
 *
 * src/keyring_file.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "keyring.h"
#include "keyring_path.h"
#include "nonce.h"

#define TEMP_TRIES	8			/* a name of 64 random bits is taken by intent
								 * only */

/* Close where an error can no longer change the outcome. */
static void
close_quietly(int fd)
{
	int			save_errno = errno;

	(void) close(fd);
	errno = save_errno;
}

/* Give a reason and a result at once. */
static TcResult
refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return TC_MALFORMED;
}

static TcResult
failed(const char **ret_why, const char *why)
{
	*ret_why = why;
	return TC_SYSTEM;
}

/* Read until "len" bytes are there or the file ends; -1 on error. */
static ssize_t
read_fully(int fd, uint8_t *ret_bytes, size_t len)
{
	size_t		done = 0;

	while (done < len)
	{
		ssize_t		got = read(fd, ret_bytes + done, len - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t) got;
	}
	return (ssize_t) done;
}

/* Whether an open file is one to be trusted with a seed. */
static TcResult
check_file(int fd, uid_t owner, size_t *ret_size, const char **ret_why)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return failed(ret_why, "could not be examined");
	if (!S_ISREG(st.st_mode))
		return refuse(ret_why, "is not a regular file");
	if (st.st_nlink != 1)
		return refuse(ret_why, "has more than one hard link");
	if (st.st_uid != owner)
		return refuse(ret_why, "has another owner than expected");
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return refuse(ret_why, "is accessible to its group or to others, and must have mode 0600");
	if ((st.st_mode & (S_ISUID | S_ISGID | S_ISVTX)) != 0)
		return refuse(ret_why, "has a setuid, setgid or sticky bit, and must have mode 0600");
	if (st.st_size < 1)
		return refuse(ret_why, "is empty");
	if (st.st_size > TC_KEYRING_MAX)
		return refuse(ret_why, "is larger than a keyring can be");
	*ret_size = (size_t) st.st_size;
	return TC_OK;
}

/* Read what check_file found, and see that it is still all. */
static TcResult
read_checked(int fd, size_t size, uint8_t *ret_file, const char **ret_why)
{
	uint8_t		more;
	ssize_t		got = read_fully(fd, ret_file, size);
	ssize_t		extra = 0;

	if (got == (ssize_t) size)
		extra = read_fully(fd, &more, 1);
	if (got < 0 || extra < 0)
		return failed(ret_why, "could not be read");
	if (got != (ssize_t) size || extra != 0)
		return refuse(ret_why, "changed while it was read");
	return TC_OK;
}

TcResult
tc_keyring_read_file(const char *path, uid_t owner, uint8_t *ret_file,
					 size_t *ret_len, const char **ret_why)
{
	const char *name;
	size_t		size = 0;
	TcResult	result;
	int			folder;
	int			fd;

	sodium_memzero(ret_file, TC_KEYRING_MAX);
	result = tc_keyring_open_folder(path, owner, &folder, &name, ret_why);
	if (result != TC_OK)
		return result;
	/* Not blocking: a FIFO must be refused, not waited for. */
	fd = openat(folder, name,
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	close_quietly(folder);
	if (fd < 0)
		return errno == ELOOP ? refuse(ret_why, "is a symbolic link") :
			failed(ret_why, "could not be opened");

	result = check_file(fd, owner, &size, ret_why);
	if (result == TC_OK)
		result = read_checked(fd, size, ret_file, ret_why);
	if (result == TC_OK)
		*ret_len = size;
	else
		sodium_memzero(ret_file, TC_KEYRING_MAX);
	close_quietly(fd);
	return result;
}

/* Open the folder of a path such that it can be synchronised, too. */
static TcResult
open_folder(const char *path, uid_t owner, int *ret_fd, const char **ret_name,
			const char **ret_why)
{
	TcResult	result;
	int			folder;

	result = tc_keyring_open_folder(path, owner, &folder, ret_name, ret_why);
	if (result != TC_OK)
		return result;
	*ret_fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close_quietly(folder);
	return *ret_fd >= 0 ? TC_OK :
		failed(ret_why, "has a folder that could not be opened");
}

/* Make a file under a new name, mode 0600. */
static int
create_temp(int folder, const char *name, char ret_temp[NAME_MAX + 1])
{
	for (int try = 0; try < TEMP_TRIES; try++)
	{
		uint8_t		random[8];
		char		hex[2 * sizeof(random) + 1];
		int			len;
		int			fd;

		if (tc_random(random, sizeof(random)) != TC_OK)
			return -1;
		(void) sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
		len = snprintf(ret_temp, NAME_MAX + 1, ".%s.%s", name, hex);
		if (len < 0 || len > NAME_MAX)
		{
			errno = ENAMETOOLONG;
			return -1;
		}
		fd = openat(folder, ret_temp,
					O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

static bool
write_fully(int fd, TcSpan bytes)
{
	size_t		done = 0;

	while (done < bytes.len)
	{
		ssize_t		put = write(fd, bytes.data + done, bytes.len - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		done += (size_t) put;
	}
	return true;
}

/* Whether the file holds these bytes and no more. */
static bool
holds(int fd, TcSpan bytes)
{
	uint8_t		chunk[1024];
	size_t		done = 0;
	ssize_t		got;

	if (lseek(fd, 0, SEEK_SET) != 0)
		return false;
	while ((got = read_fully(fd, chunk, sizeof(chunk))) > 0)
	{
		if ((size_t) got > bytes.len - done ||
			memcmp(chunk, bytes.data + done, (size_t) got) != 0)
		{
			got = -1;
			errno = EIO;
			break;
		}
		done += (size_t) got;
	}
	sodium_memzero(chunk, sizeof(chunk));
	if (got == 0 && done != bytes.len)
		errno = EIO;
	return got == 0 && done == bytes.len;
}

/*
 * Fill a new file and bring it to the disk.  An fsync that failed is not
 * tried again: the kernel may have dropped the pages, and would then report
 * success (the lesson of PostgreSQL's fsync troubles, 2018).
 */
static TcResult
fill(int fd, TcSpan file, uid_t uid, gid_t gid, const char **ret_why)
{
	if (fchown(fd, uid, gid) != 0)
		return failed(ret_why, "could not be given to its owner");
	if (fchmod(fd, S_IRUSR | S_IWUSR) != 0)
		return failed(ret_why, "could not be protected");
	if (!write_fully(fd, file))
		return failed(ret_why, "could not be written");
	if (fsync(fd) != 0)
		return failed(ret_why, "could not be synchronised");
	if (!holds(fd, file))
		return failed(ret_why, "could not be read back as written");
	return TC_OK;
}

/* Give the new file its name. */
static bool
put_in_place(int folder, const char *temp, const char *name, bool replace)
{
	if (replace)
		return renameat(folder, temp, folder, name) == 0;
	if (renameat2(folder, temp, folder, name, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	/* A file system without that flag; a link never replaces, either. */
	return linkat(folder, temp, folder, name, 0) == 0 &&
		unlinkat(folder, temp, 0) == 0;
}

TcResult
tc_keyring_write_file(const char *path, TcSpan file, uid_t uid, gid_t gid,
					  bool replace, const char **ret_why)
{
	char		temp[NAME_MAX + 1];
	const char *name = NULL;
	TcResult	result;
	int			save_errno;
	int			folder;
	int			fd;

	result = open_folder(path, uid, &folder, &name, ret_why);
	if (result != TC_OK)
		return result;
	fd = create_temp(folder, name, temp);
	if (fd < 0)
	{
		close_quietly(folder);
		return failed(ret_why, "could not be created");
	}

	result = fill(fd, file, uid, gid, ret_why);
	if (result == TC_OK && close(fd) != 0)
		result = failed(ret_why, "could not be closed");
	else if (result != TC_OK)
		close_quietly(fd);
	if (result == TC_OK && !put_in_place(folder, temp, name, replace))
		result = failed(ret_why, errno == EEXIST ? "exists" :
						"could not be put in place");

	if (result != TC_OK)
	{
		save_errno = errno;
		(void) unlinkat(folder, temp, 0);
		errno = save_errno;
	}
	else if (fsync(folder) != 0)
		result = failed(ret_why, "is in place, but its folder could not be synchronised");
	close_quietly(folder);
	return result;
}
