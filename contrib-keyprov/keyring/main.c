/*-------------------------------------------------------------------------
 *
 * main.c
 *	  themis-keyring: the commands, and the process they run in.
 *
 * contrib-keyprov/keyring/main.c
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aead.h"
#include "secretmem.h"

#include "args.h"
#include "json.h"
#include "usage.h"

/* What it takes to open a keyring, and to seal a slot of one. */
#define OPENING "keyring provider-dir tcti pin pin-fd pin-file tpm2-device command json "
#define SEALING "provider pcrs with-key credential-name credential tpm2-pcrs "
#define SEALING_MORE SEALING "no-pcrs no-pin new-pin new-pin-fd new-pin-file "

static const TcCommand commands[] = {
	{"init", cmd_init, OPENING SEALING "owner name recovery-pubkey no-recovery",
	"", 0, USAGE_INIT},
	{"show", cmd_show, OPENING "name unseal", "", 0, USAGE_SHOW},
	{"verify", cmd_verify, OPENING "credential", "", 0, USAGE_VERIFY},
	{"add-provider", cmd_add_provider, OPENING SEALING_MORE, "provider", 0,
	USAGE_ADD_PROVIDER},
	{"remove-provider", cmd_remove_provider, OPENING "slot", "slot", 0,
	USAGE_REMOVE_PROVIDER},
	{"reseal", cmd_reseal, OPENING SEALING_MORE "slot", "", 0, USAGE_RESEAL},
	{"trust", cmd_trust, OPENING, "", 2, USAGE_TRUST},
	{"distrust", cmd_distrust, OPENING, "", 2, USAGE_DISTRUST},
	{"recovery-keygen", cmd_recovery_keygen,
		"out passphrase passphrase-fd json", "out", 0, USAGE_RECOVERY_KEYGEN},
	{"recovery-pubkey", cmd_recovery_pubkey, "identity passphrase-fd json",
	"identity", 0, USAGE_RECOVERY_PUBKEY},
	{"recovery-protect", cmd_recovery_protect,
		"identity out passphrase-fd json", "identity out", 0,
	USAGE_RECOVERY_PROTECT},
	{"enroll", cmd_enroll,
		OPENING "conninfo all-databases fingerprint public-key recovery-pubkey name role",
	"", 0, USAGE_ENROLL},
	{"drop", cmd_drop,
		OPENING "conninfo all-databases public-key name no-recovery", "", 0,
	USAGE_DROP},
	{"recover", cmd_recover,
		OPENING "conninfo all-databases fingerprint identity passphrase-fd name",
	"conninfo identity", 0, USAGE_RECOVER},
};

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))

static bool
is_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0 ||
		strcmp(arg, "-?") == 0;
}

static const TcCommand *
find_command(const char *name)
{
	for (size_t i = 0; i < NELEMS(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/*
 * What was inherited must not decide: an ignored SIGCHLD would hide the
 * providers' exit codes, a lax umask would open files for a moment.
 */
static bool
prepare_process(void)
{
	int			fd;

	/* A keyring must not be opened as, say, standard output. */
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return false;
	(void) close(fd);

	(void) umask(077);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
		signal(SIGCHLD, SIG_DFL) == SIG_ERR ||
		tc_secret_harden() != TC_OK)
	{
		tool_error("could not protect this process: %s", strerror(errno));
		return false;
	}
	if (tc_aead_init() != TC_OK)
	{
		tool_error("could not initialise libsodium");
		return false;
	}
	return true;
}

/* Output that did not arrive is a failure, too. */
static int
flush_output(int code)
{
	if (fflush(stdout) != 0)
		tool_error("could not write to standard output: %s", strerror(errno));
	else if (ferror(stdout))
		tool_error("could not write all results to standard output");
	else
		return code;
	return code == TC_TOOL_OK ? TC_TOOL_FAILED : code;
}

int
main(int argc, char **argv)
{
	TcOptions	options;
	const TcCommand *command;
	int			code;

	if (argc >= 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0))
	{
		puts("themis-keyring (themis_crypt) " TC_VERSION);
		return flush_output(TC_TOOL_OK);
	}
	if (argc >= 2 && is_help(argv[1]))
	{
		fputs(USAGE_TOOL, stdout);
		return flush_output(TC_TOOL_OK);
	}
	command = argc >= 2 ? find_command(argv[1]) : NULL;
	if (command == NULL)
	{
		if (argc >= 2)
			tool_error("there is no command \"%s\"", argv[1]);
		else
			tool_error("no command was given");
		tool_hint("Try \"themis-keyring --help\".");
		return TC_TOOL_USAGE;
	}
	if (argc >= 3 && is_help(argv[2]))
	{
		fputs(command->usage, stdout);
		return flush_output(TC_TOOL_OK);
	}

	if (!tool_parse_arguments(command, argv, &options))
	{
		tool_hint("Try \"themis-keyring %s --help\".", command->name);
		return TC_TOOL_USAGE;
	}
	if (!prepare_process())
		return TC_TOOL_FAILED;
	if (options.json)
		tool_json_start(command->name);
	code = command->run(&options);
	tool_json_finish(code);
	return flush_output(code);
}
