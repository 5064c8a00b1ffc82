/*-------------------------------------------------------------------------
 *
 * noaes.c
 *	  A library to be preloaded: libsodium says that this CPU has no AES.
 *
 * The calls themselves fail as they do on such a CPU.
 *
 * test/lib/noaes.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>

extern int	crypto_aead_aes256gcm_is_available(void);
extern int	crypto_aead_aes256gcm_beforenm(void *state, const unsigned char *key);

int
crypto_aead_aes256gcm_is_available(void)
{
	return 0;
}

int
crypto_aead_aes256gcm_beforenm(void *state, const unsigned char *key)
{
	(void) state;
	(void) key;
	errno = ENOSYS;
	return -1;
}
