/*-------------------------------------------------------------------------
 *
 * main.c
 *	  themis-keyprov-systemd-creds: the key provider that takes what systemd
 *	  has decrypted.
 *
 * Arguments and verbs: the three of contrib-keyprov/README.md, and two more
 * for the file that systemd reads.  A run handles one secret and exits.
 *
 * contrib-keyprov/systemd-creds/main.c
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "blob.h"
#include "credfile.h"
#include "harden.h"
#include "options.h"
#include "pipeio.h"

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

/* Read and check the blob that a verb is about. */
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

/* Is the credential what was asked for, and does its policy deserve trust? */
static TcExit
check_made(const TcOptions *options, const TcBlob *blob,
		   TcReason *reterr_reason)
{
	if (blob->head.key != options->key)
		return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"systemd-creds was asked for key %s and took %s",
						tc_credential_key_name(options->key),
						tc_credential_key_name(blob->head.key));
	if (blob->head.pcrs != 0 && !blob->head.sha256)
		return tc_fault(TC_EXIT_DENIED, reterr_reason,
						"the TPM has no PCRs of the bank sha256 in use, and others are too weak");
	return TC_EXIT_OK;
}

/*
 * Open the blob as a later run would, from its bytes.  A blob that cannot be
 * opened would be found out too late, after the next start of the machine.
 */
static TcExit
check_blob(const TcOptions *options, const uint8_t *bytes, size_t len,
		   const uint8_t *secret, TcReason *reterr_reason)
{
	uint8_t		opened[TC_SECRET_BYTES];
	TcBlob		blob;
	TcExit		code;

	code = tc_blob_decode(bytes, len, &blob, reterr_reason);
	if (code == TC_EXIT_OK)
		code = check_made(options, &blob, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	code = tc_creds_decrypt(&options->creds, &blob.credential, opened,
							reterr_reason);
	if (code == TC_EXIT_OK && sodium_memcmp(secret, opened, TC_SECRET_BYTES) != 0)
		code = tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"systemd-creds did not give back what it had sealed");
	sodium_memzero(opened, sizeof(opened));
	return code;
}

