/*-------------------------------------------------------------------------
 *
 * rootrec.h
 *	  The root record: one root, boxed to each recipient.
 *
 * It stands in the options of the themis_root server, where everybody can
 * read it and whoever writes the catalog can replace it.  So it says which
 * root it holds (KCV), is sealed as a whole by a MAC under the root, and
 * carries for each machine that vouched for it an attestation under that
 * machine's own secret.  Layout: src/FORMAT, "The root record".
 *
 *	Owns	nothing; a parsed record borrows from the bytes it was read from.
 *	Errors	TC_MALFORMED, TC_UNSUPPORTED; TC_REJECTED for a record whose
 *			KCV, MAC or box does not fit; TC_TOO_LARGE beyond the limits.
 *	Units	bytes; at most TC_RECORD_MAX, TC_RECIPIENTS_MAX recipients.
 *	Uses	recipient.h, kdf.h, aead.h.
 *
 * src/rootrec.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_ROOTREC_H
#define TC_ROOTREC_H

#include "recipient.h"
#include "wrap.h"

#define TC_RECORD_MAX		16384
#define TC_RECIPIENTS_MAX	64

/* One recipient in a record. */
typedef struct TcRecordEntry
{
	TcRecipient recipient;
	TcSpan		box;			/* TC_BOX_BYTES; empty in a list to be boxed */
	TcSpan		attestation;	/* TC_MAC_BYTES, or empty */
} TcRecordEntry;

typedef struct TcRootRecord
{
	uint8_t		realm[TC_UUID_BYTES];
	uint32_t	root_version;
	uint8_t		kcv[TC_KCV_BYTES];
	int			nentries;
	TcRecordEntry entries[TC_RECIPIENTS_MAX];
	TcSpan		prev;			/* former roots, uninterpreted; may be empty */
	TcSpan		maced;			/* all that the MAC covers */
	TcSpan		mac;
} TcRootRecord;

/*
 * Take a record apart.  Verifies form, not genuineness.  ret_record is
 * zeroed on failure.
 */
extern TcResult tc_record_parse(TcSpan bytes, TcRootRecord *ret_record) TC_CHECK_RESULT;

/*
 * Open the record with a key pair: find the box for it, open it, and verify
 * KCV and MAC.  TC_REJECTED covers all that fails there, but a record with
 * no entry for this pair is TC_UNSUPPORTED, so that "not enrolled" can be
 * told from "altered".  ret_root is zeroed on failure.
 */
extern TcResult tc_record_open(const TcRootRecord *record,
							   const TcKeyPair *pair,
							   uint8_t ret_root[TC_KEY_BYTES]) TC_CHECK_RESULT;

/* The attestation of a root under a machine's seed. */
extern TcResult tc_record_attest(const uint8_t seed[TC_SEED_BYTES],
								 const uint8_t realm[TC_UUID_BYTES],
								 uint32_t root_version,
								 const uint8_t kcv[TC_KCV_BYTES],
								 uint8_t ret_attestation[TC_MAC_BYTES]) TC_CHECK_RESULT;

/*
 * Whether the record carries this machine's own, genuine attestation of its
 * realm, root version and KCV.  Open the record first: only that shows that
 * the root in it has this KCV.
 */
extern bool tc_record_attested(const TcRootRecord *record,
							   const uint8_t seed[TC_SEED_BYTES]);

/*
 * Write a record for a root: entries that come with a box keep it, others
 * are boxed anew.  realm, root_version, entries, nentries and prev of
 * "record" are used, its kcv and mac are computed.  ret_bytes has
 * TC_RECORD_MAX bytes and does not overlap what the record borrows.
 */
extern TcResult tc_record_build(const TcRootRecord *record,
								const uint8_t root[TC_KEY_BYTES],
								uint8_t *ret_bytes, size_t *ret_len) TC_CHECK_RESULT;

#endif							/* TC_ROOTREC_H */
