/* SPDX-License-Identifier: MIT */
/*
 * climb.h - reaches a function over a random path of calls of a given length.
 */
#ifndef CLIMB_H
#define CLIMB_H

#include <stdint.h>

typedef void climb_end(void *argument);

static void climb(int depth, uint64_t path, climb_end *end, void *argument);

/* Four functions with frames of different sizes. The asm after the call keeps it from being a jump. */
#define STEP(name, bytes) \
	static __attribute__((noinline)) void name( \
		int depth, uint64_t path, climb_end *end, void *argument) \
	{ \
		volatile char frame[bytes]; \
		frame[0] = depth; \
		climb(depth - 1, path >> 2 | path << 62, end, argument); \
		__asm__ volatile("# " #name :: "m"(frame)); \
	}

STEP(climb_north, 8)
STEP(climb_east, 40)
STEP(climb_south, 200)
STEP(climb_west, 1)

static inline void climb(int depth, uint64_t path, climb_end *end, void *argument)
{
	if (depth <= 0)
		end(argument);
	else if ((path & 3) == 0)
		climb_north(depth, path, end, argument);
	else if ((path & 3) == 1)
		climb_east(depth, path, end, argument);
	else if ((path & 3) == 2)
		climb_south(depth, path, end, argument);
	else
		climb_west(depth, path, end, argument);
}

#endif
