/*-------------------------------------------------------------------------
 *
 * provopts.c
 *	  What the server's settings mean for the providers' command lines.
 *
 * src/provopts.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "guc.h"
#include "provopts.h"

/* The folder systemd passes credentials in, NULL if there is none. */
static char *credentials_directory;

void
tc_provopts_init(void)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	if (folder != NULL && folder[0] != '\0')
		credentials_directory = strdup(folder);
}

bool
tc_provopts_get(const char *provider,
				const char *ret_args[TC_KEYPROV_ARGS_MAX + 1],
				const char **ret_why)
{
	/* An option is given where it has a value. */
	const struct
	{
		const char *provider;
		const char *option;
		const char *value;
	}			options[] = {
		{"tpm2", "--tcti", tc_tpm2_tcti},
		{"tpm2", "--pin-file", tc_tpm2_pin_file},
		{"systemd-creds", "--credential", tc_credential},
		{"systemd-creds", "--directory",
		tc_credential[0] == '\0' ? credentials_directory : NULL},
		{"command", "--command", tc_provider_command},
	};
	int			n = 0;

	StaticAssertStmt(2 * lengthof(options) <= TC_KEYPROV_ARGS_MAX,
					 "too many options for a provider");
	for (int i = 0; i < (int) lengthof(options); i++)
	{
		if (strcmp(options[i].provider, provider) != 0 ||
			options[i].value == NULL || options[i].value[0] == '\0')
			continue;
		ret_args[n++] = options[i].option;
		ret_args[n++] = options[i].value;
	}
	ret_args[n] = NULL;

	*ret_why = NULL;
	if (n == 0 && strcmp(provider, "command") == 0)
		*ret_why = "themis_crypt.provider_command is not set";
	else if (n == 0 && strcmp(provider, "systemd-creds") == 0)
		*ret_why = "the server was started without credentials, and themis_crypt.credential is not set";
	return *ret_why == NULL;
}
