/* SPDX-License-Identifier: MIT */
/*
 * trace.c - reads a trace and checks every number in it before anybody uses it.
 *
 * Steps: 1. header and directory, 2. the bytes of each table, gathered from its extents, 3. the
 * references between the tables. A trace that is still written to is read again while it changes
 * between 1 and 2, a few times at most: counts only grow, so two equal readings mean that the
 * tables belong together.
 */
#include "analyzer/trace/trace.h"
#include "analyzer/base/array.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/packing.h"
#include "analyzer/trace/columns.h"
#include "analyzer/trace/process.h"
#include "analyzer/trace/tables.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READ_ATTEMPTS 8
#define REREAD_LIMIT \
	(64u << 20) /* bytes: bigger tables aren't read twice for the sake of a newer moment */
#define SPARSE_LIMIT (64u << 20) /* bytes that a file may claim beyond what it holds on disk */
#define COMPRESSION_LIMIT 64	 /* at most this many times what it holds on disk */
#define DEPTH_LIMIT 4096	 /* frames of a stack; MTRACE_DEPTH goes up to 1024 */

struct reader {
	int fd;
	struct trace *trace;
	struct stat stat;
	unsigned char *unpacked; /* a packed file's contents; NULL = the file is read as it is */
	uint64_t packed_size;	 /* bytes on disk */
	void *tables[MT_TABLES_USED]; /* records of this version, moved to the trace at the end */
	uint64_t counts[MT_TABLES_USED];
	char *error;
	size_t error_size;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct reader *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->error, r->error_size, format, args);
	va_end(args);
	return false;
}

/* ---- 1. header and directory */

