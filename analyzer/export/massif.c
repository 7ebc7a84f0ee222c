/* SPDX-License-Identifier: MIT */
/*
 * massif.c - massif.out, of ms_print and massif-visualizer: the run's curve, and at some of its
 * moments who holds what, as trees from the allocation outwards. It has no specification; what
 * ms_print reads is one.
 *
 * The trees of the peak and of the end have all stacks. Those of the timeline's points have the sites
 * that a point names, and the rest as a sum. As with massif, a tree is in every tenth snapshot, here
 * also at marks, what is below 1 % of it is added up, and stacks end after 30 frames.
 */
#include "analyzer/export/plain.h"
#include "analyzer/export/stacks.h"
#include "analyzer/base/compare.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/timeline.h"

#include <stdlib.h>

#define DETAILED_EACH 10
#define THRESHOLD_PERCENT 1
#define MOST_FRAMES 30	   /* of a stack, as of massif's */
#define NS_PER_MS 1000000u /* of ms_print's units of time the only one that fits */

/* A frame, and those that called it from there; the first, which is no frame, called by all. */
struct call {
	uint32_t frame;
	uint32_t called;	     /* whom; parents come before their children */
	uint32_t first_caller, next; /* 0: none */
	uint64_t bytes;		     /* at the snapshot that is written */
};

struct massif {
	const struct exporter *e;
	struct stacks *stacks;
	struct profile *sites;
	struct timeline *timeline;
	struct call *calls;
	size_t call_count, call_room;
	struct hashmap call_index;
	uint32_t *outermost; /* by group, in calls */
	uint64_t *bytes;     /* by group, at the snapshot that is written */
	uint32_t snapshots;
	struct strbuf text;
};

/* ---- the tree */

static bool same_call(const void *context, uint32_t index, const void *key)
{
	const struct call *a = &((const struct massif *)context)->calls[index], *b = key;

	return a->called == b->called && a->frame == b->frame;
}

static uint32_t find_call(struct massif *m, uint32_t called, uint32_t frame)
{
	struct call call = { .frame = frame, .called = called };
	uint32_t index = hashmap_find(&m->call_index, hash_number(called, frame), same_call, m,
		&call, (uint32_t)m->call_count);

	if (index < m->call_count)
		return index;
	if (index) {
		call.next = m->calls[called].first_caller;
		m->calls[called].first_caller = index;
	}
	VEC_PUSH(m->calls, m->call_count, m->call_room, call);
	return index;
}

static void build_tree(struct massif *m)
{
	const struct stacks *s = m->stacks;

	find_call(m, UINT32_MAX, UINT32_MAX);
	m->outermost = mem_zalloc(s->group_count + 1, sizeof(*m->outermost));
	for (size_t i = 0; i < s->group_count; i++) {
		uint32_t node = s->groups[i].node;

		for (int depth = 0; node && depth < MOST_FRAMES; depth++) {
			m->outermost[i] = find_call(m, m->outermost[i], s->nodes[node].frame);
			node = s->nodes[node].parent;
		}
	}
}

/* What the groups have is what the calls have. */
static void add_up(struct massif *m)
{
	for (size_t i = 0; i < m->call_count; i++)
		m->calls[i].bytes = 0;
	for (size_t i = 0; i < m->stacks->group_count; i++)
		m->calls[m->outermost[i]].bytes += m->bytes[i];
	for (size_t i = m->call_count; i-- > 1;)
		m->calls[m->calls[i].called].bytes += m->calls[i].bytes;
}

/* ---- a tree's lines */

struct callers {
	struct call **large; /* at least the threshold */
	size_t count, room;
	size_t small; /* how many have less */
	uint64_t small_bytes;
};

static int by_bytes(const void *a, const void *b)
{
	const struct call *x = *(struct call *const *)a, *y = *(struct call *const *)b;
	int order = compare_numbers(y->bytes, x->bytes);

	return order ? order : compare_numbers(x->frame, y->frame);
}

static struct callers callers_of(struct massif *m, const struct call *call, uint64_t total)
{
	struct callers c = { NULL, 0, 0, 0, 0 };

	for (uint32_t i = call->first_caller; i; i = m->calls[i].next) {
		if (!m->calls[i].bytes)
			continue;
		if ((double)m->calls[i].bytes * 100 >= (double)total * THRESHOLD_PERCENT) {
			VEC_PUSH(c.large, c.count, c.room, &m->calls[i]);
		} else {
			c.small++;
			c.small_bytes += m->calls[i].bytes;
		}
	}
	if (c.count)
		qsort(c.large, c.count, sizeof(struct call *), by_bytes);
	return c;
}

/* `unnamed` bytes are those of sites that a point doesn't name. */
static void write_small(
	const struct massif *m, const struct callers *c, uint64_t unnamed, int depth)
{
	size_t places = c->small + (unnamed > 0);
	uint64_t bytes = c->small_bytes + unnamed;

	fprintf(m->e->out, "%*sn0: %llu in %zu%s place%s, %sbelow massif's threshold (%d.00%%)\n",
		depth, "", (unsigned long long)bytes, places, unnamed ? "+" : "",
		places == 1 && !unnamed ? "" : "s", places == 1 && !unnamed ? "" : "all ",
		THRESHOLD_PERCENT);
}

