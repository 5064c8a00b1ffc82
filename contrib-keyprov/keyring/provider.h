/*-------------------------------------------------------------------------
 *
 * provider.h
 *	  Key providers as the tool uses them: run, asked, and told a PIN.
 *
 *	Owns	nothing; secrets are in the vault.
 *	Errors	as common.h, unless a contract says otherwise.
 *	Uses	common.h, args.h, ask.h, keyprov.h.
 *
 * contrib-keyprov/keyring/provider.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_PROVIDER_H
#define TC_TOOL_PROVIDER_H

#include "common.h"

/* Make sense of the command line for the providers of a run. */
typedef struct TcProviderUse
{
	const TcKeyring *keyring;	/* whose slots may be opened; NULL: none */
	const char *sealing;		/* the provider that is to seal; NULL: none */
	bool		check;			/* what lies outside the keyring is checked */
} TcProviderUse;

/*
 * Refuse options of providers that this run does not use, and take the PINs
 * that it does use into the vault: vault->pin for slots that there are, and
 * vault->new_pin for the one to be sealed.  Asks on the terminal if that is
 * what the options say.
 */
extern int	tool_prepare_providers(const TcOptions *options, TcVault *vault,
								   const TcProviderUse *use);

/* Whether a slot was sealed with a PIN, by its recorded policy. */
extern bool tool_slot_has_pin(const TcKeyringSlot *slot);

/*
 * Run a provider's verb on "input"; the answer is in vault->run.output, and
 * the caller wipes the run.  "pin" goes to the provider by standard input;
 * NULL or empty: it is told of none.  Returns a TcToolExit, with a reason in
 * ret_reason (TC_TOOL_REASON_MAX bytes) instead of printing it.
 */
extern int	tool_run_provider(const TcOptions *options, TcVault *vault,
							  const char *provider, const char *verb,
							  const char *pin, TcSpan input, char *ret_reason);

/* Advice for a provider that is unavailable; none for other exit codes. */
extern void tool_unavailable_hint(const char *provider, int exit_code);

/* What a provider made of a secret: all of a slot but the wrap. */
typedef struct TcSealed
{
	uint8_t		blob[TC_PROVIDER_BLOB_MAX];
	size_t		blob_len;
	uint8_t		binding;
	uint8_t		type_id[TC_TYPE_ID_BYTES];
	char		policy[TC_POLICY_MAX + 1];
	char		credential_name[NAME_MAX + 1];	/* systemd-creds only */
} TcSealed;

/*
 * Ask a provider what a blob is: all fields but the blob itself.  Does not
 * print: the reason is in ret_reason.
 */
extern int	tool_describe_blob(const TcOptions *options, TcVault *vault,
							   const char *provider, TcSpan blob,
							   TcSealed *ret_sealed, char *ret_reason);

/*
 * Draw a secret, vault->secret, have options->provider seal it, and describe
 * the result.
 */
extern int	tool_seal_secret(const TcOptions *options, TcVault *vault,
							 TcSealed *ret_sealed);

/* The new slot that it makes, wrapped under vault->secret; borrows from all. */
extern TcKeyringNewSlot tool_new_slot(const TcOptions *options,
									  const TcVault *vault,
									  const TcSealed *sealed);

#endif							/* TC_TOOL_PROVIDER_H */
