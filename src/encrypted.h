/*-------------------------------------------------------------------------
 *
 * encrypted.h
 *	  The type encrypted: what its other faces need of its text form.
 *
 * src/encrypted.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_ENCRYPTED_H
#define TC_ENCRYPTED_H

#include "postgres.h"

/* The armor of a value, sealed whatever client_output says; palloc'd. */
extern char *tc_encrypted_armor(struct varlena *value);

#endif							/* TC_ENCRYPTED_H */
