/*-------------------------------------------------------------------------
 *
 * blob.h
 *	  The bytes that "seal" gives out and "unseal" takes back.
 *
 *	byte[4]			"TCT2"
 *	byte			format version, 1
 *	byte			policy type, 0 = none
 *	byte[2]			zero, reserved
 *	TPM2B_NAME		name of the storage key the object was sealed under
 *	TPM2B_PUBLIC	public area of the sealed object
 *	TPM2B_PRIVATE	private area, encrypted and authenticated by that TPM
 *	byte[4]			CRC-32 (IEEE 802.3) of all bytes before, little-endian
 *
 * A TPM2B is marshalled as the TPM does it, big-endian and with its length in
 * front.  The name comes first so that another TPM is recognized before
 * anything is loaded.  The magic and the CRC-32 belong to every version; a
 * policy type other than 0 will add its fields after the private area.
 *
 * The CRC-32 is for accidents only: it tells a damaged name from another
 * machine without asking a TPM.  Against an adversary the TPM authenticates
 * the two areas, and the caller's keyring all of the blob.
 *
 *	Owns	nothing.
 *	Errors	TC_EXIT_DAMAGED for whatever tc_blob_encode() would not have
 *			written, TC_EXIT_INTERNAL.
 *	Units	bytes.  There are no secrets here in the clear.
 *	Uses	libtss2-mu and fault.h.  Never talks to a TPM.
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

/* Room for any blob of version 1; an ordinary one has 256 bytes. */
#define TC_BLOB_MAX		4096

/*
 * What a sealed object is: it never leaves this TPM or this parent, and it is
 * opened with its (empty) authorization value.  That is why it is exempt from
 * the dictionary attack lockout: somebody else's wrong PIN shall not keep a
 * database down.
 */
#define TC_SEALED_ATTRIBUTES \
	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_NODA | \
	 TPMA_OBJECT_USERWITHAUTH)

typedef struct TcBlob
{
	TPM2B_NAME	srk_name;
	TPM2B_PUBLIC pub;
	TPM2B_PRIVATE priv;
} TcBlob;

/*
 * Write "blob" as bytes.  ret_bytes has room for TC_BLOB_MAX.
 */
extern TcExit tc_blob_encode(const TcBlob *blob, uint8_t *ret_bytes,
							 size_t *ret_len, TcReason *reterr_reason);

/*
 * Read bytes that are not trusted.
 *
 * Accepts only what tc_blob_encode() writes, byte for byte, and only a public
 * area such as "seal" makes.  ret_blob is zeroed on failure.
 */
extern TcExit tc_blob_decode(const uint8_t *bytes, size_t len,
							 TcBlob *ret_blob, TcReason *reterr_reason);

#endif							/* TC_BLOB_H */
