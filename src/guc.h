/*-------------------------------------------------------------------------
 *
 * guc.h
 *	  The settings of themis_crypt.
 *
 * src/guc.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_GUC_H
#define TC_GUC_H

#include "postgres.h"

extern char *tc_keyring_path;	/* themis_crypt.keyring */
extern char *tc_tpm2_tcti;		/* themis_crypt.tpm2_tcti */
extern char *tc_tpm2_pin_file;	/* themis_crypt.tpm2_pin_file */
extern char *tc_credential;		/* themis_crypt.credential */
extern char *tc_provider_command;	/* themis_crypt.provider_command */
extern bool tc_require_unlocked;	/* themis_crypt.require_unlocked */
extern bool tc_require_hardware_binding;	/* .require_hardware_binding */
extern bool tc_use_memfd_secret;	/* themis_crypt.memfd_secret */
extern int	tc_unlock_timeout;	/* themis_crypt.unlock_timeout, ms */
extern bool tc_restore;			/* themis_crypt.restore */
extern bool tc_sealed_input;	/* themis_crypt.sealed_input */
extern bool tc_allow_no_recovery;	/* themis_crypt.allow_no_recovery */
extern bool tc_allow_drop_key;	/* themis_crypt.allow_drop_key */

/* Define all settings; called once from _PG_init. */
extern void tc_guc_init(void);

#endif							/* TC_GUC_H */
