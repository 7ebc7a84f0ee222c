/* SPDX-License-Identifier: MIT */
/*
 * oracle.h - the ledger that the oracle programs keep of their own memory, the plain way.
 *
 * Each line of source that allocates is a *point*. Every operation is entered here, and at each new peak of the whole
 * program all points are copied: slow, and plainly right. It allocates nothing itself.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stddef.h>
#include <stdint.h>

#define MAX_POINTS 64

struct point {
	int line;
	uint64_t current_bytes;
	uint64_t current_blocks;
	uint64_t peak_bytes;      /* the highest current_bytes */
	uint64_t at_peak_bytes;   /* current_bytes when the program's were highest */
	uint64_t allocated_bytes; /* over the whole run, as the next two */
	uint64_t allocations;
	uint64_t temporary;       /* freed before the thread's next allocation */
};

struct ledger {
	struct point points[MAX_POINTS];
	uint64_t live_bytes;
	uint64_t peak_bytes;
	const void *last; /* the block allocated last, if it is still there */
};

/* A random number of 64 bits; the state must not be 0. */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

void ledger_allocated(struct ledger *ledger, int point, const void *block, size_t size);
void ledger_freed(struct ledger *ledger, int point, const void *block, size_t size);

/* Adds the counts of `other` (not its peaks). */
void ledger_add(struct ledger *ledger, const struct ledger *other);

/* Writes the ledger to standard output as JSON: totals, and the points by their line. */
void ledger_print(const struct ledger *ledger);

#endif
