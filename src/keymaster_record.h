/*-------------------------------------------------------------------------
 *
 * keymaster_record.h
 *	  Other recipients in the record of a root that is open.
 *
 * The part of keymaster.h that rewrites root records; the worker's alone.
 *
 *	Owns	scratch memory; nothing secret.
 *	Errors	TcResult.
 *	Uses	rootrec.h, request.h.
 *
 * src/keymaster_record.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYMASTER_RECORD_H
#define TC_KEYMASTER_RECORD_H

#include "postgres.h"

#include "request.h"

/*
 * Add or drop (by request->kind) request->recipient in request->record, whose
 * mac has been verified under "root", its root; all else in it stays, byte for
 * byte, and the mac is new.  "own" is this machine's public key: its entry is
 * not dropped.  TC_TOO_LARGE where no more recipients fit; TC_MALFORMED for
 * one that is there, is not there, or cannot be boxed to.
 */
extern TcResult tc_keymaster_change_record(TcRequest *request,
										   const uint8 root[TC_KEY_BYTES],
										   const uint8 own[TC_X25519_BYTES]) TC_CHECK_RESULT;

#endif							/* TC_KEYMASTER_RECORD_H */
