/*-------------------------------------------------------------------------
 *
 * policy.h
 *	  What the TPM is asked about the policy of a sealed object.
 *
 *	Owns	nothing: the policy session is in the caller's TcTpmLink.
 *	Errors	as mapped in tpmfault.h; TC_EXIT_WRONG_POLICY for PCRs that are
 *			not as they must be, TC_EXIT_DENIED where a PIN must not be tried.
 *	Uses	libtss2-esys, tpmlink.h, blob.h.  Sees neither secret nor PIN.
 *
 * contrib-keyprov/tpm2/policy.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_POLICY_H
#define TC_POLICY_H

#include "blob.h"
#include "tpmlink.h"

/*
 * Is this TPM a device, or a program that keeps its state in a file?
 *
 * A program is what is reached as a simulator, or says of itself what libtpms
 * says: also the TPM of a virtual machine whose host runs swtpm.  Others are
 * believed to be devices.  It is the TPM's word, and only as good.
 */
extern TcExit tc_policy_tpm_kind(TcTpmLink *tpm, const char *tcti,
								 uint8_t *ret_kind, TcReason *reterr_reason);

/*
 * Write down what the PCRs of a set hold now, and refuse those that would
 * keep nobody out: all of them as they were when the machine was switched on.
 */
extern TcExit tc_policy_record_pcrs(TcTpmLink *tpm, uint32_t set,
									TcPcrs *ret_pcrs, TcReason *reterr_reason);

/*
 * Have the TPM compute the digest of a policy on the present values of the
 * PCRs.  With a policy of 0 it is empty.
 */
extern TcExit tc_policy_digest(TcTpmLink *tpm, uint8_t policy, uint32_t pcrs,
							   TPM2B_DIGEST *ret_digest,
							   TcReason *reterr_reason);

/*
 * Can the blob be opened, as far as we can see without trying?
 *
 * Names the PCRs that have changed.  Refuses if a PIN, were it wrong, would
 * lock the TPM for everybody.
 */
extern TcExit tc_policy_check(TcTpmLink *tpm, const TcBlob *blob,
							  TcReason *reterr_reason);

/*
 * Start the session that satisfies the policy of the blob; for the PIN it only
 * says that one will come.  Not for blobs without policy.
 */
extern TcExit tc_policy_start(TcTpmLink *tpm, const TcBlob *blob,
							  TcReason *reterr_reason);

#endif							/* TC_POLICY_H */
