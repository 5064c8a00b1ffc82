/*-------------------------------------------------------------------------
 *
 * passwrap.h
 *	  A recovery identity under a passphrase.
 *
 * One line of text, so that it can be printed: what a passphrase is stretched
 * with, a commitment to it, and the seed sealed under it.  Layout: src/FORMAT,
 * "A protected identity".  Used by the keyring tool; the server has no
 * passphrases.
 *
 * Stretching is apart from the rest, because it alone takes long and much
 * memory.
 *
 *	Owns	nothing; callers wipe passphrases, stretched keys and seeds.
 *	Errors	TC_MALFORMED, TC_UNSUPPORTED (stretched in a way of a later
 *			version), TC_TOO_LARGE (costs over the cap); TC_REJECTED for a
 *			wrong passphrase or an altered text; TC_SYSTEM with errno.
 *	Units	memory is KiB.  A passphrase is UTF-8, in normal form C, without a
 *			terminator: the caller sees to that.
 *	Uses	recipient.h, aead.h, kdf.h, libsodium "Password hashing".
 *
 * src/passwrap.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_PASSWRAP_H
#define TC_PASSWRAP_H

#include "aead.h"
#include "recipient.h"

#define TC_PASSWRAP_PASSES_MIN	3
#define TC_PASSWRAP_PASSES_MAX	10
#define TC_PASSWRAP_KIB_MIN		262144
#define TC_PASSWRAP_KIB_MAX		1048576
#define TC_PASSWRAP_SALT_BYTES	16
#define TC_PASSPHRASE_MAX		1024
#define TC_STRETCHED_BYTES		64
#define TC_PASSWRAP_TEXT_MAX	208

typedef struct TcPasswrap
{
	uint32_t	passes;
	uint32_t	kib;
	uint8_t		salt[TC_PASSWRAP_SALT_BYTES];
	uint8_t		nonce[TC_NONCE_BYTES];
	uint8_t		commitment[TC_MAC_BYTES];
	uint8_t		body[TC_SEED_BYTES + TC_TAG_BYTES];
} TcPasswrap;

/* Whether a text starts like a protected identity; says nothing of the rest. */
extern bool tc_passwrap_is(const char *text, size_t len);

/*
 * Take a text apart.  What it costs to stretch a passphrase for it is within
 * the limits above then, so that nobody's text makes a program take more.
 */
extern TcResult tc_passwrap_parse(const char *text, size_t len,
								  TcPasswrap *ret_wrap) TC_CHECK_RESULT;

/* Begin a new one: draw salt and nonce.  Costs outside the limits are refused. */
extern TcResult tc_passwrap_new(uint32_t passes, uint32_t kib,
								TcPasswrap *ret_wrap) TC_CHECK_RESULT;

/*
 * Stretch a passphrase of 1..TC_PASSPHRASE_MAX bytes as "wrap" says; takes
 * the memory and about a second.  TC_SYSTEM if there is not so much memory.
 */
extern TcResult tc_passwrap_stretch(const TcPasswrap *wrap,
									const char *passphrase, size_t len,
									uint8_t ret_stretched[TC_STRETCHED_BYTES]) TC_CHECK_RESULT;

/* Seal a seed into a new one: sets commitment and body. */
extern TcResult tc_passwrap_seal(TcPasswrap *wrap,
								 const uint8_t stretched[TC_STRETCHED_BYTES],
								 const uint8_t seed[TC_SEED_BYTES]) TC_CHECK_RESULT;

/* Open it.  ret_seed is zeroed on failure. */
extern TcResult tc_passwrap_open(const TcPasswrap *wrap,
								 const uint8_t stretched[TC_STRETCHED_BYTES],
								 uint8_t ret_seed[TC_SEED_BYTES]) TC_CHECK_RESULT;

/* Its text, with a terminating zero. */
extern TcResult tc_passwrap_encode(const TcPasswrap *wrap,
								   char ret_text[TC_PASSWRAP_TEXT_MAX]) TC_CHECK_RESULT;

#endif							/* TC_PASSWRAP_H */
