/*-------------------------------------------------------------------------
 *
 * keyprov_exit.h
 *	  The exit codes of a key provider, for both of its sides.
 *
 * What each means for the caller is in contrib-keyprov/README.md.
 *
 *	Owns	nothing.
 *	Uses	nothing.
 *
 * src/keyprov_exit.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TC_KEYPROV_EXIT_H
#define TC_KEYPROV_EXIT_H

typedef enum TcExit
{
	TC_EXIT_OK = 0,
	TC_EXIT_UNAVAILABLE = 10,	/* tried again later */
	TC_EXIT_BUSY = 11,			/* tried again later */
	TC_EXIT_WRONG_MACHINE = 20,
	TC_EXIT_WRONG_POLICY = 21,
	TC_EXIT_DAMAGED = 22,
	TC_EXIT_DENIED = 23,
	TC_EXIT_USAGE = 64,
	TC_EXIT_INTERNAL = 70		/* also: any other code, or a signal */
} TcExit;

#endif							/* TC_KEYPROV_EXIT_H */
