/*-------------------------------------------------------------------------
 *
 * request.h
 *	  Asking the key worker, and what it tells everybody about itself.
 *
 * Each backend has one cell in shared memory.  It writes a request into it,
 * sets the worker's latch, and sleeps on its own until the answer stands in
 * the same cell.  No key bytes ever pass through a cell: requests carry root
 * records and wraps, answers carry slots and new wraps.
 *
 *	Owns	the cells, and the status of the instance.
 *	Locks	a cell changes hands by its state word.  The status has an LWLock
 *			of its own, held for a copy only.  Never ask while holding an
 *			LWLock or a buffer lock: waiting for an answer is interruptible.
 *	Errors	tc_request_send() throws only for cancel and shutdown; what the
 *			worker says comes back as a TcAnswer.
 *	Units	times are milliseconds.
 *	Uses	dekslots.h, rootrec.h.
 *
 * src/request.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_REQUEST_H
#define TC_REQUEST_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "dekslots.h"
#include "keyopts.h"
#include "keyring.h"
#include "rootrec.h"

typedef enum TcRequestKind
{
	TC_REQ_LOAD,				/* unwrap a key and publish it in a slot */
	TC_REQ_MAKE_ROOT,			/* a new root with its transit key */
	TC_REQ_MAKE_KEY,			/* a new DEK and index key */
	TC_REQ_KEY_MAC,				/* the mac over a key's options */
	TC_REQ_CHECK_RECORD,		/* is this record ours to open, and genuine? */
	TC_REQ_ADD_RECIPIENT,		/* box its root to one more recipient */
	TC_REQ_DROP_RECIPIENT,		/* take a recipient's entry out of it */
	TC_REQ_LOCK,
	TC_REQ_UNLOCK
} TcRequestKind;

typedef enum TcAnswer
{
	TC_ANS_OK,
	TC_ANS_LOCKED,				/* the status says why */
	TC_ANS_NOT_ENROLLED,		/* the root is not boxed to this machine */
	TC_ANS_REJECTED,			/* record, wrap or mac is not genuine */
	TC_ANS_MALFORMED,
	TC_ANS_UNSUPPORTED,
	TC_ANS_UNTRUSTED,			/* root made elsewhere and not pinned here */
	TC_ANS_NO_RECOVERY,			/* no recovery key is enrolled */
	TC_ANS_FULL,				/* no more recipients fit into a record */
	TC_ANS_FAILED,				/* a system call failed: see the server log */
	TC_ANS_TIMEOUT				/* no answer in time */
} TcAnswer;

/*
 * What is asked and answered.  Fields not named for a kind are ignored.
 *
 *	LOAD		record, identity, wrap; with check_mac also mac
 *				-> slot
 *	MAKE_ROOT	identity.key_id, allow_no_recovery
 *				-> record, identity (of the transit key), wrap
 *	MAKE_KEY	record, identity.key_id, identity.algorithm, index_algorithm
 *				-> identity, wrap (of the DEK), index_wrap, root_version
 *	KEY_MAC		record, mac.digest -> mac.mac
 *	CHECK_RECORD record -> trusted
 *	ADD_RECIPIENT record, recipient -> record
 *	DROP_RECIPIENT record, recipient.public_key -> record
 *	LOCK		by
 *	UNLOCK		-> worker_pid, attempts (the answer comes when unlocking has
 *				begun, and says how many attempts that worker had ended before)
 *
 * Where a root is not trusted, whatever was asked: has_pinned, and in pinned
 * the fingerprint of the root that this machine trusts for its realm.
 */
typedef struct TcRequest
{
	TcRequestKind kind;
	TcKeyIdentity identity;
	uint8		wrap[TC_WRAP_BYTES];
	uint8		index_wrap[TC_WRAP_BYTES];
	uint8		index_algorithm;
	bool		check_mac;
	bool		allow_no_recovery;
	bool		trusted;
	bool		has_pinned;
	uint8		pinned[TC_KCV_BYTES];
	TcRecipient recipient;
	TcKeyMac	mac;
	TcSlotRef	slot;
	char		by[NAMEDATALEN];
	pid_t		worker_pid;
	int			attempts;
	size_t		record_len;
	uint8		record[TC_RECORD_MAX];
} TcRequest;

