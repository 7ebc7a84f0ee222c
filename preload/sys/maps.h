/* SPDX-License-Identifier: MIT */
/* maps.h - the lines of /proc/self/maps. */
#ifndef MTRACE_MAPS_H
#define MTRACE_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* A line of /proc/self/maps. */
struct mapping {
	uintptr_t start, end;
	bool readable, writable, shared;
	const char *name; /* in the text; "" = none */
};
char *mapping_next(char *line, struct mapping *m); /* the next line; NULL: there is none here */

#pragma GCC visibility pop

#endif
