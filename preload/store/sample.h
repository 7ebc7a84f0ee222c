/* SPDX-License-Identifier: MIT */
/*
 * sample.h - MTRACE_SAMPLE: record some blocks, so chosen that every byte has the same chance, and
 * count each for all that it stands for.
 *
 * Each thread counts bytes down to its next sample, from an exponentially distributed number whose
 * mean m is the configured one (a Poisson process over the bytes). So a block of s bytes is
 * recorded with the probability p = 1 - exp(-s / m), whatever else is recorded, and counts as 1 / p
 * blocks and s / p bytes: the sums are unbiased. Their variances are those of the blocks added up,
 * and (1 - p) / p^2 for each recorded block (times s^2, for bytes) is an unbiased estimate of
 * these.
 *
 * Small blocks have the chance of 31 bytes, which they take of the heap anyhow: the few that are
 * met of those with a byte or none would each stand for so many that nothing could be said of their
 * number. Numbers of blocks are counted in parts of one (SAMPLE_UNIT), since 1 / p is no whole
 * number; the rest, and that of bytes, is too small to matter.
 */
#ifndef MTRACE_SAMPLE_H
#define MTRACE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/sys/atomic.h"
#include "preload/trace_format.h"

#define SAMPLE_UNIT 256
#define SAMPLE_LEAST 31 /* a mask: sizes are rounded up so far, to draw samples */

#pragma GCC visibility push(hidden)

/* What a recorded block stands for. */
struct weight {
	uint64_t bytes;
	uint32_t blocks; /* in parts of one */
};

void sample_init(uint64_t mean); /* bytes; not 0 */

/* Bytes to the next sample. `state` is the thread's random state, any number at first. */
int64_t sample_distance(uint64_t *state);

/* A thread's random state, by the run's seed: the same runs take the same samples. */
uint64_t sample_state(uint64_t seed, uint32_t lane);

struct weight sample_weight(uint64_t size);

/* Adds a recorded block to the variances of its site, or takes it away; several threads may. */
enum sample_event { SAMPLE_NEW, SAMPLE_FREED, SAMPLE_TEMPORARY /* freed at once */ };
void sample_vary(struct mt_estimate *e, uint64_t size, enum sample_event event);
void sample_save_at_peak(struct mt_estimate *e); /* before it changes after a newer peak */

/*
 * The fast path, for allocators that don't call each other: bytes that this thread may allocate
 * before it has to draw. 0: it has to draw.
 */
extern __thread uint64_t sample_left __attribute__((tls_model("initial-exec")));

/* Whether a block may be recorded: how many are, by a hash of their addresses, plus 1 once there is
 * sampling. What stays at the top counts no more. */
#define SAMPLE_FILTER_BITS 13
extern uint8_t sample_filter[1 << SAMPLE_FILTER_BITS];
void sample_filter_add(const void *block);
void sample_filter_remove(const void *block);

#pragma GCC visibility pop

static inline size_t sample_filter_index(const void *block)
{
	return (uintptr_t)block * 0x9e3779b97f4a7c15ull >> (64 - SAMPLE_FILTER_BITS);
}

/* False when not sampling. */
static inline bool sample_lacks(const void *block)
{
	return load_relaxed(&sample_filter[sample_filter_index(block)]) == 1;
}

/* Not the turn of a block with this size: nothing has to be done. */
static inline bool sample_skips(size_t size)
{
	uint64_t left = sample_left;

	size |= SAMPLE_LEAST;
	if (unlikely(left <= size))
		return false;
	sample_left = left - size;
	return true;
}

#endif
