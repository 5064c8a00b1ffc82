/*-------------------------------------------------------------------------
 *
 * tcti.c
 *	  The ways to a TPM that we offer, and what is known of each.
 *
 * contrib-keyprov/tpm2/tcti.c
 *
 *-------------------------------------------------------------------------
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tcti.h"

#define DEVICE_PREFIX	"device:"
#define RAW_DEVICE		"/dev/tpm"	/* and a number */

/* Is this the name before the colon? */
static bool
is_interface(const char *tcti, const char *name)
{
	size_t		len = strlen(name);

	return strncmp(tcti, name, len) == 0 &&
		(tcti[len] == ':' || tcti[len] == '\0');
}

/*
 * The ways to a TPM that we offer.  tss2-tctildr would take any name, also a
 * path, and load it as a library; with no name it would try whatever TPM it
 * finds.
 */
static bool
is_known_interface(const char *tcti)
{
	return is_interface(tcti, "device") || is_interface(tcti, "tabrmd") ||
		tc_tcti_is_simulator(tcti);
}

bool
tc_tcti_is_simulator(const char *tcti)
{
	return is_interface(tcti, "swtpm") || is_interface(tcti, "mssim");
}

/* By its real name: there are symbolic links that hide what a device is. */
bool
tc_tcti_is_raw(const char *tcti)
{
	const size_t raw_len = strlen(RAW_DEVICE);
	char	   *path;
	bool		raw;

	if (strncmp(tcti, DEVICE_PREFIX, strlen(DEVICE_PREFIX)) != 0)
		return tc_tcti_is_simulator(tcti);
	path = realpath(tcti + strlen(DEVICE_PREFIX), NULL);
	raw = path != NULL &&
		strncmp(path, RAW_DEVICE, raw_len) == 0 &&
		isdigit((unsigned char) path[raw_len]);
	free(path);
	return raw;
}

/*
 * Look at the device before it is opened: the library would say no more than
 * "IO failure", and it would write TPM commands into an ordinary file, which
 * is ruinous when the tool runs as root and the path is mistyped.
 */
static TcExit
check_device(const char *device, TcReason *reterr_reason)
{
	struct stat st;

	if (stat(device, &st) != 0)
		return tc_fault(TC_EXIT_UNAVAILABLE, reterr_reason,
						"could not open TPM device \"%s\": %s",
						device, strerror(errno));
	if (!S_ISCHR(st.st_mode))
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"\"%s\" is not a TPM device", device);
	if (access(device, R_OK | W_OK) != 0)
		return tc_fault(TC_EXIT_UNAVAILABLE, reterr_reason,
						"could not open TPM device \"%s\": %s (is this account in the group \"tss\"?)",
						device, strerror(errno));
	return TC_EXIT_OK;
}

TcExit
tc_tcti_check(const char *tcti, TcReason *reterr_reason)
{
	const size_t prefix_len = strlen(DEVICE_PREFIX);

	if (!is_known_interface(tcti))
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"\"%s\" is not a way to a TPM: must be device:PATH, tabrmd:, swtpm: or mssim:",
						tcti);
	if (strncmp(tcti, DEVICE_PREFIX, prefix_len) == 0)
		return check_device(tcti + prefix_len, reterr_reason);
	return TC_EXIT_OK;
}
