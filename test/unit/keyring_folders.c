/*-------------------------------------------------------------------------
 *
 * keyring_folders.c
 *	  The folders above a keyring file.
 *
 * Goal of this test:
 * - A file is neither read from nor written to a place where somebody else
 *   could have swapped it, however far above; the message names the folder.
 * - What every system has is no such place: /etc, a folder in /tmp, one that
 *   may be entered but not listed, a relative path.
 *
 * test/unit/keyring_folders.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "keyring.h"
#include "keyring_path.h"
#include "tap.h"

#define STRANGER	65534

static char top[PATH_MAX];
static const char *why;

static const char *
below(const char *name)
{
	static char paths[4][PATH_MAX + 256];
	static int	next;

	next = (next + 1) % 4;
	snprintf(paths[next], sizeof(paths[next]), "%s/%s", top, name);
	return paths[next];
}

static void
make_folder(const char *name)
{
	if (mkdir(below(name), 0700) != 0)
		bail("no folder");
}

static TcResult
write_file(const char *path, bool replace)
{
	why = "";
	return tc_keyring_write_file(path, tc_span("text", 4), geteuid(), getegid(), replace, &why);
}

static TcResult
read_as(const char *path, uid_t owner)
{
	static uint8_t bytes[TC_KEYRING_MAX];
	size_t		len = 0;
	TcResult	result;

	why = "";
	memset(bytes, 0xEE, sizeof(bytes));
	result = tc_keyring_read_file(path, owner, bytes, &len, &why);
	if (result != TC_OK && !all_zero(bytes, sizeof(bytes)))
		printf("# not wiped\n");
	return result;
}

static TcResult
read_file(const char *path)
{
	return read_as(path, geteuid());
}

/* Neither read nor written, and the reason is that this folder is so. */
static void
refused(const char *path, const char *folder, const char *reason, const char *what)
{
	char		expected[2 * PATH_MAX];
	struct stat before;
	struct stat after;
	bool		there = stat(path, &before) == 0;
	bool		is_so;

	snprintf(expected, sizeof(expected), "is below \"%s\", which %s", folder, reason);
	is_so = read_file(path) == TC_MALFORMED && strcmp(why, expected) == 0 &&
		write_file(path, true) == TC_MALFORMED && strcmp(why, expected) == 0 &&
		write_file(path, false) == TC_MALFORMED && strcmp(why, expected) == 0 &&
		there == (stat(path, &after) == 0) &&
		(!there || (before.st_ino == after.st_ino && before.st_mtime == after.st_mtime));
	if (!ok(is_so, "%s: refused", what))
		printf("# %s\n# not %s\n", why, expected);
}

static void
test_modes(void)
{
	char		path[PATH_MAX];
	char		reason[100];
	static const char *const folders[] = {"", "a", "a/b"};

	strcpy(path, below("a/b/keyring"));
	ok(write_file(path, false) == TC_OK && read_file(path) == TC_OK,
	   "a file in folders of ours, in /tmp, is written and read");
	for (int i = 0; i < 3; i++)
	{
		char		folder[PATH_MAX];
		static const mode_t modes[] = {0770, 0777, 0720, 0702, 02770};

		strcpy(folder, below(folders[i]));
		if (folder[strlen(folder) - 1] == '/')
			folder[strlen(folder) - 1] = '\0';
		for (size_t j = 0; j < sizeof(modes) / sizeof(modes[0]); j++)
		{
			if (chmod(folder, modes[j]) != 0)
				bail("no mode");
			snprintf(reason, sizeof(reason), "its group or others may write to (mode %04o)",
					 (unsigned int) modes[j]);
			refused(path, folder, reason, reason);
		}
		ok(chmod(folder, 01777) == 0 && read_file(path) == TC_OK && write_file(path, true) == TC_OK,
		   "a sticky folder that everyone writes to, as /tmp: good");
		ok(chmod(folder, 0755) == 0 && read_file(path) == TC_OK, "a folder that others may read: good");
		ok(chmod(folder, 0700) == 0, "(as before)");
	}
	ok(chmod(below("a"), 0111) == 0 && read_file(path) == TC_OK,
	   "a folder that may be passed, but not listed: good");
	ok(chmod(below("a"), 0700) == 0, "(as before)");
}

static void
test_links(void)
{
	ok(symlink(below("a"), below("way")) == 0 && symlink("..", below("a/up")) == 0 &&
	   symlink("loop", below("loop")) == 0 && symlink("nowhere", below("dangling")) == 0,
	   "(symbolic links to folders, to nothing, to themselves)");
	refused(below("way/b/keyring"), below("way"), "is a symbolic link", "a symlink to a good folder");
	refused(below("a/up/a/b/keyring"), below("a/up"), "is a symbolic link", "a relative one");
	refused(below("dangling/keyring"), below("dangling"), "is a symbolic link", "one to nothing");
	refused(below("loop/keyring"), below("loop"), "is a symbolic link", "one to itself");
	ok(access(below("nowhere"), F_OK) != 0, "nothing was made at the end of it");
	refused("/proc/self/cwd/keyring", "/proc/self", "is a symbolic link", "one of the kernel's");
}

