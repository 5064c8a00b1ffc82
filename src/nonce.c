/*-------------------------------------------------------------------------
 *
 * nonce.c
 *	  Nonces, drawn and then counted.  The contract is in nonce.h.
 *
 * src/nonce.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <sys/random.h>

#include "nonce.h"

#define COUNTER_BYTES	8		/* at the end of a nonce */

static bool
same_epoch(const TcNonceEpoch *a, const TcNonceEpoch *b)
{
	return a->pid == b->pid && a->xact == b->xact &&
		a->statement == b->statement && a->generation == b->generation;
}

/* Whether a run may serve one more value of plain_len bytes. */
static bool
run_goes_on(const TcNonceRun *run, const TcNonceEpoch *epoch, size_t plain_len,
			size_t nonce_len)
{
	return run->values > 0 && run->values < TC_RUN_VALUES_MAX &&
		run->nonce_len == nonce_len &&
		same_epoch(&run->epoch, epoch) &&
		plain_len < TC_RUN_SOLO_BYTES &&
		run->bytes <= TC_RUN_BYTES_MAX &&
		plain_len <= TC_RUN_BYTES_MAX - run->bytes;
}

/* Add one to the counter, modulo 2^64; the salt stays. */
static void
count_up(uint8_t *nonce, size_t nonce_len)
{
	for (size_t i = nonce_len - COUNTER_BYTES; i < nonce_len; i++)
		if (++nonce[i] != 0)
			break;
}

TcResult
tc_nonce_take(TcNonceRun *run, const TcNonceEpoch *epoch, size_t plain_len,
			  size_t nonce_len, uint8_t *ret_nonce)
{
	if (!run_goes_on(run, epoch, plain_len, nonce_len))
	{
		TcNonceRun	fresh = {.epoch = *epoch, .nonce_len = nonce_len};

		/* The old run ends even if the drawing fails. */
		memset(run, 0, sizeof(*run));
		if (tc_random(fresh.next, nonce_len) != TC_OK)
			return TC_SYSTEM;
		*run = fresh;
	}

	count_up(run->next, nonce_len);
	run->values++;
	run->bytes += plain_len;
	memcpy(ret_nonce, run->next, nonce_len);

	/* A large value has its nonce for itself. */
	if (plain_len >= TC_RUN_SOLO_BYTES)
		memset(run, 0, sizeof(*run));
	return TC_OK;
}

TcResult
tc_random(uint8_t *ret_bytes, size_t len)
{
	while (len > 0)
	{
		ssize_t		got = getrandom(ret_bytes, len, 0);

		if (got < 0)
		{
			if (errno == EINTR)
				continue;
			return TC_SYSTEM;
		}
		ret_bytes += got;
		len -= (size_t) got;
	}
	return TC_OK;
}