static bool read_bytes(struct reader *r, void *to, size_t size, uint64_t at)
{
	char *next = to;

	if (r->unpacked) {
		if (at > (uint64_t)r->stat.st_size || size > (uint64_t)r->stat.st_size - at)
			return fail(r, "truncated: ends at byte %lld", (long long)r->stat.st_size);
		memcpy(to, r->unpacked + at, size);
		return true;
	}
	while (size) {
		ssize_t got = pread(r->fd, next, size, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(r, "cannot be read: %s", strerror(errno));
		if (got == 0)
			return fail(r, "truncated while being read, at byte %llu",
				(unsigned long long)at);
		next += got;
		at += (uint64_t)got;
		size -= (size_t)got;
	}
	return true;
}

/* A packed file doesn't change. */
static bool look_at_size(struct reader *r)
{
	if (r->unpacked || fstat(r->fd, &r->stat) == 0)
		return true;
	return fail(r, "cannot be read: %s", strerror(errno));
}

static bool check_start(struct reader *r, const struct mt_header *h, uint64_t size)
{
	if (size == 0)
		return fail(r, "empty file, not a trace");
	if (size < sizeof(h->magic) || memcmp(h->magic, MT_MAGIC, sizeof(h->magic)) != 0)
		return fail(r, "not a trace");
	if (size < MT_HEADER_SIZE)
		return fail(r, "truncated: %llu bytes, less than the header of %u",
			(unsigned long long)size, MT_HEADER_SIZE);
	if (h->byte_order == __builtin_bswap32(MT_BYTE_ORDER))
		return fail(r, "written on a machine with a different byte order");
	if (h->byte_order != MT_BYTE_ORDER)
		return fail(r, "corrupt: invalid byte order: %#x", h->byte_order);
	if (h->oldest_reader > MT_VERSION)
		return fail(r, "requires a newer mtracer: format %u, but this one reads up to %u",
			h->oldest_reader, MT_VERSION);
	if (h->oldest_reader == 0 || h->version < h->oldest_reader)
		return fail(
			r, "corrupt: version %u, oldest reader %u", h->version, h->oldest_reader);
	return true;
}

static bool check_header(struct reader *r, const struct mt_header *h)
{
	if (h->header_size < sizeof(*h) || h->header_size > (uint64_t)r->stat.st_size)
		return fail(r, "corrupt: header of %u bytes", h->header_size);
	if (h->page_size < 4096 || h->page_size > 1u << 24 || (h->page_size & (h->page_size - 1)))
		return fail(r, "corrupt: pages of %u bytes", h->page_size);
	if (h->state != MT_STATE_RUNNING && h->state != MT_STATE_EXITED &&
		(h->state != MT_STATE_DIED || !(h->flags & MT_NOTE_COPY)))
		return fail(r, "corrupt: invalid state: %u", h->state);
	if (h->extent_count > MT_EXTENTS)
		return fail(r, "corrupt: %u extents", h->extent_count);
	return true;
}

static int by_file_page(const void *a, const void *b)
{
	const struct mt_extent *x = a, *y = b;

	return (x->file_page > y->file_page) - (x->file_page < y->file_page);
}

static int by_table_page(const void *a, const void *b)
{
	const struct mt_extent *x = a, *y = b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	return (x->table_page > y->table_page) - (x->table_page < y->table_page);
}

/* Each extent lies behind the header, inside the file, and over no other: so all tables together
 * fit in the file. */
static bool check_file_pages(struct reader *r, struct mt_header *h)
{
	uint64_t free_page = (h->header_size + (uint64_t)h->page_size - 1) / h->page_size;

	qsort(h->extents, h->extent_count, sizeof(h->extents[0]), by_file_page);
	for (uint32_t i = 0; i < h->extent_count; i++) {
		const struct mt_extent *e = &h->extents[i];
		uint64_t end = ((uint64_t)e->file_page + e->pages) * h->page_size;

		if (e->table >= MT_TABLES || e->pages == 0)
			return fail(
				r, "corrupt: extent of table %u with %u pages", e->table, e->pages);
		if (e->file_page < free_page)
			return fail(r, "corrupt: extents overlap at page %u", e->file_page);
		if (end > (uint64_t)r->stat.st_size)
			return fail(r, "truncated: %lld bytes, but a table extends to byte %llu",
				(long long)r->stat.st_size, (unsigned long long)end);
		free_page = (uint64_t)e->file_page + e->pages;
	}
	return true;
}

/* The pieces of each table follow one another without a gap and hold all its records. Leaves the
 * directory sorted. */
static bool check_tables(struct reader *r, struct mt_header *h)
{
	uint64_t pages[MT_TABLES] = { 0 };

	qsort(h->extents, h->extent_count, sizeof(h->extents[0]), by_table_page);
	for (uint32_t i = 0; i < h->extent_count; i++) {
		const struct mt_extent *e = &h->extents[i];

		if (e->table_page != pages[e->table])
			return fail(r, "corrupt: table %u has no page %llu", e->table,
				(unsigned long long)pages[e->table]);
		pages[e->table] += e->pages;
	}
	for (int t = 0; t < MT_TABLES_USED; t++) {
		const struct mt_table *table = &h->tables[t];

		if (table->count == 0)
			continue;
		if (table->record_size < trace_record_size(t) || table->record_size > 4096 ||
			(t == MT_STRINGS && table->record_size != 1))
			return fail(r, "corrupt: %s of %u bytes", trace_table_name(t),
				table->record_size);
		if (table->count > UINT32_MAX ||
			table->count * table->record_size > pages[t] * h->page_size)
			return fail(r, "corrupt: %llu %s in %llu pages",
				(unsigned long long)table->count, trace_table_name(t),
				(unsigned long long)pages[t]);
	}
	return true;
}

/* What a header claims must be on disk too: a sparse file costs its maker nothing, but its reader
 * the memory. */
static bool check_memory(struct reader *r, const struct mt_header *h, uint64_t *bytes)
{
	uint64_t held = (uint64_t)r->stat.st_blocks * 512;

	*bytes = 0;
	for (int t = 0; t < MT_TABLES_USED; t++)
		*bytes += h->tables[t].count * h->tables[t].record_size;
	if (*bytes > SPARSE_LIMIT && *bytes / COMPRESSION_LIMIT > held)
		return fail(r, "corrupt: tables of %llu bytes in a file that holds %llu",
			(unsigned long long)*bytes, (unsigned long long)held);
	return true;
}

static bool same_counts(const struct mt_header *a, const struct mt_header *b)
{
	for (int t = 0; t < MT_TABLES_USED; t++) {
		if (a->tables[t].count != b->tables[t].count)
			return false;
	}
	return a->extent_count == b->extent_count;
}

/* A header whose counts all held at one moment: counts only grow, so two equal readings in a row
 * prove it. */
static bool read_header(struct reader *r, struct mt_header *h)
{
	struct mt_header again;
	uint64_t size;

	if (!look_at_size(r))
		return false;
	size = (uint64_t)r->stat.st_size;
	memset(h, 0, sizeof(*h));
	if (!read_bytes(r, h, size < sizeof(*h) ? size : sizeof(*h), 0) || !check_start(r, h, size))
		return false;
	for (int i = 0; i < READ_ATTEMPTS; i++) {
		if (!read_bytes(r, &again, sizeof(again), 0))
			return false;
		if (same_counts(h, &again))
			break;
		*h = again;
	}
	if (!look_at_size(r)) /* the file grows before the directory tells */
		return false;
	return check_start(r, h, (uint64_t)r->stat.st_size) && check_header(r, h) &&
	       check_file_pages(r, h) && check_tables(r, h);
}

/* ---- 2. the bytes of the tables */

/* Bytes [0, size) of a table, one extent after the other. */
static bool gather(
	struct reader *r, const struct mt_header *h, uint32_t table, char *to, uint64_t size)
{
	for (uint32_t i = 0; i < h->extent_count && size; i++) {
		const struct mt_extent *e = &h->extents[i];
		uint64_t part = (uint64_t)e->pages * h->page_size;

		if (e->table != table)
			continue;
		part = part < size ? part : size;
		if (!read_bytes(r, to, part, (uint64_t)e->file_page * h->page_size))
			return false;
		to += part;
		size -= part;
	}
	return true;
}

/* A newer writer's records may be longer: what this version knows is their beginning. */
static void shorten_records(char *records, uint64_t count, uint32_t from, uint32_t to)
{
	for (uint64_t i = 1; i < count; i++)
		memmove(records + i * to, records + i * from, to);
}

static bool read_table(struct reader *r, const struct mt_header *h, int table)
{
	uint64_t count = h->tables[table].count;
	uint32_t record_size = h->tables[table].record_size;

	free(r->tables[table]);
	r->counts[table] = count;
	r->tables[table] = mem_alloc(count * record_size);
	if (!gather(r, h, table, r->tables[table], count * record_size))
		return false;
	if (count && record_size != trace_record_size(table))
		shorten_records(r->tables[table], count, record_size, trace_record_size(table));
	return true;
}

static bool read_tables(struct reader *r)
{
	struct mt_header *h = &r->trace->header;
	struct mt_header after;
	uint64_t bytes;

	for (int attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
		if (!read_header(r, h) || !check_memory(r, h, &bytes))
			return false;
		for (int t = 0; t < MT_TABLES_USED; t++) {
			if (!read_table(r, h, t))
				return false;
		}
		if (!read_bytes(r, &after, sizeof(after), 0))
			return false;
		if ((after.epoch == h->epoch && after.live_bytes == h->live_bytes &&
			    same_counts(h, &after)) ||
			bytes > REREAD_LIMIT)
			break;
	}
	return true;
}

/* ---- 3. references between the tables */

static bool bad_reference(
	struct reader *r, int table, uint64_t index, const char *what, uint64_t value)
{
	return fail(r, "corrupt: %s[%llu]: %s %llu", trace_table_name(table),
		(unsigned long long)index, what, (unsigned long long)value);
}

static bool check_frames(struct reader *r, const struct trace *t)
{
	for (uint32_t i = 0; i < t->frame_count; i++) {
		if (t->frames[i].module && t->frames[i].module >= t->module_count)
			return bad_reference(r, MT_FRAMES, i, "no module", t->frames[i].module);
	}
	return true;
}

static bool check_node(struct reader *r, const struct trace *t, uint32_t i, uint16_t *depths)
{
	const struct mt_node *node = &t->nodes[i];

	if (node->parent >= i || node->parent == MT_NODE_NONE)
		return bad_reference(r, MT_NODES, i, "no parent", node->parent);
	if (node->frame == 0 || node->frame >= t->frame_count)
		return bad_reference(r, MT_NODES, i, "no frame", node->frame);
	depths[i] = depths[node->parent] + 1;
	if (depths[i] > DEPTH_LIMIT)
		return bad_reference(r, MT_NODES, i, "stack of frames", depths[i]);
	return true;
}

/* A parent is older than its child, so every path upwards ends at a root; and no path is longer
 * than stacks can be. */
static bool check_nodes(struct reader *r, const struct trace *t)
{
	uint16_t *depths = mem_zalloc((size_t)t->node_count + MT_NODE_FIRST, sizeof(*depths));
	bool ok = true;

	for (uint32_t i = MT_NODE_FIRST; i < t->node_count && ok; i++)
		ok = check_node(r, t, i, depths);
	free(depths);
	return ok;
}

static bool node_exists(const struct trace *t, uint32_t node)
{
	return node != MT_NODE_NONE && node < t->node_count;
}

static bool check_sites(struct reader *r, const struct trace *t)
{
	for (uint32_t i = 1; i < t->site_count; i++) {
		const struct mt_site_info *info = &t->site_info[i];

		if (!node_exists(t, info->node))
			return bad_reference(r, MT_SITE_INFO, i, "no node", info->node);
		if (info->call && info->call >= t->call_count)
			return bad_reference(r, MT_SITE_INFO, i, "no line", info->call);
	}
	for (uint32_t i = 0; i < t->call_count; i++) {
		if (t->calls[i].frame && t->calls[i].frame >= t->frame_count)
			return bad_reference(r, MT_CALLS, i, "no frame", t->calls[i].frame);
	}
	for (uint32_t i = 0; i < t->foreign_count; i++) {
		if (t->foreign[i].node && !node_exists(t, t->foreign[i].node))
			return bad_reference(r, MT_FOREIGN, i, "no node", t->foreign[i].node);
	}
	return true;
}

/* A live writer fills entries that it counted before, maybe for sites newer than the ones read:
 * these wait. */
static bool check_entries(struct reader *r, const struct trace *t)
{
	struct mt_entry *entries = r->tables[MT_ENTRIES];
	bool live = t->state == TRACE_RUNNING;

	for (uint32_t i = 0; i < t->entry_count; i++) {
		struct mt_entry *e = &entries[i];

		if (e->site == 0)
			continue;
		if (live && (e->site >= t->site_count || e->lane >= t->lane_count))
			e->site = 0;
		else if (e->site >= t->site_count)
			return bad_reference(r, MT_ENTRIES, i, "no site", e->site);
		else if (e->lane >= t->lane_count)
			return bad_reference(r, MT_ENTRIES, i, "no lane", e->lane);
	}
	return true;
}

static bool string_exists(const struct trace *t, uint32_t offset)
{
	return offset == 0 || offset < t->strings_size;
}

static bool check_modules(struct reader *r, const struct trace *t)
{
	for (uint32_t i = 1; i < t->module_count; i++) {
		const struct mt_module *m = &t->modules[i];

		if (!string_exists(t, m->path))
			return bad_reference(r, MT_MODULES, i, "no string", m->path);
		if (m->build_id_size > sizeof(m->build_id))
			return bad_reference(
				r, MT_MODULES, i, "build-id of bytes", m->build_id_size);
		if (m->start > m->end)
			return bad_reference(r, MT_MODULES, i, "ends before its start", m->start);
	}
	return true;
}

static bool check_texts(struct reader *r, const struct trace *t)
{
	const struct mt_header *h = &t->header;
	const struct mt_text *texts[] = { &h->program, &h->command, &h->directory, &h->host };

	if (t->strings_size && t->strings[t->strings_size - 1] != '\0')
		return fail(r, "corrupt: strings not terminated");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		uint64_t end = (uint64_t)texts[i]->offset + texts[i]->size;

		if (!string_exists(t, texts[i]->offset) ||
			(end > t->strings_size && texts[i]->size))
			return fail(r, "corrupt: header text at %u of %u bytes", texts[i]->offset,
				texts[i]->size);
	}
	return true;
}

