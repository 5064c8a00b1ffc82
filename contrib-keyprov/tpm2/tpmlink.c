/*-------------------------------------------------------------------------
 *
 * tpmlink.c
 *	  A connection to the TPM, with its storage key and a protected session.
 *
 * contrib-keyprov/tpm2/tpmlink.c
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include "tcti.h"
#include "tpmlink.h"

/*
 * The storage key: the common template for an ECC P-256 key that protects
 * other keys.  A change of any bit gives another key, and makes all blobs
 * unreadable that were sealed before.
 */
static const TPM2B_PUBLIC srk_template = {
	.publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT |
		TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
		TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
		TPMA_OBJECT_NODA,
		.parameters.eccDetail = {
			.symmetric = {
				.algorithm = TPM2_ALG_AES,
				.keyBits.aes = 128,
				.mode.aes = TPM2_ALG_CFB
			},
			.scheme.scheme = TPM2_ALG_NULL,
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL
		}
	}
};

TcExit
tc_tpmlink_fault(TcTpmLink *tpm, TcStep step, TSS2_RC rc,
				 TcReason *reterr_reason)
{
	return tc_fault_tss(step, rc, &tpm->remedy, reterr_reason);
}

static TcExit
connect_fault(TcTpmLink *tpm, const char *tcti, TSS2_RC rc,
			  TcReason *reterr_reason)
{
	/* Only an administrator can change that: trying again is of no use. */
	if (rc == TSS2_TCTI_RC_NOT_SUPPORTED)
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"the module of TPM interface \"%s\" is not installed",
						tcti);
	return tc_tpmlink_fault(tpm, TC_STEP_CONNECT, rc, reterr_reason);
}

/* Have the TPM derive the storage key, and remember its name. */
static TcExit
derive_srk(TcTpmLink *tpm, TcReason *reterr_reason)
{
	const TPM2B_SENSITIVE_CREATE no_auth = {0};
	const TPM2B_DATA outside_info = {0};
	const TPML_PCR_SELECTION no_pcrs = {0};
	ESYS_TR		srk = ESYS_TR_NONE;
	TPM2B_NAME *name = NULL;
	TSS2_RC		rc;

	rc = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
							ESYS_TR_NONE, ESYS_TR_NONE, &no_auth, &srk_template,
							&outside_info, &no_pcrs, &srk,
							/* outPublic= */ NULL, /* creationData= */ NULL,
							/* creationHash= */ NULL,
							/* creationTicket= */ NULL);
	if (rc != TSS2_RC_SUCCESS)
		return tc_tpmlink_fault(tpm, TC_STEP_PRIMARY, rc, reterr_reason);
	tpm->srk = srk;

	/* The library has computed this name itself, over the public area. */
	rc = Esys_TR_GetName(tpm->esys, tpm->srk, &name);
	if (rc != TSS2_RC_SUCCESS)
		return tc_tpmlink_fault(tpm, TC_STEP_PRIMARY, rc, reterr_reason);
	tpm->srk_name = *name;
	Esys_Free(name);
	return TC_EXIT_OK;
}

/* Send FlushContext past the ESYS layer. */
static TSS2_RC
flush_directly(TSS2_TCTI_CONTEXT *tcti, TPM2_HANDLE handle)
{
	uint8_t		command[14];
	uint8_t		answer[TPM2_MAX_RESPONSE_SIZE];
	size_t		size = sizeof(answer);
	size_t		at = 0;
	TPM2_RC		answer_rc = TPM2_RC_FAILURE;
	TSS2_RC		rc;

	rc = Tss2_MU_TPM2_ST_Marshal(TPM2_ST_NO_SESSIONS, command,
								 sizeof(command), &at);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_UINT32_Marshal(sizeof(command), command,
									sizeof(command), &at);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPM2_CC_Marshal(TPM2_CC_FlushContext, command,
									 sizeof(command), &at);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_UINT32_Marshal(handle, command, sizeof(command), &at);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_Tcti_Transmit(tcti, sizeof(command), command);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_Tcti_Receive(tcti, &size, answer, TSS2_TCTI_TIMEOUT_BLOCK);

	at = 6;						/* past the tag and the size */
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_UINT32_Unmarshal(answer, size, &at, &answer_rc);
	return rc == TSS2_RC_SUCCESS ? answer_rc : rc;
}

/*
 * Remove all transient objects or loaded sessions, whoever put them there.
 * Sessions that were saved belong to somebody who will be back, and stay.
 */
static TcExit
flush_kind(TcTpmLink *tpm, TPM2_HT kind, TcReason *reterr_reason)
{
	const TPM2_HANDLE first = (TPM2_HANDLE) kind << TPM2_HR_SHIFT;
	TPMS_CAPABILITY_DATA *found = NULL;
	TSS2_RC		rc;

	rc = Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
							TPM2_CAP_HANDLES, first, TPM2_MAX_CAP_HANDLES,
							/* moreData= */ NULL, &found);
	if (rc != TSS2_RC_SUCCESS)
		return tc_tpmlink_fault(tpm, TC_STEP_PROPERTIES, rc, reterr_reason);
	for (UINT32 i = 0; i < found->data.handles.count; i++)
	{
		rc = flush_directly(tpm->tcti, found->data.handles.handle[i]);
		if (rc != TSS2_RC_SUCCESS)
			break;
	}
	Esys_Free(found);
	if (rc != TSS2_RC_SUCCESS)
		return tc_tpmlink_fault(tpm, TC_STEP_FLUSH, rc, reterr_reason);
	return TC_EXIT_OK;
}

