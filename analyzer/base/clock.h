/* SPDX-License-Identifier: MIT */
/* clock.h - clocks in nanoseconds, and a short sleep. */
#ifndef MTRACER_CLOCK_H
#define MTRACER_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Less than a second. */
static inline void pause_ms(long ms)
{
	struct timespec time = { 0, ms * 1000000 };

	nanosleep(&time, NULL);
}

#endif
