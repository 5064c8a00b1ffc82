/*-------------------------------------------------------------------------
 *
 * options.c
 *	  The command line of themis-keyprov-systemd-creds.
 *
 * contrib-keyprov/systemd-creds/options.c
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "options.h"

#define DEFAULT_NAME	"themis.root"

/* Bits of the verbs that take an option. */
#define SEAL			(1 << TC_VERB_SEAL)
#define UNSEAL			(1 << TC_VERB_UNSEAL)
#define CHECK			(1 << TC_VERB_CHECK)

static const char *const verb_names[] = {
	[TC_VERB_SEAL] = "seal",
	[TC_VERB_UNSEAL] = "unseal",
	[TC_VERB_INFO] = "info",
	[TC_VERB_CREDENTIAL] = "credential",
	[TC_VERB_CHECK] = "check"
};

/* What the command line says, word for word. */
typedef struct Given
{
	const char *name;
	const char *with_key;
	const char *tpm2_device;
	const char *tpm2_pcrs;
	const char *credential;
	const char *directory;
	const char *decrypt;
} Given;

static TcExit
parse_words(int argc, char **argv, TcVerb verb, Given *ret_given,
			TcReason *reterr_reason)
{
	const struct
	{
		const char *option;
		int			verbs;
		bool		has_value;
		const char **word;
	}			known[] = {
		{"--name", SEAL, true, &ret_given->name},
		{"--with-key", SEAL | CHECK, true, &ret_given->with_key},
		{"--tpm2-device", SEAL | UNSEAL, true, &ret_given->tpm2_device},
		{"--tpm2-pcrs", SEAL, true, &ret_given->tpm2_pcrs},
		{"--credential", UNSEAL, true, &ret_given->credential},
		{"--directory", UNSEAL, true, &ret_given->directory},
		{"--decrypt", UNSEAL, false, &ret_given->decrypt}
	};
	const size_t nknown = sizeof(known) / sizeof(known[0]);

	for (int at = 2; at < argc; at++)
	{
		size_t		i;

		for (i = 0; i < nknown; i++)
		{
			if (strcmp(argv[at], known[i].option) == 0 &&
				(known[i].verbs & 1 << verb) != 0)
				break;
		}
		if (i == nknown)
			return tc_fault(TC_EXIT_USAGE, reterr_reason,
							"\"%s\" is not an option of \"%s\"", argv[at], argv[1]);
		if (*known[i].word != NULL)
			return tc_fault(TC_EXIT_USAGE, reterr_reason,
							"option %s is given twice", argv[at]);
		if (known[i].has_value && ++at >= argc)
			return tc_fault(TC_EXIT_USAGE, reterr_reason,
							"option %s needs a value", argv[at - 1]);
		*known[i].word = argv[at];
	}
	return TC_EXIT_OK;
}

static bool
starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/*
 * systemd takes "DRIVER:ARGUMENT" and loads whatever library has that name,
 * and "list" for a list of devices.
 */
static bool
device_ok(const char *device)
{
	return device[0] == '/' || starts_with(device, "device:") ||
		starts_with(device, "tabrmd:") || starts_with(device, "swtpm:") ||
		starts_with(device, "mssim:");
}

/* Read what is about sealing. */
static TcExit
parse_key(const Given *given, TcOptions *ret_options, TcReason *reterr_reason)
{
	if (given->with_key != NULL &&
		!tc_credential_key_named(given->with_key, &ret_options->key))
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"the key must be host, tpm2 or host+tpm2, not \"%s\"",
						given->with_key);
	if (given->tpm2_device != NULL && !device_ok(given->tpm2_device))
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"\"%s\" is not a way to a TPM: must be a path, device:PATH, tabrmd:, swtpm: or mssim:",
						given->tpm2_device);
	if (given->tpm2_pcrs != NULL &&
		given->tpm2_pcrs[strspn(given->tpm2_pcrs, "0123456789,+")] != '\0')
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"\"%s\" is not a list of PCRs such as 0,7",
						given->tpm2_pcrs);
	if (ret_options->verb != TC_VERB_SEAL)
		return TC_EXIT_OK;

	if (given->with_key == NULL)
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"--with-key host, tpm2 or host+tpm2 is needed");
	if (ret_options->key == TC_KEY_HOST &&
		(given->tpm2_device != NULL || given->tpm2_pcrs != NULL))
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"the key host uses no TPM");
	return TC_EXIT_OK;
}

/* Read what is about unsealing: one way, or none. */
static TcExit
parse_source(const Given *given, TcReason *reterr_reason)
{
	int			ways = (given->credential != NULL) + (given->directory != NULL) +
		(given->decrypt != NULL);

	if (ways > 1)
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"--credential, --directory and --decrypt exclude each other");
	if (given->tpm2_device != NULL && given->decrypt == NULL)
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"--tpm2-device is for --decrypt");
	return TC_EXIT_OK;
}

TcExit
tc_options_parse(int argc, char **argv, TcOptions *ret_options,
				 TcReason *reterr_reason)
{
	const size_t nverbs = sizeof(verb_names) / sizeof(verb_names[0]);
	Given		given;
	size_t		verb;
	TcExit		code;

	memset(&given, 0, sizeof(given));
	memset(ret_options, 0, sizeof(*ret_options));
	for (verb = 0; verb < nverbs; verb++)
	{
		if (argc > 1 && strcmp(argv[1], verb_names[verb]) == 0)
			break;
	}
	if (verb == nverbs)
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"usage: themis-keyprov-systemd-creds seal|unseal|info|credential|check [options]");
	ret_options->verb = (TcVerb) verb;

	code = parse_words(argc, argv, ret_options->verb, &given, reterr_reason);
	if (code == TC_EXIT_OK)
		code = parse_key(&given, ret_options, reterr_reason);
	if (code == TC_EXIT_OK && ret_options->verb == TC_VERB_UNSEAL)
		code = parse_source(&given, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;

	ret_options->creds.name = given.name != NULL ? given.name : DEFAULT_NAME;
	if (!tc_credential_name_ok(ret_options->creds.name,
							   strlen(ret_options->creds.name)))
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"\"%s\" cannot be the name of a credential: 1 to %d letters, digits, \".\", \"_\" and \"-\"",
						ret_options->creds.name, TC_CREDENTIAL_NAME_MAX);
	ret_options->creds.with_key = given.with_key;
	ret_options->creds.tpm2_device = given.tpm2_device;
	ret_options->creds.tpm2_pcrs = given.tpm2_pcrs;
	ret_options->software_tpm = given.tpm2_device != NULL &&
		(starts_with(given.tpm2_device, "swtpm:") ||
		 starts_with(given.tpm2_device, "mssim:"));
	ret_options->decrypt = given.decrypt != NULL;
	ret_options->credential = given.credential;
	ret_options->directory = given.directory;
	return TC_EXIT_OK;
}
