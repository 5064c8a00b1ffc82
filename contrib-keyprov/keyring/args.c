/*-------------------------------------------------------------------------
 *
 * args.c
 *	  The options of all commands.  The contract is in args.h.
 *
 * Options are spelled in full, and given once: --no-recovery shall be meant.
 * No secret is ever an argument.
 *
 * contrib-keyprov/keyring/args.c
 *
 *-------------------------------------------------------------------------
 */
#include <stddef.h>
#include <stdio.h>

#include "args.h"

typedef enum Kind
{
	TEXT,						/* const char *, NULL if not given */
	FLAG,						/* bool */
	SLOT,						/* int, from 1; 0 if not given */
	FD,							/* int, -1 if not given */
	FILES,						/* adds to recovery_files */
	FINGERPRINTS				/* adds to fingerprints */
} Kind;

typedef struct Option
{
	const char *name;
	Kind		kind;
	size_t		place;			/* in TcOptions */
	const char *provider;		/* whose option it is; NULL: the tool's own */
	int			use;			/* TcUse bits, for a provider's option */
	const char *passed_as;		/* what the provider calls it; NULL: the tool
								 * uses it itself */
} Option;

#define PLACE(field) offsetof(TcOptions, field)
#define BOTH (TC_USE_OPEN | TC_USE_SEAL)

static const Option known_options[] = {
	{"all-databases", FLAG, PLACE(all_databases), NULL, 0, NULL},
	{"command", TEXT, PLACE(command), "command", BOTH, "--command"},
	{"conninfo", TEXT, PLACE(conninfo), NULL, 0, NULL},
	{"credential", TEXT, PLACE(credential), "systemd-creds",
	TC_USE_SEAL | TC_USE_CHECK, NULL},
	{"credential-name", TEXT, PLACE(credential_name), "systemd-creds",
	TC_USE_SEAL, "--name"},
	{"fingerprint", FINGERPRINTS, 0, NULL, 0, NULL},
	{"identity", TEXT, PLACE(identity), NULL, 0, NULL},
	{"json", FLAG, PLACE(json), NULL, 0, NULL},
	{"keyring", TEXT, PLACE(keyring), NULL, 0, NULL},
	{"name", TEXT, PLACE(name), NULL, 0, NULL},
	{"new-pin", FLAG, PLACE(new_pin), "tpm2", TC_USE_SEAL, NULL},
	{"new-pin-fd", FD, PLACE(new_pin_fd), "tpm2", TC_USE_SEAL, NULL},
	{"new-pin-file", TEXT, PLACE(new_pin_file), "tpm2", TC_USE_SEAL, NULL},
	{"no-pcrs", FLAG, PLACE(no_pcrs), "tpm2", TC_USE_SEAL, NULL},
	{"no-pin", FLAG, PLACE(no_pin), "tpm2", TC_USE_SEAL, NULL},
	{"no-recovery", FLAG, PLACE(no_recovery), NULL, 0, NULL},
	{"out", TEXT, PLACE(out), NULL, 0, NULL},
	{"owner", TEXT, PLACE(owner), NULL, 0, NULL},
	{"passphrase", FLAG, PLACE(passphrase), NULL, 0, NULL},
	{"passphrase-fd", FD, PLACE(passphrase_fd), NULL, 0, NULL},
	{"pcrs", TEXT, PLACE(pcrs), "tpm2", TC_USE_SEAL, "--pcrs"},
	{"pin", FLAG, PLACE(pin), "tpm2", BOTH, NULL},
	{"pin-fd", FD, PLACE(pin_fd), "tpm2", BOTH, NULL},
	{"pin-file", TEXT, PLACE(pin_file), "tpm2", BOTH, NULL},
	{"provider", TEXT, PLACE(provider), NULL, 0, NULL},
	{"provider-dir", TEXT, PLACE(provider_dir), NULL, 0, NULL},
	{"public-key", TEXT, PLACE(public_key), NULL, 0, NULL},
	{"recovery-pubkey", FILES, 0, NULL, 0, NULL},
	{"role", TEXT, PLACE(role), NULL, 0, NULL},
	{"slot", SLOT, PLACE(slot), NULL, 0, NULL},
	{"tcti", TEXT, PLACE(tcti), "tpm2", BOTH, "--tcti"},
	{"tpm2-device", TEXT, PLACE(tpm2_device), "systemd-creds", BOTH,
	"--tpm2-device"},
	{"tpm2-pcrs", TEXT, PLACE(tpm2_pcrs), "systemd-creds", TC_USE_SEAL,
	"--tpm2-pcrs"},
	{"unseal", FLAG, PLACE(unseal), NULL, 0, NULL},
	{"with-key", TEXT, PLACE(with_key), "systemd-creds", TC_USE_SEAL,
	"--with-key"},
};

#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))

/* Where the value of an option is. */
static const void *
place_of(const TcOptions *options, const Option *option)
{
	return (const char *) options + option->place;
}

static const char *
text_of(const TcOptions *options, const Option *option)
{
	return *(const char *const *) place_of(options, option);
}

static bool
is_given(const TcOptions *options, const Option *option)
{
	switch (option->kind)
	{
		case TEXT:
			return text_of(options, option) != NULL;
		case FLAG:
			return *(const bool *) place_of(options, option);
		case SLOT:
			return *(const int *) place_of(options, option) != 0;
		case FD:
			return *(const int *) place_of(options, option) != -1;
		case FILES:
			return options->nrecovery_files > 0;
		case FINGERPRINTS:
			return options->nfingerprints > 0;
	}
	return false;
}

