/*-------------------------------------------------------------------------
 *
 * usage.h
 *	  The texts of --help.
 *
 * contrib-keyprov/keyring/usage.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_USAGE_H
#define TC_TOOL_USAGE_H

#define USAGE_TOOL \
"themis-keyring makes and keeps the keyring of this machine for themis_crypt.\n" \
"\n" \
"Usage: themis-keyring COMMAND [OPTION]...\n" \
"\n" \
"  init             make the keyring of this machine\n" \
"  show             say what is in the keyring\n" \
"  verify           open it through each of its key providers\n" \
"  add-provider     let one more key provider open it\n" \
"  remove-provider  take that away again\n" \
"  reseal           another provider or policy in place of one\n" \
"  trust            trust a root that another machine made\n" \
"  distrust         no longer trust it\n" \
"  recovery-keygen  make an offline recovery identity\n" \
"  recovery-pubkey  print the public key of a recovery identity again\n" \
"  recovery-protect put a recovery identity under a passphrase\n" \
"  enroll           let another machine, or a recovery key, open the roots\n" \
"  drop             no longer let it\n" \
"  recover          let this machine in with a recovery identity\n" \
"\n" \
"\"themis-keyring COMMAND --help\" says more, \"themis-keyring --version\" which\n" \
"version this is.\n" \
"\n" \
"Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 a key provider is\n" \
"unavailable now; 4 wrong machine, policy or passphrase, denied, or damaged.\n"

#define USAGE_KEYRING \
"  --keyring FILE         the keyring (default " TC_DEFAULT_KEYRING ")\n"

#define USAGE_PROVIDER \
"  --tcti CONF            how key provider tpm2 reaches the TPM\n" \
"                         (default device:/dev/tpmrm0)\n" \
"  --pin | --pin-fd N | --pin-file FILE\n" \
"                         the PIN of slots of tpm2 that have one: asked for on\n" \
"                         the terminal, or the first line read from there\n" \
"  --tpm2-device DEV      the TPM for key provider systemd-creds\n" \
"  --command CMD          what key provider command runs\n" \
"  --provider-dir FOLDER  where the programs themis-keyprov-* are\n" \
"  --json                 print results as one JSON object\n"

#define USAGE_SEALING \
"How tpm2 seals:\n" \
"  --pcrs LIST            bind to PCRs of the SHA-256 bank, as in 0,2,7\n" \
"  --pin...               with a PIN\n" \
"How systemd-creds seals:\n" \
"  --with-key KEY         host, tpm2, or host+tpm2; it must be given\n" \
"  --credential-name NAME (default themis.root)\n" \
"  --credential FILE      where the credential goes\n" \
"                         (default /etc/credstore.encrypted/NAME)\n" \
"  --tpm2-pcrs LIST       PCRs, as systemd-creds spells them\n"

#define USAGE_SEALING_MORE \
"  --no-pin               tpm2: the new slot has no PIN\n" \
"  --new-pin | --new-pin-fd N | --new-pin-file FILE\n" \
"                         tpm2: the PIN of the new slot, if it shall be another\n"

#define USAGE_INIT \
"Make the keyring of this machine, and print its public key.\n" \
"\n" \
"Usage: themis-keyring init [OPTION]...\n" \
"           (--recovery-pubkey FILE... | --no-recovery)\n" \
"\n" \
"  --recovery-pubkey FILE a key to which every new root is boxed as well, from\n" \
"                         \"recovery-keygen\"; may be given several times\n" \
"  --no-recovery          do without: the loss of this machine or its TPM is\n" \
"                         then the loss of every value\n" \
"  --owner USER           the user that runs PostgreSQL; root must give it\n" \
"  --provider NAME        the key provider (default tpm2)\n" \
"  --name NAME            of this machine (default: the host's)\n" \
USAGE_PROVIDER USAGE_KEYRING "\n" USAGE_SEALING \
"\n" \
"A keyring that exists is never made anew.\n"

#define USAGE_SHOW \
"Say what is in the keyring.\n" \
"\n" \
"Usage: themis-keyring show [OPTION]...\n" \
"\n" \
"  --unseal               open it, and show this machine's public key, recovery\n" \
"                         keys, and the roots it trusts\n" \
"  --name NAME            of this machine (default: the host's)\n" \
USAGE_PROVIDER USAGE_KEYRING

#define USAGE_VERIFY \
"Open the keyring through each of its key providers, one line for each.\n" \
"\n" \
"Usage: themis-keyring verify [OPTION]...\n" \
"\n" \
"  --credential FILE      where the credential of systemd-creds is\n" \
"                         (default /etc/credstore.encrypted/NAME)\n" \
USAGE_PROVIDER USAGE_KEYRING

#define USAGE_ADD_PROVIDER \
"Add a slot, sealed with another key provider or policy: each slot by itself\n" \
"opens the keyring.\n" \
"\n" \
"Usage: themis-keyring add-provider --provider NAME [OPTION]...\n" \
"\n" \
USAGE_PROVIDER USAGE_KEYRING "\n" USAGE_SEALING USAGE_SEALING_MORE

#define USAGE_REMOVE_PROVIDER \
"Remove a slot, once another one has been opened.\n" \
"\n" \
"Usage: themis-keyring remove-provider --slot N [OPTION]...\n" \
"\n" \
"  --slot N               the slot, as \"show\" numbers them\n" \
USAGE_PROVIDER USAGE_KEYRING

#define USAGE_RESEAL \
"Seal a fresh secret in place of a slot's.  The old slot stays until the new\n" \
"one has been opened again from the disk.\n" \
"\n" \
"Usage: themis-keyring reseal [OPTION]...\n" \
"\n" \
"  --slot N               the slot, where there are several\n" \
"  --provider NAME        the new key provider (default: the slot's)\n" \
USAGE_PROVIDER USAGE_KEYRING "\n" USAGE_SEALING USAGE_SEALING_MORE \
"  --no-pcrs              tpm2: not bound to PCRs, though the old slot was\n"

#define USAGE_TRUST \
"Trust a root that another machine made, so that keys may be made under it.\n" \
"Compare the fingerprint with what that machine shows first.\n" \
"\n" \
"Usage: themis-keyring trust [OPTION]... REALM FINGERPRINT\n" \
"\n" \
USAGE_PROVIDER USAGE_KEYRING \
"\n" \
"REALM and FINGERPRINT are 32 hexadecimal digits each; dashes do not matter.\n"

#define USAGE_DISTRUST \
"No longer trust a root that \"trust\" or \"recover\" put into the keyring.\n" \
"\n" \
"Usage: themis-keyring distrust [OPTION]... REALM FINGERPRINT\n" \
"\n" \
USAGE_PROVIDER USAGE_KEYRING \
"\n" \
"The server follows when it unlocks.  Values under the root still open.\n"

#define USAGE_RECOVERY_KEYGEN \
"Make an offline recovery identity, and print its public key.\n" \
"\n" \
"Usage: themis-keyring recovery-keygen --out FILE [OPTION]...\n" \
"\n" \
"  --out FILE             the identity, to be kept away from this machine; a\n" \
"                         file that exists is not overwritten\n" \
"  --passphrase           put it under a passphrase, asked for on the terminal\n" \
"  --passphrase-fd N      the same, the passphrase read from there, one line\n" \
"  --json                 print results as one JSON object\n"

#define USAGE_IDENTITY \
"  --identity FILE        from \"recovery-keygen\"; owned by the caller or root,\n" \
"                         nobody else may read it\n" \
"  --passphrase-fd N      read its passphrase from there, one line; else it is\n" \
"                         asked for on the terminal, if the identity has one\n"

#define USAGE_CONNINFO \
"  --conninfo CONNINFO    of the database, as a superuser\n" \
"  --all-databases        every database there that has the extension\n"

#define USAGE_RECOVERY_PUBKEY \
"Print the public key of a recovery identity, for \"init --recovery-pubkey\".\n" \
"\n" \
"Usage: themis-keyring recovery-pubkey --identity FILE [OPTION]...\n" \
"\n" \
USAGE_IDENTITY \
"  --json                 print results as one JSON object\n"

#define USAGE_RECOVERY_PROTECT \
"Put a recovery identity under a passphrase: the same one, in a new file.\n" \
"\n" \
"Usage: themis-keyring recovery-protect --identity FILE --out FILE [OPTION]...\n" \
"\n" \
"  --identity FILE        the identity as it is, with or without a passphrase\n" \
"  --out FILE             the new one; a file that exists is not overwritten\n" \
"  --passphrase-fd N      read from there, one line each: the passphrase that it\n" \
"                         has, if it has one, then the new one\n" \
"  --json                 print results as one JSON object\n"

#define USAGE_ENROLL \
"Let another machine, or a recovery key, open the roots: those that this\n" \
"machine will make, by its keyring, and those of a database.\n" \
"\n" \
"Usage: themis-keyring enroll --public-key TEXT --name NAME [OPTION]...\n" \
"       themis-keyring enroll --recovery-pubkey FILE [OPTION]...\n" \
"\n" \
"  --public-key TEXT      of the machine: tcpub1:..., from its \"show --unseal\"\n" \
"  --recovery-pubkey FILE a recovery key, from \"recovery-keygen\"\n" \
"  --name NAME            by which it is shown (recovery key: that of the file)\n" \
"  --role ROLE            machine or recovery\n" \
"  --fingerprint HEX      of the public key, as its owner tells it; without it\n" \
"                         you are asked on the terminal\n" \
USAGE_CONNINFO USAGE_PROVIDER USAGE_KEYRING \
"\n" \
"Without --conninfo only the keyring changes.  Of several databases, one that\n" \
"fails does not stop the others, and the exit code says so.\n"

#define USAGE_DROP \
"Take back \"enroll\": in the keyring, and in the roots of a database.  What was\n" \
"enrolled has held the roots: it can open what is sealed, from any copy.\n" \
"\n" \
"Usage: themis-keyring drop (--name NAME | --public-key TEXT) [OPTION]...\n" \
"\n" \
"  --name NAME            as it was enrolled\n" \
"  --public-key TEXT      tcpub1:...\n" \
"  --no-recovery          even if it is the last recovery key\n" \
USAGE_CONNINFO USAGE_PROVIDER USAGE_KEYRING

#define USAGE_RECOVER \
"Let this machine in with a recovery identity: in each root of a database.\n" \
"\n" \
"Usage: themis-keyring recover --identity FILE --conninfo CONNINFO [OPTION]...\n" \
"\n" \
USAGE_IDENTITY USAGE_CONNINFO \
"  --fingerprint HEX      of a root, as you noted it; may be given several\n" \
"                         times; without any you are asked on the terminal\n" \
"  --name NAME            of this machine (default: the host's)\n" \
USAGE_PROVIDER USAGE_KEYRING \
"\n" \
"A root whose fingerprint you do not confirm is refused: it may not be yours.\n" \
"Of several databases, one that fails does not stop the others, and the exit\n" \
"code says so.  Root connects as the owner of the keyring.  For a standby\n" \
"connect to its primary, and call themis_crypt.unlock() on the standby then.\n"

#endif							/* TC_TOOL_USAGE_H */
