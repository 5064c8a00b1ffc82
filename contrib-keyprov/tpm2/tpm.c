/*-------------------------------------------------------------------------
 *
 * tpm.c
 *	  Seal 32 bytes to this machine's TPM, and get them back.
 *
 * contrib-keyprov/tpm2/tpm.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <tss2/tss2_esys.h>

#include "tpm.h"
#include "tpmlink.h"

/*
 * Pauses between tries while the TPM is busy.  They add up to less than a
 * second, so that the caller's deadline is not spent on waiting.
 */
static const long pause_ms[] = {50, 100, 200, 400};

#define PAUSES	(sizeof(pause_ms) / sizeof(pause_ms[0]))

/* What is protected of a command's first parameter, and of its answer's. */
#define ENCRYPT_BOTH \
	(TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT)
#define ENCRYPT_ANSWER \
	(TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_ENCRYPT)

static const TPM2B_PUBLIC sealed_template = {
	.publicArea = {
		.type = TPM2_ALG_KEYEDHASH,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TC_SEALED_ATTRIBUTES,
		.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL
	}
};

/* Choose what the session encrypts in the next command. */
static TSS2_RC
protect(TcTpmLink *tpm, TPMA_SESSION attributes)
{
	return Esys_TRSess_SetAttributes(tpm->esys, tpm->session, attributes, 0xff);
}

/* Make the sealed object, under the SRK and in the session of "tpm". */
static TcExit
create_object(TcTpmLink *tpm, const uint8_t *secret, TcBlob *ret_blob,
			  TcReason *reterr_reason)
{
	const TPM2B_DATA outside_info = {0};
	const TPML_PCR_SELECTION no_pcrs = {0};
	TPM2B_SENSITIVE_CREATE sensitive = {0};
	TPM2B_PRIVATE *priv = NULL;
	TPM2B_PUBLIC *pub = NULL;
	TSS2_RC		rc;

	sensitive.sensitive.data.size = TC_SECRET_BYTES;
	memcpy(sensitive.sensitive.data.buffer, secret, TC_SECRET_BYTES);
	rc = protect(tpm, ENCRYPT_BOTH);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_Create(tpm->esys, tpm->srk, tpm->session,
						 ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
						 &sealed_template, &outside_info, &no_pcrs, &priv, &pub,
						 /* creationData= */ NULL, /* creationHash= */ NULL,
						 /* creationTicket= */ NULL);
	explicit_bzero(&sensitive, sizeof(sensitive));
	if (rc != TSS2_RC_SUCCESS)
		return tc_fault_tss(TC_STEP_CREATE, rc, reterr_reason);

	ret_blob->srk_name = tpm->srk_name;
	ret_blob->pub = *pub;
	ret_blob->priv = *priv;
	Esys_Free(pub);
	Esys_Free(priv);
	return TC_EXIT_OK;
}

/* Is this the TPM, in the same life, that the blob was made by? */
static TcExit
check_machine(const TcTpmLink *tpm, const TcBlob *blob,
			  TcReason *reterr_reason)
{
	if (tpm->srk_name.size != blob->srk_name.size ||
		memcmp(tpm->srk_name.name, blob->srk_name.name,
			   blob->srk_name.size) != 0)
		return tc_fault(TC_EXIT_WRONG_MACHINE, reterr_reason,
						"the secret was sealed to another TPM, or this TPM was cleared");
	return TC_EXIT_OK;
}

static TcExit
load_object(TcTpmLink *tpm, const TcBlob *blob, TcReason *reterr_reason)
{
	ESYS_TR		object = ESYS_TR_NONE;
	TSS2_RC		rc;

	rc = protect(tpm, ENCRYPT_BOTH);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_Load(tpm->esys, tpm->srk, tpm->session,
					   ESYS_TR_NONE, ESYS_TR_NONE,
					   &blob->priv, &blob->pub, &object);
	if (rc != TSS2_RC_SUCCESS)
		return tc_fault_tss(TC_STEP_LOAD, rc, reterr_reason);
	tpm->object = object;
	return TC_EXIT_OK;
}

