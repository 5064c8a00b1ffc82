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

#include "policy.h"
#include "tcti.h"
#include "tpm.h"
#include "tpmlink.h"

/*
 * Pauses between tries while the TPM is busy.  They add up to less than a
 * second, so that the caller's deadline is not spent on waiting.
 */
static const long pause_ms[] = {50, 100, 200, 400};

#define MAX_WAITS	(sizeof(pause_ms) / sizeof(pause_ms[0]))
#define MAX_ROOMS	2
#define MAX_RESTARTS 1

/* What is protected of a command's first parameter, and of its answer's. */
#define ENCRYPT_BOTH \
	(TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT)
#define ENCRYPT_ANSWER \
	(TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_ENCRYPT)

/* What is to be done, in one try or several. */
typedef struct Job
{
	const char *tcti;
	const TcPin *pin;

	/* Sealing. */
	const uint8_t *secret;
	uint32_t	pcrs;
	TcBlob	   *ret_blob;

	/* Unsealing. */
	const TcBlob *blob;
	uint8_t    *ret_secret;
} Job;

typedef TcExit (*Attempt) (TcTpmLink *tpm, const Job *job,
						   TcReason *reterr_reason);

/* How often each remedy was tried. */
typedef struct Tries
{
	size_t		waits;
	size_t		rooms;
	size_t		restarts;
} Tries;

/* Choose what the session encrypts in the next command. */
static TSS2_RC
protect(TcTpmLink *tpm, TPMA_SESSION attributes)
{
	return Esys_TRSess_SetAttributes(tpm->esys, tpm->session, attributes, 0xff);
}

/* Make the sealed object, under the SRK and in the session of "tpm". */
static TcExit
create_object(TcTpmLink *tpm, const Job *job, const TPM2B_DIGEST *policy_digest,
			  TcReason *reterr_reason)
{
	const TPM2B_DATA outside_info = {0};
	const TPML_PCR_SELECTION no_pcrs = {0};
	const TPM2B_PUBLIC template = {
		.publicArea = {
			.type = TPM2_ALG_KEYEDHASH,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = tc_blob_attributes(job->ret_blob->policy),
			.authPolicy = *policy_digest,
			.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL
		}
	};
	TPM2B_SENSITIVE_CREATE sensitive = {0};
	TPM2B_PRIVATE *priv = NULL;
	TPM2B_PUBLIC *pub = NULL;
	TSS2_RC		rc;

	sensitive.sensitive.data.size = TC_SECRET_BYTES;
	memcpy(sensitive.sensitive.data.buffer, job->secret, TC_SECRET_BYTES);
	sensitive.sensitive.userAuth.size = (UINT16) job->pin->len;
	memcpy(sensitive.sensitive.userAuth.buffer, job->pin->bytes, job->pin->len);
	rc = protect(tpm, ENCRYPT_BOTH);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_Create(tpm->esys, tpm->srk, tpm->session,
						 ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
						 &template, &outside_info, &no_pcrs, &priv, &pub,
						 /* creationData= */ NULL, /* creationHash= */ NULL,
						 /* creationTicket= */ NULL);
	explicit_bzero(&sensitive, sizeof(sensitive));
	if (rc != TSS2_RC_SUCCESS)
		return tc_tpmlink_fault(tpm, TC_STEP_CREATE, rc, reterr_reason);

	job->ret_blob->pub = *pub;
	job->ret_blob->priv = *priv;
	Esys_Free(pub);
	Esys_Free(priv);
	return TC_EXIT_OK;
}

/*
 * Seal, in one try.  The values of PCRs are read before the TPM computes the
 * policy from them.  If they change in between, the blob contradicts itself,
 * and whoever opens it to check is told which one changed.
 */
