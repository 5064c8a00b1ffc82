/*-------------------------------------------------------------------------
 *
 * request.c
 *	  Asking the key worker, and what it tells everybody about itself.
 *
 * The state of a cell: only the backend leaves IDLE and ANSWERED, only the
 * worker leaves TAKEN, and from ASKED both may, by compare-and-swap.  A
 * backend that was interrupted while waiting leaves its cell as it is; the
 * next request of that backend number puts it in order.
 *
 * src/request.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "guc.h"
#include "request.h"

#define ANSWER_TIMEOUT_MS 10000

typedef enum CellState
{
	CELL_IDLE,
	CELL_ASKED,
	CELL_TAKEN,
	CELL_ANSWERED
} CellState;

typedef struct RequestCell
{
	pg_atomic_uint32 state;
	Latch	   *latch;			/* of the backend that asks */
	TcAnswer	answer;
	TcRequest	request;
} RequestCell;

typedef struct RequestShared
{
	LWLock	   *lock;			/* protects status and worker_latch */
	Latch	   *worker_latch;
	TcStatus	status;
	RequestCell cells[FLEXIBLE_ARRAY_MEMBER];
} RequestShared;

static RequestShared *shared;
static uint32 wait_event;

static int
cell_count(void)
{
	return MaxBackends;
}

Size
tc_request_shmem_size(void)
{
	return add_size(offsetof(RequestShared, cells),
					mul_size(cell_count(), sizeof(RequestCell)));
}

void
tc_request_shmem_request(void)
{
	RequestAddinShmemSpace(tc_request_shmem_size());
	RequestNamedLWLockTranche("themis_crypt", 1);
}

void
tc_request_shmem_init(void)
{
	bool		found;

	shared = ShmemInitStruct("themis_crypt requests", tc_request_shmem_size(),
							 &found);
	if (found)
		return;
	memset(shared, 0, offsetof(RequestShared, cells));
	shared->lock = &(GetNamedLWLockTranche("themis_crypt"))->lock;
	shared->status.state = TC_STATE_STARTING;
	for (int i = 0; i < cell_count(); i++)
		pg_atomic_init_u32(&shared->cells[i].state, CELL_IDLE);
}

static RequestCell *
my_cell(void)
{
	int			index = tc_backend_index();

	if (shared == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("themis_crypt must be loaded via shared_preload_libraries")));
	if (index < 0 || index >= cell_count())
		elog(ERROR, "this process cannot ask the themis_crypt key worker");
	return &shared->cells[index];
}

TcRequest *
tc_request_begin(TcRequestKind kind)
{
	RequestCell *cell = my_cell();

	/* Whoever had this cell before us may have left in the middle. */
	for (;;)
	{
		uint32		state = CELL_ASKED;

		if (pg_atomic_compare_exchange_u32(&cell->state, &state, CELL_IDLE))
			break;
		if (state == CELL_IDLE || state == CELL_ANSWERED)
		{
			pg_atomic_write_u32(&cell->state, CELL_IDLE);
			break;
		}
		CHECK_FOR_INTERRUPTS();
		pg_usleep(1000);		/* the worker has it, and never for long */
	}
	memset(&cell->request, 0, sizeof(cell->request));
	cell->request.kind = kind;
	return &cell->request;
}

bool
tc_request_set_record(TcRequest *request, TcSpan record)
{
	if (record.len > sizeof(request->record))
		return false;
	memcpy(request->record, record.data, record.len);
	request->record_len = record.len;
	return true;
}

static void
wake_worker(void)
{
	LWLockAcquire(shared->lock, LW_SHARED);
	if (shared->worker_latch != NULL)
		SetLatch(shared->worker_latch);
	LWLockRelease(shared->lock);
}

