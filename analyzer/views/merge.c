/* SPDX-License-Identifier: MIT */
/*
 * merge.c - adds traces up.
 *
 * For each trace and table, a map tells the index in the sum of each record: modules first, then
 * frames, nodes, calls and sites, which refer to the ones before. A record that the sum knows is
 * found by a hash of what makes it one. Counters go to entries alone, also those from before there
 * were threads.
 */
#include "analyzer/views/merge.h"
#include "analyzer/base/array.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/measures.h"
#include "analyzer/trace/processes.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/trace_write.h"

#include <stdlib.h>
#include <string.h>

#define EPOCH 1 /* of the sum: all sites know their bytes at peak */

struct merge {
	struct trace_writer w;
	struct hashmap modules, frames, nodes, calls, sites, foreign, leaks, held;
	size_t traces; /* added, those in merged ones counted each */
	uint64_t end;  /* CLOCK_REALTIME of the last end */
	uint64_t file_size;
	bool any_scanned, same_status;
};

/* Where the records of one trace are in the sum. */
struct maps {
	uint32_t *modules, *frames, *nodes, *calls, *sites;
};

/* ---- finding records */

/* The key of a record is two numbers; `read` tells those of a record in the sum. */
struct key {
	uint64_t a, b;
};

struct search {
	const struct trace_writer *w;
	struct key (*read)(const struct trace_writer *w, uint32_t index);
};

static bool same_key(const void *context, uint32_t index, const void *key)
{
	const struct search *s = context;
	const struct key *wanted = key;
	struct key found = s->read(s->w, index);

	return found.a == wanted->a && found.b == wanted->b;
}

/* Index of the record with this key; where there is none, `record` is added. */
static uint32_t find_or_add(struct trace_writer *w, struct hashmap *map, enum mt_table_id table,
	struct key (*read)(const struct trace_writer *w, uint32_t index), struct key key,
	const void *record)
{
	struct search search = { w, read };
	uint32_t next = w->counts[table];
	uint32_t index = hashmap_find(
		map, hash_number(hash_number(0, key.a), key.b), same_key, &search, &key, next);

	if (index == next)
		trace_writer_add(w, table, record, 1);
	return index;
}

/* Which functions it was seen to call may differ, and is put together. */
static struct key key_of_frame(const struct mt_frame *f)
{
	return (struct key){ f->address,
		(uint64_t)f->module << 32 | (f->flags & (MT_FRAME_CALLS(0) - 1)) };
}

static struct key frame_key(const struct trace_writer *w, uint32_t index)
{
	const struct mt_frame *f = trace_writer_at(w, MT_FRAMES, index);

	return key_of_frame(f);
}

static struct key node_key(const struct trace_writer *w, uint32_t index)
{
	const struct mt_node *n = trace_writer_at(w, MT_NODES, index);

	return (struct key){ n->parent, n->frame };
}

static struct key call_key(const struct trace_writer *w, uint32_t index)
{
	const struct mt_call *l = trace_writer_at(w, MT_CALLS, index);

	return (struct key){ l->frame, l->kind };
}

static struct key site_key(const struct trace_writer *w, uint32_t index)
{
	const struct mt_site_info *s = trace_writer_at(w, MT_SITE_INFO, index);

	return (struct key){ s->node, s->call };
}

static struct key foreign_key(const struct trace_writer *w, uint32_t index)
{
	const struct mt_foreign *f = trace_writer_at(w, MT_FOREIGN, index);

	return (struct key){ f->node, 0 };
}

static struct key leak_key(const struct trace_writer *w, uint32_t index)
{
	const struct mt_leak *l = trace_writer_at(w, MT_LEAKS, index);

	return (struct key){ l->site, l->kind };
}

static struct key held_key(const struct trace_writer *w, uint32_t index)
{
	const struct mt_held *h = trace_writer_at(w, MT_HELD, index);

	return (struct key){ h->owner, h->site };
}

/* ---- modules and frames */

