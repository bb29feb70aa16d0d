/* SPDX-License-Identifier: MIT */
/*
 * steer_perturb.c - --perturb: short pauses around synchronisation, so that rare orders of threads come about.
 *
 * After PCT (Burckhardt and others, 2010), which runs the threads by random priorities that change at random points: here each thread
 * has a priority for as many calls as a span, and the lower it is, the more often the thread pauses. What is done at the n-th call of
 * the k-th thread is a function of seed, k and n: the same seed decides the same again.
 */
#include "steer.h"

#include <time.h>

enum {
	SPAN = 32, /* calls until a thread's priority is drawn anew */
	PRIORITIES = 4,
	LONG_US = 20000, /* one in 16 pauses: others get far meanwhile */
	SHORT_US = 1000,
};

uint64_t steer_draw(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t x = a * 0x9e3779b97f4a7c15u ^ b * 0xbf58476d1ce4e5b9u ^ c * 0x94d049bb133111ebu;

	x = (x ^ x >> 31) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 29) * 0x94d049bb133111ebu;
	return x ^ x >> 32;
}

uint32_t steer_pause_us(uint64_t seed, uint32_t thread, uint32_t call)
{
	/* Of 64 calls, how many pause: the highest priority never does. */
	static const uint8_t often[PRIORITIES] = { 0, 2, 8, 20 };
	unsigned priority = steer_draw(seed, thread, ~(uint64_t)(call / SPAN)) % PRIORITIES;
	uint64_t drawn = steer_draw(seed, thread, call);

	if (drawn % 64 >= often[priority]) {
		return 0;
	}
	drawn >>= 8;
	return (uint32_t)(drawn >> 4) % (drawn % 16 ? SHORT_US : LONG_US) + 1;
}

/* A signal ends it: nobody needs its length. */
void steer_sleep_us(uint32_t us, const struct steer_outside *outside)
{
	struct timespec time = { .tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000 };
	void *left = outside ? outside->leave() : NULL;

	sys2(SYS_nanosleep, (uintptr_t)&time, 0);
	if (outside) {
		outside->enter(left);
	}
}

void steer_perturb(uintptr_t address, const struct steer_outside *outside)
{
	const struct object *o;
	struct stream *s = steer_stream(address, &o);
	uint32_t us = s ? steer_pause_us(shim_options.perturb_seed, s->thread, s->perturbed++) : 0;

	if (us) {
		steer_sleep_us(us, outside);
	}
}
