/*-------------------------------------------------------------------------
 *
 * main.c
 *	  themis-keyprov-tpm2: the key provider that seals to a TPM 2.0.
 *
 * Arguments and the three verbs of contrib-keyprov/README.md.
 * A run handles one secret and exits.
 *
 * contrib-keyprov/tpm2/main.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blob.h"
#include "fault.h"
#include "harden.h"
#include "pipeio.h"
#include "tpm.h"

#define DEFAULT_TCTI	"device:/dev/tpmrm0"

typedef TcExit (*Verb) (const char *tcti, TcReason *reterr_reason);

/* Read the secret to be sealed. */
static TcExit
read_secret(uint8_t ret_secret[TC_SECRET_BYTES + 1], TcReason *reterr_reason)
{
	size_t		len;
	TcExit		code;

	code = tc_read_input(STDIN_FILENO, TC_SECRET_BYTES + 1, ret_secret, &len,
						 reterr_reason);
	if (code == TC_EXIT_OK && len != TC_SECRET_BYTES)
		code = tc_fault(TC_EXIT_USAGE, reterr_reason,
						"the secret to be sealed must have exactly %d bytes",
						TC_SECRET_BYTES);
	return code;
}

/* Read and check the blob that "unseal" and "info" are about. */
static TcExit
read_blob(TcBlob *ret_blob, TcReason *reterr_reason)
{
	uint8_t		bytes[TC_BLOB_MAX + 1];
	size_t		len;
	TcExit		code;

	code = tc_read_input(STDIN_FILENO, sizeof(bytes), bytes, &len,
						 reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_blob_decode(bytes, len, ret_blob, reterr_reason);
	return code;
}

/* Compare secrets in a time that does not depend on them. */
static bool
secrets_equal(const uint8_t *a, const uint8_t *b)
{
	volatile uint8_t differs = 0;

	for (size_t i = 0; i < TC_SECRET_BYTES; i++)
		differs |= a[i] ^ b[i];
	return differs == 0;
}

/*
 * Open the blob as a later run would, from its bytes and in a session of its
 * own.  A blob that cannot be opened would be found out too late, after the
 * next start of the machine.
 */
static TcExit
check_blob(const char *tcti, const uint8_t *bytes, size_t len,
		   const uint8_t *secret, TcReason *reterr_reason)
{
	uint8_t		opened[TC_SECRET_BYTES];
	TcBlob		blob;
	TcExit		code;

	code = tc_blob_decode(bytes, len, &blob, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	code = tc_tpm_unseal(tcti, &blob, opened, reterr_reason);
	if (code == TC_EXIT_OK && !secrets_equal(secret, opened))
		code = tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"the TPM did not give back what it had sealed");
	explicit_bzero(opened, sizeof(opened));
	return code;
}

static TcExit
seal(const char *tcti, TcReason *reterr_reason)
{
	uint8_t		secret[TC_SECRET_BYTES + 1];
	uint8_t		bytes[TC_BLOB_MAX];
	size_t		len = 0;
	TcBlob		blob;
	TcExit		code;

	code = read_secret(secret, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_tpm_seal(tcti, secret, &blob, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_blob_encode(&blob, bytes, &len, reterr_reason);
	if (code == TC_EXIT_OK)
		code = check_blob(tcti, bytes, len, secret, reterr_reason);
	explicit_bzero(secret, sizeof(secret));
	if (code == TC_EXIT_OK)
		code = tc_write_output(STDOUT_FILENO, bytes, len, reterr_reason);
	return code;
}

static TcExit
unseal(const char *tcti, TcReason *reterr_reason)
{
	uint8_t		secret[TC_SECRET_BYTES];
	TcBlob		blob;
	TcExit		code;

	code = read_blob(&blob, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	code = tc_tpm_unseal(tcti, &blob, secret, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_write_output(STDOUT_FILENO, secret, sizeof(secret),
							   reterr_reason);
	explicit_bzero(secret, sizeof(secret));
	return code;
}

/* Describe a blob.  Needs no TPM, so "tcti" is not used. */
static TcExit
info(const char *tcti, TcReason *reterr_reason)
{
	char		text[256];
	char		name[2 * sizeof(TPMU_NAME) + 1] = "";
	TcBlob		blob;
	TcExit		code;
	int			len;

	(void) tcti;
	code = read_blob(&blob, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	for (size_t i = 0; i < blob.srk_name.size; i++)
		snprintf(name + 2 * i, 3, "%02x", blob.srk_name.name[i]);
	len = snprintf(text, sizeof(text),
				   "provider=tpm2\nbinding=tpm2\nsrk_name=%s\npolicy=none\n",
				   name);
	if (len < 0 || (size_t) len >= sizeof(text))
		return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"the description does not fit");
	return tc_write_output(STDOUT_FILENO, (const uint8_t *) text, (size_t) len,
						   reterr_reason);
}

static TcExit
parse_arguments(int argc, char **argv, Verb *ret_verb, const char **ret_tcti,
				TcReason *reterr_reason)
{
	static const struct
	{
		const char *name;
		Verb		verb;
	}			verbs[] = {{"seal", seal}, {"unseal", unseal}, {"info", info}};
	const char *tcti = DEFAULT_TCTI;
	Verb		verb = NULL;

	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
	{
		if (strcmp(argv[1], verbs[i].name) == 0)
			verb = verbs[i].verb;
	}
	if (argc == 4 && strcmp(argv[2], "--tcti") == 0)
		tcti = argv[3];
	else if (argc != 2)
		verb = NULL;
	if (verb == NULL)
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"usage: themis-keyprov-tpm2 seal|unseal|info [--tcti NAME:CONFIGURATION]");
	*ret_verb = verb;
	*ret_tcti = tcti;
	return TC_EXIT_OK;
}

int
main(int argc, char **argv)
{
	const char *tcti = NULL;
	Verb		verb = NULL;
	TcReason	reason = {""};
	TcExit		code;

	code = tc_harden_process(&reason);
	if (code == TC_EXIT_OK && setenv("TSS2_LOG", "all+none", 1) != 0)
		code = tc_fault(TC_EXIT_INTERNAL, &reason, "could not silence the TPM software: %s",
						strerror(errno));
	if (code == TC_EXIT_OK)
		code = parse_arguments(argc, argv, &verb, &tcti, &reason);
	if (code == TC_EXIT_OK)
		code = verb(tcti, &reason);
	if (code != TC_EXIT_OK)
		(void) dprintf(STDERR_FILENO, "%s\n", reason.text);
	return (int) code;
}