static bool same_module(const void *context, uint32_t index, const void *key)
{
	const struct mt_module *a = trace_writer_at(context, MT_MODULES, index);
	const struct mt_module *b = key;

	return a->path == b->path && a->build_id_size == b->build_id_size &&
	       memcmp(a->build_id, b->build_id, sizeof(a->build_id)) == 0;
}

static uint32_t add_module(struct merge *m, const struct trace *t, uint32_t index)
{
	struct mt_module module = t->modules[index];
	uint32_t next = m->w.counts[MT_MODULES];
	uint32_t at;

	module.path = trace_writer_string(&m->w, trace_string(t, module.path));
	memset(module.build_id + module.build_id_size, 0,
		sizeof(module.build_id) - module.build_id_size);
	at = hashmap_find(
		&m->modules, hash_number(0, module.path), same_module, &m->w, &module, next);
	if (at == next)
		trace_writer_add(&m->w, MT_MODULES, &module, 1);
	return at;
}

/* Where the symbols of each frame begin in a trace that has some; plus 1. The caller frees it. */
static uint32_t *index_symbols(const struct trace *t)
{
	uint32_t *at = mem_zalloc(t->frame_count + 1, sizeof(*at));

	for (uint32_t i = t->symbol_count; i > 0; i--)
		at[t->symbols[i - 1].frame] = i;
	return at;
}

static void add_symbols(struct merge *m, uint32_t frame, const struct trace *t, uint32_t at)
{
	uint32_t of = t->symbols[at].frame;

	for (; at < t->symbol_count && t->symbols[at].frame == of; at++) {
		struct mt_symbol symbol = t->symbols[at];

		symbol.frame = frame;
		symbol.function = trace_writer_string(&m->w, trace_string(t, symbol.function));
		symbol.linkage = trace_writer_string(&m->w, trace_string(t, symbol.linkage));
		symbol.file = trace_writer_string(&m->w, trace_string(t, symbol.file));
		symbol.decl_file = trace_writer_string(&m->w, trace_string(t, symbol.decl_file));
		trace_writer_add(&m->w, MT_SYMBOLS, &symbol, 1);
	}
}

/* An address in the sum is as in the process that loaded the module first. */
static uint32_t add_frame(struct merge *m, const struct maps *maps, const struct trace *t,
	uint32_t index, bool *is_new)
{
	struct mt_frame frame = t->frames[index];
	uint32_t next = m->w.counts[MT_FRAMES], at;
	struct mt_frame *added;

	if (frame.module) {
		const struct mt_module *module =
			trace_writer_at(&m->w, MT_MODULES, maps->modules[frame.module]);

		frame.address += module->bias - t->modules[frame.module].bias;
		frame.module = maps->modules[frame.module];
	}
	at = find_or_add(&m->w, &m->frames, MT_FRAMES, frame_key, key_of_frame(&frame), &frame);
	added = trace_writer_at(&m->w, MT_FRAMES, at);
	added->flags |= frame.flags;
	*is_new = at == next;
	return at;
}

static void map_code(struct merge *m, struct maps *maps, const struct trace *t)
{
	uint32_t *symbols = index_symbols(t);

	maps->modules = mem_zalloc(t->module_count + 1, sizeof(*maps->modules));
	maps->frames = mem_zalloc(t->frame_count + 1, sizeof(*maps->frames));
	maps->nodes = mem_zalloc(t->node_count + MT_NODE_FIRST, sizeof(*maps->nodes));
	for (uint32_t i = 1; i < t->module_count; i++)
		maps->modules[i] = add_module(m, t, i);
	for (uint32_t i = 1; i < t->frame_count; i++) {
		bool is_new;

		maps->frames[i] = add_frame(m, maps, t, i, &is_new);
		if (is_new && symbols[i])
			add_symbols(m, maps->frames[i], t, symbols[i] - 1);
	}
	free(symbols);
	for (uint32_t i = 0; i < MT_NODE_FIRST; i++)
		maps->nodes[i] = i;
	for (uint32_t i = MT_NODE_FIRST; i < t->node_count; i++) {
		struct mt_node node = { maps->nodes[t->nodes[i].parent],
			maps->frames[t->nodes[i].frame] };

		maps->nodes[i] = find_or_add(&m->w, &m->nodes, MT_NODES, node_key,
			(struct key){ node.parent, node.frame }, &node);
	}
}

