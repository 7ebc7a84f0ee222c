/* SPDX-License-Identifier: MIT */
/*
 * measures.c - the measures of sites, threads and the whole program, as trace_format.h defines
 * them.
 *
 * The counters come from a file that may say anything, so sums wrap around rather than overflow.
 */
#include "analyzer/trace/measures.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/trace.h"

#include <math.h>
#include <stdlib.h>

static void add_entry(struct measures *m, const struct mt_entry *e)
{
	m->current_bytes =
		(int64_t)((uint64_t)m->current_bytes + e->allocated_bytes - e->freed_bytes);
	m->current_blocks = (int64_t)((uint64_t)m->current_blocks + e->allocations - e->frees);
	m->allocated_bytes += e->allocated_bytes;
	m->allocations += e->allocations;
	m->temporary += e->temporary;
	m->frees += e->frees;
}

/* What was counted while the process had one thread. */
static void add_base(struct measures *m, const struct mt_site *s)
{
	m->current_bytes = (int64_t)((uint64_t)m->current_bytes + s->current_bytes);
	m->current_blocks = (int64_t)((uint64_t)m->current_blocks + s->current_blocks);
	m->allocated_bytes += s->allocated_bytes;
	m->allocations += s->allocations;
	m->temporary += s->temporary;
	m->frees += s->allocations - s->current_blocks;
}

static void set_peaks(struct measures *m, const struct trace *t, uint32_t site)
{
	const struct mt_site *s = &t->sites[site];
	const struct mt_published *p = &t->published[site];
	bool saved = s->epoch == (uint32_t)t->header.epoch;

	m->at_peak_bytes = saved ? s->at_peak_bytes : s->current_bytes + p->bytes;
	m->at_peak_blocks = saved ? s->at_peak_blocks : s->current_blocks + p->blocks;
	m->at_peak_bytes = not_negative((int64_t)m->at_peak_bytes);
	m->at_peak_blocks = not_negative((int64_t)m->at_peak_blocks);
	m->peak_bytes = s->peak_bytes;
	/* With threads, what a lane has not published yet is missing from the peak. */
	if (m->peak_bytes < m->at_peak_bytes)
		m->peak_bytes = m->at_peak_bytes;
	if (m->peak_bytes < (uint64_t)m->current_bytes)
		m->peak_bytes = (uint64_t)m->current_bytes;
}

/* ---- samples */

/* Whole blocks, from the parts of one that sampled traces count in. */
static uint64_t whole(uint64_t parts, uint64_t unit)
{
	return unit ? parts / unit + (parts % unit >= unit - unit / 2) : parts;
}

static int64_t whole_signed(int64_t parts, uint64_t unit)
{
	return parts < 0 ? -(int64_t)whole(-(uint64_t)parts, unit)
			 : (int64_t)whole((uint64_t)parts, unit);
}

static void make_whole(struct measures *m, uint64_t unit)
{
	if (unit < 2)
		return;
	m->current_blocks = whole_signed(m->current_blocks, unit);
	m->at_peak_blocks = whole(m->at_peak_blocks, unit);
	m->allocations = whole(m->allocations, unit);
	m->frees = whole(m->frees, unit);
	m->temporary = whole(m->temporary, unit);
}

/* What a trace may say; nothing that is no number, nor what rounding left of a difference. */
static double checked(double variance)
{
	return variance > 0 && variance < 1e300 ? variance : 0;
}

struct variances variances_bound(double mean, const struct measures *m)
{
	double each = m->allocated_bytes ? (double)m->allocations / (double)m->allocated_bytes : 1;

	return (struct variances){
		.current_bytes = mean * (double)m->current_bytes,
		.current_blocks = mean * each * (double)m->current_blocks,
		.peak_bytes = mean * (double)m->peak_bytes,
		.at_peak_bytes = mean * (double)m->at_peak_bytes,
		.allocated_bytes = mean * (double)m->allocated_bytes,
		.allocations = mean * each * (double)m->allocations,
		.temporary = mean * each * (double)m->temporary,
	};
}

static bool is_mapping(const struct trace *t, uint32_t site)
{
	uint32_t call = t->site_info[site].call;

	return call && t->calls[call].kind == MT_KIND_MMAP;
}

static void set_variances(struct measures *m, const struct trace *t, uint32_t site)
{
	const struct mt_estimate *e = &t->estimates[site];
	bool saved = t->sites[site].epoch == (uint32_t)t->header.epoch;

	if (is_mapping(t, site))
		return; /* all are recorded */
	if (site >= t->estimate_count) {
		m->v = variances_bound((double)t->header.sample_bytes, m);
	} else {
		m->v = (struct variances){
			.current_bytes = checked(e->current_bytes),
			.current_blocks = checked(e->current_blocks),
			.at_peak_bytes = checked(saved ? e->at_peak_bytes : e->current_bytes),
			.allocated_bytes = checked(e->allocated_bytes),
			.allocations = checked(e->allocations),
			.temporary = checked(e->temporary),
		};
	}
	/* Differences of large sums leave a little behind. */
	if (!m->current_blocks)
		m->v.current_bytes = m->v.current_blocks = 0;
	if (!m->at_peak_bytes)
		m->v.at_peak_bytes = 0;
	measures_set_peak_variance(t, m);
}