/* A live writer classifies sites newer than the ones read, as with entries. */
static bool check_leaks(struct reader *r, const struct trace *t)
{
	struct mt_leak *leaks = r->tables[MT_LEAKS];

	for (uint32_t i = 0; i < t->leak_count; i++) {
		struct mt_leak *l = &leaks[i];

		if (l->kind < MT_LEAK_LOST || l->kind > MT_LEAK_UNCLASSIFIED)
			return bad_reference(r, MT_LEAKS, i, "no kind", l->kind);
		if (l->site == 0 || l->site >= t->site_count) {
			if (t->state != TRACE_RUNNING)
				return bad_reference(r, MT_LEAKS, i, "no site", l->site);
			*l = (struct mt_leak){ 0, MT_LEAK_REACHABLE, 0, 0 };
		}
	}
	return true;
}

static bool check_held(struct reader *r, const struct trace *t)
{
	struct mt_held *held = r->tables[MT_HELD];

	for (uint32_t i = 0; i < t->held_count; i++) {
		struct mt_held *h = &held[i];

		bool owner = h->owner > 0 && h->owner < t->site_count;

		if (owner && h->site < t->site_count)
			continue;
		if (t->state != TRACE_RUNNING)
			return bad_reference(r, MT_HELD, i, owner ? "no site" : "no owner",
				owner ? h->site : h->owner);
		*h = (struct mt_held){ 0 };
	}
	return true;
}

