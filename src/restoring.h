/*-------------------------------------------------------------------------
 *
 * restoring.h
 *	  Whether a dump is being restored by somebody who cannot use its keys.
 *
 *	Errors	none.
 *	Uses	keycat.h, request.h (state), guc.h.
 *
 * src/restoring.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_RESTORING_H
#define TC_RESTORING_H

#include "postgres.h"

/*
 * True in a COPY that restores a dump, and in no trigger of it, if the current
 * role cannot use this key.  Only CHECK constraints are evaluated there.  They
 * held when the dump was made, and hold for NULL: what needs the key is NULL.
 */
extern bool tc_restoring_without(uint32 key_id);

#endif							/* TC_RESTORING_H */
