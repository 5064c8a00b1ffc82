/*-------------------------------------------------------------------------
 *
 * keyring_path.h
 *	  The folders above a keyring file, and who could swap them.
 *
 * A file with the right owner and mode protects nothing if somebody else may
 * rename it, or a folder above it, and put another one there.  So each folder
 * from "/" on must belong to root or to the file's owner, and nobody else may
 * write to it, unless it is sticky: there others can add names, but not
 * change those of root or the owner.  Symbolic links are not followed.  (The
 * same is asked of authorized_keys by sshd's StrictModes.)
 *
 *	Owns	nothing; the descriptor is the caller's.
 *	Errors	TC_MALFORMED for a folder that is refused, TC_SYSTEM with errno.
 *	Uses	bytes.h.  Nothing of PostgreSQL.
 *
 * src/keyring_path.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYRING_PATH_H
#define TC_KEYRING_PATH_H

#include <sys/types.h>

#include "bytes.h"

/*
 * Open the folder of a path, for use with openat(2) and its kin, having
 * looked at each folder on the way.  A path that does not begin with "/" is
 * one below the working folder.  *ret_name is the last part of the path and
 * lies within it.  *ret_why ends the sentence "The file ...", and is good
 * until the next call.
 *
 * The descriptor is one of O_PATH: the folder itself need not be readable.
 */
extern TcResult tc_keyring_open_folder(const char *path, uid_t owner,
									   int *ret_fd, const char **ret_name,
									   const char **ret_why) TC_CHECK_RESULT;

#endif							/* TC_KEYRING_PATH_H */
