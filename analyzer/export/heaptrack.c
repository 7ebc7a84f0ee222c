/* SPDX-License-Identifier: MIT */
/*
 * heaptrack.c - heaptrack's text format, version 3, of heaptrack_print and heaptrack_gui. It has no
 * specification; AccumulatedTraceData::read() in heaptrack's source is one.
 *
 * The format is a history of single allocations, and a trace has only sums. So a history is made up
 * that has them: of each stack the number of allocations, what it held at the peak and in the end,
 * and how many were temporary. It has three parts:
 *
 *	1. what passed by without being there at the peak or in the end, one block after the other
 *	2. what is there at the peak is allocated
 *	3. what is not there in the end is freed, and what came after the peak allocated
 *
 * Blocks of a stack that are in one part have the same size, but for the rest of the division. In the
 * trace of an interrupted program, a sum of several or a sample, counters may contradict each other;
 * the history then has the bytes, and about as many allocations.
 */
#include "analyzer/export/plain.h"
#include "analyzer/export/stacks.h"
#include "analyzer/trace/measures.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000
#define PAGE 4096

/* Info 0 has no bytes; freeing it makes the reader forget what was allocated last. */
#define NOT_TEMPORARY "- 0\n"

/* The blocks of a stack by when they are there. */
enum part {
	PASSING,
	KEPT,	   /* at the peak and in the end */
	PEAK_ONLY, /* at the peak */
	END_ONLY,  /* in the end */
	PARTS,
};

struct blocks {
	uint64_t count, bytes;
};

struct history {
	struct blocks parts[PARTS];
	uint64_t temporary; /* of those that pass */
	bool made_peak;	    /* one more was temporary: with it the peak was reached */
};

/* Blocks of one size. */
struct run {
	uint32_t info; /* allocation info, as '+' and '-' name it */
	uint64_t count, size;
};

struct heaptrack {
	const struct exporter *e;
	struct stacks *stacks;
	FILE *out;
	uint32_t string_count, ip_count, trace_count, info_count;
	const char **strings;
	size_t string_room;
	struct hashmap string_index;
	uint32_t *ips;	  /* by frame, the innermost of an address: its number, or 0 */
	uint32_t *traces; /* by node: likewise */
	uint32_t *infos;  /* by group: the first */
};

/* ---- the history */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static struct blocks less(struct blocks a, struct blocks b)
{
	return (struct blocks){ a.count - least(a.count, b.count),
		a.bytes - least(a.bytes, b.bytes) };
}

/*
 * As many as can be both at the peak and in the end, so that there need be no more allocations than
 * there were. Where all blocks of one moment were to be there at the other, but have more bytes, one
 * of them was another.
 */
static struct blocks kept(struct blocks all, struct blocks peak, struct blocks end)
{
	struct blocks kept = { least(peak.count, end.count), least(peak.bytes, end.bytes) };
	const struct blocks *few = peak.count < end.count ? &peak : &end;

	if (few->bytes == kept.bytes && (peak.count != end.count || peak.bytes == end.bytes))
		return kept;
	if (kept.count)
		kept.count--;
	kept.bytes = all.bytes < peak.bytes + end.bytes ? peak.bytes + end.bytes - all.bytes : 0;
	kept.bytes = kept.count ? least(kept.bytes, least(peak.bytes, end.bytes)) : 0;
	return kept;
}

static struct history history_of(const struct measures *m)
{
	struct blocks all = { m->allocations, m->allocated_bytes };
	struct blocks peak = { m->at_peak_blocks, m->at_peak_bytes };
	struct blocks end = { not_negative(m->current_blocks), not_negative(m->current_bytes) };
	struct history h = { .temporary = 0 };

	h.parts[KEPT] = kept(all, peak, end);
	h.parts[PEAK_ONLY] = less(peak, h.parts[KEPT]);
	h.parts[END_ONLY] = less(end, h.parts[KEPT]);
	h.parts[PASSING] = less(less(all, peak), h.parts[END_ONLY]);
	for (int i = KEPT; i < PARTS; i++)
		if (h.parts[i].bytes && !h.parts[i].count)
			h.parts[i].count = 1;
	if (!h.parts[PASSING].count)
		h.parts[PASSING].bytes = 0;
	h.temporary = least(m->temporary, h.parts[PASSING].count);
	h.made_peak = m->temporary > h.temporary && h.parts[PEAK_ONLY].count;
	return h;
}

