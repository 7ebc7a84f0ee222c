/* SPDX-License-Identifier: MIT */
/* trace_builder.c - traces for tests: a plain ledger, and the format written from it. */
#include "trace_builder.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 4096u

struct table {
	unsigned char *records;
	uint64_t count;
	uint32_t size;	  /* of a record in memory */
	uint32_t written; /* of a record in the file */
};

/* What is known of a site by simple bookkeeping. */
struct site_ledger {
	uint64_t current, blocks;
	uint64_t at_peak, at_peak_blocks; /* copied at each new peak */
	uint64_t changed;		  /* epoch when it last changed */
};

struct builder {
	struct mt_header header;
	struct table tables[MT_TABLES_USED];
	struct site_ledger *ledger; /* by site */
	bool multi;
};

static const uint32_t record_sizes[MT_TABLES_USED] = {
#define SIZE(id, record, ...) [id] = sizeof(record),
	MT_EACH_TABLE(SIZE)
#undef SIZE
};

static void *need(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static uint32_t append(
	struct builder *b, enum mt_table_id table, const void *record, uint32_t count)
{
	struct table *t = &b->tables[table];
	uint32_t index = (uint32_t)t->count;

	t->records = need(realloc(t->records, (t->count + count) * t->size));
	memcpy(t->records + t->count * t->size, record, (size_t)count * t->size);
	t->count += count;
	return index;
}

void *builder_table(struct builder *b, enum mt_table_id table, uint64_t *count)
{
	if (count)
		*count = b->tables[table].count;
	return b->tables[table].records;
}

void builder_longer_records(struct builder *b, enum mt_table_id table, uint32_t size)
{
	b->tables[table].written = size;
}

struct mt_header *builder_header(struct builder *b)
{
	return &b->header;
}

static void fill_header(struct mt_header *h)
{
	memcpy(h->magic, MT_MAGIC, sizeof(h->magic));
	h->version = MT_VERSION;
	h->oldest_reader = MT_OLDEST_READER;
	h->byte_order = MT_BYTE_ORDER;
	h->header_size = MT_HEADER_SIZE;
	h->page_size = PAGE;
	h->state = MT_STATE_EXITED;
	h->pid = 4242;
	h->parent_pid = 4241;
	h->start_ticks = 1;
	h->start_ns = 1700000000000000000;
	h->end_ns = h->last_ns = 1500000000;
	h->depth = 128;
	h->enabled = 1;
	h->epoch = 1;
}

struct builder *builder_new(void)
{
	struct builder *b = need(calloc(1, sizeof(*b)));
	static const char zeros[64];
	struct mt_node roots[MT_NODE_FIRST] = { { 0 } };
	struct mt_lane lane = { .tid = 4242, .threads = 1, .name = "main" };

	fill_header(&b->header);
	for (int i = 0; i < MT_TABLES_USED; i++)
		b->tables[i].size = b->tables[i].written = record_sizes[i];
	append(b, MT_FRAMES, zeros, 1);
	append(b, MT_NODES, roots, MT_NODE_FIRST);
	append(b, MT_SITES, zeros, 1);
	append(b, MT_SITE_INFO, zeros, 1);
	append(b, MT_CALLS, zeros, 1);
	append(b, MT_STRINGS, zeros, 1);
	b->tables[MT_MODULES].records = need(calloc(1, sizeof(struct mt_module)));
	b->tables[MT_MODULES].count = 1;
	append(b, MT_LANES, &lane, 1);
	b->ledger = need(calloc(1, sizeof(*b->ledger)));
	return b;
}

void builder_free(struct builder *b)
{
	for (int i = 0; i < MT_TABLES_USED; i++)
		free(b->tables[i].records);
	free(b->ledger);
	free(b);
}

/* ---- what there is */

uint32_t builder_string(struct builder *b, const char *text)
{
	return *text ? append(b, MT_STRINGS, text, (uint32_t)strlen(text) + 1) : 0;
}

void builder_program(struct builder *b, const char *path)
{
	b->header.program.offset = builder_string(b, path);
	b->header.program.size = (uint32_t)strlen(path);
}

/* Arguments lie one behind the other, so nothing else may be added between the first and the
 * last. */
void builder_argument(struct builder *b, const char *argument)
{
	uint32_t size = (uint32_t)strlen(argument) + 1;
	uint32_t offset = append(b, MT_STRINGS, argument, size);

	if (b->header.command.size == 0)
		b->header.command.offset = offset;
	b->header.command.size += size;
}

uint32_t builder_module(struct builder *b, const char *path, uint64_t bias, uint64_t start,
	uint64_t end, uint16_t flags)
{
	struct mt_module module = { .bias = bias, .start = start, .end = end, .flags = flags };

	module.path = builder_string(b, path);
	return append(b, MT_MODULES, &module, 1);
}

uint32_t builder_frame(struct builder *b, uint32_t module, uint64_t address, uint32_t flags)
{
	struct mt_frame frame = { address, module, flags };
	const struct mt_frame *frames = (void *)b->tables[MT_FRAMES].records;

	for (uint32_t i = 1; i < b->tables[MT_FRAMES].count; i++) {
		if (frames[i].address == address && frames[i].module == module)
			return i;
	}
	return append(b, MT_FRAMES, &frame, 1);
}

static uint32_t find_node(struct builder *b, uint32_t parent, uint32_t frame)
{
	struct mt_node node = { parent, frame };
	const struct mt_node *nodes = (void *)b->tables[MT_NODES].records;

	for (uint32_t i = MT_NODE_FIRST; i < b->tables[MT_NODES].count; i++) {
		if (nodes[i].parent == parent && nodes[i].frame == frame)
			return i;
	}
	return append(b, MT_NODES, &node, 1);
}

static uint32_t find_stack(struct builder *b, uint32_t root, const uint32_t *frames, size_t count)
{
	uint32_t node = root;

	while (count-- > 0)
		node = find_node(b, node, frames[count]);
	return node;
}

static uint32_t find_call(struct builder *b, uint32_t kind, const uint32_t *frames, size_t count)
{
	const struct mt_frame *all = (void *)b->tables[MT_FRAMES].records;
	const struct mt_call *calls = (void *)b->tables[MT_CALLS].records;
	struct mt_call call = { .kind = kind };

	for (size_t i = 0; i < count && call.frame == 0; i++) {
		if (!(all[frames[i]].flags & MT_FRAME_WRAPPER))
			call.frame = frames[i];
	}
	for (uint32_t i = 1; i < b->tables[MT_CALLS].count; i++) {
		if (calls[i].frame == call.frame && calls[i].kind == kind)
			return i;
	}
	return append(b, MT_CALLS, &call, 1);
}

uint32_t builder_site(
	struct builder *b, uint32_t root, uint32_t kind, const uint32_t *frames, size_t count)
{
	struct mt_site site = { 0 };
	struct mt_published published = { 0 };
	struct mt_site_info info = { find_stack(b, root, frames, count),
		find_call(b, kind, frames, count) };
	const struct mt_site_info *infos = (void *)b->tables[MT_SITE_INFO].records;

	for (uint32_t i = 1; i < b->tables[MT_SITE_INFO].count; i++) {
		if (infos[i].node == info.node && infos[i].call == info.call)
			return i;
	}
	b->ledger = need(realloc(b->ledger, (b->tables[MT_SITES].count + 1) * sizeof(*b->ledger)));
	memset(&b->ledger[b->tables[MT_SITES].count], 0, sizeof(*b->ledger));
	append(b, MT_SITES, &site, 1);
	if (b->multi)
		append(b, MT_PUBLISHED, &published, 1);
	return append(b, MT_SITE_INFO, &info, 1);
}

uint32_t builder_thread(struct builder *b, const char *name, uint32_t tid)
{
	struct mt_lane lane = { .tid = tid, .threads = 1 };
	struct mt_published zero = { 0 };

	snprintf(lane.name, sizeof(lane.name), "%s", name);
	b->multi = true;
	b->header.flags |= MT_NOTE_MULTI;
	while (b->tables[MT_PUBLISHED].count < b->tables[MT_SITES].count)
		append(b, MT_PUBLISHED, &zero, 1);
	return append(b, MT_LANES, &lane, 1);
}

void builder_foreign(struct builder *b, const uint32_t *frames, size_t count, uint64_t frees)
{
	struct mt_foreign foreign = { find_stack(b, MT_NODE_ROOT, frames, count), 0, frees };

	append(b, MT_FOREIGN, &foreign, 1);
	b->header.foreign_frees += frees;
}

void builder_held(struct builder *b, uint32_t owner, uint32_t site, uint64_t bytes, uint64_t blocks)
{
	struct mt_held held = { owner, site, bytes, blocks };

	append(b, MT_HELD, &held, 1);
}

/* The state is that of the moment; the resident memory is twice the live bytes and a MiB of files. */
void builder_point(struct builder *b, uint32_t kind, uint64_t ns, const char *label)
{
	struct mt_point point = {
		.ns = ns,
		.live_bytes = b->header.live_bytes,
		.rss_anonymous = 2 * b->header.live_bytes,
		.rss_file = 1 << 20,
		.kind = kind,
		.number = (uint32_t)b->tables[MT_POINTS].count + 1,
		.threads = (uint32_t)b->tables[MT_LANES].count,
		.label = builder_string(b, label),
	};

	for (uint64_t i = 1; i < b->tables[MT_SITES].count; i++) {
		const struct mt_site *s = (const struct mt_site *)b->tables[MT_SITES].records + i;

		point.live_blocks += b->ledger[i].blocks;
		point.allocated_bytes += s->allocated_bytes;
		point.allocations += s->allocations;
	}
	append(b, MT_POINTS, &point, 1);
}

void builder_share(struct builder *b, uint32_t site, uint64_t bytes)
{
	struct mt_share share = { site, (uint32_t)b->tables[MT_POINTS].count, bytes };

	append(b, MT_SHARES, &share, 1);
}

/* The last one that the site has; all zeros where there is none. */
static struct mt_snapshot_row last_row(const struct builder *b, uint32_t site)
{
	const struct mt_snapshot_row *rows = (void *)b->tables[MT_SNAPSHOT_ROWS].records;

	for (uint64_t i = b->tables[MT_SNAPSHOT_ROWS].count; i-- > 0;)
		if (rows[i].site == site)
			return rows[i];
	return (struct mt_snapshot_row){ .site = site };
}

static struct mt_snapshot_row row_now(const struct builder *b, uint32_t site)
{
	const struct mt_site *s =
		(const struct mt_site *)(void *)b->tables[MT_SITES].records + site;
	const struct mt_site_info *info = (void *)b->tables[MT_SITE_INFO].records;
	const struct mt_call *calls = (void *)b->tables[MT_CALLS].records;
	const struct mt_entry *entries = (void *)b->tables[MT_ENTRIES].records;
	struct mt_snapshot_row row = {
		.site = site,
		.at_peak_blocks = (uint32_t)b->ledger[site].at_peak_blocks,
		.current_bytes = b->ledger[site].current,
		.current_blocks = b->ledger[site].blocks,
		.allocated_bytes = s->allocated_bytes,
		.allocations = s->allocations,
		.temporary = s->temporary,
		.peak_bytes = s->peak_bytes,
		.at_peak_bytes = b->ledger[site].at_peak,
		.call_peak_bytes = calls[info[site].call].peak_bytes,
	};

	for (uint64_t i = 0; i < b->tables[MT_ENTRIES].count; i++) {
		if (entries[i].site != site)
			continue;
		row.allocated_bytes += entries[i].allocated_bytes;
		row.allocations += entries[i].allocations;
		row.temporary += entries[i].temporary;
	}
	return row;
}

void builder_snapshot(struct builder *b, uint64_t ns, const char *label)
{
	struct mt_snapshot snapshot = {
		.ns = ns,
		.live_bytes = b->header.live_bytes,
		.peak_bytes = b->header.peak_bytes,
		.label = builder_string(b, label),
		.flags = b->header.flags & MT_NOTE_MULTI,
	};

	for (uint32_t i = 1; i < b->tables[MT_SITES].count; i++) {
		struct mt_snapshot_row row = row_now(b, i), last = last_row(b, i);

		last.call_peak_bytes = row.call_peak_bytes;
		if (memcmp(&row, &last, sizeof(row)) != 0)
			append(b, MT_SNAPSHOT_ROWS, &row, 1);
		snapshot.live_blocks += row.current_blocks;
		snapshot.allocated_bytes += row.allocated_bytes;
		snapshot.allocations += row.allocations;
		snapshot.temporary += row.temporary;
	}
	snapshot.rows_end = (uint32_t)b->tables[MT_SNAPSHOT_ROWS].count;
	append(b, MT_SNAPSHOTS, &snapshot, 1);
}

void builder_leak(struct builder *b, uint32_t site, uint32_t kind, uint64_t bytes, uint64_t blocks)
{
	struct mt_leak leak = { site, kind, bytes, blocks };

	append(b, MT_LEAKS, &leak, 1);
}

void builder_symbol(struct builder *b, uint32_t frame, const char *function, const char *file,
	uint32_t line, uint32_t flags)
{
	struct mt_symbol symbol = { .frame = frame, .line = line, .flags = flags };

	symbol.function = builder_string(b, function);
	symbol.file = builder_string(b, file);
	append(b, MT_SYMBOLS, &symbol, 1);
}

/* ---- what happens */

static struct mt_site *site_of(const struct builder *b, uint32_t site)
{
	return (struct mt_site *)(void *)b->tables[MT_SITES].records + site;
}

static struct mt_entry *entry_of(struct builder *b, uint32_t lane, uint32_t site)
{
	struct mt_entry new = { .site = site, .lane = lane };
	struct mt_entry *entries = (void *)b->tables[MT_ENTRIES].records;

	for (uint64_t i = 0; i < b->tables[MT_ENTRIES].count; i++) {
		if (entries[i].site == site && entries[i].lane == lane)
			return &entries[i];
	}
	append(b, MT_ENTRIES, &new, 1);
	entries = (void *)b->tables[MT_ENTRIES].records;
	return &entries[b->tables[MT_ENTRIES].count - 1];
}

/* At a new peak everything is copied: the slow and certain way. */
static void follow_peak(struct builder *b)
{
	if (b->header.live_bytes <= b->header.peak_bytes)
		return;
	b->header.peak_bytes = b->header.live_bytes;
	b->header.epoch++;
	for (uint64_t i = 1; i < b->tables[MT_SITES].count; i++) {
		b->ledger[i].at_peak = b->ledger[i].current;
		b->ledger[i].at_peak_blocks = b->ledger[i].blocks;
	}
}

static void change(struct builder *b, uint32_t site, int64_t bytes, int64_t blocks)
{
	const struct mt_site_info *info = (void *)b->tables[MT_SITE_INFO].records;
	struct mt_call *call =
		(struct mt_call *)(void *)b->tables[MT_CALLS].records + info[site].call;
	struct mt_site *s = site_of(b, site);
	struct site_ledger *l = &b->ledger[site];

	l->changed = b->header.epoch;
	l->current += (uint64_t)bytes;
	l->blocks += (uint64_t)blocks;
	call->live_bytes += (uint64_t)bytes;
	b->header.live_bytes += (uint64_t)bytes;
	if (l->current > s->peak_bytes)
		s->peak_bytes = l->current;
	if (call->live_bytes > call->peak_bytes)
		call->peak_bytes = call->live_bytes;
	follow_peak(b);
}

static void publish(struct builder *b, uint32_t site, int64_t bytes, int64_t blocks)
{
	struct mt_published *p =
		(struct mt_published *)(void *)b->tables[MT_PUBLISHED].records + site;

	p->bytes += (uint64_t)bytes;
	p->blocks += (uint64_t)blocks;
}

void builder_alloc(struct builder *b, uint32_t lane, uint32_t site, uint64_t bytes, bool temporary)
{
	if (b->multi) {
		struct mt_entry *e = entry_of(b, lane, site);

		e->allocated_bytes += bytes;
		e->allocations++;
		e->temporary += temporary;
		publish(b, site, (int64_t)bytes, 1);
	} else {
		struct mt_site *s = site_of(b, site);

		s->current_bytes += bytes;
		s->current_blocks++;
		s->allocated_bytes += bytes;
		s->allocations++;
		s->temporary += temporary;
	}
	change(b, site, (int64_t)bytes, 1);
}

void builder_release(struct builder *b, uint32_t lane, uint32_t site, uint64_t bytes)
{
	if (b->multi) {
		struct mt_entry *e = entry_of(b, lane, site);

		e->freed_bytes += bytes;
		e->frees++;
		publish(b, site, -(int64_t)bytes, -1);
	} else {
		site_of(b, site)->current_bytes -= bytes;
		site_of(b, site)->current_blocks--;
	}
	change(b, site, -(int64_t)bytes, -1);
}

struct builder_truth builder_site_truth(const struct builder *b, uint32_t site)
{
	const struct mt_site *s = site_of(b, site);
	const struct site_ledger *l = &b->ledger[site];
	struct builder_truth truth = { l->current, s->peak_bytes, l->at_peak, s->allocated_bytes,
		s->allocations };
	const struct mt_entry *entries = (void *)b->tables[MT_ENTRIES].records;

	for (uint64_t i = 0; i < b->tables[MT_ENTRIES].count; i++) {
		if (entries[i].site == site) {
			truth.allocated_bytes += entries[i].allocated_bytes;
			truth.allocations += entries[i].allocations;
		}
	}
	return truth;
}

/* ---- writing */

/* A site that changed since the last peak holds its bytes at that peak; in the others they are what
 * is current. */
static void store_at_peak(struct builder *b)
{
	for (uint64_t i = 1; i < b->tables[MT_SITES].count; i++) {
		struct mt_site *s = site_of(b, (uint32_t)i);
		const struct site_ledger *l = &b->ledger[i];

		s->epoch = (uint32_t)l->changed;
		if (l->changed == b->header.epoch) {
			s->at_peak_bytes = l->at_peak;
			s->at_peak_blocks = (uint32_t)l->at_peak_blocks;
		}
	}
}

/* Each table gets two extents where it has more than one page, in turns, so that readers must piece
 * them together. */
static uint32_t lay_out(struct builder *b, struct mt_header *h)
{
	uint32_t next = MT_HEADER_SIZE / PAGE;

	h->extent_count = 0;
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < MT_TABLES_USED; i++) {
			const struct table *t = &b->tables[i];
			uint32_t pages = (uint32_t)((t->count * t->written + PAGE - 1) / PAGE);
			uint32_t first = pages > 1 ? pages / 2 : pages;
			struct mt_extent e = { i, round ? first : 0, next,
				round ? pages - first : first };

			if (e.pages == 0)
				continue;
			h->extents[h->extent_count++] = e;
			next += e.pages;
		}
	}
	return next;
}