static TcExit
unseal_object(TcTpmLink *tpm, uint8_t *ret_secret, TcReason *reterr_reason)
{
	TPM2B_SENSITIVE_DATA *data = NULL;
	TcExit		code = TC_EXIT_OK;
	TSS2_RC		rc;

	/* The command has no parameter that could be encrypted. */
	rc = protect(tpm, ENCRYPT_ANSWER);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_Unseal(tpm->esys, tpm->object, tpm->session,
						 ESYS_TR_NONE, ESYS_TR_NONE, &data);
	if (rc != TSS2_RC_SUCCESS)
		return tc_fault_tss(TC_STEP_UNSEAL, rc, reterr_reason);

	if (data->size == TC_SECRET_BYTES)
		memcpy(ret_secret, data->buffer, TC_SECRET_BYTES);
	else
		code = tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the sealed object does not hold %d bytes",
						TC_SECRET_BYTES);
	explicit_bzero(data, sizeof(*data));
	Esys_Free(data);
	return code;
}

static TcExit
seal_once(const char *tcti, const uint8_t *secret, TcBlob *ret_blob,
		  TcReason *reterr_reason)
{
	TcTpmLink	tpm;
	TcExit		code;

	code = tc_tpmlink_open(tcti, &tpm, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_tpmlink_start_session(&tpm, reterr_reason);
	if (code == TC_EXIT_OK)
		code = create_object(&tpm, secret, ret_blob, reterr_reason);
	return tc_tpmlink_close(&tpm, code, reterr_reason);
}

static TcExit
unseal_once(const char *tcti, const TcBlob *blob, uint8_t *ret_secret,
			TcReason *reterr_reason)
{
	TcTpmLink	tpm;
	TcExit		code;

	code = tc_tpmlink_open(tcti, &tpm, reterr_reason);
	if (code == TC_EXIT_OK)
		code = check_machine(&tpm, blob, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_tpmlink_start_session(&tpm, reterr_reason);
	if (code == TC_EXIT_OK)
		code = load_object(&tpm, blob, reterr_reason);
	if (code == TC_EXIT_OK)
		code = unseal_object(&tpm, ret_secret, reterr_reason);
	return tc_tpmlink_close(&tpm, code, reterr_reason);
}

/*
 * Is it worth another try?  If so, pause before.
 *
 * The library itself has already sent a command again five times if the TPM
 * asked for that, but without a pause.
 */
static bool
pause_to_retry(TcExit code, size_t tries)
{
	struct timespec left = {0};

	if (code != TC_EXIT_BUSY || tries >= PAUSES)
		return false;
	left.tv_nsec = pause_ms[tries] * 1000000;
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		continue;
	return true;
}

TcExit
tc_tpm_seal(const char *tcti, const uint8_t secret[TC_SECRET_BYTES],
			TcBlob *ret_blob, TcReason *reterr_reason)
{
	size_t		tries = 0;
	TcExit		code;

	do
		code = seal_once(tcti, secret, ret_blob, reterr_reason);
	while (pause_to_retry(code, tries++));
	if (code != TC_EXIT_OK)
		memset(ret_blob, 0, sizeof(TcBlob));
	return code;
}

TcExit
tc_tpm_unseal(const char *tcti, const TcBlob *blob,
			  uint8_t ret_secret[TC_SECRET_BYTES], TcReason *reterr_reason)
{
	size_t		tries = 0;
	TcExit		code;

	do
		code = unseal_once(tcti, blob, ret_secret, reterr_reason);
	while (pause_to_retry(code, tries++));
	if (code != TC_EXIT_OK)
		explicit_bzero(ret_secret, TC_SECRET_BYTES);
	return code;
}
