/* SPDX-License-Identifier: MIT */
/* tally.c - adds sites up to sums. */
#include "analyzer/views/tally.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>

/* Known of a site before it was used, or not at all: not worth a row. */
static bool is_unused(const struct measures *m)
{
	return m->allocations == 0 && m->current_bytes == 0 && m->peak_bytes == 0;
}

/* The sites in the order of their call instructions, by counting. */
static void sort_sites(struct tally *tally)
{
	const struct trace *t = tally->trace;
	uint32_t *all = mem_zalloc(t->site_count, sizeof(*all));
	uint32_t *next = mem_zalloc((size_t)t->call_count + 2, sizeof(*next));

	for (uint32_t i = 1; i < t->site_count; i++)
		next[t->site_info[i].call + 1]++;
	for (uint32_t i = 1; i <= t->call_count; i++)
		next[i] += next[i - 1];
	for (uint32_t i = 1; i < t->site_count; i++)
		all[next[t->site_info[i].call]++] = i;
	for (uint32_t i = 0; i + 1 < t->site_count; i++) {
		if (!is_unused(&tally->sites[all[i]]))
			all[tally->count++] = all[i];
	}
	tally->order = all;
	free(next);
}

void tally_init(struct tally *tally, const struct trace *trace)
{
	*tally = (struct tally){ .trace = trace };
	tally->sites = site_measures(trace);
	tally->calls = call_peaks(trace, tally->sites);
	tally->totals = program_totals(trace, tally->sites);
	sort_sites(tally);
}

void tally_release(struct tally *tally)
{
	free(tally->sites);
	free(tally->calls);
	free(tally->order);
	*tally = (struct tally){ 0 };
}

bool tally_add(const struct tally *tally, struct tally_sum *sum, uint32_t site)
{
	const struct measures *m = &tally->sites[site];

	if (sum->last_site == site)
		return false;
	sum->last_site = site;
	sum->sites++;
	measures_add(&sum->m, m);
	peak_add_site(&sum->peak, tally->calls, tally->trace->site_info[site].call, m->peak_bytes);
	return true;
}

void tally_finish(const struct tally *tally, struct tally_sum *sum)
{
	peak_finish(&sum->peak, tally->calls, tally->totals.all.peak_bytes, &sum->m);
	/* Peaks of merged traces are sums, whatever else could be proved of them. */
	sum->m.peak_is_bound |= tally->totals.all.peak_is_bound;
	measures_set_peak_variance(tally->trace, &sum->m);
	sum->m.peak_is_exact = !sum->m.peak_is_bound && !tally->trace->header.sample_bytes &&
			       tally->totals.peak_error_bytes == 0;
}

uint32_t tally_kind(const struct tally *tally, uint32_t site)
{
	uint32_t call = tally->trace->site_info[site].call;

	return call ? tally->trace->calls[call].kind : MT_KIND_HEAP;
}