void measures_set_peak_variance(const struct trace *t, struct measures *m)
{
	if (!t->header.sample_bytes)
		return;
	if (m->peak_bytes == m->at_peak_bytes)
		m->v.peak_bytes = m->v.at_peak_bytes;
	else if (m->peak_bytes == (uint64_t)m->current_bytes)
		m->v.peak_bytes = m->v.current_bytes;
	else
		m->v.peak_bytes = (double)t->header.sample_bytes * (double)m->peak_bytes;
}

uint64_t standard_error(double variance)
{
	double error = variance > 0 ? sqrt(variance) : 0;

	return error < 9e18 ? (uint64_t)(error + 0.5) : INT64_MAX;
}

/* ---- sites, threads, the program */

static void forget(struct measures *m, unsigned unknown)
{
	m->unknown = unknown;
	if (unknown & UNKNOWN_BLOCKS)
		m->current_blocks = 0;
	if (unknown & UNKNOWN_PEAK)
		m->peak_bytes = 0;
	if (unknown & UNKNOWN_AT_PEAK)
		m->at_peak_bytes = m->at_peak_blocks = 0;
	if (unknown & UNKNOWN_TOTALS)
		m->allocated_bytes = m->allocations = m->frees = 0;
	if (unknown & UNKNOWN_TEMPORARY)
		m->temporary = 0;
}

/* With what lanes have not published yet there may be more than there was at any published moment:
 * then this one is the peak, of all sites. */
static void move_peak(struct measures *sites, const struct trace *t)
{
	uint64_t now = 0;

	for (uint32_t i = 1; i < t->site_count; i++)
		now += (uint64_t)sites[i].current_bytes;
	for (uint32_t i = 1; i < t->site_count && now > t->header.peak_bytes; i++) {
		sites[i].at_peak_bytes = (uint64_t)sites[i].current_bytes;
		sites[i].at_peak_blocks = (uint64_t)sites[i].current_blocks;
	}
}

struct measures *site_measures(const struct trace *t)
{
	struct measures *sites = mem_zalloc(t->site_count, sizeof(*sites));

	for (uint32_t i = 1; i < t->site_count; i++)
		add_base(&sites[i], &t->sites[i]);
	for (uint32_t i = 0; i < t->entry_count; i++) {
		if (t->entries[i].site)
			add_entry(&sites[t->entries[i].site], &t->entries[i]);
	}
	for (uint32_t i = 1; i < t->site_count; i++) {
		sites[i].current_bytes = (int64_t)not_negative(sites[i].current_bytes);
		sites[i].current_blocks = (int64_t)not_negative(sites[i].current_blocks);
		set_peaks(&sites[i], t, i);
	}
	if (t->header.flags & MT_NOTE_MULTI)
		move_peak(sites, t);
	for (uint32_t i = 1; i < t->site_count; i++) {
		if (t->slack) {
			sites[i].current_slack =
				(int64_t)not_negative((int64_t)t->slack[i].current_bytes);
			sites[i].allocated_slack = t->slack[i].allocated_bytes;
		}
		make_whole(&sites[i], t->header.sample_unit);
		if (t->header.sample_bytes)
			set_variances(&sites[i], t, i);
		forget(&sites[i], t->moment.unknown);
	}
	return sites;
}

uint64_t *site_allocations(const struct trace *t, uint64_t *bytes)
{
	uint64_t *sites = mem_zalloc(t->site_count, sizeof(*sites));

	*bytes = 0;
	for (uint32_t i = 1; i < t->site_count; i++) {
		sites[i] = t->sites[i].allocations;
		*bytes += t->sites[i].allocated_bytes;
	}
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct mt_entry *e = &t->entries[i];

		if (!e->site)
			continue;
		sites[e->site] += e->allocations;
		*bytes += e->allocated_bytes;
	}
	for (uint32_t i = 1; i < t->site_count; i++)
		sites[i] = whole(sites[i], t->header.sample_unit);
	return sites;
}

/* A part of a site's variances, for a thread that made a part of its allocations. What is live of
 * these isn't known. */
