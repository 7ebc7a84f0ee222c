/* SPDX-License-Identifier: MIT */
/* moment.c - finds the moment that is meant, and puts its state in the place of the trace's last. */
#include "analyzer/trace/moment.h"
#include "analyzer/base/array.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/opts.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/trace/measures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABELS_NAMED 8 /* where one isn't found */
#define LABELS_SOUGHT 1000
#define NOTES_THEN (MT_NOTE_MULTI | MT_NOTE_RESET | MT_NOTE_CLEARED) /* that snapshots have */
#define PEAK "peak"
#define END "end"

bool moment_is_reserved(const char *label)
{
	return strcmp(label, PEAK) == 0 || strcmp(label, END) == 0;
}

const struct mt_snapshot *trace_find_snapshot(const struct trace *t, const char *label)
{
	for (uint32_t i = t->snapshot_count; i-- > 0;)
		if (strcmp(trace_string(t, t->snapshots[i].label), label) == 0)
			return &t->snapshots[i];
	return NULL;
}

/* "12.5s", "300ms", "2min" */
static bool parse_time(const char *text, uint64_t *ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "min", 60e9 },
		{ "h", 3600e9 } };
	size_t digits = strspn(text, "0123456789.");
	char *end;
	double number;

	if (digits == 0)
		return false;
	number = strtod(text, &end);
	if (end != text + digits)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name) != 0 || !(number * units[i].ns < 9e18))
			continue;
		*ns = (uint64_t)(number * units[i].ns + 0.5);
		return true;
	}
	return false;
}

/* ---- a state in the place of the last */

static void *zeroed_sites(const struct trace *t)
{
	struct mt_site *sites = mem_zalloc((size_t)t->site_count + 1, sizeof(*sites));

	for (uint32_t i = 0; i < t->site_count; i++)
		sites[i].epoch = (uint32_t)t->header.epoch;
	return sites;
}

/* What isn't part of any state but the last. */
static void take_sites(struct trace *t, struct mt_site *sites)
{
	struct mt_header *h = &t->header;

	free((void *)t->sites);
	free((void *)t->published);
	free((void *)t->slack);
	t->sites = sites;
	t->published = mem_zalloc((size_t)t->site_count + 1, sizeof(*t->published));
	t->slack = NULL;
	t->entry_count = t->estimate_count = t->leak_count = t->held_count = 0;
	h->scan_state = MT_SCAN_NONE;
	h->resident_bytes = h->tracer_bytes = 0;
}

static void end_at(struct trace *t, uint64_t ns)
{
	struct mt_point *points = (struct mt_point *)t->points;

	t->moment.ns = ns;
	if (!ns)
		return;
	t->header.end_ns = ns;
	for (uint32_t i = 0; i < t->point_count; i++)
		if (points[i].ns > ns)
			points[i].kind = MT_POINT_UNUSED;
	while (t->snapshot_count && t->snapshots[t->snapshot_count - 1].ns > ns)
		t->snapshot_count--;
}

/* ---- snapshots */

static struct mt_site site_of(const struct mt_snapshot_row *r, uint32_t epoch)
{
	return (struct mt_site){
		.current_bytes = r->current_bytes,
		.current_blocks = r->current_blocks,
		.allocated_bytes = r->allocated_bytes,
		.allocations = r->allocations,
		.temporary = r->temporary,
		.peak_bytes = r->peak_bytes,
		.at_peak_bytes = r->at_peak_bytes,
		.at_peak_blocks = r->at_peak_blocks,
		.epoch = epoch,
	};
}