typedef enum TcInstanceState
{
	TC_STATE_STARTING,			/* the first attempt after start is under way */
	TC_STATE_UNLOCKED,
	TC_STATE_FAILED,
	TC_STATE_LOCKED				/* by lock() */
} TcInstanceState;

/* Why unlocking failed, as far as it decides what to do about it. */
typedef enum TcUnlockCause
{
	TC_CAUSE_NONE = 0,
	TC_CAUSE_UNAVAILABLE,		/* will be tried again */
	TC_CAUSE_NO_KEYRING,
	TC_CAUSE_KEYRING,			/* its file cannot be used */
	TC_CAUSE_SETTING,
	TC_CAUSE_BINDING,			/* not to a TPM, as is required */
	TC_CAUSE_WRONG_MACHINE,
	TC_CAUSE_WRONG_POLICY,
	TC_CAUSE_DAMAGED,
	TC_CAUSE_DENIED,
	TC_CAUSE_FAILED
} TcUnlockCause;

#define TC_REASON_MAX 1024

/* What the worker tells about itself; nothing secret. */
typedef struct TcStatus
{
	TcInstanceState state;
	pid_t		worker_pid;		/* 0 = not running */
	int			attempts;		/* at unlocking, since the worker's start */
	TimestampTz changed_at;		/* when the state was last set */
	TimestampTz next_retry;		/* 0 = none */
	TcUnlockCause cause;
	char		reason[TC_REASON_MAX];
	char		provider[TC_PROVIDER_NAME_MAX + 1];
	uint8		binding;		/* TcBinding */
	bool		has_recovery;	/* a recovery key is enrolled */
	char		locked_by[NAMEDATALEN];
	char		public_key[TC_RECIPIENT_TEXT_MAX];	/* of this machine */
} TcStatus;

extern Size tc_request_shmem_size(void);
extern void tc_request_shmem_request(void);
extern void tc_request_shmem_init(void);

/* For backends. */

/*
 * This backend's cell, zeroed and ready to be filled in.  It stays valid, and
 * holds the answer, until the next call.
 */
extern TcRequest *tc_request_begin(TcRequestKind kind);

/* Put a root record into a request.  False if it is too long. */
extern bool tc_request_set_record(TcRequest *request, TcSpan record);

/*
 * Ask, and wait for the answer.  While the first unlocking after a start is
 * under way, up to themis_crypt.unlock_timeout; otherwise up to 10 s.  Where
 * unlocking has failed, only LOCK and UNLOCK are asked: the worker may be
 * busy with ending a provider, and nobody else shall wait for that.
 */
extern TcAnswer tc_request_send(void);

/* A copy of the status. */
extern TcStatus tc_status_get(void);

/* This machine's public key; false while it is not known, so not unlocked. */
extern bool tc_status_own_key(uint8 ret_public_key[TC_X25519_BYTES]);
extern bool tc_status_is_own_key(const uint8 public_key[TC_X25519_BYTES]);

/* For the key worker. */

/* Become the worker that is asked; false if there is one already. */
extern bool tc_request_attach_worker(void);

/* No longer: wakes every waiter with TC_ANS_LOCKED.  before_shmem_exit. */
extern void tc_request_detach_worker(int code, Datum arg);

/*
 * Take the next request that waits, from *cursor on; NULL when there is none
 * left.  It must be answered before the next one is taken.  With
 * "lock_only", only those to lock and unlock are taken.
 */
extern TcRequest *tc_request_take(int *cursor, bool lock_only);
extern void tc_request_answer(int cursor, TcAnswer answer);

/* Replace the status (worker_pid is kept). */
extern void tc_status_set(const TcStatus *status);

#endif							/* TC_REQUEST_H */
