/* SPDX-License-Identifier: MIT */
/* peak.c - bounds of a row's own peak, see peak.h for the reasoning. */
#include "analyzer/views/peak.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/measures.h"
#include "analyzer/trace/trace.h"

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Stops at the top: a hostile trace must not make a high bound low. */
static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

struct call_peak *call_peaks(const struct trace *t, const struct measures *sites)
{
	struct call_peak *calls = mem_zalloc(t->call_count, sizeof(*calls));

	for (uint32_t i = 0; i < t->call_count; i++)
		calls[i].peak = t->calls[i].peak_bytes;
	for (uint32_t i = 1; i < t->site_count; i++) {
		uint32_t n = t->site_info[i].call;

		if (n == 0)
			continue;
		calls[n].sum = add(calls[n].sum, sites[i].peak_bytes);
		calls[n].peak = max(calls[n].peak, sites[i].peak_bytes);
		calls[n].sites++;
	}
	return calls;
}

static void close_call(struct peak_bound *b, const struct call_peak *calls)
{
	uint64_t low = b->most;

	if (b->call == 0 || b->sites == 0) {
		b->high = add(b->high, b->sum);
	} else {
		const struct call_peak *call = &calls[b->call];
		uint64_t others = call->sum - b->sum;

		if (b->sites == call->sites)
			low = max(low, call->peak);
		else if (call->peak > others)
			low = max(low, call->peak - others);
		b->high = add(b->high, min(call->peak, b->sum));
	}
	b->low = max(b->low, low);
	b->sum = b->most = b->sites = 0;
}

void peak_add_site(
	struct peak_bound *b, const struct call_peak *calls, uint32_t call, uint64_t peak)
{
	if (call != b->call) {
		close_call(b, calls);
		b->call = call;
	}
	b->sum = add(b->sum, peak);
	b->most = max(b->most, peak);
	b->sites++;
}

void peak_finish(struct peak_bound *b, const struct call_peak *calls, uint64_t program_peak,
	struct measures *row)
{
	close_call(b, calls);
	b->high = min(b->high, program_peak);
	b->low = max(b->low, max((uint64_t)row->current_bytes, row->at_peak_bytes));
	/* low > high: the counters of a running or threaded program, read or published at different
	 * moments. */
	row->peak_bytes = max(b->high, b->low);
	row->peak_is_bound = b->low < b->high;
}
