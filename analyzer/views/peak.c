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

struct line_peak *line_peaks(const struct trace *t, const struct measures *sites)
{
	struct line_peak *lines = mem_zalloc(t->line_count, sizeof(*lines));

	for (uint32_t i = 0; i < t->line_count; i++)
		lines[i].peak = t->lines[i].peak_bytes;
	for (uint32_t i = 1; i < t->site_count; i++) {
		uint32_t n = t->site_info[i].line;

		if (n == 0)
			continue;
		lines[n].sum = add(lines[n].sum, sites[i].peak_bytes);
		lines[n].peak = max(lines[n].peak, sites[i].peak_bytes);
		lines[n].sites++;
	}
	return lines;
}

static void close_line(struct peak_bound *b, const struct line_peak *lines)
{
	uint64_t low = b->most;

	if (b->line == 0 || b->sites == 0) {
		b->high = add(b->high, b->sum);
	} else {
		const struct line_peak *line = &lines[b->line];
		uint64_t others = line->sum - b->sum;

		if (b->sites == line->sites)
			low = max(low, line->peak);
		else if (line->peak > others)
			low = max(low, line->peak - others);
		b->high = add(b->high, min(line->peak, b->sum));
	}
	b->low = max(b->low, low);
	b->sum = b->most = b->sites = 0;
}

void peak_add_site(
	struct peak_bound *b, const struct line_peak *lines, uint32_t line, uint64_t peak)
{
	if (line != b->line) {
		close_line(b, lines);
		b->line = line;
	}
	b->sum = add(b->sum, peak);
	b->most = max(b->most, peak);
	b->sites++;
}

void peak_finish(struct peak_bound *b, const struct line_peak *lines, uint64_t program_peak,
	struct measures *row)
{
	close_line(b, lines);
	b->high = min(b->high, program_peak);
	b->low = max(b->low, max((uint64_t)row->current_bytes, row->at_peak_bytes));
	/* low > high: the counters of a running or threaded program, read or published at different
	 * moments. */
	row->peak_bytes = max(b->high, b->low);
	row->peak_is_bound = b->low < b->high;
}
