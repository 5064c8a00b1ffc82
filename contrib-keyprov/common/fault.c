/*-------------------------------------------------------------------------
 *
 * fault.c
 *	  Why a run failed: the exit code of the protocol, and one line of reason.
 *
 * contrib-keyprov/common/fault.c
 *
 *-------------------------------------------------------------------------
 */
#include <stdarg.h>
#include <stdio.h>

#include "fault.h"

/* Replace what could break the line or act on a terminal. */
static void
make_printable(char *text)
{
	for (char *c = text; *c != '\0'; c++)
	{
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

TcExit
tc_fault(TcExit code, TcReason *reterr_reason, const char *format,...)
{
	va_list		args;
	int			len;

	va_start(args, format);
	len = vsnprintf(reterr_reason->text, sizeof(reterr_reason->text),
					format, args);
	va_end(args);
	if (len < 0)
		reterr_reason->text[0] = '\0';
	make_printable(reterr_reason->text);
	return code;
}