/* The runs of a part: of the smaller size, then of the larger. */
static void runs_of(const struct history *h, enum part part, uint32_t info, struct run runs[2])
{
	for (int p = 0; p <= (int)part; p++) {
		const struct blocks *b = &h->parts[p];
		uint64_t size = b->count ? b->bytes / b->count : 0;
		uint64_t larger = b->count ? b->bytes % b->count : 0;

		runs[0] = (struct run){ info, b->count - larger, size };
		info += runs[0].count > 0;
		runs[1] = (struct run){ info, larger, size + 1 };
		info += larger > 0;
	}
}

/* ---- tables */

static bool same_string(const void *context, uint32_t index, const void *key)
{
	return ((const struct heaptrack *)context)->strings[index] == key;
}

/* Its number from 1 on, 0 for none. A line's end in it would end the record. */
static uint32_t string_of(struct heaptrack *h, const char *text)
{
	uint32_t index;

	if (!text)
		return 0;
	index = hashmap_find(&h->string_index, hash_number(0, (uintptr_t)text), same_string, h,
		text, h->string_count);
	if (index == h->string_count) {
		h->strings =
			mem_grow(h->strings, h->string_count, &h->string_room, sizeof(*h->strings));
		h->strings[h->string_count++] = text;
		fprintf(h->out, "s %zx ", strlen(text));
		write_plain(text, h->out);
		putc('\n', h->out);
	}
	return index + 1;
}

/* The address whose innermost frame is at `at`, with the functions that it is inlined in. */
static uint32_t ip_of(struct heaptrack *h, const uint32_t *path, size_t at)
{
	const struct stacks *s = h->stacks;
	uint32_t frame = s->nodes[path[at]].frame;
	const struct stack_frame *f = &s->frames[frame];
	size_t end = stacks_outermost(s, path, at);

	if (h->ips[frame])
		return h->ips[frame];
	string_of(h, f->module);
	for (size_t i = at + 1; i-- > end;) {
		f = stacks_frame(s, path[i]);
		string_of(h, f->function);
		string_of(h, f->file);
	}
	f = &s->frames[frame];
	fprintf(h->out, "i %llx %x", (unsigned long long)f->address, string_of(h, f->module));
	for (size_t i = at + 1; i-- > end;) {
		f = stacks_frame(s, path[i]);
		fprintf(h->out, " %x %x %x", string_of(h, f->function), string_of(h, f->file),
			f->line);
	}
	putc('\n', h->out);
	h->ips[frame] = ++h->ip_count;
	return h->ip_count;
}

static uint32_t trace_of(struct heaptrack *h, const uint32_t *path, size_t depth)
{
	const struct stacks *s = h->stacks;
	uint32_t parent = 0;

	for (size_t i = 0; i < depth; i++) {
		uint32_t ip;

		if (!stacks_innermost(s, path, depth, i))
			continue;
		if (!h->traces[path[i]]) {
			ip = ip_of(h, path, i);
			fprintf(h->out, "t %x %x\n", ip, parent);
			h->traces[path[i]] = ++h->trace_count;
		}
		parent = h->traces[path[i]];
	}
	return parent;
}

static void write_infos(
	struct heaptrack *h, size_t group, const struct history *history, uint32_t trace)
{
	struct run runs[2];

	h->infos[group] = h->info_count;
	for (int part = 0; part < PARTS; part++) {
		runs_of(history, part, h->infos[group], runs);
		for (int i = 0; i < 2; i++) {
			if (!runs[i].count)
				continue;
			fprintf(h->out, "a %llx %x\n", (unsigned long long)runs[i].size, trace);
			h->info_count++;
		}
	}
}

static void write_tables(struct heaptrack *h)
{
	uint32_t *path = mem_zalloc(h->stacks->deepest + 1, sizeof(*path));

	for (size_t i = 0; i < h->stacks->group_count; i++) {
		const struct stack_group *group = &h->stacks->groups[i];
		struct history history = history_of(&group->sum.m);
		uint32_t trace = trace_of(h, path, stacks_path(h->stacks, group, path));

		if (i == 0) {
			fprintf(h->out, "a 0 %x\n", trace);
			h->info_count++;
		}
		write_infos(h, i, &history, trace);
	}
	free(path);
}

/* ---- events */