/* A live writer may be at one: it is left out, as is what belongs to it. */
static bool check_points(struct reader *r, const struct trace *t)
{
	struct mt_point *points = r->tables[MT_POINTS];

	for (uint32_t i = 0; i < t->point_count; i++) {
		struct mt_point *p = &points[i];

		if (p->kind > MT_POINT_END)
			return bad_reference(r, MT_POINTS, i, "no kind", p->kind);
		if (p->kind == MT_POINT_UNUSED || string_exists(t, p->label))
			continue;
		if (t->state != TRACE_RUNNING)
			return bad_reference(r, MT_POINTS, i, "no string", p->label);
		p->kind = MT_POINT_UNUSED;
	}
	return true;
}

/* A process that was killed may have been writing the shares of a point that isn't counted yet. */
static bool is_last_point(const struct trace *t, const struct mt_share *s)
{
	return s->point == t->point_count + 1 && s->site > 0 && s->site < t->site_count;
}

static bool check_shares(struct reader *r, const struct trace *t)
{
	struct mt_share *shares = r->tables[MT_SHARES];

	for (uint32_t i = 0; i < t->share_count; i++) {
		struct mt_share *s = &shares[i];
		bool site = s->site > 0 && s->site < t->site_count;

		if (s->point == 0 || (site && s->point <= t->point_count))
			continue;
		if (t->state != TRACE_RUNNING && !is_last_point(t, s))
			return bad_reference(r, MT_SHARES, i, site ? "no point" : "no site",
				site ? s->point - 1 : s->site);
		s->point = 0;
	}
	return true;
}