/* ---- call instructions and sites */

static void map_calls(struct merge *m, struct maps *maps, const struct trace *t)
{
	maps->calls = mem_zalloc(t->call_count + 1, sizeof(*maps->calls));
	for (uint32_t i = 1; i < t->call_count; i++) {
		struct mt_call call = { maps->frames[t->calls[i].frame], t->calls[i].kind, 0, 0 };
		struct mt_call *sum;

		maps->calls[i] = find_or_add(&m->w, &m->calls, MT_CALLS, call_key,
			(struct key){ call.frame, call.kind }, &call);
		sum = trace_writer_at(&m->w, MT_CALLS, maps->calls[i]);
		sum->live_bytes += t->calls[i].live_bytes;
		sum->peak_bytes += t->calls[i].peak_bytes;
	}
}

/* Numbers of blocks in the sum's parts of one, from the trace's. */
static uint64_t in_parts(const struct merge *m, uint64_t blocks, uint64_t unit)
{
	uint64_t to = m->w.header.sample_unit ? m->w.header.sample_unit : 1;

	unit = unit ? unit : 1;
	return to == unit ? blocks : (uint64_t)((unsigned __int128)blocks * to / unit);
}

static uint32_t add_blocks(uint32_t a, uint64_t b)
{
	return b > UINT32_MAX - a ? UINT32_MAX : a + (uint32_t)b;
}

/* The table may stay shorter than that of the sites. */
static void add_slack(struct merge *m, uint32_t site, const struct mt_slack *slack)
{
	static const struct mt_slack none;
	struct mt_slack *sum;

	while (m->w.counts[MT_SLACK] <= site)
		trace_writer_add(&m->w, MT_SLACK, &none, 1);
	sum = trace_writer_at(&m->w, MT_SLACK, site);
	sum->current_bytes += slack->current_bytes;
	sum->allocated_bytes += slack->allocated_bytes;
}

static void add_variances(struct mt_estimate *sum, const struct variances *v)
{
	sum->current_bytes += v->current_bytes;
	sum->current_blocks += v->current_blocks;
	sum->at_peak_bytes += v->at_peak_bytes;
	sum->allocated_bytes += v->allocated_bytes;
	sum->allocations += v->allocations;
	sum->temporary += v->temporary;
}

static void map_sites(
	struct merge *m, struct maps *maps, const struct trace *t, const struct measures *measures)
{
	static const struct mt_site empty = { .epoch = EPOCH };
	static const struct mt_estimate sure;

	maps->sites = mem_zalloc(t->site_count + 1, sizeof(*maps->sites));
	for (uint32_t i = 1; i < t->site_count; i++) {
		struct mt_site_info info = { maps->nodes[t->site_info[i].node],
			maps->calls[t->site_info[i].call] };
		struct mt_site *sum;

		maps->sites[i] = find_or_add(&m->w, &m->sites, MT_SITE_INFO, site_key,
			(struct key){ info.node, info.call }, &info);
		if (maps->sites[i] == m->w.counts[MT_SITES]) {
			trace_writer_add(&m->w, MT_SITES, &empty, 1);
			trace_writer_add(&m->w, MT_ESTIMATES, &sure, 1);
		}
		sum = trace_writer_at(&m->w, MT_SITES, maps->sites[i]);
		sum->peak_bytes += measures[i].peak_bytes;
		sum->at_peak_bytes += measures[i].at_peak_bytes;
		sum->at_peak_blocks =
			add_blocks(sum->at_peak_blocks, in_parts(m, measures[i].at_peak_blocks, 1));
		add_variances(trace_writer_at(&m->w, MT_ESTIMATES, maps->sites[i]), &measures[i].v);
		if (t->slack)
			add_slack(m, maps->sites[i], &t->slack[i]);
	}
}

