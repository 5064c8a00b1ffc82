/*-------------------------------------------------------------------------
 *
 * guc.c
 *	  The settings of themis_crypt.
 *
 * src/guc.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"

#include "guc.h"

char	   *tc_keyring_path;
char	   *tc_tpm2_tcti;
char	   *tc_tpm2_pin_file;
char	   *tc_credential;
char	   *tc_provider_command;
bool		tc_require_unlocked = false;
bool		tc_require_hardware_binding = false;
bool		tc_use_memfd_secret = true;
int			tc_unlock_timeout = 10000;
bool		tc_restore = false;
bool		tc_sealed_input = false;
bool		tc_allow_no_recovery = false;
bool		tc_allow_drop_key = false;

/*
 * What is run as the server's user comes from a file that only the
 * administrator writes.  A command line could be read by everybody.
 */
static bool
check_provider_command(char **newval, void **extra, GucSource source)
{
	if ((*newval)[0] == '\0' || source == PGC_S_FILE)
		return true;
	GUC_check_errdetail("It can only be set in postgresql.conf.");
	return false;
}

void
tc_guc_init(void)
{
	DefineCustomStringVariable("themis_crypt.keyring",
							   "File that holds this machine's identity.",
							   "Made by themis-keyring, outside the data directory.",
							   &tc_keyring_path,
							   "/etc/themis-crypt/keyring",
							   PGC_POSTMASTER, GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("themis_crypt.tpm2_tcti",
							   "How the key provider \"tpm2\" reaches the TPM.",
							   NULL,
							   &tc_tpm2_tcti,
							   "device:/dev/tpmrm0",
							   PGC_POSTMASTER, GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("themis_crypt.tpm2_pin_file",
							   "File with the PIN for the key provider \"tpm2\".",
							   "Empty where no PIN is set.",
							   &tc_tpm2_pin_file,
							   "",
							   PGC_POSTMASTER, GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("themis_crypt.credential",
							   "File with the decrypted credential for the key provider \"systemd-creds\".",
							   "Empty, it is the one that the service was started with.",
							   &tc_credential,
							   "",
							   PGC_POSTMASTER, GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("themis_crypt.provider_command",
							   "Shell command for the key provider \"command\".",
							   "Set in postgresql.conf only.  It runs as the server's user.",
							   &tc_provider_command,
							   "",
							   PGC_POSTMASTER,
							   GUC_SUPERUSER_ONLY | GUC_DISALLOW_IN_AUTO_FILE,
							   check_provider_command, NULL, NULL);
	DefineCustomBoolVariable("themis_crypt.require_unlocked",
							 "Starts the server only if the keyring can be opened.",
							 "Off, the server starts without keys and says why.",
							 &tc_require_unlocked,
							 false,
							 PGC_POSTMASTER, 0,
							 NULL, NULL, NULL);
	DefineCustomBoolVariable("themis_crypt.require_hardware_binding",
							 "Unlocks only through a key provider bound to a TPM.",
							 "What the keyring records of each provider decides.",
							 &tc_require_hardware_binding,
							 false,
							 PGC_POSTMASTER, 0,
							 NULL, NULL, NULL);
	DefineCustomBoolVariable("themis_crypt.memfd_secret",
							 "Uses memfd_secret(2) for keys where the kernel has it.",
							 "Off, keys lie in ordinary memory that is locked and left out of core dumps.",
							 &tc_use_memfd_secret,
							 true,
							 PGC_POSTMASTER, 0,
							 NULL, NULL, NULL);
	DefineCustomIntVariable("themis_crypt.unlock_timeout",
							"How long to wait for the first unlocking after a server start.",
							NULL,
							&tc_unlock_timeout,
							10000, 0, 600000,
							PGC_USERSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomBoolVariable("themis_crypt.restore",
							 "Accepts sealed values as input without USAGE on their key.",
							 "For restoring a dump.  The values stay sealed.",
							 &tc_restore,
							 false,
							 PGC_SUSET, 0,
							 NULL, NULL, NULL);
	DefineCustomBoolVariable("themis_crypt.sealed_input",
							 "Accepts sealed values as input from roles with USAGE on their key.",
							 "Off, nobody who got hold of a sealed value can have it opened by an application that stores what it is given.",
							 &tc_sealed_input,
							 false,
							 PGC_USERSET, 0,
							 NULL, NULL, NULL);
	DefineCustomBoolVariable("themis_crypt.allow_no_recovery",
							 "Allows a root that no recovery key can open.",
							 "Without one, the loss of this machine is the loss of all encrypted data.",
							 &tc_allow_no_recovery,
							 false,
							 PGC_SUSET, 0,
							 NULL, NULL, NULL);
	DefineCustomBoolVariable("themis_crypt.allow_drop_key",
							 "Allows encryption keys to be dropped.",
							 "Values sealed under a dropped key can never be opened again.",
							 &tc_allow_drop_key,
							 false,
							 PGC_USERSET, 0,
							 NULL, NULL, NULL);
}
