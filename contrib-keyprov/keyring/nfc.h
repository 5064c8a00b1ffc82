/*-------------------------------------------------------------------------
 *
 * nfc.h
 *	  Passphrases in Unicode's normalization form C.
 *
 * The same passphrase reaches us in other bytes from another keyboard or
 * system, unless it is normalised.
 *
 *	Owns	nothing.  Beyond ASCII, copies of a passphrase go through ordinary
 *			memory, and are wiped as far as they are ours.
 *	Errors	true or false.
 *	Uses	PostgreSQL's own tables of Unicode, from libpgcommon.
 *
 * contrib-keyprov/keyring/nfc.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_NFC_H
#define TC_TOOL_NFC_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Write a zero-terminated UTF-8 text in normal form C; ret_normal has "size"
 * bytes, zeros on failure.  False for what is not UTF-8, or does not fit.
 */
extern bool tool_to_nfc(const char *utf8, char *ret_normal, size_t size);

#endif							/* TC_TOOL_NFC_H */
