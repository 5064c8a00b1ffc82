/*-------------------------------------------------------------------------
 *
 * credential.h
 *	  The credential file that provider systemd-creds needs beside the slot.
 *
 * A slot of systemd-creds holds the whole encrypted credential; systemd gives
 * the server what it decrypts from a file of the same text, by default
 * /etc/credstore.encrypted/NAME.  The tool writes that file, and overwrites
 * one only if a slot of the same keyring holds its text: that one can be
 * written again.
 *
 *	Owns	nothing.
 *	Errors	as common.h.
 *	Uses	store.h, and the rules of a keyring file (keyring.h): a regular
 *			file with one name, owned by whoever runs this, closed to others.
 *
 * contrib-keyprov/keyring/credential.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_CREDENTIAL_H
#define TC_TOOL_CREDENTIAL_H

#include "store.h"

/* A credential as text, and where its file is. */
typedef struct TcCredential
{
	char		path[PATH_MAX];
	uint8_t		text[TC_PROVIDER_BLOB_MAX];
	size_t		len;			/* 0: there is none */
} TcCredential;

/* Whether a provider needs such a file. */
extern bool tool_needs_credential(const char *provider);

/*
 * Before anything is sealed: whether the file could be written.  There must
 * be none yet, unless "replaced", a slot that the new one is to replace,
 * holds its text, which *ret_old then is (else its len is 0).  "replaced" may
 * be NULL.
 */
extern int	tool_check_credential_place(const TcOptions *options,
										TcVault *vault,
										const TcKeyringSlot *replaced,
										TcCredential *ret_old);

/*
 * Write the file for a blob; "old" is what tool_check_credential_place() found.
 * The default folder, or any other last one that is missing, is made.
 */
extern int	tool_write_credential(const TcOptions *options, TcVault *vault,
								  TcSpan blob, const TcCredential *old,
								  TcCredential *ret_written);

/* Print where a credential was written; nothing if none was. */
extern void tool_print_credential(const TcCredential *written);

/*
 * Undo that: put the old file back, or remove the new one.  False, having said
 * why, if the new one is still there, or the old one not safely.
 */
extern bool tool_take_back_credential(const TcCredential *written,
									  const TcCredential *old);

/*
 * Whether a slot's blob is what the slot says (binding, type id), and the
 * credential file holds its text.  Does not print: the reason is in
 * ret_reason.  Where this user may not read the file, TC_TOOL_OK with a
 * reason.
 */
extern int	tool_verify_credential(const TcOptions *options, TcVault *vault,
								   const TcKeyringSlot *slot,
								   char *ret_reason);

#endif							/* TC_TOOL_CREDENTIAL_H */
