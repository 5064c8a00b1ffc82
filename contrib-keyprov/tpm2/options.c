/*-------------------------------------------------------------------------
 *
 * options.c
 *	  The arguments of themis-keyprov-tpm2.
 *
 * contrib-keyprov/tpm2/options.c
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "options.h"
#include "pcr.h"

#define DEFAULT_TCTI	"device:/dev/tpmrm0"

static bool
parse_verb(const char *text, TcVerb *ret_verb)
{
	static const char *const names[] = {
		[TC_VERB_SEAL] = "seal",
		[TC_VERB_UNSEAL] = "unseal",
		[TC_VERB_INFO] = "info"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strcmp(text, names[i]) == 0)
		{
			*ret_verb = (TcVerb) i;
			return true;
		}
	}
	return false;
}

/* Is this an option that was not given before?  Then mark it as given. */
static bool
first_time(const char *text, const char *name, bool *given)
{
	if (strcmp(text, name) != 0 || *given)
		return false;
	*given = true;
	return true;
}

TcExit
tc_options_parse(int argc, char **argv, TcOptions *ret_options,
				 TcReason *reterr_reason)
{
	TcOptions	options = {.tcti = DEFAULT_TCTI};
	const char *pcrs = NULL;
	bool		have_tcti = false;
	bool		have_pcrs = false;
	bool		have_pin = false;
	bool		good = argc >= 2 && parse_verb(argv[1], &options.verb);

	for (int i = 2; good && i < argc; i++)
	{
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (first_time(argv[i], "--pin-stdin", &have_pin))
		{
			options.pin_stdin = true;
			continue;
		}
		if (first_time(argv[i], "--tcti", &have_tcti))
			options.tcti = value;
		else if (first_time(argv[i], "--pin-file", &have_pin))
			options.pin_file = value;
		else if (options.verb != TC_VERB_UNSEAL &&
				 first_time(argv[i], "--pcrs", &have_pcrs))
			pcrs = value;
		else
			good = false;
		good = good && value != NULL;
		i++;
	}
	if (!good)
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"usage: themis-keyprov-tpm2 seal|unseal|info [--tcti NAME:CONFIGURATION] [--pin-file FILE | --pin-stdin] [--pcrs LIST]");
	*ret_options = options;
	if (have_pcrs)
		return tc_pcr_parse(pcrs, &ret_options->pcrs, reterr_reason);
	return TC_EXIT_OK;
}
