/*-------------------------------------------------------------------------
 *
 * main.c
 *	  themis-keyprov-tpm2: the key provider that seals to a TPM 2.0.
 *
 * The three verbs of contrib-keyprov/README.md.
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
#include "options.h"
#include "pin.h"
#include "pipeio.h"
#include "tpm.h"

/* The first line of an input, if that is the PIN. */
#define PIN_LINE_MAX	(TC_PIN_MAX + 1)

/*
 * Read the input; with "pin_line" the first line of it is the PIN.
 *
 * "bytes" has room for "size" and the line; the caller wipes all of it.
 */
static TcExit
read_input(bool pin_line, size_t size, uint8_t *bytes, size_t *ret_len,
		   TcPin *ret_pin, TcReason *reterr_reason)
{
	TcExit		code;

	if (pin_line)
		size += PIN_LINE_MAX;
	code = tc_read_input(STDIN_FILENO, size, bytes, ret_len, reterr_reason);
	if (code == TC_EXIT_OK && pin_line)
		code = tc_pin_take_line(bytes, ret_len, ret_pin, reterr_reason);
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
		   const TcPin *pin, const uint8_t *secret, TcReason *reterr_reason)
{
	uint8_t		opened[TC_SECRET_BYTES];
	TcBlob		blob;
	TcExit		code;

	code = tc_blob_decode(bytes, len, &blob, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	code = tc_tpm_unseal(tcti, &blob, pin, opened, reterr_reason);
	if (code == TC_EXIT_OK && !secrets_equal(secret, opened))
		code = tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"the TPM did not give back what it had sealed");
	explicit_bzero(opened, sizeof(opened));
	return code;
}

