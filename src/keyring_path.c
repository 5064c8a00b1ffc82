/*-------------------------------------------------------------------------
 *
 * keyring_path.c
 *	  The folders above a keyring file.  The contract is in keyring_path.h.
 *
 * Each folder is opened relative to the one before, which was looked at, so
 * that nothing can be swapped between a look and its use.
 *
 * src/keyring_path.c
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

#include "keyring_path.h"

/* A walk from "/" down to a folder. */
typedef struct Walk
{
	char		path[2 * PATH_MAX]; /* absolute, cut after the folder we are at */
	uid_t		owner;
	int			fd;				/* of that folder */
} Walk;

static char reason[2 * PATH_MAX + 128];

/* Say what is wrong with the folder that a walk is at. */
static const char *
about(const Walk *walk, const char *what)
{
	snprintf(reason, sizeof(reason), "is below \"%s\", which %s",
			 walk->path[0] == '\0' ? "/" : walk->path, what);
	return reason;
}

/* Whether only root and the owner decide what is called how in this folder. */
static TcResult
check_folder(const Walk *walk, const char **ret_why)
{
	char		what[80];
	struct stat st;

	if (fstat(walk->fd, &st) != 0)
	{
		*ret_why = about(walk, "could not be examined");
		return TC_SYSTEM;
	}
	if (st.st_uid != 0 && st.st_uid != walk->owner)
		snprintf(what, sizeof(what), "belongs to user id %u, not to root or the file's owner",
				 (unsigned int) st.st_uid);
	else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (st.st_mode & S_ISVTX) == 0)
		snprintf(what, sizeof(what), "its group or others may write to (mode %04o)",
				 (unsigned int) (st.st_mode & 07777));
	else
		return TC_OK;
	*ret_why = about(walk, what);
	return TC_MALFORMED;
}

/* Go down into the folder "name", which the walk's path ends with already. */
static TcResult
descend(Walk *walk, const char *name, const char **ret_why)
{
	struct stat st;
	int			fd = openat(walk->fd, name,
							O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int			save_errno = errno;

	if (fd < 0)
	{
		if (save_errno == ENOTDIR &&
			fstatat(walk->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISLNK(st.st_mode))
		{
			*ret_why = about(walk, "is a symbolic link");
			return TC_MALFORMED;
		}
		*ret_why = about(walk, "could not be opened");
		errno = save_errno;
		return TC_SYSTEM;
	}
	(void) close(walk->fd);
	walk->fd = fd;
	return check_folder(walk, ret_why);
}

/* Make a path absolute. */
static bool
start_path(const char *path, char *ret_path, size_t size)
{
	size_t		len = 0;

	if (path[0] != '/')
	{
		if (getcwd(ret_path, size) == NULL)
			return false;
		len = strlen(ret_path);
		ret_path[len++] = '/';
	}
	if (len + strlen(path) >= size)
	{
		errno = ENAMETOOLONG;
		return false;
	}
	strcpy(ret_path + len, path);
	return true;
}

/* Go down through all folders of the walk's path but its last part. */
static TcResult
descend_all(Walk *walk, const char **ret_why)
{
	char	   *end = walk->path;
	TcResult	result;

	/* "/" itself; its name is nothing before the first slash. */
	*end = '\0';
	result = check_folder(walk, ret_why);
	while (result == TC_OK)
	{
		char	   *name = end + 1;

		*end = '/';
		end = strchr(name, '/');
		if (end == NULL)
			break;
		*end = '\0';
		if (*name != '\0')
			result = descend(walk, name, ret_why);
	}
	return result;
}

TcResult
tc_keyring_open_folder(const char *path, uid_t owner, int *ret_fd,
					   const char **ret_name, const char **ret_why)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	Walk		walk = {.owner = owner};
	TcResult	result;
	int			save_errno;

	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
	{
		*ret_why = "has no name";
		errno = EINVAL;
		return TC_SYSTEM;
	}
	*ret_why = "has a folder that could not be opened";
	if (!start_path(path, walk.path, sizeof(walk.path)))
		return TC_SYSTEM;
	walk.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (walk.fd < 0)
		return TC_SYSTEM;

	result = descend_all(&walk, ret_why);
	if (result == TC_OK)
	{
		*ret_fd = walk.fd;
		*ret_name = name;
		return TC_OK;
	}
	save_errno = errno;
	(void) close(walk.fd);
	errno = save_errno;
	return result;
}
