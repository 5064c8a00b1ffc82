/*-------------------------------------------------------------------------
 *
 * tpmfault.c
 *	  What return codes of the TPM software mean for the caller.
 *
 * A return code has its origin in bits 16 to 23 (the layer) and the code of
 * that layer below.  A code of the TPM itself is of "format 1" if bit 7 is
 * set: the error number is then in bits 0 to 5, bit 6 says that a parameter
 * is meant, and bits 8 to 11 which one (or which handle or session).  Other
 * codes of the TPM are plain numbers.  TPM 2.0 Library, part 2, 6.6.
 *
 * contrib-keyprov/tpm2/tpmfault.c
 *
 *-------------------------------------------------------------------------
 */
#include <stddef.h>
#include <stdint.h>

#include <tss2/tss2_tpm2_types.h>

#include "tpmfault.h"

#define FMT1_NUMBER_MASK	0x0bf	/* drops "which one" and "a parameter" */

/* What a range of codes means: "first" to "last", both included. */
typedef struct Meaning
{
	uint32_t	first;
	uint32_t	last;
	TcExit		code;
	const char *reason;
	TcRemedy	remedy;
} Meaning;

static const char *const NOT_READY = "the TPM is not ready for use";
static const char *const BUSY = "the TPM is busy or out of memory for objects or sessions";
static const char *const DENIED = "the TPM refused an authorization (is a password set, or was a session altered?)";
static const char *const POLICY = "the policy of the sealed object is not satisfied";

/* Codes of the TPM that are plain numbers. */
static const Meaning plain_codes[] = {
	{TPM2_RC_INITIALIZE, TPM2_RC_INITIALIZE, TC_EXIT_UNAVAILABLE,
	"the TPM has not been started by the firmware", TC_REMEDY_NONE},
	{TPM2_RC_FAILURE, TPM2_RC_FAILURE, TC_EXIT_UNAVAILABLE,
	"the TPM is in failure mode", TC_REMEDY_NONE},
	{TPM2_RC_DISABLED, TPM2_RC_DISABLED, TC_EXIT_UNAVAILABLE, NOT_READY, TC_REMEDY_NONE},
	{TPM2_RC_UPGRADE, TPM2_RC_UPGRADE, TC_EXIT_UNAVAILABLE, NOT_READY, TC_REMEDY_NONE},
	{TPM2_RC_REBOOT, TPM2_RC_REBOOT, TC_EXIT_UNAVAILABLE, NOT_READY, TC_REMEDY_NONE},
	{TPM2_RC_POLICY, TPM2_RC_PCR, TC_EXIT_WRONG_POLICY, POLICY, TC_REMEDY_NONE},
	{TPM2_RC_PCR_CHANGED, TPM2_RC_PCR_CHANGED, TC_EXIT_BUSY,
	"the PCRs of the TPM are changing", TC_REMEDY_WAIT},
	{TPM2_RC_CONTEXT_GAP, TPM2_RC_CONTEXT_GAP, TC_EXIT_BUSY, BUSY,
	TC_REMEDY_WAIT},
	{TPM2_RC_OBJECT_MEMORY, TPM2_RC_OBJECT_HANDLES, TC_EXIT_BUSY, BUSY,
	TC_REMEDY_ROOM},
	{TPM2_RC_YIELDED, TPM2_RC_TESTING, TC_EXIT_BUSY, BUSY, TC_REMEDY_WAIT},

	/* Somebody else flushed our objects, or the TPM was reset meanwhile. */
	{TPM2_RC_REFERENCE_H0, TPM2_RC_REFERENCE_S6, TC_EXIT_BUSY,
	"the TPM has lost what was loaded into it", TC_REMEDY_START_OVER},
	{TPM2_RC_NV_RATE, TPM2_RC_NV_RATE, TC_EXIT_BUSY, BUSY, TC_REMEDY_WAIT},
	{TPM2_RC_LOCKOUT, TPM2_RC_LOCKOUT, TC_EXIT_DENIED,
	"the TPM is in dictionary attack lockout", TC_REMEDY_NONE},
	{TPM2_RC_RETRY, TPM2_RC_NV_UNAVAILABLE, TC_EXIT_BUSY, BUSY, TC_REMEDY_WAIT}
};

/* Error numbers of codes of format 1. */
static const Meaning fmt1_codes[] = {
	{TPM2_RC_HIERARCHY, TPM2_RC_HIERARCHY, TC_EXIT_UNAVAILABLE,
	"the storage hierarchy of the TPM is disabled", TC_REMEDY_NONE},
	{TPM2_RC_AUTH_FAIL, TPM2_RC_AUTH_FAIL, TC_EXIT_DENIED, DENIED, TC_REMEDY_NONE},
	{TPM2_RC_BAD_AUTH, TPM2_RC_BAD_AUTH, TC_EXIT_DENIED, DENIED, TC_REMEDY_NONE},
	{TPM2_RC_POLICY_FAIL, TPM2_RC_POLICY_FAIL, TC_EXIT_WRONG_POLICY, POLICY, TC_REMEDY_NONE}
};

