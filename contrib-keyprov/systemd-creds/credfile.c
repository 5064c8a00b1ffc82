/*-------------------------------------------------------------------------
 *
 * credfile.c
 *	  Read a credential that systemd has decrypted for a service.
 *
 * contrib-keyprov/systemd-creds/credfile.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "credfile.h"

#define SYSTEMD_FOLDER	"/run/credentials/"

#define ACL_XATTR		"system.posix_acl_access"
#define ACL_VERSION		2
#define ACL_BYTES_MAX	256

/* Tags of entries in an access control list, as the kernel gives it out. */
#define TAG_OWNER		0x01
#define TAG_USER		0x02
#define TAG_OWNING_GROUP 0x04
#define TAG_GROUP		0x08
#define TAG_MASK		0x10
#define TAG_OTHER		0x20

/*
 * Does an access control list give rights to nobody but the owner and us?
 *
 * With a list, the group's bits of a mode are the mask, that is the most that
 * anybody on the list has, and no longer say that a group may read.
 */
static bool
acl_is_private(int fd)
{
	uint8_t		bytes[ACL_BYTES_MAX];
	ssize_t		len = fgetxattr(fd, ACL_XATTR, bytes, sizeof(bytes));
	TcReader	reader;

	if (len < 0)
		return false;
	reader = tc_reader(tc_span(bytes, (size_t) len));
	if (tc_read_u32(&reader) != ACL_VERSION)
		return false;
	while (reader.left > 0 && !reader.failed)
	{
		uint16_t	tag = tc_read_u16(&reader);
		uint16_t	rights = tc_read_u16(&reader);
		uint32_t	id = tc_read_u32(&reader);

		if (rights != 0 && tag != TAG_OWNER && tag != TAG_MASK &&
			!(tag == TAG_USER && id == (uint32_t) geteuid()))
			return false;
	}
	return tc_reader_done(&reader);
}

static TcExit
check_file(int fd, const char *path, TcReason *reterr_reason)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"credential file \"%s\": %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return tc_fault(TC_EXIT_DENIED, reterr_reason,
						"credential file \"%s\" is not an ordinary file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return tc_fault(TC_EXIT_DENIED, reterr_reason,
						"credential file \"%s\" belongs to neither root nor this account",
						path);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0 &&
		((st.st_mode & S_IRWXO) != 0 || !acl_is_private(fd)))
		return tc_fault(TC_EXIT_DENIED, reterr_reason,
						"credential file \"%s\" is accessible to other accounts",
						path);
	if (st.st_size != TC_SECRET_BYTES)
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"credential file \"%s\" does not have exactly %d bytes",
						path, TC_SECRET_BYTES);
	return TC_EXIT_OK;
}

/* The length of UNIT in /run/credentials/UNIT/NAME; 0 for other paths. */
static int
unit_in(const char *path, const char **ret_unit)
{
	size_t		prefix_len = strlen(SYSTEMD_FOLDER);

	if (strncmp(path, SYSTEMD_FOLDER, prefix_len) != 0)
		return 0;
	*ret_unit = path + prefix_len;
	return (int) strcspn(*ret_unit, "/");
}

/* Say why there is no file, and where the reason for that can be found. */
static TcExit
missing_fault(const char *path, TcReason *reterr_reason)
{
	const char *unit = NULL;
	int			len = unit_in(path, &unit);

	if (len > 0)
		return tc_fault(TC_EXIT_UNAVAILABLE, reterr_reason,
						"there is no credential file \"%s\": see \"systemctl status %.*s\", whose LoadCredentialEncrypted= should have made it, or set themis_crypt.credential",
						path, len, unit);
	return tc_fault(TC_EXIT_UNAVAILABLE, reterr_reason,
					"there is no credential file \"%s\": it should come from LoadCredentialEncrypted= of a unit, or themis_crypt.credential name another one",
					path);
}

static TcExit
open_fault(const char *path, int error, TcReason *reterr_reason)
{
	switch (error)
	{
		case ENOENT:
		case ENOTDIR:
			return missing_fault(path, reterr_reason);
		case EACCES:
		case EPERM:
			return tc_fault(TC_EXIT_DENIED, reterr_reason,
							"could not open credential file \"%s\": %s (User= of the unit must be this account)",
							path, strerror(error));
		case ELOOP:
			return tc_fault(TC_EXIT_DENIED, reterr_reason,
							"credential file \"%s\" is a symbolic link", path);
		default:
			return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
							"could not open credential file \"%s\": %s",
							path, strerror(error));
	}
}

/* Read once: what is more or less than the size it had is not the secret. */
static TcExit
read_secret(int fd, const char *path, uint8_t *ret_secret,
			TcReason *reterr_reason)
{
	uint8_t		bytes[TC_SECRET_BYTES + 1];
	ssize_t		got;
	TcExit		code = TC_EXIT_OK;

	do
		got = read(fd, bytes, sizeof(bytes));
	while (got < 0 && errno == EINTR);
	if (got == TC_SECRET_BYTES)
		memcpy(ret_secret, bytes, TC_SECRET_BYTES);
	else if (got < 0)
		code = tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"could not read credential file \"%s\": %s",
						path, strerror(errno));
	else
		code = tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"credential file \"%s\" does not have exactly %d bytes",
						path, TC_SECRET_BYTES);
	explicit_bzero(bytes, sizeof(bytes));
	return code;
}

TcExit
tc_credfile_read(const char *path, uint8_t ret_secret[TC_SECRET_BYTES],
				 TcReason *reterr_reason)
{
	TcExit		code;
	int			fd;

	memset(ret_secret, 0, TC_SECRET_BYTES);
	if (path[0] != '/')
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"the path of a credential file must be absolute: \"%s\"",
						path);

	/* A FIFO without a writer would block us; a terminal must not be taken. */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return open_fault(path, errno, reterr_reason);
	code = check_file(fd, path, reterr_reason);
	if (code == TC_EXIT_OK)
		code = read_secret(fd, path, ret_secret, reterr_reason);
	(void) close(fd);
	return code;
}
