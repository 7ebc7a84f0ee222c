/*
 * peak.h - what can be proved of a row's own peak, from the peaks of the sites and the lines it is
 * made of.
 *
 * The highest sum of several sites over time isn't the sum of their peaks. A trace holds the exact
 * peak of each site, and of each line (all sites of one allocating instruction together). A row is
 * a set of sites, so its peak lies
 *
 *   high  =  sum over its lines of  min(line's peak, sum of the peaks of its sites in that line),
 *            and no more than the program's peak;
 *   low   =  the highest of: any of its sites' peaks, any whole line's peak, its current bytes, its
 * bytes at peak, and for part of a line: the line's peak less the peaks of the line's other sites.
 *
 * low == high is a proof, and covers the usual cases: one site, one whole line, sites that were
 * never freed or all stood at their highest when the program did, all but one never larger than
 * now.
 */
#ifndef MTRACER_PEAK_H
#define MTRACER_PEAK_H

#include <stdbool.h>
#include <stdint.h>

struct measures;
struct trace;

/* What the sites of a line have in common. Index as in MT_LINES. */
struct line_peak {
	uint64_t peak; /* of all its sites together; exact with one thread */
	uint64_t sum;  /* of its sites' peaks */
	uint32_t sites;
};

struct line_peak *line_peaks(
	const struct trace *trace, const struct measures *sites); /* caller frees */

/* A row's bounds while its sites are added; starts as { 0 }. */
struct peak_bound {
	uint64_t high, low; /* of the lines before this one */
	uint64_t sum, most; /* this line's sites so far: sum of their peaks, and the highest */
	uint32_t line;
	uint32_t sites;
};

/* Sites must come grouped by line: those of line 1, those of line 2, and so on; line 0 groups
 * nothing. */
void peak_add_site(
	struct peak_bound *b, const struct line_peak *lines, uint32_t line, uint64_t peak);

/* Sets peak_bytes and peak_is_bound, from the row's other measures. */
void peak_finish(struct peak_bound *b, const struct line_peak *lines, uint64_t program_peak,
	struct measures *row);

#endif
