/*-------------------------------------------------------------------------
 *
 * owner.c
 *	  The user who is to own the keyring.  Contracts: owner.h.
 *
 * contrib-keyprov/keyring/owner.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "secretmem.h"

#include "owner.h"

/* A question that is put as the owner. */
typedef int (*Question) (const TcOptions *options, const TcOwner *owner,
						 TcSpan file);

int
tool_find_owner(const TcOptions *options, TcOwner *ret_owner)
{
	const struct passwd *user;

	if (options->owner == NULL && geteuid() == 0)
	{
		tool_error("root must say whose keyring this is to be");
		tool_hint("Give the user that runs PostgreSQL, as in --owner postgres.");
		return TC_TOOL_USAGE;
	}
	user = options->owner != NULL ? getpwnam(options->owner) : getpwuid(geteuid());
	if (user == NULL || strlen(user->pw_name) >= sizeof(ret_owner->name))
	{
		if (options->owner != NULL)
			tool_error("user \"%s\" does not exist", options->owner);
		else
			tool_error("user id %d has no name", (int) geteuid());
		return TC_TOOL_FAILED;
	}
	if (geteuid() != 0 && user->pw_uid != geteuid())
	{
		tool_error("only root can make a keyring for another user");
		return TC_TOOL_FAILED;
	}
	memset(ret_owner, 0, sizeof(*ret_owner));
	memcpy(ret_owner->name, user->pw_name, strlen(user->pw_name));
	ret_owner->uid = user->pw_uid;
	ret_owner->gid = user->pw_gid;
	return TC_TOOL_OK;
}

/* Become the owner for good.  Changing users undoes the hardening. */
static bool
become(const TcOwner *owner)
{
	return initgroups(owner->name, owner->gid) == 0 &&
		setgid(owner->gid) == 0 && setuid(owner->uid) == 0 &&
		tc_secret_harden() == TC_OK;
}

/* Put a question as the owner: in a child, unless that is who we are. */
static int
ask_as(const TcOptions *options, const TcOwner *owner, TcSpan file,
	   Question question)
{
	int			status = 0;
	pid_t		pid;

	if (owner->uid == geteuid())
		return question(options, owner, file);

	fflush(NULL);
	pid = fork();
	if (pid == 0)
	{
		if (!become(owner))
		{
			tool_error("could not become user \"%s\": %s", owner->name,
					   strerror(errno));
			_exit(TC_TOOL_FAILED);
		}
		_exit(question(options, owner, file));
	}
	if (pid < 0)
	{
		tool_error("could not start a process: %s", strerror(errno));
		return TC_TOOL_FAILED;
	}
	while (waitpid(pid, &status, 0) < 0)
	{
		if (errno != EINTR)
			return TC_TOOL_FAILED;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : TC_TOOL_FAILED;
}

static int
open_as_owner(const TcOptions *options, const TcOwner *owner, TcSpan file)
{
	TcStore		store = {0};
	TcVault    *vault = NULL;
	char		reason[TC_TOOL_REASON_MAX] = "";
	int			code;

	/* A vault of our own: the parent's was not inherited. */
	code = tool_map_vault(&vault);
	if (code != TC_TOOL_OK)
		return code;
	if (tc_keyring_parse(file, &store.keyring) == TC_OK)
		code = tool_open_slot(options, vault, &store, 0, reason);
	else
		code = TC_TOOL_FAILED;
	if (code != TC_TOOL_OK)
	{
		tool_error("user \"%s\" cannot open the keyring: %s", owner->name, reason);
		tool_unavailable_hint(store.keyring.slots[0].provider, code);
	}
	tool_unmap_vault(vault);
	return code;
}

static int
read_as_owner(const TcOptions *options, const TcOwner *owner, TcSpan file)
{
	uint8_t		found[TC_KEYRING_MAX];
	const char *why = "differs from what was written";
	size_t		len = 0;

	if (tc_keyring_read_file(options->keyring, owner->uid, found, &len,
							 &why) == TC_OK &&
		len == file.len && memcmp(found, file.data, len) == 0)
		return TC_TOOL_OK;
	tool_error("keyring file \"%s\" was made, but user \"%s\" finds that it %s",
			   options->keyring, owner->name, why);
	tool_hint("Let this user pass through its folders, then try \"themis-keyring verify\" as this user.");
	return TC_TOOL_FAILED;
}

int
tool_owner_can_open(const TcOptions *options, const TcOwner *owner, TcSpan file)
{
	return ask_as(options, owner, file, open_as_owner);
}

int
tool_owner_can_read(const TcOptions *options, const TcOwner *owner, TcSpan file)
{
	return ask_as(options, owner, file, read_as_owner);
}
