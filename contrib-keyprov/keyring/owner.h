/*-------------------------------------------------------------------------
 *
 * owner.h
 *	  The user who is to own the keyring: found, and tried out.
 *
 * What root can open says nothing about what the server's user can: it may
 * lack a group that may use the TPM, or the way to the folder.  So a child
 * becomes that user and tries.
 *
 *	Owns	one child at a time, waited for.
 *	Errors	as common.h; the child prints.
 *	Uses	common.h, store.h.
 *
 * contrib-keyprov/keyring/owner.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_OWNER_H
#define TC_TOOL_OWNER_H

#include "store.h"

typedef struct TcOwner
{
	char		name[256];
	uid_t		uid;
	gid_t		gid;
} TcOwner;

/* Find the user of --owner, which root must give, or whoever runs this. */
extern int	tool_find_owner(const TcOptions *options, TcOwner *ret_owner);

/* The owner of a keyring that there is; one without a name goes by number. */
extern void tool_keyring_owner(const TcStore *store, TcOwner *ret_owner);

/*
 * Whether the owner can open these bytes of a keyring through one slot, with
 * vault->pin.  A slot of systemd-creds opens for root and within its unit
 * only: that is said, and the answer is yes.
 */
extern int	tool_owner_can_open(const TcOptions *options, const TcVault *vault,
								const TcOwner *owner, TcSpan file, int slot);

/* Whether the owner can read the keyring in its place, and reads this. */
extern int	tool_owner_can_read(const TcOptions *options,
								const TcOwner *owner, TcSpan file);

#endif							/* TC_TOOL_OWNER_H */