/* ---- threads and their counters */

/* Lane 0 has what was counted before there was a second thread. Returns its index in the sum. */
static uint32_t add_lanes(struct merge *m, const struct trace *t)
{
	const struct mt_lane first = { .tid = t->header.pid, .threads = 1 };

	if (t->lane_count)
		return trace_writer_add(&m->w, MT_LANES, t->lanes, t->lane_count);
	return trace_writer_add(&m->w, MT_LANES, &first, 1);
}

static void add_entry(struct merge *m, struct mt_entry entry, const struct trace *t)
{
	entry.allocations = in_parts(m, entry.allocations, t->header.sample_unit);
	entry.frees = in_parts(m, entry.frees, t->header.sample_unit);
	entry.temporary = in_parts(m, entry.temporary, t->header.sample_unit);
	trace_writer_add(&m->w, MT_ENTRIES, &entry, 1);
}

static void add_base(struct merge *m, const struct trace *t, const struct mt_site *s, uint32_t site,
	uint32_t lane)
{
	struct mt_entry entry = {
		.site = site,
		.lane = lane,
		.allocated_bytes = s->allocated_bytes,
		.allocations = s->allocations,
		.freed_bytes = s->allocated_bytes - s->current_bytes,
		.frees = s->allocations - s->current_blocks,
		.temporary = s->temporary,
	};

	if (entry.allocations || entry.frees)
		add_entry(m, entry, t);
}

static void add_counters(struct merge *m, const struct maps *maps, const struct trace *t)
{
	uint32_t lane = add_lanes(m, t);

	for (uint32_t i = 1; i < t->site_count; i++)
		add_base(m, t, &t->sites[i], maps->sites[i], lane);
	for (uint32_t i = 0; i < t->entry_count; i++) {
		struct mt_entry entry = t->entries[i];

		if (!entry.site)
			continue;
		entry.site = maps->sites[entry.site];
		entry.lane += lane;
		add_entry(m, entry, t);
	}
}

static void add_foreign(struct merge *m, const struct maps *maps, const struct trace *t)
{
	for (uint32_t i = 0; i < t->foreign_count; i++) {
		struct mt_foreign foreign = { maps->nodes[t->foreign[i].node], 0, 0 };
		uint32_t at = find_or_add(&m->w, &m->foreign, MT_FOREIGN, foreign_key,
			(struct key){ foreign.node, 0 }, &foreign);
		struct mt_foreign *sum = trace_writer_at(&m->w, MT_FOREIGN, at);

		sum->frees += t->foreign[i].frees;
	}
}

static void add_leak(struct merge *m, uint32_t site, uint32_t kind, uint64_t bytes, uint64_t blocks)
{
	struct mt_leak leak = { site, kind, 0, 0 };
	uint32_t at = find_or_add(
		&m->w, &m->leaks, MT_LEAKS, leak_key, (struct key){ site, kind }, &leak);
	struct mt_leak *sum = trace_writer_at(&m->w, MT_LEAKS, at);

	sum->bytes += bytes;
	sum->blocks += blocks;
}

/* Of a process that didn't look, all live blocks are unclassified. */
static void add_held(struct merge *m, const struct maps *maps, const struct mt_held *h)
{
	uint32_t owner = maps->sites[h->owner], site = h->site ? maps->sites[h->site] : 0;
	struct mt_held held = { owner, site, 0, 0 };
	uint32_t at =
		find_or_add(&m->w, &m->held, MT_HELD, held_key, (struct key){ owner, site }, &held);
	struct mt_held *sum = trace_writer_at(&m->w, MT_HELD, at);

	sum->bytes += h->bytes;
	sum->blocks += h->blocks;
}