/* What a live writer has added since the rows were read is left for the next time. */
static bool check_snapshots(struct reader *r, struct trace *t)
{
	uint32_t end = 0;

	for (uint32_t i = 0; i < t->snapshot_count; i++) {
		const struct mt_snapshot *s = &t->snapshots[i];
		bool label = s->label && string_exists(t, s->label);
		bool rows = s->rows_end >= end && s->rows_end <= t->snapshot_row_count;

		if (label && rows && s->peak_site < t->site_count) {
			end = s->rows_end;
			continue;
		}
		if (t->state != TRACE_RUNNING)
			return bad_reference(r, MT_SNAPSHOTS, i,
				!label	? "no string"
				: !rows ? "no rows up to"
					: "peak of site",
				!label	? s->label
				: !rows ? s->rows_end
					: s->peak_site);
		t->snapshot_count = i;
	}
	return true;
}

/* Behind the last snapshot there may be rows of one that a kill cut short. */
static bool check_snapshot_rows(struct reader *r, const struct trace *t)
{
	struct mt_snapshot_row *rows = r->tables[MT_SNAPSHOT_ROWS];
	uint32_t end = t->snapshot_count ? t->snapshots[t->snapshot_count - 1].rows_end : 0;

	for (uint32_t i = 0; i < end; i++) {
		if (rows[i].site > 0 && rows[i].site < t->site_count)
			continue;
		if (t->state != TRACE_RUNNING)
			return bad_reference(r, MT_SNAPSHOT_ROWS, i, "no site", rows[i].site);
		rows[i].site = 0;
	}
	return true;
}

static bool check_peak(struct reader *r, const struct trace *t)
{
	struct mt_header *h = &r->trace->header;

	if (h->peak_site < t->site_count)
		return true;
	if (t->state != TRACE_RUNNING)
		return fail(r, "corrupt: peak of site %u", h->peak_site);
	h->peak_site = 0;
	return true;
}

