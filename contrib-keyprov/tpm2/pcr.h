/*-------------------------------------------------------------------------
 *
 * pcr.h
 *	  Platform configuration registers (PCRs): which, and what they held.
 *
 * Always those of the bank sha256.
 *
 *	Owns	nothing.
 *	Errors	TC_EXIT_USAGE.
 *	Units	a set of PCRs is a bit mask, PCR n is bit n.  Values are public.
 *	Uses	fault.h.  Never talks to a TPM.
 *
 * contrib-keyprov/tpm2/pcr.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_PCR_H
#define TC_PCR_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

#define TC_PCR_COUNT		24
#define TC_PCR_VALUE_BYTES	32
#define TC_PCR_TEXT_MAX		64	/* a list of all PCRs, and its end */

typedef struct TcPcrs
{
	uint32_t	selected;		/* 0 = none */
	uint8_t		value[TC_PCR_COUNT][TC_PCR_VALUE_BYTES];	/* zeros if not
															 * selected */
} TcPcrs;

static inline bool
tc_pcr_in(uint32_t set, int pcr)
{
	return (set >> pcr & 1) != 0;
}

/*
 * Read a list of PCRs, as "0,2,7": numbers from 0 to 23, each only once.
 */
extern TcExit tc_pcr_parse(const char *list, uint32_t *ret_set,
						   TcReason *reterr_reason);

/* Write a set as tc_pcr_parse() reads it. */
extern void tc_pcr_text(uint32_t set, char ret_text[TC_PCR_TEXT_MAX]);

/* Those that are selected in "a" and have another value in "b". */
extern uint32_t tc_pcr_changed(const TcPcrs *a, const TcPcrs *b);

/*
 * Has nothing been measured into any of those that are selected?
 *
 * They are then as every machine starts with them, all zeros or all ones, and
 * a policy on them keeps nobody out.
 */
extern bool tc_pcr_blank(const TcPcrs *pcrs);

#endif							/* TC_PCR_H */