static TcExit
connect_to(TcTpmLink *tpm, const char *tcti, TcReason *reterr_reason)
{
	TcExit		code;
	TSS2_RC		rc;

	code = tc_tcti_check(tcti, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	rc = Tss2_TctiLdr_Initialize(tcti, &tpm->tcti);
	if (rc != TSS2_RC_SUCCESS)
	{
		tpm->tcti = NULL;
		return connect_fault(tpm, tcti, rc, reterr_reason);
	}
	rc = Esys_Initialize(&tpm->esys, tpm->tcti, /* abiVersion= */ NULL);
	if (rc != TSS2_RC_SUCCESS)
	{
		tpm->esys = NULL;
		return tc_tpmlink_fault(tpm, TC_STEP_CONNECT, rc, reterr_reason);
	}
	return TC_EXIT_OK;
}

TcExit
tc_tpmlink_open(const char *tcti, bool make_room, TcTpmLink *ret_link,
				TcReason *reterr_reason)
{
	TcExit		code;

	memset(ret_link, 0, sizeof(TcTpmLink));
	ret_link->srk = ESYS_TR_NONE;
	ret_link->session = ESYS_TR_NONE;
	ret_link->object = ESYS_TR_NONE;
	ret_link->policy = ESYS_TR_NONE;
	ret_link->remedy = TC_REMEDY_NONE;

	code = connect_to(ret_link, tcti, reterr_reason);
	if (code == TC_EXIT_OK && make_room)
		code = flush_kind(ret_link, TPM2_HT_TRANSIENT, reterr_reason);
	if (code == TC_EXIT_OK && make_room)
		code = flush_kind(ret_link, TPM2_HT_LOADED_SESSION, reterr_reason);
	if (code == TC_EXIT_OK)
		code = derive_srk(ret_link, reterr_reason);
	return code;
}

TcExit
tc_tpmlink_start_session(TcTpmLink *tpm, TPM2_SE type, ESYS_TR *ret_session,
						 TcReason *reterr_reason)
{
	static const TPMT_SYM_DEF aes_cfb = {
		.algorithm = TPM2_ALG_AES,
		.keyBits.aes = 128,
		.mode.aes = TPM2_ALG_CFB
	};
	ESYS_TR		session = ESYS_TR_NONE;
	TSS2_RC		rc;

	rc = Esys_StartAuthSession(tpm->esys, /* tpmKey= */ tpm->srk,
							   /* bind= */ ESYS_TR_NONE, ESYS_TR_NONE,
							   ESYS_TR_NONE, ESYS_TR_NONE,
							   /* nonceCaller= */ NULL, type, &aes_cfb,
							   TPM2_ALG_SHA256, &session);
	if (rc != TSS2_RC_SUCCESS)
		return tc_tpmlink_fault(tpm, TC_STEP_SESSION, rc, reterr_reason);
	*ret_session = session;
	return TC_EXIT_OK;
}

/*
 * Remove one thing from the TPM.
 *
 * An ESYS context that has once seen an answer it did not like refuses all
 * further commands.  What it had loaded must go all the same.
 */
static TSS2_RC
flush(TcTpmLink *tpm, ESYS_TR *which)
{
	TPM2_HANDLE handle;
	TSS2_RC		rc;

	if (*which == ESYS_TR_NONE)
		return TSS2_RC_SUCCESS;
	rc = Esys_TR_GetTpmHandle(tpm->esys, *which, &handle);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	rc = Esys_FlushContext(tpm->esys, *which);
	if (rc == TSS2_ESYS_RC_BAD_SEQUENCE)
		rc = flush_directly(tpm->tcti, handle);
	if (rc == TSS2_RC_SUCCESS)
		*which = ESYS_TR_NONE;
	return rc;
}

TcExit
tc_tpmlink_close(TcTpmLink *tpm, TcExit code, TcReason *reterr_reason)
{
	ESYS_TR    *const all[] = {
		&tpm->object, &tpm->policy, &tpm->session, &tpm->srk
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
	{
		TSS2_RC		rc = flush(tpm, all[i]);

		if (rc != TSS2_RC_SUCCESS && code == TC_EXIT_OK)
			code = tc_tpmlink_fault(tpm, TC_STEP_FLUSH, rc, reterr_reason);
	}
	if (tpm->esys != NULL)
		Esys_Finalize(&tpm->esys);
	if (tpm->tcti != NULL)
		Tss2_TctiLdr_Finalize(&tpm->tcti);
	return code;
}
