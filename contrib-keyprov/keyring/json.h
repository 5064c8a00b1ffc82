/*-------------------------------------------------------------------------
 *
 * json.h
 *	  Results as text for people, or as one JSON object for programs.
 *
 * A command says each result twice, in words with tool_text() and as a member
 * with tool_json_*(); of the two only what the caller asked for is printed.
 * Members are written in the order of the calls.  main() opens the object,
 * adds the exit code as its last member, and closes what is open, so that
 * each run with --json that got as far as its command prints exactly one.
 *
 *	Owns	what is open on standard output.
 *	Errors	of writing: found by main(), which flushes.
 *	Units	a name is NULL within an array.  Strings may hold any bytes; what
 *			is not UTF-8 comes out as U+FFFD.
 *	Uses	bytes.h.
 *
 * contrib-keyprov/keyring/json.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_TOOL_JSON_H
#define TC_TOOL_JSON_H

#include <stdbool.h>

#include "bytes.h"

#define TC_JSON_DEPTH_MAX 8

/* From now on JSON is printed, and text is not: opens the object. */
extern void tool_json_start(const char *command);

/* Close all that is open, with the exit code as the last member. */
extern void tool_json_finish(int exit_code);

/* Print text, unless JSON is. */
extern void tool_text(const char *format,...) __attribute__((format(printf, 1, 2)));

/* The members; nothing happens unless JSON is printed. */
extern void tool_json_object(const char *name);
extern void tool_json_array(const char *name);
extern void tool_json_end(void);	/* of the innermost object or array */
extern void tool_json_string(const char *name, const char *value);
extern void tool_json_span(const char *name, TcSpan value);
extern void tool_json_number(const char *name, long value);
extern void tool_json_bool(const char *name, bool value);

#endif							/* TC_TOOL_JSON_H */
