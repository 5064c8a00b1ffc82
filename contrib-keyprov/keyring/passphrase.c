/*-------------------------------------------------------------------------
 *
 * passphrase.c
 *	  Recovery identities under a passphrase.  Contracts: passphrase.h.
 *
 * contrib-keyprov/keyring/passphrase.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>

#include <sodium.h>

#include "ask.h"
#include "nfc.h"
#include "passphrase.h"

/* Get a passphrase into vault->normal; "again": one that is new. */
static int
get_passphrase(const TcOptions *options, TcVault *vault, const char *prompt,
			   bool again)
{
	int			code;

	if (options->passphrase_fd != -1)
		code = tool_read_secret_fd(options->passphrase_fd, prompt,
								   vault->passphrase, sizeof(vault->passphrase));
	else
		code = tool_ask_secret(prompt, vault->passphrase,
							   sizeof(vault->passphrase),
							   again ? vault->normal : NULL);
	if (code == TC_TOOL_OK &&
		!tool_to_nfc(vault->passphrase, vault->normal, sizeof(vault->normal)))
	{
		tool_error("%s is not valid UTF-8, or too long", prompt);
		code = TC_TOOL_FAILED;
	}
	sodium_memzero(vault->passphrase, sizeof(vault->passphrase));
	return code;
}

/* Stretch vault->normal, and forget it. */
static int
stretch(TcVault *vault, const TcPasswrap *wrap)
{
	TcResult	result;

	tool_progress("stretching the passphrase");
	result = tc_passwrap_stretch(wrap, vault->normal, strlen(vault->normal),
								 vault->stretched);
	if (result == TC_OK)
		return TC_TOOL_OK;
	if (result == TC_SYSTEM)
		tool_error("could not stretch the passphrase with %u MiB of memory: %s",
				   (unsigned int) (wrap->kib / 1024), strerror(errno));
	else
		tool_error("could not stretch the passphrase");
	return TC_TOOL_FAILED;
}

/* Whether vault->text opens to the seed again, stretched anew. */
static bool
reads_back(TcVault *vault)
{
	TcPasswrap	wrap;
	uint8_t    *again = vault->root_check;
	bool		same;

	same = tc_passwrap_parse(vault->text, strlen(vault->text), &wrap) == TC_OK &&
		stretch(vault, &wrap) == TC_TOOL_OK &&
		tc_passwrap_open(&wrap, vault->stretched, again) == TC_OK &&
		sodium_memcmp(again, vault->recovery_seed, TC_SEED_BYTES) == 0;
	sodium_memzero(again, sizeof(vault->root_check));
	return same;
}

int
tool_protect_identity(const TcOptions *options, TcVault *vault)
{
	TcPasswrap	wrap;
	int			code;

	code = get_passphrase(options, vault, "new passphrase", true);
	if (code != TC_TOOL_OK)
		return code;
	if (tc_passwrap_new(TC_PASSWRAP_PASSES_MIN, TC_PASSWRAP_KIB_MIN, &wrap) != TC_OK)
	{
		tool_error("could not draw random bytes: %s", strerror(errno));
		code = TC_TOOL_FAILED;
	}
	if (code == TC_TOOL_OK)
		code = stretch(vault, &wrap);
	if (code == TC_TOOL_OK &&
		(tc_passwrap_seal(&wrap, vault->stretched, vault->recovery_seed) != TC_OK ||
		 tc_passwrap_encode(&wrap, vault->text) != TC_OK ||
		 !reads_back(vault)))
	{
		tool_error("the protected identity did not read back as meant; nothing was written");
		code = TC_TOOL_FAILED;
	}
	sodium_memzero(vault->normal, sizeof(vault->normal));
	sodium_memzero(vault->stretched, sizeof(vault->stretched));
	return code;
}

int
tool_open_protected(const TcOptions *options, TcVault *vault, const char *path,
					const char *text, size_t len)
{
	TcPasswrap	wrap;
	TcResult	result = tc_passwrap_parse(text, len, &wrap);
	int			code;

	if (result == TC_TOO_LARGE || result == TC_UNSUPPORTED)
	{
		tool_error(result == TC_TOO_LARGE ?
				   "identity file \"%s\" asks for more memory or passes than is allowed" :
				   "identity file \"%s\" was written by a newer version", path);
		return TC_TOOL_FAILED;
	}
	if (result != TC_OK)
	{
		tool_error("identity file \"%s\" is not one line TC-RECOVERY-P1:..., or has a slip of the pen in it",
				   path);
		return TC_TOOL_FAILED;
	}
	code = get_passphrase(options, vault, "passphrase", false);
	if (code == TC_TOOL_OK)
		code = stretch(vault, &wrap);
	if (code == TC_TOOL_OK &&
		tc_passwrap_open(&wrap, vault->stretched, vault->recovery_seed) != TC_OK)
	{
		tool_error("the passphrase is not that of identity file \"%s\"", path);
		code = TC_TOOL_REJECTED;
	}
	sodium_memzero(vault->normal, sizeof(vault->normal));
	sodium_memzero(vault->stretched, sizeof(vault->stretched));
	return code;
}