static TcExit
seal(const TcOptions *options, TcReason *reterr_reason)
{
	uint8_t		secret[PIN_LINE_MAX + TC_SECRET_BYTES + 1];
	uint8_t		bytes[TC_BLOB_MAX];
	size_t		len = 0;
	TcPin		pin = {0};
	TcBlob		blob;
	TcExit		code;

	code = read_input(options->pin_stdin, TC_SECRET_BYTES + 1, secret, &len,
					  &pin, reterr_reason);
	if (code == TC_EXIT_OK && len != TC_SECRET_BYTES)
		code = tc_fault(TC_EXIT_USAGE, reterr_reason,
						"the secret to be sealed must have exactly %d bytes",
						TC_SECRET_BYTES);
	if (code == TC_EXIT_OK && options->pin_file != NULL)
		code = tc_pin_read_file(options->pin_file, &pin, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_tpm_seal(options->tcti, secret, options->pcrs, &pin, &blob,
						   reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_blob_encode(&blob, bytes, &len, reterr_reason);
	if (code == TC_EXIT_OK)
		code = check_blob(options->tcti, bytes, len, &pin, secret,
						  reterr_reason);
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(&pin, sizeof(pin));
	if (code == TC_EXIT_OK)
		code = tc_write_output(STDOUT_FILENO, bytes, len, reterr_reason);
	return code;
}

/* Read and check the blob that "unseal" and "info" are about. */
static TcExit
read_blob(bool pin_line, TcBlob *ret_blob, TcPin *ret_pin,
		  TcReason *reterr_reason)
{
	uint8_t		bytes[PIN_LINE_MAX + TC_BLOB_MAX + 1];
	size_t		len;
	TcExit		code;

	code = read_input(pin_line, TC_BLOB_MAX + 1, bytes, &len, ret_pin,
					  reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_blob_decode(bytes, len, ret_blob, reterr_reason);
	explicit_bzero(bytes, sizeof(bytes));
	return code;
}

/* Have the PIN that the blob asks for, if any. */
static TcExit
fetch_pin(const TcOptions *options, const TcBlob *blob, TcPin *pin,
		  TcReason *reterr_reason)
{
	if ((blob->policy & TC_POLICY_PIN) == 0 || options->pin_stdin)
		return TC_EXIT_OK;
	if (options->pin_file == NULL)
		return tc_fault(TC_EXIT_DENIED, reterr_reason,
						"the secret is protected by a PIN, and none was given");
	return tc_pin_read_file(options->pin_file, pin, reterr_reason);
}

static TcExit
unseal(const TcOptions *options, TcReason *reterr_reason)
{
	uint8_t		secret[TC_SECRET_BYTES];
	TcPin		pin = {0};
	TcBlob		blob;
	TcExit		code;

	code = read_blob(options->pin_stdin, &blob, &pin, reterr_reason);
	if (code == TC_EXIT_OK)
		code = fetch_pin(options, &blob, &pin, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_tpm_unseal(options->tcti, &blob, &pin, secret, reterr_reason);
	explicit_bzero(&pin, sizeof(pin));
	if (code == TC_EXIT_OK)
		code = tc_write_output(STDOUT_FILENO, secret, sizeof(secret),
							   reterr_reason);
	explicit_bzero(secret, sizeof(secret));
	return code;
}

/*
 * Write the policy as text.  Room for "pcr sha256:", a list, and " + pin".
 */
static void
describe_policy(const TcBlob *blob, char ret_text[TC_PCR_TEXT_MAX + 32])
{
	const bool	with_pcrs = (blob->policy & TC_POLICY_PCR) != 0;
	const bool	with_pin = (blob->policy & TC_POLICY_PIN) != 0;
	char		list[TC_PCR_TEXT_MAX];

	tc_pcr_text(blob->pcrs.selected, list);
	(void) snprintf(ret_text, TC_PCR_TEXT_MAX + 32, "%s%s%s%s%s",
					blob->policy == 0 ? "none" : "",
					with_pcrs ? "pcr sha256:" : "", list,
					with_pcrs && with_pin ? " + " : "",
					with_pin ? "pin" : "");
}

/*
 * Describe a blob.  Needs neither TPM nor PIN, so no option matters.
 *
 * Where the kind of TPM is not recorded, the weaker one is named.
 */
static TcExit
info(TcReason *reterr_reason)
{
	char		text[512];
	char		name[2 * sizeof(TPMU_NAME) + 1] = "";
	char		policy[TC_PCR_TEXT_MAX + 32];
	TcBlob		blob;
	TcExit		code;
	int			len;

	code = read_blob(/* pin_line= */ false, &blob, /* ret_pin= */ NULL,
					 reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	for (size_t i = 0; i < blob.srk_name.size; i++)
		snprintf(name + 2 * i, 3, "%02x", blob.srk_name.name[i]);
	describe_policy(&blob, policy);
	len = snprintf(text, sizeof(text),
				   "provider=tpm2\nbinding=%s\nsrk_name=%s\npolicy=%s\n",
				   blob.tpm_kind == TC_TPM_DEVICE ? "tpm2" : "software",
				   name, policy);
	if (len < 0 || (size_t) len >= sizeof(text))
		return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"the description does not fit");
	return tc_write_output(STDOUT_FILENO, (const uint8_t *) text, (size_t) len,
						   reterr_reason);
}

int
main(int argc, char **argv)
{
	TcOptions	options;
	TcReason	reason = {""};
	TcExit		code;

	code = tc_harden_process(&reason);
	if (code == TC_EXIT_OK && setenv("TSS2_LOG", "all+none", 1) != 0)
		code = tc_fault(TC_EXIT_INTERNAL, &reason, "could not silence the TPM software: %s",
						strerror(errno));
	if (code == TC_EXIT_OK)
		code = tc_options_parse(argc, argv, &options, &reason);
	if (code == TC_EXIT_OK)
		switch (options.verb)
		{
			case TC_VERB_SEAL:
				code = seal(&options, &reason);
				break;
			case TC_VERB_UNSEAL:
				code = unseal(&options, &reason);
				break;
			case TC_VERB_INFO:
				code = info(&reason);
				break;
		}
	if (code != TC_EXIT_OK)
		(void) dprintf(STDERR_FILENO, "%s\n", reason.text);
	return (int) code;
}
