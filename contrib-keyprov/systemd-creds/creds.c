/*-------------------------------------------------------------------------
 *
 * creds.c
 *	  Have systemd-creds encrypt and decrypt a credential.
 *
 * contrib-keyprov/systemd-creds/creds.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "creds.h"
#include "credsfault.h"
#include "keyprov.h"

#define PROGRAM			"/usr/bin/systemd-creds"
#define OLDEST_VERSION	250
#define ARGS_MAX		8
#define ARG_LEN			512

/* The options of one run of systemd-creds. */
typedef struct Arguments
{
	const char *list[ARGS_MAX + 1];
	char		text[ARGS_MAX][ARG_LEN];
	int			count;
	bool		too_long;
} Arguments;

/* Too large for a stack, and wiped after each use. */
static TcProviderRun run;

/* Add NAME=VALUE, or NAME alone; nothing for a value that is not given. */
static void
add_argument(Arguments *arguments, const char *name, const char *value)
{
	int			len;

	if (value == NULL || arguments->count >= ARGS_MAX)
		return;
	len = snprintf(arguments->text[arguments->count], ARG_LEN, "%s%s", name, value);
	if (len < 0 || len >= ARG_LEN)
		arguments->too_long = true;
	arguments->list[arguments->count] = arguments->text[arguments->count];
	arguments->list[++arguments->count] = NULL;
}

/* Read what there is on standard error; the end of it is what counts. */
static void
drain_messages(int *fd, TcCredsMessages *messages)
{
	const size_t room = sizeof(messages->text) - 1;
	ssize_t		got;

	if (messages->len == room)
	{
		messages->len /= 2;
		memmove(messages->text, messages->text + (room - messages->len),
				messages->len);
	}
	got = read(*fd, messages->text + messages->len, room - messages->len);
	if (got > 0)
		messages->len += (size_t) got;
	else if (got == 0 || (errno != EINTR && errno != EAGAIN))
	{
		(void) close(*fd);
		*fd = -1;
	}
	messages->text[messages->len] = '\0';
}

/*
 * Run systemd-creds, and leave its output in "run".
 *
 * The leaf keeps the first line of standard error only.  systemd-creds says
 * what it is warning of first, so we take that pipe and read it ourselves.
 */
static TcExit
run_creds(const char *verb, const Arguments *arguments, TcSpan input,
		  TcReason *reterr_reason)
{
	TcCredsMessages messages = {0, ""};
	bool		done = false;
	int			err;
	int			code;

	if (arguments->too_long)
		return tc_fault(TC_EXIT_USAGE, reterr_reason, "an option is too long");
	if (access(PROGRAM, X_OK) != 0)
		return tc_fault(TC_EXIT_USAGE, reterr_reason,
						"there is no %s: systemd %d or newer is needed",
						PROGRAM, OLDEST_VERSION);
	if (tc_keyprov_start(&run, PROGRAM, verb, arguments->list, input) != TC_OK)
		return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"could not run %s: %s", PROGRAM, strerror(errno));
	err = run.err;
	run.err = -1;

	while (!done || err >= 0)
	{
		struct pollfd fds[3] = {{run.in, POLLOUT, 0}, {run.out, POLLIN, 0},
		{err, POLLIN, 0}};

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			break;
		if (fds[2].revents != 0)
			drain_messages(&err, &messages);
		done = tc_keyprov_progress(&run);
		if (run.overflowed)
			break;
	}
	if (err >= 0)
		(void) close(err);

	/* Its exit codes are 0 and 1, and the leaf turns the latter into 70. */
	code = tc_keyprov_end(&run, done);
	if (code != TC_EXIT_OK)
		return tc_fault_creds(&messages, run.reason, reterr_reason);
	return TC_EXIT_OK;
}

TcExit
tc_creds_check_version(TcReason *reterr_reason)
{
	static const char prefix[] = "systemd ";
	const Arguments none = {.count = 0};
	long		version = 0;
	TcExit		code;

	code = run_creds("--version", &none, tc_span(NULL, 0), reterr_reason);
	if (code == TC_EXIT_OK)
	{
		/* The output is not terminated; nothing else is in that buffer. */
		run.output[sizeof(run.output) - 1] = '\0';
		if (strncmp((char *) run.output, prefix, strlen(prefix)) == 0)
			version = strtol((char *) run.output + strlen(prefix), NULL, 10);
		if (version < OLDEST_VERSION)
			code = tc_fault(TC_EXIT_USAGE, reterr_reason,
							"%s is not of systemd %d or newer", PROGRAM,
							OLDEST_VERSION);
	}
	tc_keyprov_wipe(&run);
	return code;
}

TcExit
tc_creds_encrypt(const TcCredsOptions *options,
				 const uint8_t secret[TC_SECRET_BYTES],
				 TcCredential *ret_credential, TcReason *reterr_reason)
{
	Arguments	arguments = {.count = 0};
	TcExit		code;

	add_argument(&arguments, "--name=", options->name);
	add_argument(&arguments, "--with-key=", options->with_key);
	add_argument(&arguments, "--tpm2-device=", options->tpm2_device);
	add_argument(&arguments, "--tpm2-pcrs=", options->tpm2_pcrs);
	add_argument(&arguments, "-", "");
	add_argument(&arguments, "-", "");
	code = run_creds("encrypt", &arguments, tc_span(secret, TC_SECRET_BYTES),
					 reterr_reason);
	if (code == TC_EXIT_OK)
		code = tc_credential_from_text(tc_span(run.output, run.output_len),
									   ret_credential, reterr_reason);
	tc_keyprov_wipe(&run);
	return code;
}

TcExit
tc_creds_decrypt(const TcCredsOptions *options, const TcCredential *credential,
				 uint8_t ret_secret[TC_SECRET_BYTES], TcReason *reterr_reason)
{
	Arguments	arguments = {.count = 0};
	char		text[TC_CREDENTIAL_TEXT_MAX];
	TcExit		code;

	memset(ret_secret, 0, TC_SECRET_BYTES);
	code = tc_credential_to_text(credential, text, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;
	add_argument(&arguments, "--name=", options->name);
	add_argument(&arguments, "--tpm2-device=", options->tpm2_device);
	add_argument(&arguments, "-", "");
	add_argument(&arguments, "-", "");
	code = run_creds("decrypt", &arguments, tc_span(text, strlen(text)),
					 reterr_reason);
	if (code == TC_EXIT_OK && run.output_len != TC_SECRET_BYTES)
		code = tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the credential does not hold exactly %d bytes",
						TC_SECRET_BYTES);
	if (code == TC_EXIT_OK)
		memcpy(ret_secret, run.output, TC_SECRET_BYTES);
	tc_keyprov_wipe(&run);
	return code;
}
