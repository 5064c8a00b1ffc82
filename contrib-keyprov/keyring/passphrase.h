/*-------------------------------------------------------------------------
 *
 * passphrase.h
 *	  Recovery identities under a passphrase.
 *
 *	Owns	nothing: passphrases and what is made of them are in the vault.
 *	Errors	as common.h.
 *	Uses	passwrap.h, ask.h, nfc.h.
 *
 * contrib-keyprov/keyring/passphrase.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_PASSPHRASE_H
#define TC_TOOL_PASSPHRASE_H

#include "common.h"

/*
 * Ask for a new passphrase, twice on a terminal, and put vault->recovery_seed
 * under it: vault->text.  It is opened again and compared.
 */
extern int	tool_protect_identity(const TcOptions *options, TcVault *vault);

/*
 * Ask for the passphrase of a protected identity, and open it into
 * vault->recovery_seed.  "path" names it in messages.
 */
extern int	tool_open_protected(const TcOptions *options, TcVault *vault,
								const char *path, const char *text, size_t len);

#endif							/* TC_TOOL_PASSPHRASE_H */