static void add_leaks(struct merge *m, const struct maps *maps, const struct trace *t,
	const struct measures *measures)
{
	if (t->header.scan_state == MT_SCAN_DONE) {
		m->any_scanned = true;
		for (uint32_t i = 0; i < t->leak_count; i++) {
			const struct mt_leak *l = &t->leaks[i];

			if (l->site)
				add_leak(m, maps->sites[l->site], l->kind, l->bytes, l->blocks);
		}
		for (uint32_t i = 0; i < t->held_count; i++)
			if (t->held[i].owner)
				add_held(m, maps, &t->held[i]);
		return;
	}
	for (uint32_t i = 1; i < t->site_count; i++) {
		if (measures[i].current_blocks > 0)
			add_leak(m, maps->sites[i], MT_LEAK_UNCLASSIFIED,
				(uint64_t)measures[i].current_bytes,
				(uint64_t)measures[i].current_blocks);
	}
}

/* ---- the timeline */

/* Moments of several processes don't add up: there is none but that of the first, while it is alone. */
static void add_timeline(struct merge *m, const struct maps *maps, const struct trace *t)
{
	struct mt_header *h = &m->w.header;

	m->w.counts[MT_POINTS] = m->w.counts[MT_SHARES] = 0;
	h->peak_ns = h->lost_marks = h->peak_site = h->peak_lane = 0;
	if (m->traces > 1)
		return;
	h->peak_ns = t->header.peak_ns;
	h->lost_marks = t->header.lost_marks;
	h->peak_site = maps->sites[t->header.peak_site];
	h->peak_lane = t->header.peak_lane;
	for (uint32_t i = 0; i < t->point_count; i++) {
		struct mt_point point = t->points[i];

		if (point.kind != MT_POINT_UNUSED)
			point.label = trace_writer_string(&m->w, trace_string(t, point.label));
		trace_writer_add(&m->w, MT_POINTS, &point, 1);
	}
	for (uint32_t i = 0; i < t->share_count; i++) {
		struct mt_share share = t->shares[i];

		share.site = share.point ? maps->sites[share.site] : 0;
		trace_writer_add(&m->w, MT_SHARES, &share, 1);
	}
}

/* Likewise. Where two sites became one, what each had isn't known any more. */
static void add_snapshots(struct merge *m, const struct maps *maps, const struct trace *t)
{
	m->w.counts[MT_SNAPSHOTS] = m->w.counts[MT_SNAPSHOT_ROWS] = 0;
	m->w.header.lost_snapshots = 0;
	if (m->traces > 1 || m->w.counts[MT_SITES] != t->site_count)
		return;
	m->w.header.lost_snapshots = t->header.lost_snapshots;
	for (uint32_t i = 0; i < t->snapshot_count; i++) {
		struct mt_snapshot snapshot = t->snapshots[i];

		snapshot.label = trace_writer_string(&m->w, trace_string(t, snapshot.label));
		snapshot.peak_site = maps->sites[snapshot.peak_site];
		trace_writer_add(&m->w, MT_SNAPSHOTS, &snapshot, 1);
	}
	for (uint32_t i = 0; i < t->snapshot_row_count; i++) {
		struct mt_snapshot_row row = t->snapshot_rows[i];

		row.site = row.site < t->site_count ? maps->sites[row.site] : 0;
		trace_writer_add(&m->w, MT_SNAPSHOT_ROWS, &row, 1);
	}
}

/* ---- the processes */

static struct mt_text copy_text(
	struct trace_writer *w, const struct trace *t, const struct mt_text *text)
{
	return trace_writer_text(w, trace_string(t, text->offset), text->size);
}

static uint32_t process_state_of(const struct trace *t)
{
	switch (t->state) {
	case TRACE_RUNNING:
		return MT_PROCESS_RUNNING;
	case TRACE_DIED:
		return MT_PROCESS_DIED;
	case TRACE_EXITED:
		break;
	}
	return trace_went_on(t) ? MT_PROCESS_WENT_ON : MT_PROCESS_EXITED;
}