TcAnswer
tc_request_send(void)
{
	RequestCell *cell = my_cell();
	TimestampTz start = GetCurrentTimestamp();
	bool		starting = true;

	if (cell->request.kind != TC_REQ_LOCK && cell->request.kind != TC_REQ_UNLOCK &&
		tc_status_get().state == TC_STATE_FAILED)
		return TC_ANS_LOCKED;

	if (wait_event == 0)
		wait_event = tc_wait_event_new("ThemisCryptKey");

	cell->latch = MyLatch;
	pg_write_barrier();
	pg_atomic_write_u32(&cell->state, CELL_ASKED);
	wake_worker();

	for (;;)
	{
		long		elapsed;
		long		limit;

		if (pg_atomic_read_u32(&cell->state) == CELL_ANSWERED)
		{
			pg_read_barrier();
			return cell->answer;
		}

		/* The clock of the answer starts when unlocking is decided. */
		if (starting && tc_status_get().state != TC_STATE_STARTING)
		{
			starting = false;
			start = GetCurrentTimestamp();
		}
		limit = starting ? tc_unlock_timeout : ANSWER_TIMEOUT_MS;
		elapsed = (long) ((GetCurrentTimestamp() - start) / 1000);
		if (elapsed >= limit)
		{
			uint32		state = CELL_ASKED;

			/* The answer may come at this very moment. */
			if (pg_atomic_compare_exchange_u32(&cell->state, &state, CELL_IDLE))
				return starting ? TC_ANS_LOCKED : TC_ANS_TIMEOUT;
		}
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Max(1, Min(limit - elapsed, 1000)), wait_event);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

TcStatus
tc_status_get(void)
{
	TcStatus	status;

	memset(&status, 0, sizeof(status));
	if (shared == NULL)
		return status;
	LWLockAcquire(shared->lock, LW_SHARED);
	status = shared->status;
	LWLockRelease(shared->lock);
	return status;
}

bool
tc_status_own_key(uint8 ret_public_key[TC_X25519_BYTES])
{
	TcStatus	status = tc_status_get();

	return tc_recipient_decode(status.public_key, strlen(status.public_key),
							   ret_public_key) == TC_OK;
}

bool
tc_status_is_own_key(const uint8 public_key[TC_X25519_BYTES])
{
	uint8		own[TC_X25519_BYTES];

	return tc_status_own_key(own) && memcmp(own, public_key, TC_X25519_BYTES) == 0;
}

bool
tc_request_attach_worker(void)
{
	bool		attached = false;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	if (shared->worker_latch == NULL)
	{
		shared->worker_latch = MyLatch;
		shared->status.worker_pid = MyProcPid;
		shared->status.attempts = 0;	/* its own only: unlock() counts them */
		attached = true;
	}
	LWLockRelease(shared->lock);
	return attached;
}

void
tc_request_detach_worker(int code, Datum arg)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->worker_latch = NULL;
	shared->status.worker_pid = 0;
	/* keys in slots go on working; the next worker will unlock again */
	if (shared->status.state == TC_STATE_UNLOCKED)
		shared->status.state = TC_STATE_STARTING;
	LWLockRelease(shared->lock);

	/* Those that wait, and the one we may have died over. */
	for (int i = 0; i < cell_count(); i++)
	{
		uint32		state = CELL_ASKED;

		if (pg_atomic_compare_exchange_u32(&shared->cells[i].state, &state,
										   CELL_TAKEN) ||
			state == CELL_TAKEN)
			tc_request_answer(i + 1, TC_ANS_LOCKED);
	}
}

TcRequest *
tc_request_take(int *cursor, bool lock_only)
{
	while (*cursor < cell_count())
	{
		RequestCell *cell = &shared->cells[(*cursor)++];
		uint32		state = CELL_ASKED;

		if (pg_atomic_read_u32(&cell->state) != CELL_ASKED)
			continue;
		pg_read_barrier();
		if (lock_only && cell->request.kind != TC_REQ_LOCK &&
			cell->request.kind != TC_REQ_UNLOCK)
			continue;
		if (pg_atomic_compare_exchange_u32(&cell->state, &state, CELL_TAKEN))
			return &cell->request;
	}
	return NULL;
}

void
tc_request_answer(int cursor, TcAnswer answer)
{
	RequestCell *cell = &shared->cells[cursor - 1];
	Latch	   *latch = cell->latch;

	cell->answer = answer;
	pg_write_barrier();
	pg_atomic_write_u32(&cell->state, CELL_ANSWERED);
	SetLatch(latch);
}

void
tc_status_set(const TcStatus *status)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->status = *status;
	shared->status.worker_pid = MyProcPid;
	LWLockRelease(shared->lock);
}