static void write_events(struct heaptrack *h, const struct run *run, const char *format)
{
	char event[64];
	int size = snprintf(event, sizeof(event), format, run->info, run->info);

	for (uint64_t i = 0; i < run->count; i++)
		fwrite(event, 1, (size_t)size, h->out);
}

static void write_part(struct heaptrack *h, size_t group, enum part part, const char *format)
{
	struct history history = history_of(&h->stacks->groups[group].sum.m);
	struct run runs[2];

	runs_of(&history, part, h->infos[group], runs);
	write_events(h, &runs[0], format);
	write_events(h, &runs[1], format);
}

/* Last in, first out. */
static void write_frees(struct heaptrack *h, size_t group)
{
	struct history history = history_of(&h->stacks->groups[group].sum.m);
	struct run runs[2];

	runs_of(&history, PEAK_ONLY, h->infos[group], runs);
	write_events(h, &runs[1], "- %x\n");
	write_events(h, &runs[0], "- %x\n");
}

/* One after the other, so they never add to the peak. */
static void write_passing(struct heaptrack *h, size_t group)
{
	struct history history = history_of(&h->stacks->groups[group].sum.m);
	uint64_t temporary = history.temporary;
	struct run runs[2];

	runs_of(&history, PASSING, h->infos[group], runs);
	for (int i = 0; i < 2; i++) {
		struct run short_lived = runs[i];

		short_lived.count = least(runs[i].count, temporary);
		temporary -= short_lived.count;
		runs[i].count -= short_lived.count;
		write_events(h, &short_lived, "+ %x\n- %x\n");
		write_events(h, &runs[i], "+ %x\n" NOT_TEMPORARY "- %x\n");
	}
}

/* The group whose block is allocated last at the peak, and freed first: it counts as temporary. The
 * number of groups where there is none. */
static size_t last_of_peak(const struct heaptrack *h)
{
	size_t i = 0;

	while (i < h->stacks->group_count && !history_of(&h->stacks->groups[i].sum.m).made_peak)
		i++;
	return i;
}

static void write_peak(struct heaptrack *h)
{
	size_t count = h->stacks->group_count, last = last_of_peak(h);

	for (size_t i = 0; i < count; i++) {
		write_part(h, i, KEPT, "+ %x\n");
		if (i != last)
			write_part(h, i, PEAK_ONLY, "+ %x\n");
	}
	if (last < count) {
		write_part(h, last, PEAK_ONLY, "+ %x\n");
		write_frees(h, last);
	} else if (count) {
		fputs(NOT_TEMPORARY, h->out);
	}
	for (size_t i = 0; i < count; i++) {
		if (i != last)
			write_frees(h, i);
	}
}

static void write_history(struct heaptrack *h)
{
	const struct trace *t = h->e->trace;
	size_t count = h->stacks->group_count;
	uint64_t ns;

	if (!trace_run_time(t, &ns))
		ns = t->header.last_ns;
	fputs("c 0\n", h->out);
	for (size_t i = 0; i < count; i++)
		write_passing(h, i);
	fprintf(h->out, "c %llx\n", (unsigned long long)(t->header.peak_ns / NS_PER_MS));
	write_peak(h);
	for (size_t i = 0; i < count; i++)
		write_part(h, i, END_ONLY, "+ %x\n");
	fprintf(h->out, "R %llx\nc %llx\n", (unsigned long long)(t->header.resident_bytes / PAGE),
		(unsigned long long)(ns / NS_PER_MS));
}

/* ---- the whole */

static void write_header(const struct heaptrack *h)
{
	const struct trace *t = h->e->trace;

	fputs("v 10400 3\nX ", h->out);
	write_command(t, h->out);
	fprintf(h->out, "\nI %x 0\n", PAGE);
}

static void write_heaptrack(const struct exporter *e)
{
	struct heaptrack h = { .e = e, .stacks = stacks_new(e, STACKS_ADDRESSES), .out = e->out };

	h.ips = mem_zalloc(h.stacks->frame_count + 1, sizeof(*h.ips));
	h.traces = mem_zalloc(h.stacks->node_count, sizeof(*h.traces));
	h.infos = mem_zalloc(h.stacks->group_count + 1, sizeof(*h.infos));
	write_header(&h);
	write_tables(&h);
	write_history(&h);
	hashmap_release(&h.string_index);
	free(h.strings);
	free(h.ips);
	free(h.traces);
	free(h.infos);
	stacks_free(h.stacks);
}

const struct export_format export_heaptrack = { "heaptrack", false, false, write_heaptrack };
