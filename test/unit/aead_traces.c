/*-------------------------------------------------------------------------
 *
 * aead_traces.c
 *	  No key is left on the stack, or in registers, by deriving a subkey, by
 *	  expanding, sealing and opening.
 *
 * The stack is painted, the work done, and what lies below searched for any
 * eight bytes of a key, of AES's round keys and GHASH's key, and for words of
 * the key as vector code holds them: side by side.
 *
 * test/unit/aead_traces.c
 *
 *-------------------------------------------------------------------------
 */
#include <sodium.h>

#include "aead.h"
#include "grab.h"
#include "tap.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

#ifdef SANITIZED

int
main(void)
{
	skip("traces", "a sanitizer has a stack of its own");
	return done();
}

#else

#define NEVER_INLINE	__attribute__((noinline))
#define STACK_BYTES		65536
#define NEEDLES_MAX		256
#define NEEDLE			8
#define TEXT_MAX		100000

static uint8_t seen[STACK_BYTES];
static uint8_t registers[REGISTERS_BYTES];
static uint8_t needles[NEEDLES_MAX][NEEDLE];
static size_t nneedles;

static uint8_t alg;
static uint8_t key[TC_KEY_BYTES];
static uint8_t subkey[TC_KEY_BYTES];
static _Alignas(16) uint8_t schedule[TC_SCHEDULE_BYTES];
static uint8_t nonce[TC_NONCE_MAX];
static uint8_t text[TEXT_MAX];
static uint8_t body[TEXT_MAX + TC_TAG_MAX];
static size_t len;
static TcResult outcome;

static void
add_needle(const uint8_t *bytes)
{
	if (nneedles == NEEDLES_MAX)
		bail("too much to look for");
	if (!all_zero(bytes, NEEDLE))
		memcpy(needles[nneedles++], bytes, NEEDLE);
}

static void
add_key(const uint8_t *bytes, size_t nbytes)
{
	for (size_t at = 0; at + NEEDLE <= nbytes; at += NEEDLE)
		add_needle(bytes + at);
}

/* What must not be found of a key. */
static void
make_needles(void)
{
	crypto_aead_aes256gcm_state round_keys;

	nneedles = 0;
	add_key(key, sizeof(key));
	add_key(subkey, sizeof(subkey));
	for (int at = 0; at < TC_KEY_BYTES; at += 4)
	{
		uint8_t		spread[NEEDLE];

		memcpy(spread, subkey + at, 4);
		memcpy(spread + 4, subkey + at, 4);
		add_needle(spread);
	}
	if (alg != TC_ALG_AES256GCM)
		return;
	memset(&round_keys, 0, sizeof(round_keys));
	if (crypto_aead_aes256gcm_beforenm(&round_keys, subkey) != 0)
		bail("no AES");
	add_key((const uint8_t *) &round_keys, sizeof(round_keys));
}

static size_t
found_in(const uint8_t *bytes, size_t nbytes)
{
	size_t		found = 0;

	for (size_t at = 0; at + NEEDLE <= nbytes; at++)
		for (size_t i = 0; i < nneedles; i++)
			found += bytes[at] == needles[i][0] && memcmp(bytes + at, needles[i], NEEDLE) == 0;
	return found;
}

/* For all the compiler knows, somebody else reads and writes these bytes. */
static inline void
keep(void *bytes)
{
	__asm__ volatile(""::"r"(bytes):"memory");
}

NEVER_INLINE static void
paint(void)
{
	uint8_t		below[STACK_BYTES];

	memset(below, 0xEE, sizeof(below));
	keep(below);
}

NEVER_INLINE static void
grab(void)
{
	uint8_t		below[STACK_BYTES];

	keep(below);
	memcpy(seen, below, sizeof(below));
}

/* What to seal and open with: it is in memory of ours, as in a cell. */
static const uint8_t *
ready(void)
{
	return tc_aead_has_schedule(alg) ? schedule : subkey;
}

NEVER_INLINE static void
derive(void)
{
	outcome = tc_aead_subkey(alg, key, nonce, subkey);
	grab_registers(registers);
}

NEVER_INLINE static void
expand(void)
{
	outcome = tc_aead_expand(subkey, schedule);
	grab_registers(registers);
}

NEVER_INLINE static void
seal(void)
{
	outcome = tc_aead_seal(alg, ready(), nonce, tc_span("ad", 2), tc_span(text, len), body);
	grab_registers(registers);
}

NEVER_INLINE static void
open_it(void)
{
	outcome = tc_aead_open(alg, ready(), nonce, tc_span("ad", 2),
						   tc_span(body, len + tc_sizes(alg)->tag), text);
	grab_registers(registers);
}

/* Somebody who does not wipe. */
NEVER_INLINE static void
careless(void)
{
	uint8_t		copy[TC_KEY_BYTES];

	memcpy(copy, subkey, sizeof(copy));
	keep(copy);
	outcome = TC_OK;
}

/* Whether some trace is found of what "act" did. */
static bool
traced(void (*act) (void))
{
	memset(registers, 0, sizeof(registers));
	paint();
	act();
	grab();
	return found_in(seen, sizeof(seen)) + found_in(registers, sizeof(registers)) > 0;
}

static void
test_algorithm(void)
{
	static const size_t lengths[] = {0, 1, 16, 64, 127, 128, 129, 255, 256, 257, 512, 1000, 1024, 8192, TEXT_MAX};
	size_t		traces = 0;
	size_t		wrong = 0;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
	{
		/* each with a key of its own, so that nothing old is found */
		fill(key, sizeof(key), (uint32_t) (100 * alg + i));
		if (tc_aead_subkey(alg, key, nonce, subkey) != TC_OK)
			bail("no subkey");
		make_needles();
		len = lengths[i];
		memset(text, 'x', len);
		traces += traced(derive);
		wrong += outcome != TC_OK;
		traces += tc_aead_has_schedule(alg) && traced(expand);
		wrong += outcome != TC_OK;
		traces += traced(seal);
		wrong += outcome != TC_OK;
		traces += traced(open_it);
		wrong += outcome != TC_OK;
		body[len] ^= 1;
		traces += traced(open_it);
		wrong += outcome != TC_REJECTED;
	}
	is_count(wrong, 0, "subkeys and schedules are made, values sealed, opened and rejected");
	is_count(traces, 0, "and leave no trace of their key");
	ok(traced(careless), "control: what is left is found");
}

int
main(void)
{
	if (tc_aead_init() != TC_OK)
		bail("no libsodium");
	for (alg = TC_ALG_XCHACHA20POLY1305; alg <= TC_ALG_AEGIS256; alg++)
	{
		printf("# algorithm %d\n", alg);
		if (tc_aead_supports(alg))
			test_algorithm();
		else
			skip("traces", "this CPU or libsodium lacks the algorithm");
	}
	return done();
}

#endif							/* SANITIZED */
