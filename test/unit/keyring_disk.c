/*-------------------------------------------------------------------------
 *
 * keyring_disk.c
 *	  The keyring file on disk, with disks that fail.
 *
 * Goal of this test:
 * - A file that somebody else could have made, read or swapped is refused.
 * - Writing leaves the old file or the new one, whichever call fails, and
 *   nothing beside it; a failed fsync is final.
 *
 * test/unit/keyring_disk.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "faulty_disk.h"
#include "tap.h"

static char folder[PATH_MAX];
static uint8_t read_bytes[TC_KEYRING_MAX];
static size_t read_len;
static const char *why;

static const char *
in_folder(const char *name)
{
	static char paths[4][PATH_MAX + 256];
	static int	next;

	next = (next + 1) % 4;
	snprintf(paths[next], sizeof(paths[next]), "%s/%s", folder, name);
	return paths[next];
}

/* Make a file of len times 'x'. */
static const char *
make_file(const char *name, size_t len, mode_t mode)
{
	const char *path = in_folder(name);
	FILE	   *file = fopen(path, "we");

	if (file == NULL)
		bail("no file");
	for (size_t i = 0; i < len; i++)
		putc('x', file);
	if (fclose(file) != 0 || chmod(path, mode) != 0)
		bail("no file");
	return path;
}

static TcResult
read_file(const char *path)
{
	TcResult	result;

	memset(read_bytes, 0xEE, sizeof(read_bytes));
	why = NULL;
	result = tc_keyring_read_file(path, geteuid(), read_bytes, &read_len, &why);
	if (result != TC_OK && (why == NULL || !all_zero(read_bytes, sizeof(read_bytes))))
	{
		printf("# no reason, or not wiped\n");
		return TC_OK;			/* counts as a failure of the test */
	}
	return result;
}

/* Whether a file is refused, and why. */
static void
refused(const char *path, const char *reason, const char *what)
{
	TcResult	result = read_file(path);

	if (!ok(result == TC_MALFORMED && strcmp(why, reason) == 0, "%s is refused", what))
		printf("# result %d: %s\n", result, why == NULL ? "" : why);
}

static bool
holds_text(const char *path, const char *text)
{
	return read_file(path) == TC_OK && read_len == strlen(text) &&
		memcmp(read_bytes, text, read_len) == 0;
}

