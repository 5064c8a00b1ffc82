/*-------------------------------------------------------------------------
 *
 * faultydisk.c
 *	  A library to be preloaded: what a program does to one folder is written
 *	  down, and may be made to fail.
 *
 *	TC_DISK		the folder, an absolute path
 *	TC_JOURNAL	one line is appended there for each change, as powerloss.py
 *				reads them:
 *					create NAME INODE MODE	write INODE OFFSET HEX
 *					attr INODE WHAT VALUE	truncate INODE SIZE
 *					sync INODE				syncdir
 *					rename OLD NEW INODE	link OLD NEW INODE
 *					unlink NAME				call NUMBER NAME
 *				"call" counts all calls that could be made to fail.
 *	TC_FAULT	NUMBER:ERRNO	this call fails
 *				NUMBER+:ERRNO	it and all later ones
 *				short			each write and read does half of it
 *				eintr			each write and read is interrupted first
 *				noflag			no RENAME_NOREPLACE on this disk
 *				noflag,...		and one of the others
 *
 * A program that changes the folder by other calls than these is found out by
 * powerloss.py, which compares the journal with what came of it.
 *
 * test/lib/faultydisk.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int	calls;

/* Append a line to the journal, by system calls that nobody intercepts. */
static void
tell(const char *format,...)
{
	static char line[200000];
	va_list		args;
	int			len;
	long		fd;
	int			save_errno = errno;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fd = syscall(SYS_openat, AT_FDCWD, getenv("TC_JOURNAL"),
				 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (len < 0 || len >= (int) sizeof(line) || fd < 0 ||
		syscall(SYS_write, fd, line, len) != len)
		abort();
	syscall(SYS_close, fd);
	errno = save_errno;
}

/* The absolute path of a name below an open folder. */
static bool
path_of(int folder, const char *name, char ret_path[PATH_MAX])
{
	char		link[40];
	ssize_t		len = 0;

	if (name[0] != '/')
	{
		if (folder == AT_FDCWD)
			strcpy(link, "/proc/self/cwd");
		else
			snprintf(link, sizeof(link), "/proc/self/fd/%d", folder);
		len = readlink(link, ret_path, PATH_MAX - 1);
		if (len < 0 || len + strlen(name) + 2 > PATH_MAX)
			return false;
		ret_path[len] = '\0';
		if (strcmp(name, ".") == 0)
			return true;
		ret_path[len++] = '/';
	}
	strcpy(ret_path + len, name);
	return true;
}

/* The name within our folder; "." for itself; NULL for all else. */
static const char *
ours(int folder, const char *name, char path[PATH_MAX])
{
	const char *disk = getenv("TC_DISK");
	size_t		len;

	if (disk == NULL || !path_of(folder, name, path))
		return NULL;
	len = strlen(disk);
	if (strncmp(path, disk, len) != 0)
		return NULL;
	if (path[len] == '\0' || strcmp(path + len, "/.") == 0 || strcmp(path + len, "/") == 0)
		return ".";
	return path[len] == '/' && strchr(path + len + 1, '/') == NULL ? path + len + 1 : NULL;
}

static const char *
ours_fd(int fd, char path[PATH_MAX])
{
	struct stat st;

	/* Without asking readlink about pipes and the like. */
	if (syscall(SYS_fstat, fd, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return NULL;
	return ours(fd, ".", path);
}

static unsigned long
inode(int fd)
{
	struct stat st;

	return syscall(SYS_fstat, fd, &st) == 0 ? st.st_ino : 0;
}

static unsigned long
inode_at(int folder, const char *name)
{
	struct stat st;

	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_ino : 0;
}

/* What TC_FAULT says beside "noflag"; *ret_noflag if it says that. */
static const char *
fault_now(bool *ret_noflag)
{
	const char *fault = getenv("TC_FAULT");

	if (fault == NULL)
		fault = "";
	*ret_noflag = strncmp(fault, "noflag", 6) == 0;
	if (*ret_noflag)
		fault += fault[6] == ',' ? 7 : 6;
	return fault;
}

/* Count a call; true if it is to fail, with errno. */
static bool
fails(const char *what)
{
	bool		noflag;
	const char *fault = fault_now(&noflag);
	char	   *end;
	long		number = strtol(fault, &end, 10);

	calls++;
	tell("call %d %s\n", calls, what);
	if (end == fault || !(number == calls || (*end == '+' && number < calls)))
		return false;
	errno = atoi(strchr(end, ':') + 1);
	return true;
}

static bool
mode_is(const char *mode)
{
	bool		noflag;

	return strcmp(fault_now(&noflag), mode) == 0;
}

/* Whether a read or write is to be interrupted: every second one is. */
static bool
interrupted(void)
{
	static bool now;

	if (!mode_is("eintr"))
		return false;
	now = !now;
	errno = EINTR;
	return now;
}

#define REAL(name, type) \
	static type real; \
	if (real == NULL) \
		real = (type) dlsym(RTLD_NEXT, name)

typedef int (*OpenatFn) (int, const char *, int,...);

static int
open_at(const char *what, int folder, const char *path, int flags, mode_t mode)
{
	char		full[PATH_MAX];
	const char *name = ours(folder, path, full);
	bool		is_new;
	int			fd;

	REAL("openat", OpenatFn);
	if (name == NULL || (flags & O_PATH) != 0)
		return real(folder, path, flags, mode);
	is_new = (flags & O_CREAT) != 0 && inode_at(folder, path) == 0;
	if (fails(what))
		return -1;
	fd = real(folder, path, flags, mode);
	if (fd >= 0 && is_new)
	{
		struct stat st;

		fstat(fd, &st);
		tell("create %s %lu %o\n", name, inode(fd), (unsigned int) st.st_mode & 07777);
	}
	if (fd >= 0 && (flags & O_TRUNC) != 0 && !is_new)
		tell("truncate %lu 0\n", inode(fd));
	return fd;
}

#define MODE_ARGUMENT \
	mode_t		mode = 0; \
	if ((flags & (O_CREAT | O_TMPFILE)) != 0) \
	{ \
		va_list		args; \
		va_start(args, flags); \
		mode = va_arg(args, mode_t); \
		va_end(args); \
	}

int
open(const char *path, int flags,...)
{
	MODE_ARGUMENT
	return open_at("open", AT_FDCWD, path, flags, mode);
}

int
open64(const char *path, int flags,...)
{
	MODE_ARGUMENT
	return open_at("open", AT_FDCWD, path, flags, mode);
}

int
openat(int folder, const char *path, int flags,...)
{
	MODE_ARGUMENT
	return open_at("open", folder, path, flags, mode);
}

int
openat64(int folder, const char *path, int flags,...)
{
	MODE_ARGUMENT
	return open_at("open", folder, path, flags, mode);
}

extern int	__open_2(const char *path, int flags);
extern int	__openat_2(int folder, const char *path, int flags);

int
__open_2(const char *path, int flags)
{
	return open_at("open", AT_FDCWD, path, flags, 0);
}

int
__openat_2(int folder, const char *path, int flags)
{
	return open_at("open", folder, path, flags, 0);
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
	char		full[PATH_MAX];
	char	   *hex;
	off_t		at;
	ssize_t		put;

	if (ours_fd(fd, full) == NULL)
		return syscall(SYS_write, fd, bytes, len);
	if (interrupted() || fails("write"))
		return -1;
	if (mode_is("short") && len > 1)
		len /= 2;
	at = lseek(fd, 0, SEEK_CUR);
	put = syscall(SYS_write, fd, bytes, len);
	hex = put > 0 ? calloc(1, 2 * (size_t) put + 1) : NULL;
	for (ssize_t i = 0; hex != NULL && i < put; i++)
		sprintf(hex + 2 * i, "%02x", ((const unsigned char *) bytes)[i]);
	if (hex != NULL)
		tell("write %lu %lld %s\n", inode(fd), (long long) at, hex);
	free(hex);
	return put;
}

static ssize_t
do_read(int fd, void *ret_bytes, size_t len)
{
	char		full[PATH_MAX];

	if (ours_fd(fd, full) == NULL)
		return syscall(SYS_read, fd, ret_bytes, len);
	if (interrupted() || fails("read"))
		return -1;
	if (mode_is("short") && len > 1)
		len /= 2;
	return syscall(SYS_read, fd, ret_bytes, len);
}

ssize_t
read(int fd, void *ret_bytes, size_t len)
{
	return do_read(fd, ret_bytes, len);
}

extern ssize_t __read_chk(int fd, void *ret_bytes, size_t len, size_t size);

ssize_t
__read_chk(int fd, void *ret_bytes, size_t len, size_t size)
{
	if (len > size)
		abort();
	return do_read(fd, ret_bytes, len);
}

static int
sync_fd(int fd, long number)
{
	char		full[PATH_MAX];
	const char *name = ours_fd(fd, full);

	if (name == NULL)
		return (int) syscall(number, fd);
	if (fails("fsync"))
		return -1;
	if (syscall(number, fd) != 0)
		return -1;
	if (strcmp(name, ".") == 0)
		tell("syncdir\n");
	else
		tell("sync %lu\n", inode(fd));
	return 0;
}

int
fsync(int fd)
{
	return sync_fd(fd, SYS_fsync);
}

int
fdatasync(int fd)
{
	return sync_fd(fd, SYS_fdatasync);
}

int
close(int fd)
{
	char		full[PATH_MAX];
	int			error = 0;

	/* It is closed, whatever it says. */
	if (ours_fd(fd, full) != NULL && fails("close"))
		error = errno;
	if (syscall(SYS_close, fd) != 0)
		return -1;
	errno = error != 0 ? error : errno;
	return error == 0 ? 0 : -1;
}

int
fchmod(int fd, mode_t mode)
{
	char		full[PATH_MAX];

	if (ours_fd(fd, full) != NULL)
	{
		if (fails("fchmod"))
			return -1;
		tell("attr %lu mode %o\n", inode(fd), (unsigned int) mode);
	}
	return (int) syscall(SYS_fchmod, fd, mode);
}

int
fchown(int fd, uid_t uid, gid_t gid)
{
	char		full[PATH_MAX];

	if (ours_fd(fd, full) != NULL)
	{
		if (fails("fchown"))
			return -1;
		tell("attr %lu owner %u:%u\n", inode(fd), uid, gid);
	}
	return (int) syscall(SYS_fchown, fd, uid, gid);
}

int
ftruncate(int fd, off_t size)
{
	char		full[PATH_MAX];

	if (ours_fd(fd, full) != NULL)
	{
		if (fails("ftruncate"))
			return -1;
		tell("truncate %lu %lld\n", inode(fd), (long long) size);
	}
	return (int) syscall(SYS_ftruncate, fd, size);
}

/* A name that is not ours is one from which or to which a file comes or goes. */
static int
move(const char *what, int from, const char *old, int to, const char *new,
	 unsigned int flags)
{
	char		full_old[PATH_MAX];
	char		full_new[PATH_MAX];
	const char *old_name = ours(from, old, full_old);
	const char *new_name = ours(to, new, full_new);
	unsigned long number = inode_at(from, old);
	bool		noflag;

	if (old_name == NULL && new_name == NULL)
		return (int) syscall(SYS_renameat2, from, old, to, new, flags);
	(void) fault_now(&noflag);
	if (noflag && flags != 0)
	{
		errno = EINVAL;
		return -1;
	}
	if (fails(what) || syscall(SYS_renameat2, from, old, to, new, flags) != 0)
		return -1;
	tell("rename %s %s %lu\n", old_name != NULL ? old_name : "/",
		 new_name != NULL ? new_name : "/", number);
	return 0;
}

int
rename(const char *old, const char *new)
{
	return move("rename", AT_FDCWD, old, AT_FDCWD, new, 0);
}

int
renameat(int from, const char *old, int to, const char *new)
{
	return move("rename", from, old, to, new, 0);
}

int
renameat2(int from, const char *old, int to, const char *new, unsigned int flags)
{
	return move("rename", from, old, to, new, flags);
}

int
linkat(int from, const char *old, int to, const char *new, int flags)
{
	char		full_old[PATH_MAX];
	char		full_new[PATH_MAX];
	const char *old_name = ours(from, old, full_old);
	const char *new_name = ours(to, new, full_new);

	if (new_name != NULL && fails("link"))
		return -1;
	if (syscall(SYS_linkat, from, old, to, new, flags) != 0)
		return -1;
	if (new_name != NULL)
		tell("link %s %s %lu\n", old_name != NULL ? old_name : "/", new_name,
			 inode_at(to, new));
	return 0;
}

int
link(const char *old, const char *new)
{
	return linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int
unlinkat(int folder, const char *name, int flags)
{
	char		full[PATH_MAX];
	const char *our_name = ours(folder, name, full);

	if (our_name != NULL && fails("unlink"))
		return -1;
	if (syscall(SYS_unlinkat, folder, name, flags) != 0)
		return -1;
	if (our_name != NULL)
		tell("unlink %s\n", our_name);
	return 0;
}

int
unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}