static void add_process(struct merge *m, const struct trace *t, const struct totals *totals)
{
	const struct mt_header *h = &t->header;
	struct mt_process process = {
		.pid = h->pid,
		.parent_pid = h->parent_pid,
		.forked_from = (uint32_t)h->forked_from,
		.program = trace_writer_string(&m->w, trace_program(t)),
		.command = copy_text(&m->w, t, &h->command),
		.state = process_state_of(t),
		.wait_status = h->wait_status,
		.flags = h->flags,
		.start_ticks = h->start_ticks,
		.start_ns = h->start_ns,
		.end_ns = h->end_ns ? h->start_ns + h->end_ns : 0,
		.peak_bytes = totals->all.peak_bytes,
		.current_bytes = (uint64_t)totals->all.current_bytes,
		.allocated_bytes = totals->all.allocated_bytes,
		.allocations = totals->all.allocations,
	};

	trace_writer_add(&m->w, MT_PROCESSES, &process, 1);
}

/* A sum brings its own. */
static void add_processes(struct merge *m, const struct trace *t, const struct totals *totals)
{
	for (uint32_t i = 0; i < t->process_count; i++) {
		struct mt_process process = t->processes[i];

		process.program = trace_writer_string(&m->w, trace_string(t, process.program));
		process.command = copy_text(&m->w, t, &process.command);
		trace_writer_add(&m->w, MT_PROCESSES, &process, 1);
	}
	if (!t->process_count)
		add_process(m, t, totals);
}

/* ---- the header */

static void begin_header(struct merge *m, const struct trace *t)
{
	struct mt_header *h = &m->w.header;
	const struct mt_header *from = &t->header;

	*h = (struct mt_header){
		.pid = from->pid,
		.parent_pid = from->parent_pid,
		.wait_status = from->wait_status,
		.start_ticks = from->start_ticks,
		.start_ns = from->start_ns,
		.sample_unit = from->sample_unit,
		.enabled = 1,
		.epoch = EPOCH,
		.flags = MT_NOTE_MERGED | MT_NOTE_COPY,
		.program = copy_text(&m->w, t, &from->program),
		.command = copy_text(&m->w, t, &from->command),
		.directory = copy_text(&m->w, t, &from->directory),
		.host = copy_text(&m->w, t, &from->host),
	};
	memcpy(h->boot_id, from->boot_id, sizeof(h->boot_id));
	m->same_status = true;
}

static void add_status(struct merge *m, const struct trace *t)
{
	struct mt_header *h = &m->w.header;

	if (!(t->header.flags & MT_HAS_WAIT_STATUS) || t->header.wait_status != h->wait_status)
		m->same_status = false;
}

static void add_times(struct merge *m, const struct trace *t)
{
	struct mt_header *h = &m->w.header;
	uint64_t ns;

	trace_run_time(t, &ns);
	if (t->header.start_ns < h->start_ns)
		h->start_ns = t->header.start_ns;
	if (t->header.start_ns + ns > m->end)
		m->end = t->header.start_ns + ns;
}

static void add_header(struct merge *m, const struct trace *t, const struct totals *totals)
{
	static const uint32_t kept = MT_NOTE_OWN_MALLOC | MT_NOTE_MULTI | MT_NOTE_STORAGE |
				     MT_NOTE_REDACTED | MT_NOTE_MMAP | MT_NOTE_UNSTARTED |
				     MT_NOTE_RESET | MT_NOTE_CUT | MT_NOTE_CLEARED | MT_NOTE_FULL;
	struct mt_header *h = &m->w.header;
	const struct mt_header *from = &t->header;

	add_status(m, t);
	add_times(m, t);
	h->flags |= from->flags & kept;
	if (from->sample_bytes > h->sample_bytes)
		h->sample_bytes = from->sample_bytes;
	if (!h->own_malloc && from->own_malloc && from->own_malloc <= UINT32_MAX)
		h->own_malloc =
			trace_writer_string(&m->w, trace_string(t, (uint32_t)from->own_malloc));
	h->depth = from->depth > h->depth ? from->depth : h->depth;
	h->enabled = h->enabled && from->enabled;
	h->live_bytes += from->live_bytes;
	h->peak_bytes += totals->all.peak_bytes;
	h->max_unpublished += from->max_unpublished;
	h->foreign_frees += from->foreign_frees;
	h->missed_frees += from->missed_frees;
	h->overlaid_frees += from->overlaid_frees;
	h->broken_stacks += from->broken_stacks;
	for (int i = 0; i < MT_LOSSES; i++)
		h->lost[i] += from->lost[i];
	h->scan_ns += from->scan_ns;
	h->scan_bytes += from->scan_bytes;
	h->scan_blind += from->scan_blind;
	m->file_size += t->file_size;
	m->traces += from->flags & MT_NOTE_MERGED ? from->merged : 1;
}