static int
entries_in_folder(void)
{
	DIR		   *dir = opendir(folder);
	int			n = -2;

	if (dir == NULL)
		bail("no folder");
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static TcResult
write_text(const char *path, const char *text, bool replace)
{
	why = NULL;
	return our_write_file(path, tc_span(text, strlen(text)), geteuid(), getegid(), replace, &why);
}

static void
test_reading(void)
{
	char		path[PATH_MAX + 256];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int			fd;

	strcpy(path, make_file("good", 100, 0600));

	ok(read_file(path) == TC_OK && read_len == 100 && read_bytes[99] == 'x' &&
	   all_zero(read_bytes + 100, sizeof(read_bytes) - 100), "a file of ours is read");
	ok(read_file(make_file("r", 1, 0400)) == TC_OK, "also if it is read-only");
	ok(read_file(make_file("most", TC_KEYRING_MAX, 0600)) == TC_OK && read_len == TC_KEYRING_MAX,
	   "the largest file is read");
	refused(make_file("more", TC_KEYRING_MAX + 1, 0600), "is larger than a keyring can be",
			"a larger file");
	refused(make_file("none", 0, 0600), "is empty", "an empty file");
	for (int bit = 0; bit < 6; bit++)
		refused(make_file("mode", 10, 0600 | (mode_t) (1 << bit)),
				"is accessible to its group or to others, and must have mode 0600", "another mode");
	for (int bit = 9; bit < 12; bit++)
		refused(make_file("mode", 10, 0600 | (mode_t) (1 << bit)),
				"has a setuid, setgid or sticky bit, and must have mode 0600", "a special bit");
	refused(make_file("mode", 10, 0777),
			"is accessible to its group or to others, and must have mode 0600", "mode 0777");
	ok(symlink(path, in_folder("symlink")) == 0, "(a symlink)");
	refused(in_folder("symlink"), "is a symbolic link", "a symlink to a good file");
	ok(symlink(in_folder("nowhere"), in_folder("dangling")) == 0, "(another)");
	refused(in_folder("dangling"), "is a symbolic link", "a symlink to nothing");
	ok(link(make_file("linked", 10, 0600), in_folder("link")) == 0, "(a hard link)");
	refused(in_folder("linked"), "has more than one hard link", "a file with two names");
	unlink(in_folder("link"));
	ok(read_file(in_folder("linked")) == TC_OK, "(control: with one name it is read)");
	ok(mkfifo(in_folder("fifo"), 0600) == 0, "(a FIFO)");
	refused(in_folder("fifo"), "is not a regular file", "a FIFO, without waiting,");
	refused(folder, "is not a regular file", "a folder");
	refused("/dev/null", "is not a regular file", "a device");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", in_folder("s"));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ok(bind(fd, (struct sockaddr *) &address, sizeof(address)) == 0 &&
	   read_file(in_folder("s")) == TC_SYSTEM, "a socket cannot be opened");
	close(fd);
	ok(read_file(in_folder("nothing")) == TC_SYSTEM && errno == ENOENT,
	   "a file that is not there: ENOENT");

	strcpy(path, "/etc/passwd");
	ok(tc_keyring_read_file(path, geteuid() + 1, read_bytes, &read_len, &why) == TC_MALFORMED &&
	   strcmp(why, "has another owner than expected") == 0, "a file of another user is refused");
	strcpy(path, in_folder("good"));
	if (geteuid() == 0)
		ok(chown(path, 65534, 65534) == 0 && read_file(path) == TC_MALFORMED &&
		   tc_keyring_read_file(path, 65534, read_bytes, &read_len, &why) == TC_OK,
		   "root reads it as that user's");
	else
		skip("root reads it as that user's", "not root");
}

static void
test_changing(void)
{
	const char *path = make_file("changing", 100, 0600);

	fault = FAULT_SIZE;
	size_error = -1;
	ok(our_read_file(path, geteuid(), read_bytes, &read_len, &why) == TC_MALFORMED &&
	   strcmp(why, "changed while it was read") == 0 && all_zero(read_bytes, 200),
	   "a file that grows while it is read is refused");
	size_error = 1;
	ok(our_read_file(path, geteuid(), read_bytes, &read_len, &why) == TC_MALFORMED &&
	   strcmp(why, "changed while it was read") == 0 && all_zero(read_bytes, 200),
	   "one that shrinks, too");
	fault = FAULT_SLOW;
	interruptions = 0;
	ok(our_read_file(path, geteuid(), read_bytes, &read_len, &why) == TC_OK && read_len == 100 &&
	   interruptions >= 100, "one that comes byte by byte is read");
	fault = FAULT_NONE;
}

static void
test_writing(void)
{
	char		path[PATH_MAX + 256];
	struct stat st;
	mode_t		before = umask(0);
	int			n = entries_in_folder();

	strcpy(path, in_folder("new"));

	ok(write_text(path, "first", false) == TC_OK && holds_text(path, "first"), "a new file");
	umask(0777);
	ok(write_text(path, "second, longer", true) == TC_OK && holds_text(path, "second, longer"),
	   "a file in place of it");
	umask(before);
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600 && st.st_uid == geteuid(),
	   "its mode is 0600, whatever the umask");
	ok(write_text(path, "third", false) == TC_SYSTEM && errno == EEXIST && strcmp(why, "exists") == 0,
	   "not to be replaced: EEXIST");
	ok(holds_text(path, "second, longer"), "and it is as it was");
	is_count((size_t) entries_in_folder(), (size_t) n + 1, "no other file is left");

	ok(symlink(in_folder("target"), in_folder("way")) == 0 &&
	   write_text(in_folder("way"), "x", false) == TC_SYSTEM && errno == EEXIST &&
	   access(in_folder("target"), F_OK) != 0, "a symlink counts as existing, and is not followed");
	ok(write_text(in_folder("way"), "x", true) == TC_OK && holds_text(in_folder("way"), "x") &&
	   access(in_folder("target"), F_OK) != 0, "it is replaced, not its target");
	if (geteuid() == 0)
		ok(our_write_file(path, tc_span("x", 1), 65534, 65533, true, &why) == TC_OK &&
		   stat(path, &st) == 0 && st.st_uid == 65534 && st.st_gid == 65533,
		   "root gives it to its owner");
	else
		ok(our_write_file(path, tc_span("x", 1), geteuid() + 1, getegid(), true, &why) == TC_MALFORMED &&
		   holds_text(path, "second, longer"), "one for another user is not put into our folder");
}

