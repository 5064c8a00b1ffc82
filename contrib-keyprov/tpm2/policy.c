/*-------------------------------------------------------------------------
 *
 * policy.c
 *	  What the TPM is asked about the policy of a sealed object.
 *
 * contrib-keyprov/tpm2/policy.c
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "policy.h"
#include "tcti.h"

#define SELECT_BYTES	3

/* What a TPM of libtpms calls itself; QEMU and swtpm are built on it. */
static const char *const libtpms_vendor = "SW   TPM";

static TPML_PCR_SELECTION
selection_of(uint32_t set)
{
	TPML_PCR_SELECTION selection = {
		.count = 1,
		.pcrSelections[0] = {
			.hash = TPM2_ALG_SHA256,
			.sizeofSelect = SELECT_BYTES
		}
	};

	for (int i = 0; i < SELECT_BYTES; i++)
		selection.pcrSelections[0].pcrSelect[i] = (BYTE) (set >> (8 * i));
	return selection;
}

/* Those of the bank sha256 in a selection that came from a TPM. */
static uint32_t
set_of(const TPML_PCR_SELECTION *selection)
{
	uint32_t	set = 0;

	for (UINT32 i = 0; i < selection->count; i++)
	{
		const TPMS_PCR_SELECTION *bank = &selection->pcrSelections[i];

		if (bank->hash != TPM2_ALG_SHA256)
			continue;
		for (int j = 0; j < bank->sizeofSelect && j < SELECT_BYTES; j++)
			set |= (uint32_t) bank->pcrSelect[j] << (8 * j);
	}
	return set;
}

/*
 * Ask for numbers that describe the TPM: "count" of them from "first" on.
 * One that the TPM does not know is 0.
 */
static TcExit
get_properties(TcTpmLink *tpm, TPM2_PT first, UINT32 count,
			   uint32_t *ret_values, TcReason *reterr_reason)
{
	TPMS_CAPABILITY_DATA *found = NULL;
	TSS2_RC		rc;

	rc = Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
							TPM2_CAP_TPM_PROPERTIES, first, count,
							/* moreData= */ NULL, &found);
	if (rc != TSS2_RC_SUCCESS)
		return tc_tpmlink_fault(tpm, TC_STEP_PROPERTIES, rc, reterr_reason);

	memset(ret_values, 0, count * sizeof(uint32_t));
	for (UINT32 i = 0; i < found->data.tpmProperties.count; i++)
	{
		const TPMS_TAGGED_PROPERTY *property = &found->data.tpmProperties.tpmProperty[i];

		if (property->property >= first && property->property - first < count)
			ret_values[property->property - first] = property->value;
	}
	Esys_Free(found);
	return TC_EXIT_OK;
}

TcExit
tc_policy_tpm_kind(TcTpmLink *tpm, const char *tcti, uint8_t *ret_kind,
				   TcReason *reterr_reason)
{
	uint32_t	words[4];		/* four characters each */
	char		vendor[sizeof(words) + 1] = "";
	TcExit		code;

	code = get_properties(tpm, TPM2_PT_VENDOR_STRING_1, 4, words, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	for (size_t i = 0; i < sizeof(words); i++)
		vendor[i] = (char) (words[i / 4] >> (24 - 8 * (i % 4)));
	if (tc_tcti_is_simulator(tcti) || strcmp(vendor, libtpms_vendor) == 0)
		*ret_kind = TC_TPM_PROGRAM;
	else
		*ret_kind = TC_TPM_DEVICE;
	return TC_EXIT_OK;
}

/* Take the values of one answer; those taken leave "missing". */
static TcExit
take_values(const TPML_PCR_SELECTION *selection, const TPML_DIGEST *values,
			uint32_t *missing, TcPcrs *pcrs, TcReason *reterr_reason)
{
	uint32_t	got = set_of(selection);
	UINT32		next = 0;
	char		text[TC_PCR_TEXT_MAX];

	if (got == 0 || values->count == 0)
	{
		tc_pcr_text(*missing, text);
		return tc_fault(TC_EXIT_WRONG_POLICY, reterr_reason,
						"the TPM has no PCR %s in the bank sha256 (is that bank switched off in the firmware?)",
						text);
	}
	for (int pcr = 0; pcr < TC_PCR_COUNT; pcr++)
	{
		if (!tc_pcr_in(got, pcr))
			continue;
		if (!tc_pcr_in(*missing, pcr) || next >= values->count ||
			values->digests[next].size != TC_PCR_VALUE_BYTES)
			return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
							"the TPM gave PCRs that it was not asked for");
		memcpy(pcrs->value[pcr], values->digests[next].buffer,
			   TC_PCR_VALUE_BYTES);
		*missing &= ~(UINT32_C(1) << pcr);
		next++;
	}
	return TC_EXIT_OK;
}