/* The worst of them. */
static void set_state(struct merge *m)
{
	struct mt_process *all = trace_writer_at(&m->w, MT_PROCESSES, 0);
	uint32_t state = MT_STATE_EXITED;

	processes_settle(all, m->w.counts[MT_PROCESSES]);
	for (uint32_t i = 0; i < m->w.counts[MT_PROCESSES]; i++) {
		if (all[i].state == MT_PROCESS_RUNNING)
			state = MT_STATE_RUNNING;
		else if (all[i].state == MT_PROCESS_DIED && state != MT_STATE_RUNNING)
			state = MT_STATE_DIED;
	}
	m->w.header.state = state;
}

/* ---- the whole */

struct merge *merge_new(void)
{
	struct merge *m = mem_zalloc(1, sizeof(*m));

	trace_writer_init(&m->w);
	trace_writer_add(&m->w, MT_ESTIMATES, &(struct mt_estimate){ 0 }, 1); /* as of sites */
	return m;
}

void merge_free(struct merge *m)
{
	struct hashmap *maps[] = { &m->modules, &m->frames, &m->nodes, &m->calls, &m->sites,
		&m->foreign, &m->leaks, &m->held };

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		hashmap_release(maps[i]);
	trace_writer_release(&m->w);
	free(m);
}

void merge_add(struct merge *m, const struct trace *t)
{
	struct measures *measures = site_measures(t);
	struct totals totals = program_totals(t, measures);
	struct maps maps;

	if (m->traces == 0)
		begin_header(m, t);
	add_header(m, t, &totals);
	add_processes(m, t, &totals);
	map_code(m, &maps, t);
	map_calls(m, &maps, t);
	map_sites(m, &maps, t, measures);
	add_counters(m, &maps, t);
	add_foreign(m, &maps, t);
	add_leaks(m, &maps, t, measures);
	add_timeline(m, &maps, t);
	add_snapshots(m, &maps, t);
	free(maps.modules);
	free(maps.frames);
	free(maps.nodes);
	free(maps.calls);
	free(maps.sites);
	free(measures);
}

struct trace *merge_finish(struct merge *m, const char *name, char *error, size_t error_size)
{
	struct mt_header *h = &m->w.header;
	struct trace *t;
	unsigned char *bytes;
	size_t size;

	set_state(m);
	h->merged = m->traces;
	h->end_ns = m->end > h->start_ns ? m->end - h->start_ns : 0;
	h->last_ns = h->end_ns;
	h->scan_state = m->any_scanned ? MT_SCAN_DONE : MT_SCAN_NONE;
	if (!m->any_scanned)
		m->w.counts[MT_LEAKS] = 0; /* none is held, then */
	if (!h->sample_bytes)
		m->w.counts[MT_ESTIMATES] = 0;
	if (m->same_status)
		h->flags |= MT_HAS_WAIT_STATUS;
	bytes = trace_writer_bytes(&m->w, &size);
	trace_writer_release(&m->w);
	t = trace_from_bytes(bytes, size, name, error, error_size);
	if (t)
		t->file_size = m->file_size;
	return t;
}
