/*-------------------------------------------------------------------------
 *
 * store.h
 *	  The keyring file as the tool handles it: read, opened, rewritten.
 *
 *	Owns	the bytes of one file, which are not secret.
 *	Locks	tool_lock_keyring: one writer at a time.
 *	Errors	as common.h.
 *	Uses	common.h, provider.h, keyring.h.
 *
 * contrib-keyprov/keyring/store.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_STORE_H
#define TC_TOOL_STORE_H

#include "provider.h"

typedef struct TcStore
{
	uint8_t		file[TC_KEYRING_MAX];
	size_t		len;
	TcKeyring	keyring;		/* borrows from "file" */
	int			slot;			/* that was opened */
	uid_t		uid;			/* owner of the file */
	gid_t		gid;
} TcStore;

/*
 * Keep other writers out until this process ends.  The lock is on the folder:
 * the file is another one after each rewrite.
 */
extern int	tool_lock_keyring(const TcOptions *options);

/* Read and parse the keyring.  Root may read anybody's. */
extern int	tool_read_keyring(const TcOptions *options, TcStore *ret_store);

/*
 * Open the payload through one slot: vault->payload, file_key and secret.
 * Does not print: the reason is in ret_reason (TC_TOOL_REASON_MAX bytes).
 */
extern int	tool_open_slot(const TcOptions *options, TcVault *vault,
						   const TcStore *store, int slot, char *ret_reason);

/* A slot as it is, for a file to be built; borrows from the store. */
extern TcKeyringNewSlot tool_kept_slot(const TcKeyringSlot *slot);

/*
 * Advice for a keyring that a provider did not open; "answer" is the
 * provider's own exit code, vault->answer after it.
 */
extern void tool_open_hint(const char *provider, int answer);

/*
 * Open the payload through the first slot that can, store->slot.  "skip" is
 * not tried (-1: all are).  A PIN that a TPM refused is not tried on another
 * slot, since the TPM counts.  For providers prepared before.
 */
extern int	tool_open_any(const TcOptions *options, TcVault *vault,
						  TcStore *store, int skip);

/* The same for all slots, with tool_prepare_providers() before. */
extern int	tool_open_keyring(const TcOptions *options, TcVault *vault,
							  TcStore *store);

/*
 * Write vault->payload into the opened keyring.  The slots stay as they are,
 * byte for byte.  Before the new file takes the old one's place it is opened
 * with the provider's secret and compared, and the old one must still be what
 * was read.  The store is the new file then.
 */
extern int	tool_rewrite_keyring(const TcOptions *options, TcVault *vault,
								 TcStore *store);

/*
 * Open a slot of a keyring in the making again, through its provider, and
 * compare with vault->payload, which was in there before.  vault->pin is the
 * new slot's by then.
 */
extern int	tool_reopen(const TcOptions *options, TcVault *vault,
						const TcStore *store, int slot);

/* Whether the keyring on the disk has these bytes, and "uid" as its owner. */
extern bool tool_keyring_is(const TcOptions *options, uid_t uid, TcSpan file);

/*
 * Put a file in place of the store's, which must still be what was read; the
 * store is the new one then.  "file" may not lie in the store.
 */
extern int	tool_replace_keyring(const TcOptions *options, TcStore *store,
								 TcSpan file);

/* Whether two payloads say the same. */
extern bool tool_payload_equal(const TcKeyringPayload *a,
							   const TcKeyringPayload *b);

/* Print a slot: a line, or members of the open JSON object. */
extern void tool_print_slot(const TcKeyringSlot *slot, int number);

/* Print instance and slots on stdout, without opening anything. */
extern void tool_print_keyring(const TcKeyring *keyring);

typedef enum TcPinning
{
	TC_PIN_ADDED,
	TC_PIN_KNOWN,
	TC_PIN_FULL
} TcPinning;

/* Trust a root: add a pin to a payload, unless there is one that says so. */
extern TcPinning tool_add_pin(TcKeyringPayload *payload, const TcPin *pin);

/* Remove the pins of a realm and fingerprint, of all versions; false if none. */
extern bool tool_remove_pins(TcKeyringPayload *payload, const TcPin *pin);

#endif							/* TC_TOOL_STORE_H */
