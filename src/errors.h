/*-------------------------------------------------------------------------
 *
 * errors.h
 *	  The errors that more than one face raises, each with one home.
 *
 * Order on every path: form of the value, privilege, authentication.  No
 * message quotes a value, sealed or not.  All failures of authentication
 * share one message; what tells them apart goes to the server log only.
 *
 * src/errors.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_ERRORS_H
#define TC_ERRORS_H

#include "postgres.h"

#include "fmgr.h"

#include "bytes.h"
#include "request.h"

#define TC_NORETURN __attribute__((noreturn))

/* 42501: the role lacks USAGE on the key. */
extern void tc_error_no_usage(const char *key_name, Oid roleid) TC_NORETURN;

/* 42704: no server of ours has this id. */
extern void tc_error_unknown_key(uint32 key_id) TC_NORETURN;

/*
 * What the worker answered instead of TC_ANS_OK.  55000 for locked and for a
 * root that is not ours to open, XX001 for what is not genuine.  "key_name"
 * may be NULL while there is no key yet.
 */
extern void tc_error_answer(TcAnswer answer, const char *key_name) TC_NORETURN;

/*
 * 55000: what was asked needs a trusted root.  Names the fingerprint of the
 * one at hand and of the one that this machine trusts, if any.
 */
extern void tc_error_untrusted(const TcRequest *request,
							   const uint8 kcv[TC_KCV_BYTES],
							   const char *root_name) TC_NORETURN;

/* What a machine must have for an algorithm, as a sentence. */
extern const char *tc_algorithm_needs(uint8 algorithm);

/* 0A000: this machine lacks the algorithm of a key, or of its tokens. */
extern void tc_error_algorithm(const char *key_name,
							   const TcKeyIdentity *identity) TC_NORETURN;

/* A value that is no sealed value, or of an unknown format. */
extern void tc_error_form(TcResult result) TC_NORETURN;

/* 42883: a comparison with a column that is not searchable. */
extern void tc_error_unsearchable(int32 typmod) TC_NORETURN;

/* 42883: a comparison of a column with one of another modifier. */
extern void tc_error_other_key(int32 typmod, int32 other) TC_NORETURN;

/* 42883: a comparison of a column with a type that it cannot be compared to. */
extern void tc_error_other_type(int32 typmod, Oid typid) TC_NORETURN;

/* 42P18: two values to be compared, and neither says under which key. */
extern void tc_error_unbound(void) TC_NORETURN;

/* 42883: two values to be compared that never tell whether they are equal. */
extern void tc_error_incomparable(void) TC_NORETURN;

/* 0A000: a probe, which is for comparisons only. */
extern void tc_error_probe(void) TC_NORETURN;

/* XX001: the tag did not verify. */
extern void tc_error_rejected(uint32 key_id, uint16 version, size_t len) TC_NORETURN;

/* 54000: over TC_PLAIN_MAX. */
extern void tc_error_too_large(void) TC_NORETURN;

/*
 * 22004 if argument n (from 0) of a function is NULL: of what changes
 * something, strictness would silently do nothing.
 */
extern void tc_require_argument(FunctionCallInfo fcinfo, int n, const char *name);

#endif							/* TC_ERRORS_H */