/* Read the PCRs of a set; the TPM gives a few at a time. */
static TcExit
read_pcrs(TcTpmLink *tpm, uint32_t set, TcPcrs *ret_pcrs,
		  TcReason *reterr_reason)
{
	uint32_t	missing = set;
	UINT32		first_count = 0;

	memset(ret_pcrs, 0, sizeof(TcPcrs));
	ret_pcrs->selected = set;
	while (missing != 0)
	{
		TPML_PCR_SELECTION wanted = selection_of(missing);
		TPML_PCR_SELECTION *got = NULL;
		TPML_DIGEST *values = NULL;
		UINT32		count = 0;	/* how often any PCR was changed */
		TSS2_RC		rc;
		TcExit		code;

		rc = Esys_PCR_Read(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
						   &wanted, &count, &got, &values);
		if (rc == TSS2_RC_SUCCESS && missing == set)
			first_count = count;
		if (rc == TSS2_RC_SUCCESS && count != first_count)
			rc = TPM2_RC_PCR_CHANGED;
		if (rc == TSS2_RC_SUCCESS)
			code = take_values(got, values, &missing, ret_pcrs, reterr_reason);
		else
			code = tc_tpmlink_fault(tpm, TC_STEP_READ_PCRS, rc, reterr_reason);
		Esys_Free(got);
		Esys_Free(values);
		if (code != TC_EXIT_OK)
			return code;
	}
	return TC_EXIT_OK;
}

TcExit
tc_policy_record_pcrs(TcTpmLink *tpm, uint32_t set, TcPcrs *ret_pcrs,
					  TcReason *reterr_reason)
{
	char		text[TC_PCR_TEXT_MAX];
	TcExit		code;

	code = read_pcrs(tpm, set, ret_pcrs, reterr_reason);
	if (code == TC_EXIT_OK && tc_pcr_blank(ret_pcrs))
	{
		tc_pcr_text(set, text);
		code = tc_fault(TC_EXIT_WRONG_POLICY, reterr_reason,
						"nothing has been measured into PCR %s of the bank sha256, so a policy on it would protect nothing",
						text);
	}
	return code;
}

/* Tell a session, in this order, all that the policy asks for. */
static TcExit
walk_policy(TcTpmLink *tpm, uint8_t policy, uint32_t pcrs,
			TcReason *reterr_reason)
{
	const TPM2B_DIGEST as_they_are = {0};
	TPML_PCR_SELECTION selection = selection_of(pcrs);
	TSS2_RC		rc = TSS2_RC_SUCCESS;

	if ((policy & TC_POLICY_PCR) != 0)
		rc = Esys_PolicyPCR(tpm->esys, tpm->policy, ESYS_TR_NONE, ESYS_TR_NONE,
							ESYS_TR_NONE, &as_they_are, &selection);
	if (rc == TSS2_RC_SUCCESS && (policy & TC_POLICY_PIN) != 0)
		rc = Esys_PolicyAuthValue(tpm->esys, tpm->policy, ESYS_TR_NONE,
								  ESYS_TR_NONE, ESYS_TR_NONE);
	if (rc != TSS2_RC_SUCCESS)
		return tc_tpmlink_fault(tpm, TC_STEP_POLICY, rc, reterr_reason);
	return TC_EXIT_OK;
}

