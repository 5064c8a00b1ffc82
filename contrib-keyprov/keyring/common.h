/*-------------------------------------------------------------------------
 *
 * common.h
 *	  What the commands of themis-keyring share.
 *
 * Messages, the memory for secrets, and what the command line said.  A command
 * is a function from options to an exit code; it prints what went wrong
 * itself, once.
 *
 *	Owns	the one mapping of secret memory.
 *	Errors	functions that answer an int give a TcToolExit, having said why
 *			on stderr unless their contract says otherwise.
 *	Uses	the leaves of src/.  Nothing of PostgreSQL but libpq.
 *
 * contrib-keyprov/keyring/common.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_COMMON_H
#define TC_TOOL_COMMON_H

#include <limits.h>

#include "keyprov.h"
#include "keyring.h"
#include "passwrap.h"
#include "rootrec.h"

#define TC_DEFAULT_FOLDER	"/etc/themis-crypt"
#define TC_DEFAULT_KEYRING	TC_DEFAULT_FOLDER "/keyring"
#define TC_PROVIDER_DEADLINE_MS 15000
#define TC_TOOL_REASON_MAX	700
#define TC_FINGERPRINTS_MAX TC_PINS_MAX
#define TC_TOOL_PIN_MAX 32		/* bytes: what a TPM takes */
#define TC_TOOL_JOINED_MAX 4160 /* a PIN's line and a blob that has one */

/* Exit codes of the tool; README.md tells them to the user. */
typedef enum TcToolExit
{
	TC_TOOL_OK = 0,
	TC_TOOL_FAILED = 1,			/* refused, or failed */
	TC_TOOL_USAGE = 2,
	TC_TOOL_UNAVAILABLE = 3,	/* a provider may be able to, later */
	TC_TOOL_REJECTED = 4		/* wrong machine or policy, denied, damaged */
} TcToolExit;

/* What the command line said; the table of options is in args.c. */
typedef struct TcOptions
{
	const char *keyring;
	const char *provider_dir;	/* NULL: where the installation has them */
	const char *provider;
	const char *owner;			/* NULL: whoever runs this */
	const char *name;			/* NULL: the host's */
	const char *out;
	const char *identity;
	const char *public_key;
	const char *role;
	const char *conninfo;
	const char *recovery_files[TC_ENROLLED_MAX];
	int			nrecovery_files;
	uint8_t		fingerprints[TC_FINGERPRINTS_MAX][TC_KCV_BYTES];
	int			nfingerprints;
	bool		no_recovery;
	bool		unseal;
	bool		json;
	bool		all_databases;
	bool		passphrase;		/* ask for it */
	int			slot;			/* from 1; 0: not given */
	int			passphrase_fd;	/* -1: not given, as all descriptors */
	/* Of key provider tpm2. */
	const char *tcti;			/* NULL: the provider's default */
	const char *pcrs;
	bool		no_pcrs;
	bool		pin;			/* ask for it */
	int			pin_fd;
	const char *pin_file;
	bool		new_pin;
	int			new_pin_fd;
	const char *new_pin_file;
	bool		no_pin;
	/* Of key provider systemd-creds. */
	const char *with_key;
	const char *credential_name;
	const char *credential;
	const char *tpm2_device;
	const char *tpm2_pcrs;
	/* Of key provider command. */
	const char *command;
	const char *args[2];
	int			nargs;
} TcOptions;

/* Every secret of a run.  In secret memory, which no child inherits. */
typedef struct TcVault
{
	TcKeyringPayload payload;
	TcKeyringPayload check;		/* the payload as read back */
	TcProviderRun run;
	uint8_t		file_key[TC_KEY_BYTES];
	uint8_t		secret[TC_PROVIDER_SECRET_BYTES];
	uint8_t		recovery_seed[TC_SEED_BYTES];
	TcKeyPair	machine;
	TcKeyPair	recovery;
	uint8_t		root[TC_KEY_BYTES];
	uint8_t		root_check[TC_KEY_BYTES];
	char		text[TC_PASSWRAP_TEXT_MAX + 1]; /* of an identity */
	char		passphrase[TC_PASSPHRASE_MAX + 1];
	char		normal[TC_PASSPHRASE_MAX + 1];	/* in normal form C */
	uint8_t		stretched[TC_STRETCHED_BYTES];
	char		pin[TC_TOOL_PIN_MAX + 1];	/* of the slots there are; or "" */
	char		new_pin[TC_TOOL_PIN_MAX + 1];	/* of the slot to be sealed */
	uint8_t		joined[TC_TOOL_JOINED_MAX];
	int			answer;			/* the last provider's exit code, TC_EXIT_* */
	bool		pin_refused;	/* by a TPM that counts; never tried again */
} TcVault;

/* The commands. */
extern int	cmd_init(const TcOptions *options);
extern int	cmd_show(const TcOptions *options);
extern int	cmd_verify(const TcOptions *options);
extern int	cmd_add_provider(const TcOptions *options);
extern int	cmd_remove_provider(const TcOptions *options);
extern int	cmd_reseal(const TcOptions *options);
extern int	cmd_trust(const TcOptions *options);
extern int	cmd_distrust(const TcOptions *options);
extern int	cmd_recovery_keygen(const TcOptions *options);
extern int	cmd_recovery_pubkey(const TcOptions *options);
extern int	cmd_recovery_protect(const TcOptions *options);
extern int	cmd_enroll(const TcOptions *options);
extern int	cmd_drop(const TcOptions *options);
extern int	cmd_recover(const TcOptions *options);

/* Print a message, or advice to act on, as a line on stderr. */
extern void tool_error(const char *format,...) __attribute__((format(printf, 1, 2)));
extern void tool_hint(const char *format,...) __attribute__((format(printf, 1, 2)));

/* Say what is being done, if somebody watches: "sealing ..." */
extern void tool_progress(const char *format,...) __attribute__((format(printf, 1, 2)));

/* Map the vault of this process. */
extern int	tool_map_vault(TcVault **ret_vault);

/* Wipe it and give it back; NULL is harmless. */
extern void tool_unmap_vault(TcVault *vault);

#define TC_HEX_BYTES 16

/* Write 16 bytes (ids, fingerprints) as hex. */
extern void tool_hex(const uint8_t bytes[TC_HEX_BYTES],
					 char ret_text[2 * TC_HEX_BYTES + 1]);

/* Read them: 32 digits of either case; dashes may stand anywhere among them. */
extern bool tool_parse_hex(const char *text, uint8_t ret_bytes[TC_HEX_BYTES]);

/* The name of this machine: --name or the host's. */
extern int	tool_machine_name(const TcOptions *options,
							  char ret_name[TC_RECIPIENT_NAME_MAX + 1]);

/* Fill in a recipient; the name has been checked. */
extern void tool_recipient(TcRecipientRole role, const uint8_t *public_key,
						   const char *name, TcRecipient *ret_recipient);

/*
 * Print "LABEL: tcpub1:... "NAME"" and a line with the fingerprint, or an
 * object with role, public_key, name and fingerprint into the open JSON array.
 */
extern void tool_print_recipient(const char *label, const uint8_t *public_key,
								 const char *name);

#endif							/* TC_TOOL_COMMON_H */