static TcExit
try_to_seal(TcTpmLink *tpm, const Job *job, TcReason *reterr_reason)
{
	TcBlob	   *blob = job->ret_blob;
	TPM2B_DIGEST policy_digest;
	TcExit		code;

	memset(blob, 0, sizeof(TcBlob));
	blob->srk_name = tpm->srk_name;
	if (job->pcrs != 0)
		blob->policy |= TC_POLICY_PCR;
	if (job->pin->len != 0)
		blob->policy |= TC_POLICY_PIN;

	code = tc_policy_tpm_kind(tpm, job->tcti, &blob->tpm_kind, reterr_reason);
	if (code == TC_EXIT_OK && job->pcrs != 0)
		code = tc_policy_record_pcrs(tpm, job->pcrs, &blob->pcrs, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_policy_digest(tpm, blob->policy, job->pcrs, &policy_digest,
								reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_tpmlink_start_session(tpm, TPM2_SE_HMAC, &tpm->session,
										reterr_reason);
	if (code == TC_EXIT_OK)
		code = create_object(tpm, job, &policy_digest, reterr_reason);
	return code;
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
		return tc_tpmlink_fault(tpm, TC_STEP_LOAD, rc, reterr_reason);
	tpm->object = object;
	return TC_EXIT_OK;
}

/* Tell the library the PIN, which it needs for the HMAC of the next command. */
static TSS2_RC
set_pin(TcTpmLink *tpm, const TcPin *pin)
{
	TPM2B_AUTH	auth = {0};
	TSS2_RC		rc;

	auth.size = (UINT16) pin->len;
	memcpy(auth.buffer, pin->bytes, pin->len);
	rc = Esys_TR_SetAuth(tpm->esys, tpm->object, &auth);
	explicit_bzero(&auth, sizeof(auth));
	return rc;
}

/* The command that gives the secret; what it needs for that is in "tpm". */
static TSS2_RC
send_unseal(TcTpmLink *tpm, TPM2B_SENSITIVE_DATA **ret_data)
{
	TSS2_RC		rc;

	/* The command has no parameter that could be encrypted. */
	rc = protect(tpm, ENCRYPT_ANSWER);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	if (tpm->policy == ESYS_TR_NONE)
		return Esys_Unseal(tpm->esys, tpm->object, tpm->session,
						   ESYS_TR_NONE, ESYS_TR_NONE, ret_data);
	return Esys_Unseal(tpm->esys, tpm->object, tpm->policy,
					   tpm->session, ESYS_TR_NONE, ret_data);
}

static TcExit
unseal_object(TcTpmLink *tpm, const Job *job, TcReason *reterr_reason)
{
	const bool	with_pin = (job->blob->policy & TC_POLICY_PIN) != 0;
	TPM2B_SENSITIVE_DATA *data = NULL;
	TcExit		code = TC_EXIT_OK;
	TSS2_RC		rc = TSS2_RC_SUCCESS;

	if (with_pin)
		rc = set_pin(tpm, job->pin);
	if (rc == TSS2_RC_SUCCESS)
		rc = send_unseal(tpm, &data);
	if (rc != TSS2_RC_SUCCESS)
		return tc_tpmlink_fault(tpm, with_pin ? TC_STEP_UNSEAL_WITH_PIN : TC_STEP_UNSEAL,
								rc, reterr_reason);

	if (data->size == TC_SECRET_BYTES)
		memcpy(job->ret_secret, data->buffer, TC_SECRET_BYTES);
	else
		code = tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the sealed object does not hold %d bytes",
						TC_SECRET_BYTES);
	explicit_bzero(data, sizeof(*data));
	Esys_Free(data);
	return code;
}

/* Unseal, in one try. */
static TcExit
try_to_unseal(TcTpmLink *tpm, const Job *job, TcReason *reterr_reason)
{
	TcExit		code;

	code = check_machine(tpm, job->blob, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_policy_check(tpm, job->blob, reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_tpmlink_start_session(tpm, TPM2_SE_HMAC, &tpm->session,
										reterr_reason);
	if (code == TC_EXIT_OK)
		code = load_object(tpm, job->blob, reterr_reason);
	if (code == TC_EXIT_OK && job->blob->policy != 0)
		code = tc_policy_start(tpm, job->blob, reterr_reason);
	if (code == TC_EXIT_OK)
		code = unseal_object(tpm, job, reterr_reason);
	return code;
}

static void
pause_for(long ms)
{
	struct timespec left = {.tv_nsec = ms * 1000000};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		continue;
}

/*
 * Is it worth another try?  If so, pause before where that helps.
 *
 * The library itself has already sent a command again five times if the TPM
 * asked for that, but without a pause.
 */
static bool
another_try(TcRemedy remedy, bool raw, Tries *tries)
{
	if (remedy == TC_REMEDY_NONE)
		return false;
	if (remedy == TC_REMEDY_START_OVER)
		return tries->restarts++ < MAX_RESTARTS;
	if (remedy == TC_REMEDY_ROOM && raw && tries->rooms++ < MAX_ROOMS)
		return true;
	if (tries->waits >= MAX_WAITS)
		return false;
	pause_for(pause_ms[tries->waits++]);
	return true;
}

/*
 * Do a job in as many tries as it is worth.
 *
 * Without a resource manager, room is made before a further try if there was
 * none, and also if the connection was lost: what we had loaded is still there
 * then, and nobody else knows of it.
 */
static TcExit
in_some_tries(Attempt attempt, const Job *job, TcReason *reterr_reason)
{
	const bool	raw = tc_tcti_is_raw(job->tcti);
	bool		make_room = false;
	Tries		tries = {0};
	TcTpmLink	tpm;
	TcExit		code;

	do
	{
		code = tc_tpmlink_open(job->tcti, make_room, &tpm, reterr_reason);
		if (code == TC_EXIT_OK)
			code = attempt(&tpm, job, reterr_reason);
		code = tc_tpmlink_close(&tpm, code, reterr_reason);
		make_room = raw && (tpm.remedy == TC_REMEDY_ROOM ||
							tpm.remedy == TC_REMEDY_START_OVER);
	} while (code != TC_EXIT_OK && another_try(tpm.remedy, raw, &tries));
	return code;
}

TcExit
tc_tpm_seal(const char *tcti, const uint8_t secret[TC_SECRET_BYTES],
			uint32_t pcrs, const TcPin *pin, TcBlob *ret_blob,
			TcReason *reterr_reason)
{
	const Job	job = {
		.tcti = tcti,
		.pin = pin,
		.secret = secret,
		.pcrs = pcrs,
		.ret_blob = ret_blob
	};
	TcExit		code;

	code = in_some_tries(try_to_seal, &job, reterr_reason);
	if (code != TC_EXIT_OK)
		memset(ret_blob, 0, sizeof(TcBlob));
	return code;
}

TcExit
tc_tpm_unseal(const char *tcti, const TcBlob *blob, const TcPin *pin,
			  uint8_t ret_secret[TC_SECRET_BYTES], TcReason *reterr_reason)
{
	const Job	job = {
		.tcti = tcti,
		.pin = pin,
		.blob = blob,
		.ret_secret = ret_secret
	};
	TcExit		code;

	code = in_some_tries(try_to_unseal, &job, reterr_reason);
	if (code != TC_EXIT_OK)
		explicit_bzero(ret_secret, TC_SECRET_BYTES);
	return code;
}