static bool check_symbols(struct reader *r, const struct trace *t)
{
	for (uint32_t i = 0; i < t->symbol_count; i++) {
		const struct mt_symbol *s = &t->symbols[i];

		if (s->frame == 0 || s->frame >= t->frame_count)
			return bad_reference(r, MT_SYMBOLS, i, "no frame", s->frame);
		if (i && s->frame < t->symbols[i - 1].frame)
			return bad_reference(r, MT_SYMBOLS, i, "frames not in order:", s->frame);
		if (!string_exists(t, s->function) || !string_exists(t, s->linkage) ||
			!string_exists(t, s->file) || !string_exists(t, s->decl_file))
			return bad_reference(r, MT_SYMBOLS, i, "no string for frame", s->frame);
	}
	return true;
}

static bool check_processes(struct reader *r, const struct trace *t)
{
	for (uint32_t i = 0; i < t->process_count; i++) {
		const struct mt_process *p = &t->processes[i];
		uint64_t end = (uint64_t)p->command.offset + p->command.size;

		if (!string_exists(t, p->program))
			return bad_reference(r, MT_PROCESSES, i, "no string", p->program);
		if (!string_exists(t, p->command.offset) ||
			(end > t->strings_size && p->command.size))
			return bad_reference(r, MT_PROCESSES, i, "no text", p->command.offset);
		if (p->state < MT_PROCESS_RUNNING || p->state > MT_PROCESS_WENT_ON)
			return bad_reference(r, MT_PROCESSES, i, "no such state:", p->state);
	}
	return true;
}

static bool check_references(struct reader *r)
{
	struct trace *t = r->trace;

	return check_texts(r, t) && check_modules(r, t) && check_frames(r, t) &&
	       check_nodes(r, t) && check_sites(r, t) && check_entries(r, t) && check_leaks(r, t) &&
	       check_held(r, t) && check_points(r, t) && check_shares(r, t) &&
	       check_snapshots(r, t) && check_snapshot_rows(r, t) && check_peak(r, t) &&
	       check_symbols(r, t) && check_processes(r, t);
}

/* ---- the finished trace */

static void pad_to(struct reader *r, enum mt_table_id table, uint64_t wanted)
{
	uint64_t count = r->counts[table];
	size_t size = trace_record_size(table);
	unsigned char *records = r->tables[table];

	if (count < wanted) {
		records = mem_resize(records, wanted, size);
		memset(records + count * size, 0, (wanted - count) * size);
		r->tables[table] = records;
	}
}

static void fill_trace(struct reader *r)
{
	struct trace *t = r->trace;
	uint64_t sites = r->counts[MT_SITES];

	/* The writer may have died between a site and its info. */
	if (r->counts[MT_SITE_INFO] < sites)
		sites = r->counts[MT_SITE_INFO];
	pad_to(r, MT_PUBLISHED, sites); /* shorter, or missing, until there is a second thread */
	if (r->counts[MT_SLACK]) {
		pad_to(r, MT_SLACK, sites);
	} else {
		free(r->tables[MT_SLACK]);
		r->tables[MT_SLACK] = NULL;
	}
#define FILL(id, record, name, member, count, ...) \
	t->member = r->tables[id];                 \
	t->count = (uint32_t)r->counts[id];
	MT_EACH_TABLE(FILL)
#undef FILL
	t->site_count = (uint32_t)sites; /* of all tables that go with it */
}

/* Names end where their fields end, whoever wrote them. */
static void end_names(struct reader *r)
{
	struct mt_lane *lanes = r->tables[MT_LANES];

	if (*r->trace->header.freed_by == MT_FREED_BY_SOUGHT)
		*r->trace->header.freed_by = '\0';
	r->trace->header.boot_id[sizeof(r->trace->header.boot_id) - 1] = '\0';
	r->trace->header.freed_by[sizeof(r->trace->header.freed_by) - 1] = '\0';
	r->trace->header.went_on_as[sizeof(r->trace->header.went_on_as) - 1] = '\0';
	for (uint64_t i = 0; i < r->counts[MT_LANES]; i++)
		lanes[i].name[sizeof(lanes[i].name) - 1] = '\0';
}