/* A row is what the site has from this snapshot on. */
static void go_to_snapshot(struct trace *t, const struct mt_snapshot *s)
{
	struct mt_header *h = &t->header;
	struct mt_site *sites = zeroed_sites(t);
	struct mt_call *calls = (struct mt_call *)t->calls;

	for (uint32_t i = 0; i < t->call_count; i++)
		calls[i].live_bytes = calls[i].peak_bytes = 0;
	for (uint32_t i = 0; i < s->rows_end; i++) {
		const struct mt_snapshot_row *r = &t->snapshot_rows[i];

		if (!r->site)
			continue;
		sites[r->site] = site_of(r, (uint32_t)h->epoch);
		calls[t->site_info[r->site].call].peak_bytes = r->call_peak_bytes;
	}
	take_sites(t, sites);
	t->moment.kind = MOMENT_SNAPSHOT;
	t->moment.label = trace_string(t, s->label);
	h->live_bytes = s->live_bytes;
	h->peak_bytes = s->peak_bytes;
	h->peak_ns = s->peak_ns;
	h->peak_site = s->peak_site;
	h->peak_lane = s->peak_lane;
	h->max_unpublished = s->max_unpublished;
	h->flags = (h->flags & ~NOTES_THEN) | (s->flags & NOTES_THEN);
	end_at(t, s->ns ? s->ns : 1);
}

/* ---- the peak */

/* In the parts of a block that the trace counts in. */
static uint64_t in_parts(const struct trace *t, uint64_t blocks)
{
	return blocks * (t->header.sample_unit ? t->header.sample_unit : 1);
}

static void go_to_peak(struct trace *t)
{
	struct measures *now = site_measures(t);
	struct mt_site *sites = zeroed_sites(t);

	for (uint32_t i = 1; i < t->site_count; i++) {
		uint64_t blocks = in_parts(t, now[i].at_peak_blocks);

		sites[i].current_bytes = sites[i].at_peak_bytes = now[i].at_peak_bytes;
		sites[i].current_blocks = blocks;
		sites[i].at_peak_blocks = blocks < UINT32_MAX ? (uint32_t)blocks : UINT32_MAX;
	}
	free(now);
	take_sites(t, sites);
	t->moment.kind = MOMENT_PEAK;
	t->moment.unknown = UNKNOWN_PEAK | UNKNOWN_TOTALS | UNKNOWN_TEMPORARY;
	t->header.live_bytes = t->header.peak_bytes;
	end_at(t, t->header.peak_ns);
}

/* ---- points */

