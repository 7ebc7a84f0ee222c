/* SPDX-License-Identifier: MIT */
/*
 * peak.h - what can be proved of a row's own peak, from the peaks of the sites and the call
 * instructions it is made of.
 *
 * The highest sum of several sites over time isn't the sum of their peaks. A trace holds the exact
 * peak of each site, and of each call instruction (all sites of one call instruction together). A
 * row is a set of sites, so its peak lies
 *
 *   high  =  sum over its calls of  min(call's peak, sum of the peaks of its sites in that call),
 *            and no more than the program's peak;
 *   low   =  the highest of: any of its sites' peaks, any whole call's peak, its current bytes, its
 *            bytes at peak, and for part of a call: the call's peak less the peaks of the call's
 *            other sites.
 *
 * low == high is a proof, and covers the usual cases: one site, one whole call, sites that were
 * never freed or all stood at their highest when the program did, all but one never larger than
 * now.
 */
#ifndef MTRACER_PEAK_H
#define MTRACER_PEAK_H

#include <stdbool.h>
#include <stdint.h>

struct measures;
struct trace;

/* What the sites of a call instruction have in common. Index as in MT_CALLS. */
struct call_peak {
	uint64_t peak; /* of all its sites together; exact with one thread */
	uint64_t sum;  /* of its sites' peaks */
	uint32_t sites;
};

struct call_peak *call_peaks(
	const struct trace *trace, const struct measures *sites); /* caller frees */

/* A row's bounds while its sites are added; starts as { 0 }. */
struct peak_bound {
	uint64_t high, low; /* of the calls before this one */
	uint64_t sum, most; /* this call's sites so far: sum of their peaks, and the highest */
	uint32_t call;
	uint32_t sites;
};

/* Sites must come grouped by call: those of call 1, those of call 2, and so on; call 0 groups
 * nothing. */
void peak_add_site(
	struct peak_bound *b, const struct call_peak *calls, uint32_t call, uint64_t peak);

/* Sets peak_bytes and peak_is_bound, from the row's other measures. */
void peak_finish(struct peak_bound *b, const struct call_peak *calls, uint64_t program_peak,
	struct measures *row);

#endif