static void split_command(struct trace *t)
{
	const struct mt_text *text = &t->header.command;
	const char *next = t->strings + text->offset;
	const char *end = next + text->size;
	size_t room = 0;

	while (text->size && next < end) {
		VEC_PUSH(t->command, t->command_count, room, next);
		next += strnlen(next, (size_t)(end - next)) + 1;
	}
	VEC_PUSH(t->command, t->command_count, room, NULL);
	t->command_count--;
}

/* By exec, unless the process lives and still writes. */
static bool has_left(const struct mt_header *h)
{
	return h->went_on && (h->state == MT_STATE_RUNNING || h->flags & MT_NOTE_COPY);
}

static enum trace_state find_state(const struct reader *r)
{
	const struct mt_header *h = &r->trace->header;

	if (h->flags & MT_NOTE_COPY)
		return h->state == MT_STATE_RUNNING ? TRACE_RUNNING
		       : h->state == MT_STATE_DIED  ? TRACE_DIED
						    : TRACE_EXITED;
	/* The status is of what the process ran last. */
	if (h->flags & MT_HAS_WAIT_STATUS && has_left(h))
		return TRACE_EXITED;
	if (h->flags & MT_HAS_WAIT_STATUS)
		return WIFEXITED(h->wait_status) ? TRACE_EXITED : TRACE_DIED;
	if (h->state == MT_STATE_EXITED)
		return TRACE_EXITED;
	switch (process_state(h->pid, h->start_ticks, h->boot_id, r->trace->path, &r->stat)) {
	case PROCESS_WRITES:
		return TRACE_RUNNING;
	case PROCESS_WENT_ON:
		return TRACE_EXITED;
	case PROCESS_GONE:
		break;
	}
	return has_left(h) ? TRACE_EXITED : TRACE_DIED;
}

/* From here on the file is these bytes, all of them on disk. */
static void read_from_memory(struct reader *r, unsigned char *bytes, size_t size)
{
	r->unpacked = bytes;
	r->stat.st_size = (off_t)size;
	r->stat.st_blocks = (blkcnt_t)(size / 512 + 1);
	r->stat.st_ino = 0;
}

static bool unpack_file(struct reader *r)
{
	unsigned char *bytes;
	size_t size;

	r->packed_size = (uint64_t)r->stat.st_size;
	bytes = unpack_bytes(r->fd, r->packed_size, &size, r->error, r->error_size);
	if (!bytes)
		return false;
	if (is_columns(bytes, size)) {
		unsigned char *plain = columns_read(bytes, size, &size);

		free(bytes);
		if (!plain)
			return fail(r, "corrupt: its columns are cut off, or of another version");
		bytes = plain;
	}
	read_from_memory(r, bytes, size);
	return true;
}

static bool check_file(struct reader *r)
{
	char start[4];

	if (!look_at_size(r))
		return false;
	if (S_ISDIR(r->stat.st_mode))
		return fail(r, "is a directory, not a trace");
	if (!S_ISREG(r->stat.st_mode))
		return fail(r, "not a regular file");
	if (pread(r->fd, start, sizeof(start), 0) == (ssize_t)sizeof(start) &&
		is_packed(start, sizeof(start)))
		return unpack_file(r);
	return true;
}

static bool read_trace(struct reader *r)
{
	if (!read_tables(r))
		return false;
	r->trace->packed = r->packed_size != 0;
	r->trace->file_size = r->packed_size ? r->packed_size : (uint64_t)r->stat.st_size;
	end_names(r);
	fill_trace(r);
	r->trace->state = find_state(r);
	if (!check_references(r))
		return false;
	split_command(r->trace);
	return true;
}

/* The trace, or NULL; the rest of the reader is released. */
static struct trace *finish(struct reader *r, bool ok)
{
	free(r->unpacked);
	if (ok)
		return r->trace;
	for (int t = 0; t < MT_TABLES_USED; t++)
		free(r->tables[t]);
	free(r->trace->path);
	free(r->trace);
	return NULL;
}

static struct trace *empty_trace(const char *path)
{
	struct trace *t = mem_zalloc(1, sizeof(*t));

	t->path = mem_strdup(path);
	return t;
}