static TcExit
seal_secret(const TcOptions *options, const uint8_t *secret,
			uint8_t *ret_bytes, size_t *ret_len, TcReason *reterr_reason)
{
	TcBlob		blob = {.software_tpm = options->software_tpm};
	TcExit		code;

	snprintf(blob.name, sizeof(blob.name), "%s", options->creds.name);
	code = tc_creds_check_version(reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_creds_encrypt(&options->creds, secret, &blob.credential,
								reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_blob_encode(&blob, ret_bytes, ret_len, reterr_reason);
	if (code == TC_EXIT_OK)
		code = check_blob(options, ret_bytes, *ret_len, secret, reterr_reason);
	return code;
}

static TcExit
seal(const TcOptions *options, TcReason *reterr_reason)
{
	uint8_t		secret[TC_SECRET_BYTES + 1];
	uint8_t		bytes[TC_BLOB_MAX];
	size_t		len = 0;
	TcExit		code;

	if (geteuid() != 0)
		return tc_fault(TC_EXIT_DENIED, reterr_reason,
						"only root can seal a credential for a service");
	code = read_secret(secret, reterr_reason);
	if (code == TC_EXIT_OK)
		code = seal_secret(options, secret, bytes, &len, reterr_reason);
	sodium_memzero(secret, sizeof(secret));
	if (code == TC_EXIT_OK)
		code = tc_write_output(STDOUT_FILENO, bytes, len, reterr_reason);
	return code;
}

/* Read what systemd has decrypted; "--directory" has it under its name. */
static TcExit
read_decrypted(const TcOptions *options, const TcBlob *blob,
			   uint8_t *ret_secret, TcReason *reterr_reason)
{
	char		path[TC_PATH_MAX];
	int			len;

	if (options->credential != NULL)
		len = snprintf(path, sizeof(path), "%s", options->credential);
	else if (options->directory != NULL)
		len = snprintf(path, sizeof(path), "%s/%s", options->directory, blob->name);
	else
		return tc_fault(TC_EXIT_UNAVAILABLE, reterr_reason,
						"the server was given no credential: its unit has no LoadCredentialEncrypted=%s, and themis_crypt.credential is not set",
						blob->name);
	if (len < 0 || (size_t) len >= sizeof(path))
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"the path of the credential file is too long");
	return tc_credfile_read(path, ret_secret, reterr_reason);
}

static TcExit
unseal(const TcOptions *options, TcReason *reterr_reason)
{
	uint8_t		secret[TC_SECRET_BYTES];
	TcCredsOptions creds = options->creds;
	TcBlob		blob;
	TcExit		code;

	code = read_blob(&blob, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	creds.name = blob.name;
	if (!options->decrypt)
		code = read_decrypted(options, &blob, secret, reterr_reason);
	else
	{
		code = tc_creds_check_version(reterr_reason);
		if (code == TC_EXIT_OK)
			code = tc_creds_decrypt(&creds, &blob.credential, secret,
									reterr_reason);
	}
	if (code == TC_EXIT_OK)
		code = tc_write_output(STDOUT_FILENO, secret, sizeof(secret),
							   reterr_reason);
	sodium_memzero(secret, sizeof(secret));
	return code;
}

/*
 * What the secret is bound to.  A TPM that is a program adds nothing to the
 * host key.
 */
static const char *
binding(const TcCredentialHead *head, bool software_tpm)
{
	if (!software_tpm)
		return tc_credential_key_name(head->key);
	return (head->key & TC_KEY_HOST) != 0 ? "host" : "software";
}

/* Print what info and check have in common. */
static TcExit
describe(const TcCredentialHead *head, bool software_tpm, const char *name,
		 TcReason *reterr_reason)
{
	char		text[512];
	char		type_id[2 * TC_CREDENTIAL_ID_BYTES + 1];
	char		pcrs[128] = "";
	size_t		at = 0;
	int			len;

	(void) sodium_bin2hex(type_id, sizeof(type_id), head->type_id,
						  sizeof(head->type_id));
	for (int i = 0; i < 24; i++)
	{
		if ((head->pcrs & UINT32_C(1) << i) != 0)
			at += (size_t) snprintf(pcrs + at, sizeof(pcrs) - at, "%s%d",
									at > 0 ? "," : head->sha256 ? ", pcrs sha256:" : ", pcrs other:", i);
	}
	len = snprintf(text, sizeof(text),
				   "provider=systemd-creds\nbinding=%s\nname=%s\ntype_id=%s\npolicy=credential %s%s\n",
				   binding(head, software_tpm), name, type_id, name, pcrs);
	if (len < 0 || (size_t) len >= sizeof(text))
		return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"the description does not fit");
	return tc_write_output(STDOUT_FILENO, (const uint8_t *) text, (size_t) len,
						   reterr_reason);
}

static TcExit
info(const TcOptions *options, TcReason *reterr_reason)
{
	TcBlob		blob;
	TcExit		code;

	(void) options;
	code = read_blob(&blob, reterr_reason);
	if (code == TC_EXIT_OK)
		code = describe(&blob.head, blob.software_tpm, blob.name, reterr_reason);
	return code;
}

/* Print the credential as the file that systemd reads. */
static TcExit
credential(const TcOptions *options, TcReason *reterr_reason)
{
	char		text[TC_CREDENTIAL_TEXT_MAX];
	TcBlob		blob;
	TcExit		code;

	(void) options;
	code = read_blob(&blob, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_credential_to_text(&blob.credential, text, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_write_output(STDOUT_FILENO, (const uint8_t *) text,
							   strlen(text), reterr_reason);
	return code;
}

/*
 * Look at such a file on standard input, before a unit hands its contents on:
 * systemd itself accepts a null key.
 */
static TcExit
check(const TcOptions *options, TcReason *reterr_reason)
{
	uint8_t		text[TC_CREDENTIAL_TEXT_MAX];
	TcCredential made;
	TcCredentialHead head;
	size_t		len;
	TcExit		code;

	code = tc_read_input(STDIN_FILENO, sizeof(text), text, &len, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_credential_from_text(tc_span(text, len), &made, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_credential_head(tc_span(made.bytes, made.len), &head,
								  reterr_reason);
	if (code == TC_EXIT_OK && options->key != 0 && head.key != options->key)
		code = tc_fault(TC_EXIT_DENIED, reterr_reason,
						"the credential is under key %s instead of %s",
						tc_credential_key_name(head.key),
						tc_credential_key_name(options->key));
	return code;
}

int
main(int argc, char **argv)
{
	static TcExit (*const verbs[]) (const TcOptions *, TcReason *) = {
		[TC_VERB_SEAL] = seal,
		[TC_VERB_UNSEAL] = unseal,
		[TC_VERB_INFO] = info,
		[TC_VERB_CREDENTIAL] = credential,
		[TC_VERB_CHECK] = check
	};
	TcOptions	options;
	TcReason	reason = {""};
	TcExit		code;

	code = tc_harden_process(&reason);
	if (code == TC_EXIT_OK && sodium_init() < 0)
		code = tc_fault(TC_EXIT_INTERNAL, &reason,
						"the cryptographic library does not start");
	if (code == TC_EXIT_OK)
		code = tc_options_parse(argc, argv, &options, &reason);
	if (code == TC_EXIT_OK)
		code = verbs[options.verb] (&options, &reason);
	if (code != TC_EXIT_OK)
		(void) dprintf(STDERR_FILENO, "%s\n", reason.text);
	return (int) code;
}