static const Meaning damaged = {
	.code = TC_EXIT_DAMAGED,
	.reason = "the sealed blob is damaged"
};
static const Meaning wrong_pin = {
	.code = TC_EXIT_DENIED,
	.reason = "the PIN is wrong, and the TPM has counted that"
};
static const Meaning no_tpm = {
	.code = TC_EXIT_UNAVAILABLE,
	.reason = "could not talk to the TPM"
};
static const Meaning lost_tpm = {
	.code = TC_EXIT_UNAVAILABLE,
	.reason = "lost the connection to the TPM",
	.remedy = TC_REMEDY_START_OVER
};
static const Meaning lost_with_pin = {
	.code = TC_EXIT_DENIED,
	.reason = "lost the connection to the TPM with the PIN on its way; it may have been counted as wrong"
};
static const Meaning forged = {
	.code = TC_EXIT_INTERNAL,
	.reason = "an answer of the TPM was altered on its way"
};
static const Meaning unforeseen = {
	.code = TC_EXIT_INTERNAL,
	.reason = "the TPM or its software answered with an error"
};

static const char *const step_names[] = {
	[TC_STEP_CONNECT] = "connecting",
	[TC_STEP_PROPERTIES] = "GetCapability",
	[TC_STEP_PRIMARY] = "CreatePrimary",
	[TC_STEP_SESSION] = "StartAuthSession",
	[TC_STEP_READ_PCRS] = "PCR_Read",
	[TC_STEP_POLICY] = "Policy",
	[TC_STEP_CREATE] = "Create",
	[TC_STEP_LOAD] = "Load",
	[TC_STEP_UNSEAL] = "Unseal",
	[TC_STEP_UNSEAL_WITH_PIN] = "Unseal",
	[TC_STEP_FLUSH] = "FlushContext"
};

/* Find the meaning of a number. */
static Meaning
look_up(const Meaning *table, size_t entries, uint32_t number)
{
	for (size_t i = 0; i < entries; i++)
	{
		if (number >= table[i].first && number <= table[i].last)
			return table[i];
	}
	return unforeseen;
}

/* The meaning of a code that the TPM itself gave. */
static Meaning
tpm_meaning(TcStep step, uint32_t number)
{
	if ((number & TPM2_RC_FMT1) == 0)
	{
		if (step == TC_STEP_LOAD && number == TPM2_RC_SENSITIVE)
			return damaged;
		return look_up(plain_codes, sizeof(plain_codes) / sizeof(Meaning),
					   number);
	}

	/* The only parameters of Load are the two halves of the sealed object. */
	if (step == TC_STEP_LOAD && (number & TPM2_RC_P) != 0)
		return damaged;
	number &= FMT1_NUMBER_MASK;
	if (step == TC_STEP_UNSEAL_WITH_PIN &&
		(number == TPM2_RC_AUTH_FAIL || number == TPM2_RC_BAD_AUTH))
		return wrong_pin;
	return look_up(fmt1_codes, sizeof(fmt1_codes) / sizeof(Meaning), number);
}

/*
 * The meaning of a failed connection.  If it fails while a PIN is on its way,
 * the TPM may have counted it: then nobody tries again by himself.
 */
static Meaning
connection_meaning(TcStep step)
{
	switch (step)
	{
		case TC_STEP_CONNECT:
			return no_tpm;
		case TC_STEP_UNSEAL_WITH_PIN:
			return lost_with_pin;
		default:
			return lost_tpm;
	}
}

/* The meaning of any code of the TPM software. */
static Meaning
meaning(TcStep step, TSS2_RC rc)
{
	switch (rc & TSS2_RC_LAYER_MASK)
	{
		case TSS2_TPM_RC_LAYER:
		case TSS2_RESMGR_TPM_RC_LAYER:
			return tpm_meaning(step, rc & ~TSS2_RC_LAYER_MASK);
		case TSS2_TCTI_RC_LAYER:
		case TSS2_RESMGR_RC_LAYER:
			return connection_meaning(step);
		case TSS2_MU_RC_LAYER:
			return step == TC_STEP_LOAD ? damaged : unforeseen;
		case TSS2_ESAPI_RC_LAYER:
			return (rc & ~TSS2_RC_LAYER_MASK) == TSS2_BASE_RC_RSP_AUTH_FAILED ?
				forged : unforeseen;
		default:
			return unforeseen;
	}
}

TcExit
tc_fault_tss(TcStep step, TSS2_RC rc, TcRemedy *ret_remedy,
			 TcReason *reterr_reason)
{
	Meaning		found = meaning(step, rc);

	*ret_remedy = found.remedy;
	return tc_fault(found.code, reterr_reason, "%s (code 0x%08x in %s)",
					found.reason, (unsigned int) rc, step_names[step]);
}