static void add_part(struct variances *to, const struct measures *site, uint64_t unit,
	uint64_t bytes, uint64_t allocations, uint64_t temporary)
{
	double blocks = (double)site->allocations * (double)(unit ? unit : 1);
	double temporaries = (double)site->temporary * (double)(unit ? unit : 1);

	if (site->allocated_bytes)
		to->allocated_bytes +=
			site->v.allocated_bytes * (double)bytes / (double)site->allocated_bytes;
	if (blocks > 0)
		to->allocations += site->v.allocations * (double)allocations / blocks;
	if (temporaries > 0)
		to->temporary += site->v.temporary * (double)temporary / temporaries;
	to->current_bytes = to->current_blocks = -1;
}

static void set_lane_variances(struct measures *lanes, const struct trace *t)
{
	struct measures *sites = site_measures(t);
	uint64_t unit = t->header.sample_unit;

	for (uint32_t i = 1; i < t->site_count && t->lane_count; i++)
		add_part(&lanes[0].v, &sites[i], unit, t->sites[i].allocated_bytes,
			t->sites[i].allocations, t->sites[i].temporary);
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct mt_entry *e = &t->entries[i];

		if (e->site)
			add_part(&lanes[e->lane].v, &sites[e->site], unit, e->allocated_bytes,
				e->allocations, e->temporary);
	}
	free(sites);
}

struct measures *lane_measures(const struct trace *t)
{
	struct measures *lanes = mem_zalloc(t->lane_count, sizeof(*lanes));

	for (uint32_t i = 1; i < t->site_count && t->lane_count; i++)
		add_base(&lanes[0], &t->sites[i]);
	for (uint32_t i = 0; i < t->entry_count; i++) {
		if (t->entries[i].site)
			add_entry(&lanes[t->entries[i].lane], &t->entries[i]);
	}
	for (uint32_t i = 0; i < t->lane_count; i++)
		make_whole(&lanes[i], t->header.sample_unit);
	if (t->header.sample_bytes)
		set_lane_variances(lanes, t);
	return lanes;
}

void measures_add(struct measures *to, const struct measures *from)
{
	to->unknown |= from->unknown;
	to->current_bytes = (int64_t)((uint64_t)to->current_bytes + (uint64_t)from->current_bytes);
	to->current_blocks =
		(int64_t)((uint64_t)to->current_blocks + (uint64_t)from->current_blocks);
	to->at_peak_bytes += from->at_peak_bytes;
	to->at_peak_blocks += from->at_peak_blocks;
	to->allocated_bytes += from->allocated_bytes;
	to->allocations += from->allocations;
	to->frees += from->frees;
	to->temporary += from->temporary;
	to->current_slack = (int64_t)((uint64_t)to->current_slack + (uint64_t)from->current_slack);
	to->allocated_slack += from->allocated_slack;
	to->v.current_bytes += from->v.current_bytes;
	to->v.current_blocks += from->v.current_blocks;
	to->v.at_peak_bytes += from->v.at_peak_bytes;
	to->v.allocated_bytes += from->v.allocated_bytes;
	to->v.allocations += from->v.allocations;
	to->v.temporary += from->v.temporary;
}

/* Of the whole program a point knows what it doesn't of the sites. */
static void set_moment(const struct trace *t, struct measures *all)
{
	const struct mt_point *p = &t->moment.point;

	all->unknown = t->moment.unknown & ~(UNKNOWN_PEAK | UNKNOWN_AT_PEAK);
	if (t->moment.kind != MOMENT_POINT)
		return;
	all->current_bytes = not_negative((int64_t)p->live_bytes);
	all->current_blocks = not_negative((int64_t)p->live_blocks);
	all->allocated_bytes = p->allocated_bytes;
	all->allocations = p->allocations;
	all->frees = p->allocations - p->live_blocks;
	all->unknown = UNKNOWN_TEMPORARY | UNKNOWN_PEAK | UNKNOWN_AT_PEAK;
}

struct totals program_totals(const struct trace *t, const struct measures *sites)
{
	struct totals totals = { 0 };

	for (uint32_t i = 1; i < t->site_count; i++)
		measures_add(&totals.all, &sites[i]);
	if (t->header.flags & MT_NOTE_MULTI) {
		totals.peak_error_bytes = t->header.max_unpublished;
		for (uint32_t i = 0; i < t->lane_count; i++)
			totals.peak_error_bytes += t->lanes[i].max_unpublished;
	}
	totals.all.peak_bytes = t->header.peak_bytes;
	if (totals.all.peak_bytes < (uint64_t)totals.all.current_bytes)
		totals.all.peak_bytes = (uint64_t)totals.all.current_bytes;
	totals.all.peak_is_bound = t->header.flags & MT_NOTE_MERGED;
	totals.all.peak_is_exact = totals.peak_error_bytes == 0 && !totals.all.peak_is_bound &&
				   !t->header.sample_bytes;
	totals.all.at_peak_bytes = totals.all.peak_bytes;
	measures_set_peak_variance(t, &totals.all);
	set_moment(t, &totals.all);
	return totals;
}
