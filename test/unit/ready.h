/*-------------------------------------------------------------------------
 *
 * ready.h
 *	  What sealing and opening take: a subkey, or its schedule.
 *
 * test/unit/ready.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TEST_READY_H
#define TC_TEST_READY_H

#include <stdlib.h>

#include "aead.h"

/* In memory of this function, until it is called again. */
static inline const uint8_t *
ready(uint8_t algorithm, const uint8_t *subkey)
{
	static _Alignas(16) uint8_t schedule[TC_SCHEDULE_BYTES];

	if (!tc_aead_has_schedule(algorithm) || !tc_aead_supports(algorithm))
		return subkey;
	if (tc_aead_expand(subkey, schedule) != TC_OK)
		abort();
	return schedule;
}

#endif							/* TC_TEST_READY_H */
