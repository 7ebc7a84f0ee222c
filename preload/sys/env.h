/* SPDX-License-Identifier: MIT */
/* env.h - the MTRACE_* variables. */
#ifndef MTRACE_ENV_H
#define MTRACE_ENV_H

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

struct config {
	const char *out;
	bool anchored; /* out is a relative path that was made absolute */
	uint32_t depth;
	bool start;
	bool follow;
	struct {
		uint64_t mean; /* bytes; 0: record every block */
		uint64_t seed;
	} sample;
	bool reachable;
	bool mmap;
	bool slack;
	uint32_t timeline;
	uint32_t snapshots; /* most that are kept */
	bool verbose;
};

extern struct config config;
bool env_read(char **environment); /* false: a value is bad, which has been said */
void env_stop_following(
	char **environment); /* takes the library out of LD_PRELOAD for programs started later */

#pragma GCC visibility pop

#endif
