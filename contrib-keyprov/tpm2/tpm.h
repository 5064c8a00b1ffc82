/*-------------------------------------------------------------------------
 *
 * tpm.h
 *	  Seal 32 bytes to this machine's TPM, and get them back.
 *
 * The storage key (SRK) is derived anew by the TPM at each run from its owner
 * seed and a fixed template; the same TPM gives the same key until it is
 * cleared.  Its name, the hash of its public area, is compared with the one
 * in the blob before anything else is done.  Only then does that key carry
 * the salt of the session whose HMACs protect, and whose key encrypts, what
 * goes over the bus: a device between the processor and the TPM that offers a
 * key of its own is found out by the name.  At sealing there is no earlier
 * name to compare with, so sealing trusts the bus.
 *
 * A policy (blob.h) asks for more than this TPM: for PCRs that hold what they
 * held at sealing, for a PIN, or for both.  The PIN goes into the HMAC of a
 * salted session, so it does not cross the bus; at sealing it is encrypted.
 *
 *	Owns	a connection, and what it loads into the TPM.  Both are given back
 *			before a function returns, on every path.
 *	Secrets	our own buffers are wiped.  The libraries keep copies in memory
 *			they freed (a response of Unseal, the parameters of Create) and
 *			offer no way to wipe them: only the end of the process does.
 *			Hence this must stay a program that does one thing and exits.
 *	Errors	as mapped in tpmfault.h.  What can be remedied is tried again, within
 *			bounds: see TcRemedy.  A PIN that was wrong, or may have been, is
 *			never tried twice.
 *	Blocks	without limit, if the TPM accepts a command and never answers.
 *			The deadline is the caller's, who kills the process.
 *	Uses	libtss2-esys, tpmlink.h, policy.h, blob.h, pin.h.
 *
 * contrib-keyprov/tpm2/tpm.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TPM_H
#define TC_TPM_H

#include <stdint.h>

#include "blob.h"
#include "fault.h"
#include "pin.h"

#define TC_SECRET_BYTES 32

/*
 * Seal "secret".  "tcti" says how to reach the TPM, see tcti.h; "pcrs" is the
 * set of PCRs of the policy, 0 for none; the PIN has length 0 for none.
 *
 * ret_blob is zeroed on failure.
 */
extern TcExit tc_tpm_seal(const char *tcti,
						  const uint8_t secret[TC_SECRET_BYTES],
						  uint32_t pcrs, const TcPin *pin,
						  TcBlob *ret_blob, TcReason *reterr_reason);

/*
 * Get back what tc_tpm_seal() sealed.  The PIN is not looked at if the blob
 * needs none.
 *
 * ret_secret holds zeros on failure.  The caller wipes it when done.
 */
extern TcExit tc_tpm_unseal(const char *tcti, const TcBlob *blob,
							const TcPin *pin,
							uint8_t ret_secret[TC_SECRET_BYTES],
							TcReason *reterr_reason);

#endif							/* TC_TPM_H */
