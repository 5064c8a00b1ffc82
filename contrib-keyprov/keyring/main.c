/*-------------------------------------------------------------------------
 *
 * main.c
 *	  themis-keyring: arguments and commands.
 *
 * Options are spelled in full, and given once: --no-recovery shall be meant.
 * No secret is ever an argument.
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

#include "common.h"
#include "usage.h"

typedef struct Command
{
	const char *name;
	int			(*run) (const TcOptions *options);
	const char *options;		/* letters of the options it takes */
	const char *required;		/* those it cannot do without */
	int			nargs;
	const char *usage;
} Command;

static const Command commands[] = {
	{"init", cmd_init, "dknoprRt", "", 0, USAGE_INIT},
	{"show", cmd_show, "dkntu", "", 0, USAGE_SHOW},
	{"verify", cmd_verify, "dkt", "", 0, USAGE_VERIFY},
	{"trust", cmd_trust, "dkt", "", 2, USAGE_TRUST},
	{"distrust", cmd_distrust, "dkt", "", 2, USAGE_DISTRUST},
	{"recovery-keygen", cmd_recovery_keygen, "O", "O", 0, USAGE_RECOVERY_KEYGEN},
	{"recovery-pubkey", cmd_recovery_pubkey, "i", "i", 0, USAGE_RECOVERY_PUBKEY},
	{"recover", cmd_recover, "cdfiknt", "ci", 0, USAGE_RECOVER},
};

typedef struct Option
{
	const char *name;
	char		letter;
	bool		has_value;
} Option;

static const Option known_options[] = {
	{"--conninfo", 'c', true},
	{"--fingerprint", 'f', true},
	{"--identity", 'i', true},
	{"--keyring", 'k', true},
	{"--name", 'n', true},
	{"--no-recovery", 'R', false},
	{"--out", 'O', true},
	{"--owner", 'o', true},
	{"--provider", 'p', true},
	{"--provider-dir", 'd', true},
	{"--recovery-pubkey", 'r', true},
	{"--tcti", 't', true},
	{"--unseal", 'u', false},
};

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))

/* Where the value of a given-once option goes. */
static const char **
place_of(TcOptions *options, char letter)
{
	switch (letter)
	{
		case 'c':
			return &options->conninfo;
		case 'i':
			return &options->identity;
		case 'k':
			return &options->keyring;
		case 'n':
			return &options->name;
		case 'O':
			return &options->out;
		case 'o':
			return &options->owner;
		case 'p':
			return &options->provider;
		case 'd':
			return &options->provider_dir;
		case 't':
			return &options->tcti;
		default:
			return NULL;
	}
}

/* Take in one more of the options that may be given several times. */
static bool
add_recovery_file(TcOptions *options, const char *value)
{
	if (options->nrecovery_files >= TC_ENROLLED_MAX)
	{
		tool_error("a keyring holds at most %d recovery keys", TC_ENROLLED_MAX);
		return false;
	}
	options->recovery_files[options->nrecovery_files++] = value;
	return true;
}

static bool
add_fingerprint(TcOptions *options, const char *value)
{
	if (options->nfingerprints >= TC_FINGERPRINTS_MAX)
	{
		tool_error("at most %d fingerprints can be given", TC_FINGERPRINTS_MAX);
		return false;
	}
	if (!tool_parse_hex(value, options->fingerprints[options->nfingerprints]))
	{
		tool_error("a fingerprint is 32 hexadecimal digits");
		return false;
	}
	options->nfingerprints++;
	return true;
}

/* Take in one option; value is NULL for those without. */
static bool
set_option(TcOptions *options, const Option *option, const char *value)
{
	const char **place = place_of(options, option->letter);

	if (place != NULL)
	{
		if (*place != NULL)
		{
			tool_error("option \"%s\" is given twice", option->name);
			return false;
		}
		*place = value;
	}
	else if (option->letter == 'R')
		options->no_recovery = true;
	else if (option->letter == 'u')
		options->unseal = true;
	else if (option->letter == 'f')
		return add_fingerprint(options, value);
	else
		return add_recovery_file(options, value);
	return true;
}

/*
 * Take in the option at argv[*at], as "--name VALUE" or "--name=VALUE", and
 * move *at to the last argument it took.
 */
static bool
parse_option(const Command *command, char **argv, int *at, TcOptions *options)
{
	const char *arg = argv[*at];
	size_t		len = strcspn(arg, "=");
	const char *value = arg[len] == '=' ? arg + len + 1 : NULL;
	const Option *option = NULL;

	for (size_t i = 0; i < NELEMS(known_options); i++)
		if (strlen(known_options[i].name) == len &&
			memcmp(known_options[i].name, arg, len) == 0 &&
			strchr(command->options, known_options[i].letter) != NULL)
			option = &known_options[i];
	if (option == NULL)
	{
		tool_error("\"%s\" has no option \"%.*s\"", command->name, (int) len, arg);
		return false;
	}
	if (option->has_value && value == NULL && argv[*at + 1] != NULL)
		value = argv[++*at];
	if (option->has_value != (value != NULL))
	{
		tool_error("option \"%s\" %s", option->name,
				   option->has_value ? "lacks its value" : "has no value");
		return false;
	}
	return set_option(options, option, value);
}

/* Whether all is there that the command cannot do without. */
static bool
complete(const Command *command, TcOptions *options)
{
	for (size_t i = 0; i < NELEMS(known_options); i++)
	{
		const Option *option = &known_options[i];
		const char **place = place_of(options, option->letter);

		if (strchr(command->required, option->letter) != NULL &&
			(place == NULL || *place == NULL))
		{
			tool_error("option \"%s\" is missing", option->name);
			return false;
		}
	}
	if (options->nargs < command->nargs)
	{
		tool_error("\"%s\" takes %d arguments", command->name, command->nargs);
		return false;
	}
	return true;
}

static bool
parse_arguments(const Command *command, char **argv, TcOptions *options)
{
	bool		only_args = false;

	for (int i = 2; argv[i] != NULL; i++)
	{
		if (!only_args && strcmp(argv[i], "--") == 0)
			only_args = true;
		else if (!only_args && argv[i][0] == '-')
		{
			if (!parse_option(command, argv, &i, options))
				return false;
		}
		else if (options->nargs < command->nargs)
			options->args[options->nargs++] = argv[i];
		else
		{
			tool_error("\"%s\" takes %d arguments", command->name, command->nargs);
			return false;
		}
	}
	if (!complete(command, options))
		return false;
	if (options->keyring == NULL)
		options->keyring = TC_DEFAULT_KEYRING;
	if (options->provider == NULL)
		options->provider = "tpm2";
	return true;
}

static bool
is_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0 ||
		strcmp(arg, "-?") == 0;
}

static const Command *
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
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	tool_error("could not write to standard output: %s", strerror(errno));
	return code == TC_TOOL_OK ? TC_TOOL_FAILED : code;
}

int
main(int argc, char **argv)
{
	TcOptions	options = {0};
	const Command *command;

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
		tool_hint("Try \"themis-keyring --help\".");
		return TC_TOOL_USAGE;
	}
	if (argc >= 3 && is_help(argv[2]))
	{
		fputs(command->usage, stdout);
		return flush_output(TC_TOOL_OK);
	}

	if (!parse_arguments(command, argv, &options))
	{
		tool_hint("Try \"themis-keyring %s --help\".", command->name);
		return TC_TOOL_USAGE;
	}
	if (!prepare_process())
		return TC_TOOL_FAILED;
	return flush_output(command->run(&options));
}
