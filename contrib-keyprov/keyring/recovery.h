/*-------------------------------------------------------------------------
 *
 * recovery.h
 *	  Files of recovery identities and of their public keys.
 *
 * Either file is one line of text (recipient.h).  An identity opens every
 * root that was boxed to it, so its file is read and written by the rules of
 * a keyring file; a public key may come from anywhere the operator says.
 *
 *	Owns	nothing.
 *	Errors	as common.h.
 *	Uses	common.h, recipient.h, keyring.h.
 *
 * contrib-keyprov/keyring/recovery.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_RECOVERY_H
#define TC_TOOL_RECOVERY_H

#include "common.h"

/*
 * Read the identity file of --identity into vault->recovery_seed and derive
 * vault->recovery; of one under a passphrase, that is asked for.  The file
 * must be owned by whoever runs this, or by root.
 */
extern int	tool_read_identity(const TcOptions *options, TcVault *vault);

/*
 * Read a public key.  The recipient is named after the file, without its
 * folder and ".pub".  A key to which nothing can be boxed is refused.
 */
extern int	tool_read_recovery_key(const char *path,
								   TcRecipient *ret_recipient);

#endif							/* TC_TOOL_RECOVERY_H */
