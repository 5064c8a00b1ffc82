/*-------------------------------------------------------------------------
 *
 * blob.h
 *	  The bytes that "seal" gives out and "unseal" takes back.
 *
 *	byte[4]			"TCSC"
 *	byte			format version, 1
 *	byte			flags: 1 = the TPM was a program when it was sealed
 *	u16				length of the name
 *	byte[]			name of the credential
 *	u16				length of the credential
 *	byte[]			the credential, as systemd encrypted it; its type id is
 *					the first 16 bytes
 *	byte[16]		BLAKE2b-128 of all bytes before
 *
 * Integers are little-endian.  The magic and the hash belong to every
 * version.  The hash is for accidents only; against an adversary there are
 * systemd's own authentication and the caller's keyring.
 *
 * The credential is kept although the server needs the name only: what was
 * sealed can so be verified later on, and its file be written anew.
 *
 *	Owns	nothing.
 *	Errors	TC_EXIT_DAMAGED for whatever tc_blob_encode() would not have
 *			written, TC_EXIT_DENIED as credential.h, TC_EXIT_INTERNAL.
 *	Units	bytes.  There are no secrets here in the clear.
 *	Uses	credential.h, fault.h, bytes.h, libsodium.
 *
 * contrib-keyprov/systemd-creds/blob.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_BLOB_H
#define TC_BLOB_H

#include "credential.h"

#define TC_BLOB_MAX		(TC_CREDENTIAL_MAX + TC_CREDENTIAL_NAME_MAX + 26)

typedef struct TcBlob
{
	bool		software_tpm;
	char		name[TC_CREDENTIAL_NAME_MAX + 1];
	TcCredential credential;
	TcCredentialHead head;		/* of the credential; read, not written */
} TcBlob;

/*
 * Write "blob" as bytes.  ret_bytes has room for TC_BLOB_MAX.
 */
extern TcExit tc_blob_encode(const TcBlob *blob, uint8_t *ret_bytes,
							 size_t *ret_len, TcReason *reterr_reason);

/*
 * Read bytes that are not trusted, and the head of the credential in them.
 */
extern TcExit tc_blob_decode(const uint8_t *bytes, size_t len,
							 TcBlob *ret_blob, TcReason *reterr_reason);

#endif							/* TC_BLOB_H */
