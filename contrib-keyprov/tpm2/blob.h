/*-------------------------------------------------------------------------
 *
 * blob.h
 *	  The bytes that "seal" gives out and "unseal" takes back.
 *
 *	byte[4]			"TCT2"
 *	byte			format version, 1
 *	byte			policy type: 0 none, 1 PCRs, 2 PIN, 3 PCRs and PIN
 *	byte			kind of TPM: 0 not recorded, 1 a device, 2 a program
 *	byte			zero, reserved
 *	TPM2B_NAME		name of the storage key the object was sealed under
 *	TPM2B_PUBLIC	public area of the sealed object
 *	TPM2B_PRIVATE	private area, encrypted and authenticated by that TPM
 *	with PCRs only:
 *	byte[3]			those of the policy: PCR n is bit n % 8 of byte n / 8
 *	byte[32]		for each of them, in ascending order, its value in the bank
 *					sha256 when the secret was sealed
 *	always:
 *	byte[4]			CRC-32 (IEEE 802.3) of all bytes before, little-endian
 *
 * A TPM2B is marshalled as the TPM does it, big-endian and with its length in
 * front.  The name comes first so that another TPM is recognized before
 * anything is loaded.  The magic and the CRC-32 belong to every version; a
 * further policy type (as one that asks for a signature, PolicyAuthorize) will
 * add its fields after the private area, too.
 *
 * The policy of an object is PolicyPCR, then PolicyAuthValue, whichever of
 * them the type asks for.  It is the TPM that enforces it, by the digest in
 * the public area.  The values of PCRs are there to name the one that changed.
 *
 * The CRC-32 is for accidents only: it tells a damaged name from another
 * machine without asking a TPM.  Against an adversary the TPM authenticates
 * the two areas, and the caller's keyring all of the blob.
 *
 *	Owns	nothing.
 *	Errors	TC_EXIT_DAMAGED for whatever tc_blob_encode() would not have
 *			written, TC_EXIT_INTERNAL.
 *	Units	bytes.  There are no secrets here in the clear.
 *	Uses	libtss2-mu, pcr.h and fault.h.  Never talks to a TPM.
 *
 * contrib-keyprov/tpm2/blob.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_BLOB_H
#define TC_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include <tss2/tss2_tpm2_types.h>

#include "fault.h"
#include "pcr.h"

/* Room for any blob of version 1; an ordinary one has 256 to 400 bytes. */
#define TC_BLOB_MAX		4096

/* What the TPM asks for before it gives the secret back; bits of a type. */
#define TC_POLICY_PCR	0x01
#define TC_POLICY_PIN	0x02
#define TC_POLICY_ALL	(TC_POLICY_PCR | TC_POLICY_PIN)

/* What kind of TPM it is; see tc_policy_tpm_kind(). */
typedef enum TcTpmKind
{
	TC_TPM_UNRECORDED = 0,		/* blobs of the first programs */
	TC_TPM_DEVICE = 1,
	TC_TPM_PROGRAM = 2
} TcTpmKind;

typedef struct TcBlob
{
	uint8_t		policy;			/* bits TC_POLICY_... */
	uint8_t		tpm_kind;		/* a TcTpmKind */
	TPM2B_NAME	srk_name;
	TPM2B_PUBLIC pub;
	TPM2B_PRIVATE priv;
	TcPcrs		pcrs;			/* none selected without TC_POLICY_PCR */
} TcBlob;

/*
 * What a sealed object is: it never leaves this TPM or this parent.
 *
 * Without a policy it is opened with its empty authorization value.  With one,
 * it is opened by the policy and by nothing else: the empty value must not do.
 *
 * Without a PIN it is exempt from the dictionary attack lockout: there is
 * nothing to guess, and somebody else's wrong PIN shall not keep a database
 * down.  With a PIN it never is.
 */
extern TPMA_OBJECT tc_blob_attributes(uint8_t policy);

/*
 * Write "blob" as bytes.  ret_bytes has room for TC_BLOB_MAX.
 */
extern TcExit tc_blob_encode(const TcBlob *blob, uint8_t *ret_bytes,
							 size_t *ret_len, TcReason *reterr_reason);

/*
 * Read bytes that are not trusted.
 *
 * Accepts only what tc_blob_encode() writes, byte for byte, and only a public
 * area such as "seal" makes for that policy.  ret_blob is zeroed on failure.
 */
extern TcExit tc_blob_decode(const uint8_t *bytes, size_t len,
							 TcBlob *ret_blob, TcReason *reterr_reason);

#endif							/* TC_BLOB_H */
