/* SPDX-License-Identifier: MIT */
/*
 * tally.h - adds sites up to sums: rows of a report, lines of a source file, nodes of a tree.
 *
 * A sum is any set of sites. All its measures but the peak are plain sums; the peak has bounds
 * (peak.h), which want the sites in a certain order:
 *
 *	for (uint32_t i = 0; i < tally.count; i++)
 *		tally_add(&tally, sum_of(tally.order[i]), tally.order[i]);
 *	tally_finish(&tally, sum);	for each
 */
#ifndef MTRACER_TALLY_H
#define MTRACER_TALLY_H

#include "analyzer/trace/measures.h"
#include "analyzer/views/peak.h"

struct trace;

struct tally {
	const struct trace *trace;
	struct measures *sites;	 /* by site, as in MT_SITES */
	struct call_peak *calls; /* by call, as in MT_CALLS */
	struct totals totals;	 /* of the program */
	uint32_t *order;	 /* the sites that were used, grouped by call */
	uint32_t count;
};

/* Starts as { 0 }. */
struct tally_sum {
	struct measures m; /* the peak is there after tally_finish() */
	struct peak_bound peak;
	uint32_t last_site; /* that was added */
	uint32_t sites;	    /* how many were added */
};

void tally_init(struct tally *tally, const struct trace *trace); /* the trace must outlive it */
void tally_release(struct tally *tally);

/* Adds a site; false where it was the last one added already, since a site counts once. */
bool tally_add(const struct tally *tally, struct tally_sum *sum, uint32_t site);

/* Sets the peak and whether it is exact. Nothing is added afterwards. */
void tally_finish(const struct tally *tally, struct tally_sum *sum);

/* MT_KIND_* of a site. */
uint32_t tally_kind(const struct tally *tally, uint32_t site);

#endif