static void go_to_point(struct trace *t, uint32_t index)
{
	const struct mt_point *p = &t->points[index];
	struct mt_site *sites = zeroed_sites(t);

	for (uint32_t i = 0; i < t->share_count; i++)
		if (t->shares[i].point == index + 1)
			sites[t->shares[i].site].current_bytes = t->shares[i].bytes;
	take_sites(t, sites);
	t->moment.kind = MOMENT_POINT;
	t->moment.label = p->kind == MT_POINT_MARK ? trace_string(t, p->label) : "";
	t->moment.unknown = UNKNOWN_BLOCKS | UNKNOWN_PEAK | UNKNOWN_AT_PEAK | UNKNOWN_TOTALS |
			    UNKNOWN_TEMPORARY;
	t->moment.point = *p;
	t->header.live_bytes = t->header.peak_bytes = p->live_bytes;
	t->header.peak_ns = t->header.peak_site = 0;
	end_at(t, p->ns ? p->ns : 1);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* UINT32_MAX: there is none. */
static uint32_t nearest_point(const struct trace *t, uint64_t ns)
{
	uint32_t nearest = UINT32_MAX;

	for (uint32_t i = 0; i < t->point_count; i++)
		if (t->points[i].kind != MT_POINT_UNUSED &&
			(nearest == UINT32_MAX || distance(t->points[i].ns, ns) <
							  distance(t->points[nearest].ns, ns)))
			nearest = i;
	return nearest;
}

static const struct mt_snapshot *nearest_snapshot(const struct trace *t, uint64_t ns)
{
	const struct mt_snapshot *nearest = NULL;

	for (uint32_t i = 0; i < t->snapshot_count; i++)
		if (!nearest || distance(t->snapshots[i].ns, ns) < distance(nearest->ns, ns))
			nearest = &t->snapshots[i];
	return nearest;
}

static bool go_to_time(struct trace *t, uint64_t ns, char *error, size_t error_size)
{
	uint32_t point = nearest_point(t, ns);
	const struct mt_snapshot *s = nearest_snapshot(t, ns);

	if (point == UINT32_MAX && !s) {
		snprintf(error, error_size, "has neither a timeline nor snapshots");
		return false;
	}
	if (point == UINT32_MAX || (s && distance(s->ns, ns) <= distance(t->points[point].ns, ns)))
		go_to_snapshot(t, s);
	else
		go_to_point(t, point);
	return true;
}

/* ---- what isn't there */

static bool is_first(const struct trace *t, uint32_t index)
{
	for (uint32_t i = 0; i < index; i++)
		if (strcmp(trace_string(t, t->snapshots[i].label),
			    trace_string(t, t->snapshots[index].label)) == 0)
			return false;
	return true;
}

/* Each label once, then those that every trace has; ends with NULL. The caller frees it. */
static const char **all_labels(const struct trace *t, size_t *count)
{
	const char **labels = mem_zalloc(LABELS_SOUGHT + 3, sizeof(*labels));

	*count = 0;
	for (uint32_t i = 0; i < t->snapshot_count && i < LABELS_SOUGHT; i++)
		if (is_first(t, i))
			labels[(*count)++] = trace_string(t, t->snapshots[i].label);
	labels[(*count)++] = PEAK;
	labels[(*count)++] = END;
	return labels;
}

/* Of which the word is a beginning, or nearly the whole. */
static const char *nearest_label(const char *word, const char *const *labels)
{
	for (size_t i = 0; *word && labels[i]; i++)
		if (strncmp(labels[i], word, strlen(word)) == 0)
			return labels[i];
	return nearest_name(word, labels);
}

static void say_none(const struct trace *t, const char *word, char *error, size_t error_size)
{
	struct strbuf text = { 0 };
	size_t count, named;
	const char **labels = all_labels(t, &count);
	const char *nearest = nearest_label(word, labels);

	strbuf_addf(&text, *word ? "no snapshot '%s'" : "no moment is named behind the @", word);
	if (nearest)
		strbuf_addf(&text, "; did you mean '%s'?", nearest);
	strbuf_add(&text, nearest ? " There are " : "; there are ");
	named = count - 2 > LABELS_NAMED ? LABELS_NAMED : count - 2;
	for (size_t i = 0; i < named; i++)
		strbuf_addf(&text, "%s, ", labels[i]);
	if (count - 2 > named)
		strbuf_addf(&text, "%zu more, ", count - 2 - named);
	strbuf_addf(&text, "%s and %s, and times such as 1.5s", PEAK, END);
	snprintf(error, error_size, "%s", text.text);
	strbuf_release(&text);
	free(labels);
}

/* ---- the whole */

static bool is_sum(const struct trace *t)
{
	return t->header.flags & MT_NOTE_MERGED && t->process_count > 1;
}

static bool find_moment(struct trace *t, const char *moment, char *error, size_t error_size)
{
	const struct mt_snapshot *snapshot = trace_find_snapshot(t, moment);
	uint64_t ns;

	if (strcmp(moment, END) == 0)
		return true;
	if (strcmp(moment, PEAK) == 0)
		return go_to_peak(t), true;
	if (is_sum(t)) {
		snprintf(error, error_size,
			"the sum of several processes has no snapshots, only " PEAK " and " END);
		return false;
	}
	if (snapshot)
		return go_to_snapshot(t, snapshot), true;
	if (parse_time(moment, &ns))
		return go_to_time(t, ns, error, error_size);
	say_none(t, moment, error, error_size);
	return false;
}

bool trace_go_to(struct trace *t, const char *moment, char *error, size_t error_size)
{
	struct strbuf path = { 0 };

	t->moment.label = "";
	if (!find_moment(t, moment, error, error_size))
		return false;
	t->moment.file = strlen(t->path);
	strbuf_addf(&path, "%s@%s", t->path, moment);
	free(t->path);
	t->path = path.text;
	return true;
}