static void
test_owners(void)
{
	char		path[PATH_MAX];
	char		reason[100];

	strcpy(path, below("a/b/keyring"));
	ok(read_as("/etc/passwd", STRANGER) == TC_MALFORMED &&
	   strcmp(why, "has another owner than expected") == 0,
	   "folders of root are good for everyone's file");
	if (geteuid() != 0)
	{
		snprintf(reason, sizeof(reason), "\", which belongs to user id %u, not to root or the file's owner",
				 (unsigned int) geteuid());
		ok(read_as(path, STRANGER) == TC_MALFORMED && strstr(why, reason) != NULL,
		   "a file in another user's folder: refused");
		skip("root's file in another user's folder: refused", "not root");
		skip("a user's file in that user's folder, read by root", "not root");
		return;
	}
	if (chown(below("a"), STRANGER, STRANGER) != 0)
		bail("no owner");
	snprintf(reason, sizeof(reason), "belongs to user id %u, not to root or the file's owner", STRANGER);
	refused(path, below("a"), reason, "a file in another user's folder");
	ok(chmod(below("a"), 01777) == 0, "(sticky)");
	refused(path, below("a"), reason, "nor does it help that it is sticky");
	ok(chmod(below("a"), 0700) == 0 && chown(below("a/b"), STRANGER, STRANGER) == 0 &&
	   chown(path, STRANGER, STRANGER) == 0 && read_as(path, STRANGER) == TC_OK,
	   "a user's file in that user's folder is read by root");
	ok(chown(below("a"), 0, 0) == 0 && chown(below("a/b"), 0, 0) == 0 && chown(path, 0, 0) == 0 &&
	   read_file(path) == TC_OK, "(as before)");
}

static void
test_paths(void)
{
	char		long_path[3 * PATH_MAX];
	char		here[PATH_MAX];
	const char *name;
	struct stat st;
	struct stat folder;
	int			fd;

	if (getcwd(here, sizeof(here)) == NULL || chdir(below("a")) != 0)
		bail("no working folder");
	ok(read_file("b/keyring") == TC_OK && read_file("./b/../b//keyring") == TC_OK,
	   "relative paths, dots and double slashes");
	ok(chmod(top, 0777) == 0 && read_file("b/keyring") == TC_MALFORMED &&
	   chmod(top, 0700) == 0, "folders above the working folder count, too");
	ok(tc_keyring_open_folder("b/keyring", geteuid(), &fd, &name, &why) == TC_OK &&
	   strcmp(name, "keyring") == 0 && fstat(fd, &st) == 0 && stat("b", &folder) == 0 &&
	   st.st_ino == folder.st_ino && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0,
	   "the folder is opened, and not left to children");
	close(fd);
	ok(tc_keyring_open_folder("/keyring", geteuid(), &fd, &name, &why) == TC_OK &&
	   fstat(fd, &st) == 0 && stat("/", &folder) == 0 && st.st_ino == folder.st_ino &&
	   st.st_dev == folder.st_dev, "\"/\" is a folder, too");
	close(fd);
	ok(read_file("none/keyring") == TC_SYSTEM && errno == ENOENT &&
	   strstr(why, "/a/none\", which could not be opened") != NULL, "a folder that is not there");
	ok(read_file("b/keyring/keyring") == TC_SYSTEM && errno == ENOTDIR, "a folder that is a file");
	for (size_t i = 0; i < sizeof(long_path) - 10; i += 2)
		memcpy(long_path + i, "./", 3);
	strcpy(long_path + sizeof(long_path) - 12, "keyring");
	ok(read_file(long_path) == TC_SYSTEM && errno == ENAMETOOLONG, "a path that is too long");
	if (chdir(here) != 0)
		bail("no working folder");
}

static size_t
open_descriptors(void)
{
	size_t		n = 0;

	for (int fd = 0; fd < 100; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

int
main(void)
{
	size_t		before = open_descriptors();
	char		remove[PATH_MAX + 32];

	snprintf(top, sizeof(top), "/tmp/tcfoldersXXXXXX");
	if (mkdtemp(top) == NULL)
		bail("no folder");
	make_folder("a");
	make_folder("a/b");
	test_modes();
	test_links();
	test_owners();
	test_paths();
	is_count(open_descriptors(), before, "no descriptor is left open");
	snprintf(remove, sizeof(remove), "rm -rf %s", top);
	ok(system(remove) == 0, "the folders are removed");
	return done();
}
