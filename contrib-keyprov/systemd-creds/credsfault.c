/*-------------------------------------------------------------------------
 *
 * credsfault.c
 *	  What messages of systemd-creds mean for the caller.
 *
 * contrib-keyprov/systemd-creds/credsfault.c
 *
 *-------------------------------------------------------------------------
 */
#include <stdbool.h>
#include <string.h>

#include "credsfault.h"

/* What a line means that contains "what" and, after it, "and". */
typedef struct Meaning
{
	const char *what;
	const char *and;
	TcExit		code;
	const char *reason;
} Meaning;

static const char *const OTHER_TPM = "the credential was sealed to another TPM, or this TPM was cleared";
static const char *const PCRS = "the PCRs of the TPM are not those that the credential was sealed to";
static const char *const NO_TPM = "could not talk to the TPM";
static const char *const BUSY = "the TPM is out of memory for objects or sessions";
static const char *const LOCKOUT = "the TPM is in dictionary attack lockout";
static const char *const NOT_ROOT = "only root can use the host key";
static const char *const OTHER_NAME = "the credential has another name";
static const char *const NO_SOFTWARE = "systemd has no TPM software installed (package libtss2-esys)";

/* The first that fits counts: the more special ones come first. */
static const Meaning meanings[] = {
	/* of the credential */
	{"Credential's time passed", "", TC_EXIT_WRONG_POLICY,
	"the credential has expired"},
	{"Embedded credential name", "does not match", TC_EXIT_DAMAGED, OTHER_NAME},
	{"name of credential", "does not match", TC_EXIT_DAMAGED, OTHER_NAME},
	{"Decryption failed", "", TC_EXIT_WRONG_MACHINE,
	"the credential was sealed on another machine, or altered"},
	{"base64 decode", "", TC_EXIT_DAMAGED, "the credential is damaged"},
	{"Bad credential format", "", TC_EXIT_DAMAGED, "the credential is damaged"},

	/* of the host key */
	{"credential key", "No such file", TC_EXIT_WRONG_MACHINE,
	"this machine has no host key, so the credential was sealed on another one"},
	{"credential key", "Permission denied", TC_EXIT_DENIED, NOT_ROOT},
	{"host key", "Permission denied", TC_EXIT_DENIED, NOT_ROOT},
	{"PermissionDenied", "", TC_EXIT_DENIED, NOT_ROOT},

	/* of the TPM software, which speaks for itself before newer systemd does */
	{"ErrorCode (0x00000902)", "", TC_EXIT_BUSY, BUSY},
	{"ErrorCode (0x00000903)", "", TC_EXIT_BUSY, BUSY},
	{"ErrorCode (0x00000921)", "", TC_EXIT_DENIED, LOCKOUT},
	{"ErrorCode (0x000001df)", "", TC_EXIT_WRONG_MACHINE, OTHER_TPM},
	/* 262 and newer: a TPM that has no primary key of systemd */
	{"Esys_Load()", "ErrorCode (0x0000018b)", TC_EXIT_WRONG_MACHINE, OTHER_TPM},
	{"TCTI device", "Permission denied", TC_EXIT_DENIED,
	"this account may not use the TPM"},
	{"TCTI device", "", TC_EXIT_UNAVAILABLE, NO_TPM},
	{"Cannot connect to", "TPM", TC_EXIT_UNAVAILABLE, NO_TPM},

	/* of the TPM */
	{"lockout", "", TC_EXIT_DENIED, LOCKOUT},
	{"out of memory for", "contexts", TC_EXIT_BUSY, BUSY},
	{"policy digest does not match", "", TC_EXIT_WRONG_POLICY, PCRS},
	{"unseal secret using TPM2", "Operation not permitted", TC_EXIT_WRONG_POLICY, PCRS},
	{"policy check failed", "", TC_EXIT_WRONG_POLICY, PCRS},
	{"policy does not match current system state", "", TC_EXIT_WRONG_POLICY, PCRS},
	{"PCR bank invalid", "", TC_EXIT_WRONG_POLICY,
	"this version of systemd cannot open what it seals without PCRs"},
	{"integrity check failed", "", TC_EXIT_WRONG_MACHINE, OTHER_TPM},
	{"TCTI context", "", TC_EXIT_UNAVAILABLE, NO_TPM},
	{"No TPM2", "found", TC_EXIT_UNAVAILABLE, "there is no TPM"},
	{"No suitable TPM2", "found", TC_EXIT_UNAVAILABLE, "there is no TPM"},
	{"TPM2 support is not installed", "", TC_EXIT_USAGE, NO_SOFTWARE},
	{"TPM2 not supported", "", TC_EXIT_USAGE, NO_SOFTWARE},
	{"libtss2", "", TC_EXIT_USAGE, NO_SOFTWARE},
	{"IO failure", "", TC_EXIT_UNAVAILABLE, NO_TPM},

	/* of the command line */
	{"Unknown key type", "", TC_EXIT_USAGE,
	"this version of systemd does not know that key"},
	{"Failed to parse PCR", "", TC_EXIT_USAGE, "the list of PCRs is not valid"},
	{"PCR number out of range", "", TC_EXIT_USAGE, "the list of PCRs is not valid"}
};

static bool
fits(const Meaning *meaning, const char *line)
{
	const char *found = strstr(line, meaning->what);

	return found != NULL && strstr(found, meaning->and) != NULL;
}

/*
 * Cut the next line off, in place; NULL after the last.  Lines that are empty
 * are left out.
 */
static char *
next_line(char **rest)
{
	char	   *line;

	do
		line = strsep(rest, "\n");
	while (line != NULL && line[0] == '\0');
	return line;
}

TcExit
tc_fault_creds(const TcCredsMessages *messages, const char *otherwise,
			   TcReason *reterr_reason)
{
	const char *last = otherwise;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
	{
		TcCredsMessages copy = *messages;
		char	   *rest = copy.text;
		char	   *line;

		while ((line = next_line(&rest)) != NULL)
		{
			if (fits(&meanings[i], line))
				return tc_fault(meanings[i].code, reterr_reason,
								"%s (systemd-creds: %.300s)",
								meanings[i].reason, line);
		}
	}

	/* Warnings come first, so the last line is the one that matters. */
	for (const char *c = messages->text; *c != '\0'; c++)
	{
		if ((c == messages->text || c[-1] == '\n') && *c != '\n')
			last = c;
	}
	return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
					"systemd-creds failed: %.*s",
					(int) strcspn(last, "\n"), last);
}
