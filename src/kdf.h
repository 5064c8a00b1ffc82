/*-------------------------------------------------------------------------
 *
 * kdf.h
 *	  Every key that is derived from another, and every fingerprint.
 *
 * One construction: BLAKE2b keyed with the parent (RFC 7693; libsodium
 * "Generic hashing"), over a label and fields, each behind its length.  All
 * labels of the project stand here and in src/FORMAT, "Labels", and a test
 * refuses one that is used twice.
 *
 *	Owns	nothing.
 *	Errors	none: lengths are fixed by type.  libsodium's own failure (an
 *			impossible length) is TC_UNSUPPORTED.
 *	Units	keys are TC_KEY_BYTES long, fingerprints TC_KCV_BYTES.
 *	Uses	bytes.h, libsodium crypto_generichash.
 *
 * src/kdf.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KDF_H
#define TC_KDF_H

#include "bytes.h"

#define TC_KEY_BYTES		32
#define TC_KCV_BYTES		16
#define TC_UUID_BYTES		16
#define TC_MAC_BYTES		32

#define TC_LABEL_VALUE		"themis/value/v1"	/* DEK -> key of a slot */
#define TC_LABEL_WRAP		"themis/wrap/v1"	/* root -> wrapping key */
#define TC_LABEL_PREV		"themis/prev/v1"	/* root -> wraps former root */
#define TC_LABEL_RECORD_MAC "themis/record-mac/v1"	/* root -> root record */
#define TC_LABEL_KEY_MAC	"themis/key-mac/v1" /* root -> options of a key */
#define TC_LABEL_KEY_FIELDS "themis/key-fields/v1"	/* unkeyed: digest of
													 * options */
#define TC_LABEL_TOKEN		"themis/token/v1"	/* index key -> tokens */
#define TC_LABEL_KCV		"themis/kcv/v1" /* key -> fingerprint */
#define TC_LABEL_BOX_ROOT	"themis/box-root/v1"	/* seed -> key pair */
#define TC_LABEL_BOX_MANIFEST "themis/box-manifest/v1"	/* seed -> key pair */
#define TC_LABEL_ATTEST		"themis/attest/v1"	/* seed -> attestations */
#define TC_LABEL_SLOT_WRAP	"themis/slot-wrap/v1"	/* provider secret -> wraps
													 * the file key */
#define TC_LABEL_ADDRESS	"themis/address/v1" /* unkeyed: of a slot */
#define TC_LABEL_RECIPIENT	"themis/recipient/v1"	/* unkeyed: recipient id */
#define TC_LABEL_IDENTITY	"themis/identity/v1"	/* unkeyed: checksum */
#define TC_LABEL_PASSPHRASE "themis/passphrase/v1"	/* stretched passphrase ->
													 * commitment */

/* What a wrapped key is for; FORMAT, "Purposes". */
typedef enum TcPurpose
{
	TC_PURPOSE_VALUE = 1,
	TC_PURPOSE_INDEX = 2,
	TC_PURPOSE_PENDING = 3,
	TC_PURPOSE_MANIFEST = 4,
	TC_PURPOSE_AUDIT = 5,
	TC_PURPOSE_ROOT = 6			/* fingerprints of roots only */
} TcPurpose;

/*
 * Hash a label and fields with a key into ret_out of out_len (16..64) bytes.
 * A NULL key hashes without one (addresses, ids, checksums).
 */
extern TcResult tc_kdf(const uint8_t *key, const char *label,
					   const TcSpan *fields, int nfields,
					   uint8_t *ret_out, size_t out_len) TC_CHECK_RESULT;

/* The fingerprint of a key: BLAKE2b-128 keyed with it. */
extern TcResult tc_kcv(const uint8_t key[TC_KEY_BYTES], TcPurpose purpose,
					   uint8_t ret_kcv[TC_KCV_BYTES]) TC_CHECK_RESULT;

#endif							/* TC_KDF_H */