static void copy_table(
	const struct builder *b, const struct mt_header *h, uint32_t table, unsigned char *file)
{
	const struct table *t = &b->tables[table];
	unsigned char *flat = need(calloc(t->count * t->written + PAGE, 1));

	for (uint64_t i = 0; i < t->count; i++)
		memcpy(flat + i * t->written, t->records + i * t->size, t->size);
	for (uint32_t i = 0; i < h->extent_count; i++) {
		const struct mt_extent *e = &h->extents[i];
		uint64_t from = (uint64_t)e->table_page * PAGE, size = (uint64_t)e->pages * PAGE;
		uint64_t all = t->count * t->written;

		if (e->table == table && from < all)
			memcpy(file + (uint64_t)e->file_page * PAGE, flat + from,
				all - from < size ? all - from : size);
	}
	free(flat);
}

unsigned char *builder_bytes(struct builder *b, size_t *size)
{
	struct mt_header h;
	unsigned char *file;

	store_at_peak(b);
	h = b->header;
	for (int i = 0; i < MT_TABLES_USED; i++) {
		h.tables[i].record_size = b->tables[i].written;
		h.tables[i].count = b->tables[i].count;
	}
	*size = (size_t)lay_out(b, &h) * PAGE;
	file = need(calloc(*size, 1));
	memcpy(file, &h, sizeof(h));
	for (uint32_t i = 0; i < MT_TABLES_USED; i++)
		copy_table(b, &h, i, file);
	return file;
}

bool builder_write(struct builder *b, const char *path)
{
	size_t size;
	unsigned char *bytes = builder_bytes(b, &size);
	FILE *f = fopen(path, "w");
	bool ok = f && fwrite(bytes, 1, size, f) == size;

	if (f)
		ok &= fclose(f) == 0;
	free(bytes);
	return ok;
}
