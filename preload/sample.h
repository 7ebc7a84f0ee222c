/*
 * sample.h - MTRACE_SAMPLE: record some blocks, so chosen that every byte has the same chance, and
 * count each for all that it stands for.
 *
 * Each thread counts bytes down to its next sample, from an exponentially distributed number whose
 * mean is the configured one (a Poisson process over the bytes). A block of s bytes is then
 * recorded with the probability p = 1 - exp(-s / mean), and counts as 1 / p blocks and s / p bytes:
 * the sums are unbiased.
 */
#ifndef MTRACE_SAMPLE_H
#define MTRACE_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* What a recorded block stands for. */
struct weight {
	uint64_t bytes;
	uint32_t blocks;
};

void sample_init(uint64_t mean); /* bytes; not 0 */

/* Bytes to the next sample. `state` is the thread's random state, any number at first. */
int64_t sample_distance(uint64_t *state);

/* The same for the same block, as often as it is asked: fractions are rounded up or down by a hash
 * of the address. */
struct weight sample_weight(const void *block, uint64_t size);

#pragma GCC visibility pop

#endif
