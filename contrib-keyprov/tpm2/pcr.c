/*-------------------------------------------------------------------------
 *
 * pcr.c
 *	  Platform configuration registers (PCRs): which, and what they held.
 *
 * contrib-keyprov/tpm2/pcr.c
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "pcr.h"

/* Read one number, and move past it; -1 if there is none. */
static int
take_number(const char **at)
{
	int			digits = 0;
	int			number = 0;

	while (**at >= '0' && **at <= '9' && digits < 2)
	{
		number = number * 10 + (**at - '0');
		(*at)++;
		digits++;
	}
	return digits > 0 && number < TC_PCR_COUNT ? number : -1;
}

TcExit
tc_pcr_parse(const char *list, uint32_t *ret_set, TcReason *reterr_reason)
{
	const char *at = list;
	uint32_t	set = 0;

	for (;;)
	{
		int			pcr = take_number(&at);

		if (pcr < 0 || tc_pcr_in(set, pcr) || (*at != ',' && *at != '\0'))
			return tc_fault(TC_EXIT_USAGE, reterr_reason,
							"\"%s\" is not a list of PCRs: must be numbers from 0 to %d with commas between, each only once",
							list, TC_PCR_COUNT - 1);
		set |= UINT32_C(1) << pcr;
		if (*at == '\0')
			break;
		at++;
	}
	*ret_set = set;
	return TC_EXIT_OK;
}

void
tc_pcr_text(uint32_t set, char ret_text[TC_PCR_TEXT_MAX])
{
	size_t		at = 0;

	/* 10 numbers of one digit, 14 of two, 23 commas: 61 bytes at most. */
	ret_text[0] = '\0';
	for (int pcr = 0; pcr < TC_PCR_COUNT; pcr++)
	{
		if (tc_pcr_in(set, pcr))
			at += (size_t) snprintf(ret_text + at, TC_PCR_TEXT_MAX - at, "%s%d",
									at > 0 ? "," : "", pcr);
	}
}

uint32_t
tc_pcr_changed(const TcPcrs *a, const TcPcrs *b)
{
	uint32_t	changed = 0;

	for (int pcr = 0; pcr < TC_PCR_COUNT; pcr++)
	{
		if (tc_pcr_in(a->selected, pcr) &&
			memcmp(a->value[pcr], b->value[pcr], TC_PCR_VALUE_BYTES) != 0)
			changed |= UINT32_C(1) << pcr;
	}
	return changed;
}

/* Is this the value of a PCR that was never extended? */
static bool
is_start_value(const uint8_t *value)
{
	if (value[0] != 0x00 && value[0] != 0xff)
		return false;
	for (int i = 1; i < TC_PCR_VALUE_BYTES; i++)
	{
		if (value[i] != value[0])
			return false;
	}
	return true;
}

bool
tc_pcr_blank(const TcPcrs *pcrs)
{
	for (int pcr = 0; pcr < TC_PCR_COUNT; pcr++)
	{
		if (tc_pcr_in(pcrs->selected, pcr) && !is_start_value(pcrs->value[pcr]))
			return false;
	}
	return true;
}
