/* SPDX-License-Identifier: MIT */
/*
 * measures.h - what is measured of a call site, of a row of a report and of a whole program; and
 * the measures of each site, from the counters in a trace.
 */
#ifndef MTRACER_MEASURES_H
#define MTRACER_MEASURES_H

#include <stdbool.h>
#include <stdint.h>

struct trace;

/*
 * How sure a sampled trace is of its measures: the variances of the estimates, 0 where all is
 * recorded, and negative where nothing is known. Those of sums are the sums of their parts', since
 * each block is sampled whatever happens to the others.
 */
struct variances {
	double current_bytes, current_blocks;
	double peak_bytes; /* of the estimate at that moment; as the highest of all it errs upwards
			    */
	double at_peak_bytes;
	double allocated_bytes, allocations;
	double temporary;
};

/* What isn't known of the state at a moment (moment.h): null in JSON, blank for people. */
#define UNKNOWN_BLOCKS 1u  /* current_blocks */
#define UNKNOWN_PEAK 2u	   /* peak_bytes */
#define UNKNOWN_AT_PEAK 4u /* at_peak_bytes, at_peak_blocks */
#define UNKNOWN_TOTALS 8u  /* allocated_bytes, allocations, frees */
#define UNKNOWN_TEMPORARY 16u

/* All bytes are requested bytes. The current ones are only negative for single threads, which free
 * each other's blocks. */
struct measures {
	int64_t current_bytes;
	int64_t current_blocks;
	uint64_t peak_bytes;	/* the highest current_bytes it ever had by itself */
	bool peak_is_bound;	/* ... or an upper bound of that: more can't be proved */
	bool peak_is_exact;	/* no bound, and no other threads that blur it */
	uint64_t at_peak_bytes; /* current_bytes at the moment of the whole program's peak */
	uint64_t at_peak_blocks;
	uint64_t allocated_bytes;
	uint64_t allocations;
	uint64_t frees;
	uint64_t temporary;	  /* freed before the same thread's next allocation */
	int64_t current_slack;	  /* bytes beyond those requested, where that was recorded */
	uint64_t allocated_slack; /* over the whole run */
	unsigned unknown;	  /* UNKNOWN_*; such a measure is 0 */
	struct variances v;
};

/* A current figure where a negative one would make no sense to its reader. */
static inline uint64_t not_negative(int64_t n)
{
	return n < 0 ? 0 : (uint64_t)n;
}

struct totals {
	struct measures all;	   /* at_peak_bytes is peak_bytes */
	uint64_t peak_error_bytes; /* the peak may be off by so much; 0 with one thread */
};

/* The measures of every site; as many as trace->site_count, the first unused. The caller frees
 * them. */
struct measures *site_measures(const struct trace *trace);

/* The allocations of every site so far, and all their bytes: the same numbers, for who needs no more. */
uint64_t *site_allocations(const struct trace *trace, uint64_t *bytes);

/* The measures of every lane; peaks are unknown and left 0. */
struct measures *lane_measures(const struct trace *trace);

struct totals program_totals(const struct trace *trace, const struct measures *sites);

/* The variance of a row's own peak, from those of its other measures. */
void measures_set_peak_variance(const struct trace *trace, struct measures *m);

/*
 * What the variances are at the most if such measures were estimated with samples `mean` bytes
 * apart. A block of s bytes adds s^2 (1 - p) / p^2 to the variance of the bytes and s / p to the
 * bytes; the first is the mean times x / (exp(x) - 1) of the second, x = s / mean, and so no more
 * than the mean times it. For numbers of blocks it is so if all are of one size.
 */
struct variances variances_bound(double mean, const struct measures *m);

/* The standard error, rounded; 0 where nothing was sampled or nothing is known. */
uint64_t standard_error(double variance);

/* Everything but the peak, which can't be added. */
void measures_add(struct measures *to, const struct measures *from);

#endif