/* Whether a list of words has one. */
static bool
has_word(const char *words, const char *word)
{
	size_t		len = strlen(word);

	while (*words != '\0')
	{
		size_t		n = strcspn(words, " ");

		if (n == len && memcmp(words, word, len) == 0)
			return true;
		words += n + strspn(words + n, " ");
	}
	return false;
}

/* Read a number from min to max, digits only. */
static bool
parse_number(const Option *option, const char *text, int min, int max,
			 int *ret_number)
{
	int			number = 0;

	for (const char *at = text; number <= max && *at >= '0' && *at <= '9'; at++)
	{
		number = 10 * number + (*at - '0');
		if (at[1] == '\0' && number >= min && number <= max)
		{
			*ret_number = number;
			return true;
		}
	}
	tool_error("option \"--%s\" takes a number from %d to %d", option->name,
			   min, max);
	return false;
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
	char	   *place = (char *) options + option->place;

	if (option->kind != FILES && option->kind != FINGERPRINTS &&
		is_given(options, option))
	{
		tool_error("option \"--%s\" is given twice", option->name);
		return false;
	}
	switch (option->kind)
	{
		case TEXT:
			*(const char **) (void *) place = value;
			return true;
		case FLAG:
			*(bool *) place = true;
			return true;
		case SLOT:
			return parse_number(option, value, 1, TC_KEYRING_SLOTS_MAX,
								(int *) (void *) place);
		case FD:
			return parse_number(option, value, 0, 65535, (int *) (void *) place);
		case FILES:
			return add_recovery_file(options, value);
		case FINGERPRINTS:
			return add_fingerprint(options, value);
	}
	return false;
}

/*
 * Take in the option at argv[*at], as "--name VALUE" or "--name=VALUE", and
 * move *at to the last argument it took.
 */
static bool
parse_option(const TcCommand *command, char **argv, int *at, TcOptions *options)
{
	const char *arg = argv[*at];
	size_t		len = strcspn(arg, "=");
	const char *value = arg[len] == '=' ? arg + len + 1 : NULL;
	const Option *option = NULL;

	for (size_t i = 0; i < NELEMS(known_options); i++)
		if (len > 2 && memcmp(arg, "--", 2) == 0 &&
			strlen(known_options[i].name) == len - 2 &&
			memcmp(known_options[i].name, arg + 2, len - 2) == 0 &&
			has_word(command->options, known_options[i].name))
			option = &known_options[i];
	if (option == NULL)
	{
		tool_error("\"%s\" has no option \"%.*s\"", command->name, (int) len, arg);
		return false;
	}
	if (option->kind != FLAG && value == NULL && argv[*at + 1] != NULL)
		value = argv[++*at];
	if ((option->kind != FLAG) != (value != NULL))
	{
		tool_error("option \"--%s\" %s", option->name,
				   option->kind != FLAG ? "lacks its value" : "has no value");
		return false;
	}
	return set_option(options, option, value);
}

/* Whether all is there that the command cannot do without. */
static bool
complete(const TcCommand *command, const TcOptions *options)
{
	for (size_t i = 0; i < NELEMS(known_options); i++)
	{
		const Option *option = &known_options[i];

		if (has_word(command->required, option->name) &&
			!is_given(options, option))
		{
			tool_error("option \"--%s\" is missing", option->name);
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

bool
tool_parse_arguments(const TcCommand *command, char **argv,
					 TcOptions *ret_options)
{
	TcOptions  *options = ret_options;
	bool		only_args = false;

	memset(options, 0, sizeof(*options));
	options->pin_fd = options->new_pin_fd = options->passphrase_fd = -1;
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
	return true;
}

int
tool_provider_args(const TcOptions *options, const char *provider, TcUse use,
				   const char **ret_args)
{
	int			n = 0;

	for (size_t i = 0; i < NELEMS(known_options); i++)
	{
		const Option *option = &known_options[i];

		/* No provider has as many as would not fit. */
		if (option->provider == NULL || option->passed_as == NULL ||
			strcmp(option->provider, provider) != 0 ||
			(option->use & (int) use) == 0 || !is_given(options, option) ||
			n + 2 > TC_KEYPROV_ARGS_MAX)
			continue;
		ret_args[n++] = option->passed_as;
		ret_args[n++] = text_of(options, option);
	}
	ret_args[n] = NULL;
	return n;
}

static bool
has_provider(const TcKeyring *keyring, const char *provider)
{
	for (int i = 0; keyring != NULL && i < keyring->nslots; i++)
		if (strcmp(keyring->slots[i].provider, provider) == 0)
			return true;
	return false;
}

int
tool_check_provider_options(const TcOptions *options, const TcKeyring *keyring,
							const char *sealing, bool check)
{
	for (size_t i = 0; i < NELEMS(known_options); i++)
	{
		const Option *option = &known_options[i];
		bool		there = option->provider != NULL &&
			has_provider(keyring, option->provider);

		if (option->provider == NULL || !is_given(options, option) ||
			((option->use & TC_USE_OPEN) != 0 && there) ||
			((option->use & TC_USE_CHECK) != 0 && there && check) ||
			((option->use & TC_USE_SEAL) != 0 && sealing != NULL &&
			 strcmp(option->provider, sealing) == 0))
			continue;
		tool_error("option \"--%s\" is one of key provider \"%s\", which has no use for it here",
				   option->name, option->provider);
		return TC_TOOL_USAGE;
	}
	return TC_TOOL_OK;
}
