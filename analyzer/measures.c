/*
 * measures.c - the measures of sites, threads and the whole program, as trace_format.h defines
 * them.
 *
 * The counters come from a file that may say anything, so sums wrap around rather than overflow.
 */
#include "measures.h"
#include "mem.h"
#include "trace.h"

static int64_t not_negative(int64_t n)
{
	return n < 0 ? 0 : n;
}

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
	m->at_peak_bytes = (uint64_t)not_negative((int64_t)m->at_peak_bytes);
	m->at_peak_blocks = (uint64_t)not_negative((int64_t)m->at_peak_blocks);
	m->peak_bytes = s->peak_bytes;
	/* With threads, what a lane has not published yet is missing from the peak. */
	if (m->peak_bytes < m->at_peak_bytes)
		m->peak_bytes = m->at_peak_bytes;
	if (m->peak_bytes < (uint64_t)m->current_bytes)
		m->peak_bytes = (uint64_t)m->current_bytes;
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
		sites[i].current_bytes = not_negative(sites[i].current_bytes);
		sites[i].current_blocks = not_negative(sites[i].current_blocks);
		set_peaks(&sites[i], t, i);
		if (t->slack) {
			sites[i].current_slack = not_negative((int64_t)t->slack[i].current_bytes);
			sites[i].allocated_slack = t->slack[i].allocated_bytes;
		}
	}
	return sites;
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
	return lanes;
}

void measures_add(struct measures *to, const struct measures *from)
{
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
}

struct totals program_totals(const struct trace *t, const struct measures *sites)
{
	struct totals totals = { 0 };

	for (uint32_t i = 1; i < t->site_count; i++)
		measures_add(&totals.all, &sites[i]);
	if (t->header.flags & MT_NOTE_MULTI) {
		for (uint32_t i = 0; i < t->lane_count; i++)
			totals.peak_error_bytes += t->lanes[i].max_unpublished;
	}
	totals.all.peak_bytes = t->header.peak_bytes;
	if (totals.all.peak_bytes < (uint64_t)totals.all.current_bytes)
		totals.all.peak_bytes = (uint64_t)totals.all.current_bytes;
	totals.all.peak_is_bound = t->header.flags & MT_NOTE_MERGED;
	totals.all.peak_is_exact = totals.peak_error_bytes == 0 && !totals.all.peak_is_bound;
	totals.all.at_peak_bytes = totals.all.peak_bytes;
	return totals;
}