static void write_callers(
	struct massif *m, const struct call *call, uint64_t total, uint64_t unnamed, int depth)
{
	struct callers c = callers_of(m, call, total);
	bool small = c.small || unnamed;
	uint64_t bytes = call->bytes + unnamed;

	fprintf(m->e->out, "%*sn%zu: %llu ", depth, "", c.count + small, (unsigned long long)bytes);
	if (depth == 0) {
		fputs("(heap allocation functions) malloc/new/new[], --alloc-fns, etc.\n",
			m->e->out);
	} else {
		strbuf_clear(&m->text);
		add_frame(&m->text, &m->stacks->frames[call->frame]);
		write_plain(strbuf_text(&m->text), m->e->out);
		putc('\n', m->e->out);
	}
	for (size_t i = 0; i < c.count; i++)
		write_callers(m, c.large[i], total, 0, depth + 1);
	if (small)
		write_small(m, &c, unnamed, depth + 1);
	free(c.large);
}

/* ---- snapshots */

static void write_snapshot(struct massif *m, uint64_t ns, uint64_t bytes, const char *tree)
{
	fprintf(m->e->out,
		"#-----------\nsnapshot=%u\n#-----------\ntime=%llu\nmem_heap_B=%llu\n"
		"mem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=%s\n",
		m->snapshots++, (unsigned long long)(ns / NS_PER_MS), (unsigned long long)bytes,
		tree);
}

/* With a tree of what the groups have. */
static void write_tree(struct massif *m, uint64_t ns, uint64_t bytes, const char *tree)
{
	uint64_t named;

	add_up(m);
	named = m->calls[0].bytes;
	write_snapshot(m, ns, bytes > named ? bytes : named, tree);
	write_callers(m, &m->calls[0], bytes, bytes > named ? bytes - named : 0, 0);
}

static void write_point(struct massif *m, const struct timeline_point *point)
{
	const struct timeline *t = m->timeline;

	if (point->p.kind != MT_POINT_MARK && m->snapshots % DETAILED_EACH) {
		write_snapshot(m, point->p.ns, point->p.live_bytes, "empty");
		return;
	}
	for (size_t i = 0; i < m->stacks->group_count; i++)
		m->bytes[i] = 0;
	for (size_t i = 0; i < point->part_count; i++) {
		const struct timeline_part *part = &t->parts[point->first_part + i];

		m->bytes[m->stacks->group_of_site[t->rows[part->row].row->site]] += part->bytes;
	}
	write_tree(m, point->p.ns, point->p.live_bytes, "detailed");
}

static void write_peak(struct massif *m)
{
	for (size_t i = 0; i < m->stacks->group_count; i++)
		m->bytes[i] = m->stacks->groups[i].sum.m.at_peak_bytes;
	write_tree(m, m->e->trace->header.peak_ns, m->sites->totals.all.peak_bytes, "peak");
}

static void write_end(struct massif *m, uint64_t ns)
{
	for (size_t i = 0; i < m->stacks->group_count; i++)
		m->bytes[i] = not_negative(m->stacks->groups[i].sum.m.current_bytes);
	write_tree(m, ns, not_negative(m->sites->totals.all.current_bytes), "detailed");
}

static void write_snapshots(struct massif *m)
{
	const struct timeline *t = m->timeline;
	uint64_t peak_ns = m->e->trace->header.peak_ns, end_ns = m->e->trace->header.last_ns;
	size_t i = 0;

	(void)trace_run_time(m->e->trace, &end_ns);
	if (end_ns < t->end_ns)
		end_ns = t->end_ns;
	if (end_ns < peak_ns)
		end_ns = peak_ns;
	write_snapshot(m, 0, 0, "empty");
	for (; i < t->count && t->points[i].p.ns < peak_ns; i++)
		write_point(m, &t->points[i]);
	write_peak(m);
	if (i < t->count && t->points[i].p.live_bytes == m->sites->totals.all.peak_bytes)
		i++; /* the same moment */
	for (; i < t->count && t->points[i].p.kind != MT_POINT_END; i++)
		write_point(m, &t->points[i]);
	write_end(m, end_ns);
}

/* ---- the whole */

static void release(struct massif *m)
{
	timeline_free(m->timeline);
	profile_free(m->sites);
	stacks_free(m->stacks);
	hashmap_release(&m->call_index);
	strbuf_release(&m->text);
	free(m->calls);
	free(m->outermost);
	free(m->bytes);
}

static void write_massif(const struct exporter *e)
{
	struct massif m = { .e = e, .stacks = stacks_new(e, STACKS_ADDRESSES) };

	m.sites = profile_new(e->trace, e->resolver, BY_SITE, false);
	m.timeline = timeline_new(e->trace, m.sites);
	m.bytes = mem_zalloc(m.stacks->group_count + 1, sizeof(*m.bytes));
	build_tree(&m);
	fputs("desc: (written by mtracer " MTRACER_VERSION ")\ncmd: ", e->out);
	write_command(e->trace, e->out);
	fputs("\ntime_unit: ms\n", e->out);
	write_snapshots(&m);
	release(&m);
}

const struct export_format export_massif = { "massif", false, false, write_massif };