struct trace *trace_open(const char *path, char *error, size_t error_size)
{
	struct reader r = { .error = error, .error_size = error_size };
	bool ok;

	/* Opening a FIFO must not wait for its writer. */
	r.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (r.fd < 0) {
		fail(&r, "%s", strerror(errno));
		return NULL;
	}
	r.trace = empty_trace(path);
	ok = check_file(&r) && read_trace(&r);
	close(r.fd);
	return finish(&r, ok);
}

struct trace *trace_from_bytes(
	unsigned char *bytes, size_t size, const char *path, char *error, size_t error_size)
{
	struct reader r = { .fd = -1, .error = error, .error_size = error_size };

	read_from_memory(&r, bytes, size);
	r.trace = empty_trace(path);
	return finish(&r, read_trace(&r));
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	free((void *)t->frames);
	free((void *)t->nodes);
	free((void *)t->sites);
	free((void *)t->site_info);
	free((void *)t->calls);
	free((void *)t->published);
	free((void *)t->slack);
	free((void *)t->lanes);
	free((void *)t->entries);
	free((void *)t->modules);
	free((void *)t->strings);
	free((void *)t->foreign);
	free((void *)t->leaks);
	free((void *)t->held);
	free((void *)t->symbols);
	free((void *)t->processes);
	free((void *)t->estimates);
	free((void *)t->points);
	free((void *)t->shares);
	free((void *)t->snapshots);
	free((void *)t->snapshot_rows);
	free(t->command);
	free(t->successor);
	free(t->went_on_as);
	free(t->path);
	free(t);
}

const char *trace_string(const struct trace *t, uint32_t offset)
{
	return offset < t->strings_size ? t->strings + offset : "";
}

const char *trace_program(const struct trace *t)
{
	return trace_string(t, t->header.program.offset);
}

const char *trace_directory(const struct trace *t)
{
	return trace_string(t, t->header.directory.offset);
}

const char *trace_host(const struct trace *t)
{
	return trace_string(t, t->header.host.offset);
}

const char *trace_state_name(const struct trace *t)
{
	static const char *const names[] = { "running", "exited", "died" };

	return names[t->state];
}

bool trace_went_on(const struct trace *t)
{
	const struct mt_header *h = &t->header;

	if (t->state != TRACE_EXITED)
		return false;
	return has_left(h) || (!(h->flags & MT_HAS_WAIT_STATUS) && h->state == MT_STATE_RUNNING);
}

static bool same_file(const struct trace *a, const struct trace *b)
{
	size_t size = a->moment.file ? a->moment.file : strlen(a->path);

	return size == (b->moment.file ? b->moment.file : strlen(b->path)) &&
	       memcmp(a->path, b->path, size) == 0;
}

bool trace_same_process(const struct trace *a, const struct trace *b)
{
	const struct mt_header *x = &a->header, *y = &b->header;

	if ((x->flags | y->flags) & MT_NOTE_MERGED || x->pid != y->pid ||
		x->start_ns != y->start_ns || x->start_ticks != y->start_ticks ||
		strcmp(x->boot_id, y->boot_id) != 0)
		return false;
	return *x->boot_id || same_file(a, b);
}

bool trace_may_skip(const struct trace *t, uint32_t node)
{
	const struct mt_node *n = &t->nodes[node];

	return t->frames[n->frame].flags & MT_FRAME_NO_RULE && n->parent >= MT_NODE_FIRST;
}

bool trace_is_complete(const struct trace *t)
{
	for (uint32_t i = MT_NODE_FIRST; i < t->node_count; i++) {
		if (trace_may_skip(t, i))
			return false;
	}
	for (int i = 0; i < MT_LOSSES; i++) {
		if (t->header.lost[i])
			return false;
	}
	return !(t->header.flags &
		 (MT_NOTE_OWN_MALLOC | MT_NOTE_STORAGE | MT_NOTE_FULL | MT_NOTE_CUT));
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool trace_run_time(const struct trace *t, uint64_t *ns)
{
	uint64_t now = now_ns();

	*ns = t->header.end_ns;
	if (*ns)
		return true;
	if (t->state == TRACE_RUNNING && now > t->header.start_ns) {
		*ns = now - t->header.start_ns;
		return true;
	}
	*ns = t->header.last_ns;
	return false;
}