static void
test_bad_paths(void)
{
	char		name[NAME_MAX + 1];
	char		here[PATH_MAX];
	int			status;
	pid_t		pid;

	ok(write_text(in_folder("no/where"), "x", true) == TC_SYSTEM && errno == ENOENT,
	   "a folder that is not there");
	ok(write_text(in_folder("good/file"), "x", true) == TC_SYSTEM && errno == ENOTDIR,
	   "a folder that is none");
	ok(write_text(in_folder(""), "x", true) == TC_SYSTEM && errno == EINVAL, "no name");
	ok(write_text(in_folder(".."), "x", true) == TC_SYSTEM && errno == EINVAL, "no name, either");
	ok(write_text("", "x", true) == TC_SYSTEM && errno == EINVAL, "no path at all");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ok(write_text(in_folder(name), "x", true) == TC_SYSTEM && errno == ENAMETOOLONG,
	   "a name that leaves no room for a temporary one");
	ok(getcwd(here, sizeof(here)) != NULL && chdir(folder) == 0 &&
	   write_text("relative", "x", false) == TC_OK && holds_text("relative", "x") &&
	   chdir(here) == 0, "a path without a folder");

	fflush(stdout);
	pid = fork();
	if (pid == 0)
	{
		/* Root can write everywhere; nobody cannot write here. */
		if (geteuid() == 0)
		{
			if (chmod(folder, 0755) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
				_exit(2);
		}
		else if (chmod(folder, 0500) != 0)
			_exit(2);
		_exit(write_text(in_folder("denied"), "x", true) == TC_SYSTEM && errno == EACCES ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	chmod(folder, 0700);
	ok(status == 0, "a folder that may not be written to");
}

/* Let one call fail: the old file must be as it was, and alone. */
static void
fails(Fault which, bool replace, const char *reason)
{
	char		path[PATH_MAX + 256];
	int			n = entries_in_folder();
	TcResult	result;

	strcpy(path, in_folder("old"));
	fault = which;
	fsyncs = 0;
	result = write_text(replace ? path : in_folder("fresh"), "new, and longer", replace);
	fault = FAULT_NONE;
	if (!ok(result == TC_SYSTEM && strcmp(why, reason) == 0 && holds_text(path, "old") &&
			entries_in_folder() == n, "%s: \"%s\", and nothing has changed",
			replace ? "replacing" : "a new file", reason))
		printf("# result %d: %s; %d files, before %d\n", result, why == NULL ? "" : why,
			   entries_in_folder(), n);
}

static void
test_faults(void)
{
	char		path[PATH_MAX + 256];
	int			n;

	strcpy(path, in_folder("old"));
	ok(write_text(path, "old", false) == TC_OK, "(an old file)");
	for (int replace = 0; replace < 2; replace++)
	{
		fails(FAULT_CHOWN, replace, "could not be given to its owner");
		fails(FAULT_CHMOD, replace, "could not be protected");
		fails(FAULT_WRITE, replace, "could not be written");
		fails(FAULT_FSYNC, replace, "could not be synchronised");
		is_count((size_t) fsyncs, 1, "a failed fsync is not tried again");
		fails(FAULT_READ_BACK, replace, "could not be read back as written");
		fails(FAULT_CLOSE, replace, "could not be closed");
		fails(FAULT_RENAME, replace, "could not be put in place");
	}

	fault = FAULT_SLOW;
	ok(write_text(path, "byte by byte", true) == TC_OK && holds_text(path, "byte by byte"),
	   "a disk that takes a byte at a time");
	fault = FAULT_FSYNC_FOLDER;
	ok(write_text(path, "in place", true) == TC_SYSTEM &&
	   strcmp(why, "is in place, but its folder could not be synchronised") == 0 &&
	   holds_text(path, "in place"),
	   "a folder that cannot be synchronised: in place, and said");
	fault = FAULT_NONE;
	fsyncs = 0;
	ok(write_text(path, "x", true) == TC_OK && fsyncs == 2, "file and folder are synchronised");

	n = entries_in_folder();
	fault = FAULT_NO_FLAG;
	ok(write_text(in_folder("link2"), "linked", false) == TC_OK &&
	   holds_text(in_folder("link2"), "linked") && entries_in_folder() == n + 1,
	   "without RENAME_NOREPLACE a new file is made all the same");
	ok(write_text(in_folder("link2"), "other", false) == TC_SYSTEM && errno == EEXIST &&
	   holds_text(in_folder("link2"), "linked") && entries_in_folder() == n + 1,
	   "and an existing one is not replaced");
	fault = FAULT_NONE;
}

/* Put something of somebody's where our temporary file would go. */
static void
occupy(const char *name, int kind)
{
	const char *path = in_folder(name);
	bool		made;

	unlink(path);
	if (kind == 0)
		make_file(name, 3, 0644);
	else
	{
		made = kind == 1 ? symlink(in_folder("victim"), path) == 0 :
			kind == 2 ? mkfifo(path, 0666) == 0 :
			kind == 3 ? link(in_folder("victim"), path) == 0 :
			symlink(in_folder("not there"), path) == 0;
		if (!made)
			bail("no file");
	}
}

/* Somebody has made the temporary name before us. */
static void
test_taken_names(void)
{
	static const char *const kinds[] = {"file", "symlink", "FIFO", "hard link", "dangling symlink"};
	char		path[PATH_MAX + 256];
	char		zeros[PATH_MAX + 256];
	char		ones[PATH_MAX + 256];
	struct stat before[3];
	struct stat after[3];

	strcpy(path, in_folder("taken"));
	strcpy(zeros, in_folder(".taken.0000000000000000"));
	strcpy(ones, in_folder(".taken.0101010101010101"));
	make_file("victim", 7, 0600);
	fault = FAULT_RANDOM;
	for (int kind = 0; kind < 5; kind++)
	{
		unlink(path);
		unlink(ones);
		occupy(".taken.0000000000000000", kind);
		if (lstat(zeros, &before[0]) != 0 || stat(in_folder("victim"), &before[2]) != 0)
			bail("no file");
		fixed_random = 0;		/* four times 00, then 01 */
		ok(write_text(path, "x", false) == TC_OK && holds_text(path, "x") && fixed_random == 5,
		   "a temporary name that is a %s: another is drawn", kinds[kind]);
		occupy(".taken.0101010101010101", kind);
		if (lstat(ones, &before[1]) != 0 || stat(in_folder("victim"), &before[2]) != 0 ||
			lstat(zeros, &before[0]) != 0)
			bail("no file");
		fixed_random = 0;
		ok(write_text(path, "y", true) == TC_SYSTEM && errno == EEXIST && holds_text(path, "x"),
		   "all are taken: given up, the file as it was");
		ok(lstat(zeros, &after[0]) == 0 && lstat(ones, &after[1]) == 0 &&
		   stat(in_folder("victim"), &after[2]) == 0 &&
		   memcmp(before, after, sizeof(before)) == 0 && access(in_folder("not there"), F_OK) != 0,
		   "what was there is not touched, nor what it leads to");
	}
	fault = FAULT_NONE;
}

int
main(void)
{
	char		remove[PATH_MAX + 32];

	snprintf(folder, sizeof(folder), "/tmp/tckeyringXXXXXX");
	if (mkdtemp(folder) == NULL)
		bail("no folder");
	test_reading();
	test_changing();
	test_writing();
	test_bad_paths();
	test_faults();
	test_taken_names();
	snprintf(remove, sizeof(remove), "rm -rf %s", folder);
	ok(system(remove) == 0, "the folder is removed");
	return done();
}
