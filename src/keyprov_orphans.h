/*-------------------------------------------------------------------------
 *
 * keyprov_orphans.h
 *	  What a key provider leaves running, for keyprov.c alone.
 *
 * Killing a process group misses what has left the group: a daemon.  So the
 * caller becomes the reaper of its orphaned descendants (PR_SET_CHILD_SUBREAPER):
 * whatever a run leaves behind turns into a child of the caller's, where it is
 * found and killed.  Children that the caller had before are not touched; it
 * must make no others while a run is under way.
 *
 *	Owns	nothing.
 *	Errors	none: where /proc does not list children, or the caller has more
 *			than TC_KEYPROV_OTHERS_MAX, orphans are left alone.
 *	Units	at most TC_KEYPROV_LINGER_MS.
 *	Uses	keyprov.h.
 *
 * src/keyprov_orphans.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYPROV_ORPHANS_H
#define TC_KEYPROV_ORPHANS_H

#include "keyprov.h"

/* Before the run starts: become the reaper, note the children there are. */
extern void tc_keyprov_note_children(TcProviderRun *run);

/*
 * After its own process was reaped: kill and reap what it left.  Or before
 * that, and then its own process, too.  Safe in a signal handler.
 */
extern void tc_keyprov_end_orphans(const TcProviderRun *run);

#endif							/* TC_KEYPROV_ORPHANS_H */
