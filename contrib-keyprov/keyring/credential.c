/*-------------------------------------------------------------------------
 *
 * credential.c
 *	  The credential file of provider systemd-creds.  The contract is in
 *	  credential.h.
 *
 * contrib-keyprov/keyring/credential.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "credential.h"
#include "json.h"

#define DEFAULT_NAME	"themis.root"
#define DEFAULT_FOLDER	"/etc/credstore.encrypted"

bool
tool_needs_credential(const char *provider)
{
	return strcmp(provider, "systemd-creds") == 0;
}

/* Whether a name can be that of a file in the folder of credentials. */
static bool
name_ok(const char *name)
{
	return name[0] != '\0' && strlen(name) <= NAME_MAX &&
		strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
		strcmp(name, "..") != 0;
}

/* Where the credential of a name is; false if that is no path. */
static bool
find_place(const TcOptions *options, const char *name, char ret_path[PATH_MAX])
{
	int			len;

	if (options->credential != NULL)
		len = snprintf(ret_path, PATH_MAX, "%s", options->credential);
	else
		len = snprintf(ret_path, PATH_MAX, DEFAULT_FOLDER "/%s", name);
	return len > 0 && len < PATH_MAX && name_ok(name);
}

/* Read the file that is there.  ret_found->len is 0 if there is none. */
static int
read_found(TcCredential *ret_found, const char **ret_why)
{
	uint8_t		file[TC_KEYRING_MAX];
	struct stat st;
	size_t		len = 0;

	ret_found->len = 0;
	*ret_why = NULL;
	if (lstat(ret_found->path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
		return TC_TOOL_OK;
	if (tc_keyring_read_file(ret_found->path, geteuid(), file, &len,
							 ret_why) != TC_OK)
		return TC_TOOL_FAILED;
	if (len > sizeof(ret_found->text))
	{
		*ret_why = "is larger than a credential can be";
		return TC_TOOL_FAILED;
	}
	memcpy(ret_found->text, file, len);
	ret_found->len = len;
	return TC_TOOL_OK;
}

/* Have the provider put a blob into the text of a credential file. */
static int
make_text(const TcOptions *options, TcVault *vault, TcSpan blob,
		  TcCredential *ret_credential, char *ret_reason)
{
	int			code;

	code = tool_run_provider(options, vault, "systemd-creds", "credential", NULL,
							 blob, ret_reason);
	if (code == TC_TOOL_OK)
	{
		ret_credential->len = vault->run.output_len;
		memcpy(ret_credential->text, vault->run.output, ret_credential->len);
		if (ret_credential->len == 0)
		{
			snprintf(ret_reason, TC_TOOL_REASON_MAX,
					 "key provider \"systemd-creds\" gave an empty credential");
			code = TC_TOOL_FAILED;
		}
	}
	tc_keyprov_wipe(&vault->run);
	return code;
}

static bool
same_text(const TcCredential *a, const TcCredential *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

int
tool_check_credential_place(const TcOptions *options, TcVault *vault,
							const TcKeyringSlot *replaced,
							TcCredential *ret_old)
{
	const char *name = options->credential_name != NULL ?
		options->credential_name : DEFAULT_NAME;
	char		reason[TC_TOOL_REASON_MAX] = "";
	TcCredential recorded;
	const char *why;

	ret_old->len = 0;
	if (!find_place(options, name, ret_old->path))
	{
		tool_error("the name of a credential must be one of a file");
		return TC_TOOL_USAGE;
	}
	if (read_found(ret_old, &why) != TC_TOOL_OK)
	{
		tool_error("credential file \"%s\" %s; it is not touched", ret_old->path,
				   why);
		if (geteuid() != 0)
			tool_hint("Only root can seal with key provider \"systemd-creds\".");
		return TC_TOOL_FAILED;
	}
	if (ret_old->len == 0)
		return TC_TOOL_OK;
	if (replaced != NULL && tool_needs_credential(replaced->provider))
	{
		if (make_text(options, vault, replaced->blob, &recorded,
					  reason) == TC_TOOL_OK && same_text(&recorded, ret_old))
			return TC_TOOL_OK;
		if (reason[0] != '\0')
			tool_error("%s", reason);
	}
	tool_error("credential file \"%s\" exists, and is not one that this may replace",
			   ret_old->path);
	tool_hint("Only the file of the slot that is resealed is replaced.  If it is of no use, for example left by an init that was interrupted, move it away; else take another --credential-name.");
	return TC_TOOL_FAILED;
}

/* Make the folder of a path, if it is missing. */
static int
make_folder(const char *path)
{
	char		folder[PATH_MAX];
	char	   *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return TC_TOOL_OK;
	*slash = '\0';
	if (mkdir(folder, 0700) == 0 || errno == EEXIST)
		return TC_TOOL_OK;
	tool_error("could not make folder \"%s\": %s", folder, strerror(errno));
	return TC_TOOL_FAILED;
}

/* Put a text into its place; "replace" an old one, or find none there. */
static int
put_in_place(const TcCredential *credential, bool replace)
{
	const char *why = NULL;
	TcResult	result;

	result = tc_keyring_write_file(credential->path,
								   tc_span(credential->text, credential->len),
								   geteuid(), getegid(), replace, &why);
	if (result == TC_OK)
		return TC_TOOL_OK;
	if (result == TC_SYSTEM)
		tool_error("credential file \"%s\" %s: %s", credential->path, why,
				   strerror(errno));
	else
		tool_error("credential file \"%s\" %s", credential->path, why);
	return TC_TOOL_FAILED;
}

int
tool_write_credential(const TcOptions *options, TcVault *vault, TcSpan blob,
					  const TcCredential *old, TcCredential *ret_written)
{
	char		reason[TC_TOOL_REASON_MAX] = "";
	TcCredential found;
	const char *why;
	int			code;

	memcpy(ret_written->path, old->path, sizeof(ret_written->path));
	ret_written->len = 0;
	code = make_text(options, vault, blob, ret_written, reason);
	if (code != TC_TOOL_OK)
	{
		tool_error("%s", reason);
		return code;
	}
	if (old->len > 0)
	{
		/* Still what it was? */
		memcpy(found.path, old->path, sizeof(found.path));
		if (read_found(&found, &why) != TC_TOOL_OK || !same_text(&found, old))
		{
			tool_error("credential file \"%s\" was changed meanwhile; it is not touched",
					   old->path);
			code = TC_TOOL_FAILED;
		}
	}
	else
		code = make_folder(old->path);
	if (code == TC_TOOL_OK)
		tool_progress("writing credential file \"%s\"", old->path);
	if (code != TC_TOOL_OK)
	{
		ret_written->len = 0;
		return code;
	}
	code = put_in_place(ret_written, old->len > 0);
	/* It may be in place all the same, and not have been synchronised. */
	if (code != TC_TOOL_OK && tool_take_back_credential(ret_written, old))
		ret_written->len = 0;
	return code;
}

void
tool_print_credential(const TcCredential *written)
{
	if (written->len == 0)
		return;
	tool_text("credential: %s\n", written->path);
	tool_json_string("credential", written->path);
}

bool
tool_take_back_credential(const TcCredential *written, const TcCredential *old)
{
	TcCredential found;
	const char *why;

	if (written->len == 0)
		return true;
	memcpy(found.path, written->path, sizeof(found.path));
	if (read_found(&found, &why) != TC_TOOL_OK)
	{
		tool_error("credential file \"%s\" %s; it is not touched", found.path, why);
		return false;
	}
	if (!same_text(&found, written))
		return true;			/* never was ours, or is somebody else's by now */
	if (old->len > 0)
		return put_in_place(old, true) == TC_TOOL_OK;
	if (unlink(written->path) == 0)
		return true;
	tool_error("credential file \"%s\" could not be removed again: %s",
			   written->path, strerror(errno));
	return false;
}

/* Whether what the provider says of a slot's blob is what the slot records. */
static int
check_recorded(const TcOptions *options, TcVault *vault,
			   const TcKeyringSlot *slot, char *ret_name, size_t size,
			   char *ret_reason)
{
	TcSealed	sealed;
	int			code;

	code = tool_describe_blob(options, vault, slot->provider, slot->blob, &sealed,
							  ret_reason);
	if (code != TC_TOOL_OK)
		return code;
	if (sealed.binding != slot->binding ||
		memcmp(sealed.type_id, slot->type_id, TC_TYPE_ID_BYTES) != 0)
	{
		snprintf(ret_reason, TC_TOOL_REASON_MAX,
				 "the credential is of another type than the slot records");
		return TC_TOOL_REJECTED;
	}
	snprintf(ret_name, size, "%s", sealed.credential_name);
	return TC_TOOL_OK;
}

/* Compare a credential with its file. */
static int
compare_file(const TcCredential *recorded, char *ret_reason)
{
	TcCredential found;
	bool		may_not_read;
	const char *why;

	memcpy(found.path, recorded->path, sizeof(found.path));
	errno = 0;
	if (read_found(&found, &why) != TC_TOOL_OK)
	{
		may_not_read = errno == EACCES && geteuid() != 0;
		snprintf(ret_reason, TC_TOOL_REASON_MAX, may_not_read ?
				 "credential file \"%s\" not compared: only root may read it" :
				 "credential file \"%s\" %s", found.path, why);
		return may_not_read ? TC_TOOL_OK : TC_TOOL_FAILED;
	}
	if (found.len == 0)
	{
		snprintf(ret_reason, TC_TOOL_REASON_MAX,
				 "credential file \"%s\" does not exist", found.path);
		return TC_TOOL_FAILED;
	}
	if (same_text(&found, recorded))
		return TC_TOOL_OK;
	snprintf(ret_reason, TC_TOOL_REASON_MAX,
			 "credential file \"%s\" is not the one that this slot was sealed with",
			 found.path);
	return TC_TOOL_REJECTED;
}

int
tool_verify_credential(const TcOptions *options, TcVault *vault,
					   const TcKeyringSlot *slot, char *ret_reason)
{
	TcCredential recorded = {.len = 0};
	char		name[NAME_MAX + 1] = "";
	int			code;

	code = check_recorded(options, vault, slot, name, sizeof(name), ret_reason);
	if (code == TC_TOOL_OK && !find_place(options, name, recorded.path))
	{
		snprintf(ret_reason, TC_TOOL_REASON_MAX,
				 "the name of the credential cannot be one of a file");
		code = TC_TOOL_REJECTED;
	}
	if (code == TC_TOOL_OK)
		code = make_text(options, vault, slot->blob, &recorded, ret_reason);
	if (code == TC_TOOL_OK)
		code = compare_file(&recorded, ret_reason);
	return code;
}
