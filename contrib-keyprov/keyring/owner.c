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
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "secretmem.h"

#include "ask.h"
#include "owner.h"

/* A question that is put as the owner. */
typedef struct Question
{
	int			(*put) (const struct Question *question);
	const TcOptions *options;
	const TcOwner *owner;
	TcSpan		file;
	int			slot;
	int			pin;			/* a pipe with the PIN in it, or -1 */
} Question;

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

void
tool_keyring_owner(const TcStore *store, TcOwner *ret_owner)
{
	const struct passwd *user = getpwuid(store->uid);

	memset(ret_owner, 0, sizeof(*ret_owner));
	if (user != NULL && strlen(user->pw_name) < sizeof(ret_owner->name))
		memcpy(ret_owner->name, user->pw_name, strlen(user->pw_name));
	else
		snprintf(ret_owner->name, sizeof(ret_owner->name), "%d", (int) store->uid);
	ret_owner->uid = store->uid;
	ret_owner->gid = user != NULL ? user->pw_gid : store->gid;
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
ask_as_owner(const Question *question)
{
	const TcOwner *owner = question->owner;
	int			status = 0;
	pid_t		pid;

	if (owner->uid == geteuid())
		return question->put(question);

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
		_exit(question->put(question));
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
open_as_owner(const Question *question)
{
	TcStore		store = {0};
	TcVault    *vault = NULL;
	char		reason[TC_TOOL_REASON_MAX] = "does not parse";
	int			code;

	/* A vault of our own: the parent's was not inherited. */
	code = tool_map_vault(&vault);
	if (code == TC_TOOL_OK && question->pin >= 0)
		code = tool_read_secret_fd(question->pin, "PIN", vault->pin,
								   sizeof(vault->pin));
	if (code != TC_TOOL_OK)
	{
		tool_unmap_vault(vault);
		return code;
	}
	if (tc_keyring_parse(question->file, &store.keyring) == TC_OK)
		code = tool_open_slot(question->options, vault, &store, question->slot,
							  reason);
	else
		code = TC_TOOL_FAILED;
	if (code != TC_TOOL_OK)
	{
		tool_error("user \"%s\" cannot open the keyring: %s",
				   question->owner->name, reason);
		tool_unavailable_hint(store.keyring.slots[question->slot].provider, code);
	}
	tool_unmap_vault(vault);
	return code;
}

static int
read_as_owner(const Question *question)
{
	const char *path = question->options->keyring;
	uint8_t		found[TC_KEYRING_MAX];
	const char *why = "differs from what was written";
	size_t		len = 0;

	if (tc_keyring_read_file(path, question->owner->uid, found, &len,
							 &why) == TC_OK &&
		len == question->file.len &&
		memcmp(found, question->file.data, len) == 0)
		return TC_TOOL_OK;
	tool_error("keyring file \"%s\" was made, but user \"%s\" finds that it %s",
			   path, question->owner->name, why);
	tool_hint("Let this user pass through its folders, then try \"themis-keyring verify\" as this user.");
	return TC_TOOL_FAILED;
}

/* Put a PIN into a pipe that a child can read; false with errno. */
static bool
make_pin_pipe(const char *pin, int ret_ends[2])
{
	size_t		len = strlen(pin);

	ret_ends[0] = ret_ends[1] = -1;
	if (len == 0)
		return true;
	/* A PIN fits into any pipe. */
	return pipe2(ret_ends, O_CLOEXEC) == 0 &&
		write(ret_ends[1], pin, len) == (ssize_t) len &&
		write(ret_ends[1], "\n", 1) == 1;
}

int
tool_owner_can_open(const TcOptions *options, const TcVault *vault,
					const TcOwner *owner, TcSpan file, int slot)
{
	Question	question = {open_as_owner, options, owner, file, slot, -1};
	TcKeyring	keyring;
	int			ends[2];
	int			code;

	if (tc_keyring_parse(file, &keyring) != TC_OK || slot >= keyring.nslots)
		return TC_TOOL_FAILED;	/* we have just built it */
	if (strcmp(keyring.slots[slot].provider, "systemd-creds") == 0)
	{
		if (owner->uid != geteuid())
			tool_hint("Slot %d opens for root, and for user \"%s\" only within the unit that is given the credential: that was not tried.",
					  slot + 1, owner->name);
		return TC_TOOL_OK;
	}
	if (owner->uid != geteuid())
		tool_progress("opening it as user %s", owner->name);

	if (!make_pin_pipe(tool_slot_has_pin(&keyring.slots[slot]) ? vault->pin : "",
					   ends))
	{
		tool_error("could not hand over the PIN: %s", strerror(errno));
		code = TC_TOOL_FAILED;
	}
	else
	{
		question.pin = ends[0];
		code = ask_as_owner(&question);
	}
	if (ends[0] >= 0)
	{
		(void) close(ends[0]);
		(void) close(ends[1]);
	}
	return code;
}

int
tool_owner_can_read(const TcOptions *options, const TcOwner *owner, TcSpan file)
{
	Question	question = {read_as_owner, options, owner, file, 0, -1};

	return ask_as_owner(&question);
}