TcExit
tc_policy_digest(TcTpmLink *tpm, uint8_t policy, uint32_t pcrs,
				 TPM2B_DIGEST *ret_digest, TcReason *reterr_reason)
{
	TPM2B_DIGEST *digest = NULL;
	TcExit		code;
	TSS2_RC		rc;

	memset(ret_digest, 0, sizeof(TPM2B_DIGEST));
	if (policy == 0)
		return TC_EXIT_OK;
	code = tc_tpmlink_start_session(tpm, TPM2_SE_TRIAL, &tpm->policy,
									reterr_reason);
	if (code == TC_EXIT_OK)
		code = walk_policy(tpm, policy, pcrs, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	rc = Esys_PolicyGetDigest(tpm->esys, tpm->policy, ESYS_TR_NONE,
							  ESYS_TR_NONE, ESYS_TR_NONE, &digest);
	if (rc != TSS2_RC_SUCCESS)
		return tc_tpmlink_fault(tpm, TC_STEP_POLICY, rc, reterr_reason);
	*ret_digest = *digest;
	Esys_Free(digest);
	return TC_EXIT_OK;
}

/* Compare the PCRs with what they held when the secret was sealed. */
static TcExit
check_pcrs(TcTpmLink *tpm, const TcPcrs *recorded, TcReason *reterr_reason)
{
	TcPcrs		now;
	uint32_t	changed;
	char		text[TC_PCR_TEXT_MAX];
	TcExit		code;

	code = read_pcrs(tpm, recorded->selected, &now, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	changed = tc_pcr_changed(recorded, &now);
	if (changed == 0)
		return TC_EXIT_OK;
	tc_pcr_text(changed, text);
	return tc_fault(TC_EXIT_WRONG_POLICY, reterr_reason,
					"PCR %s %s changed since the secret was sealed (another firmware, boot loader or setting of them?)",
					text, strchr(text, ',') == NULL ? "has" : "have");
}

/*
 * May a PIN be tried?  Not if it is the last try before the TPM locks: others
 * use that TPM, too.
 */
static TcExit
check_lockout(TcTpmLink *tpm, TcReason *reterr_reason)
{
	uint32_t	values[2];		/* failures counted, and how many lock it */
	TcExit		code;

	code = get_properties(tpm, TPM2_PT_LOCKOUT_COUNTER, 2, values, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	if (values[1] > 0 && values[0] < values[1] - 1)
		return TC_EXIT_OK;		/* a TPM that does not say it gives zeros */
	return tc_fault(TC_EXIT_DENIED, reterr_reason,
					"the PIN was not tried: the TPM has counted %u failed authorizations, and %u lock it (wait until it forgets them, or tpm2_dictionarylockout -c)",
					(unsigned int) values[0], (unsigned int) values[1]);
}

TcExit
tc_policy_check(TcTpmLink *tpm, const TcBlob *blob, TcReason *reterr_reason)
{
	TcExit		code = TC_EXIT_OK;

	if ((blob->policy & TC_POLICY_PCR) != 0)
		code = check_pcrs(tpm, &blob->pcrs, reterr_reason);
	if (code == TC_EXIT_OK && (blob->policy & TC_POLICY_PIN) != 0)
		code = check_lockout(tpm, reterr_reason);
	return code;
}

TcExit
tc_policy_start(TcTpmLink *tpm, const TcBlob *blob, TcReason *reterr_reason)
{
	TcExit		code;

	code = tc_tpmlink_start_session(tpm, TPM2_SE_POLICY, &tpm->policy,
									reterr_reason);
	if (code == TC_EXIT_OK)
		code = walk_policy(tpm, blob->policy, blob->pcrs.selected, reterr_reason);
	return code;
}
