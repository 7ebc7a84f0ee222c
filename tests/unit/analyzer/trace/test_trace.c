/* SPDX-License-Identifier: MIT */
/* test_trace.c - what the reader takes, and what it refuses and in which words. */
#include "analyzer/base/array.h"
#include "unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/trace/measures.h"
#include "analyzer/trace/trace.h"
#include "trace_builder.h"

static char why[512];

/* A file without a name, as a path. */
static const char *file_with(const void *bytes, size_t size)
{
	static char path[64];
	int fd = memfd_create("trace", 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

static struct trace *open_built(struct builder *b)
{
	size_t size;
	unsigned char *bytes = builder_bytes(b, &size);
	struct trace *t = trace_open(file_with(bytes, size), why, sizeof(why));

	free(bytes);
	return t;
}

/* A trace with something in every table. */
static struct builder *small_trace(void)
{
	struct builder *b = builder_new();
	uint32_t module =
		builder_module(b, "/bin/app", 0x400000, 0x400000, 0x500000, MT_MODULE_EXE);
	uint32_t frames[2] = { builder_frame(b, module, 0x401000, 0),
		builder_frame(b, module, 0x402000, 0) };
	uint32_t site, lane;

	builder_program(b, "/bin/app");
	builder_argument(b, "app");
	builder_argument(b, "");
	builder_argument(b, "-x y");
	site = builder_site(b, MT_NODE_ROOT, MT_KIND_HEAP, frames, 2);
	builder_alloc(b, 0, site, 100, false);
	lane = builder_thread(b, "worker", 4243);
	builder_alloc(b, lane, site, 50, false);
	builder_foreign(b, frames, 1, 3);
	builder_leak(b, site, MT_LEAK_LOST, 100, 1);
	builder_held(b, site, site, 50, 1);
	builder_point(b, MT_POINT_MARK, 1000, "here");
	builder_share(b, site, 150);
	builder_snapshot(b, 2000, "kept");
	builder_symbol(b, frames[0], "f", "/a.c", 3, MT_SYMBOL_INLINED);
	builder_symbol(b, frames[1], "main", "", 0, 0);
	return b;
}

START_TEST(a_whole_trace_is_read)
{
	struct builder *b = small_trace();
	struct trace *t = open_built(b);

	ck_assert_msg(t != NULL, "%s", why);
	ck_assert_str_eq(trace_program(t), "/bin/app");
	ck_assert_uint_eq(t->command_count, 3);
	ck_assert_str_eq(t->command[0], "app");
	ck_assert_str_eq(t->command[1], "");
	ck_assert_str_eq(t->command[2], "-x y");
	ck_assert_ptr_null(t->command[3]);
	ck_assert_uint_eq(t->site_count, 2);
	ck_assert_uint_eq(t->frame_count, 3);
	ck_assert_uint_eq(t->lane_count, 2);
	ck_assert_str_eq(t->lanes[1].name, "worker");
	ck_assert_uint_eq(t->foreign[0].frees, 3);
	ck_assert_uint_eq(t->leaks[0].bytes, 100);
	ck_assert_uint_eq(t->held_count, 1);
	ck_assert_uint_eq(t->held[0].bytes, 50);
	ck_assert_uint_eq(t->point_count, 1);
	ck_assert_uint_eq(t->points[0].live_bytes, 150);
	ck_assert_str_eq(trace_string(t, t->points[0].label), "here");
	ck_assert_uint_eq(t->share_count, 1);
	ck_assert_uint_eq(t->snapshot_count, 1);
	ck_assert_uint_eq(t->snapshots[0].live_bytes, 150);
	ck_assert_uint_eq(t->snapshots[0].allocations, 2);
	ck_assert_str_eq(trace_string(t, t->snapshots[0].label), "kept");
	ck_assert_uint_eq(t->snapshot_row_count, 1);
	ck_assert_uint_eq(t->snapshot_rows[0].current_bytes, 150);
	ck_assert_uint_eq(t->symbol_count, 2);
	ck_assert_str_eq(trace_string(t, t->symbols[1].function), "main");
	ck_assert_int_eq(t->state, TRACE_EXITED);
	ck_assert(trace_is_complete(t));
	trace_free(t);
	builder_free(b);
}
END_TEST

START_TEST(tables_are_pieced_together)
{
	struct builder *b = small_trace();
	struct trace *t;

	for (uint32_t i = 0; i < 3000; i++)
		builder_frame(b, 1, 0x410000 + i, 0);
	t = open_built(b);
	ck_assert_msg(t != NULL, "%s", why);
	ck_assert_uint_eq(t->frame_count, 3003);
	for (uint32_t i = 0; i < 3000; i++)
		ck_assert_uint_eq(t->frames[i + 3].address, 0x410000 + i);
	trace_free(t);
	builder_free(b);
}
END_TEST

START_TEST(longer_records_of_a_newer_writer_are_read)
{
	struct builder *b = small_trace();
	struct trace *t;

	builder_header(b)->version = MT_VERSION + 7;
	builder_longer_records(b, MT_SITES, 200);
	builder_longer_records(b, MT_FRAMES, 24);
	builder_longer_records(b, MT_LANES, 72);
	for (uint32_t i = 0; i < 500; i++)
		builder_frame(b, 1, 0x410000 + i, 0);
	t = open_built(b);
	ck_assert_msg(t != NULL, "%s", why);
	ck_assert_uint_eq(t->sites[1].current_bytes, 100);
	ck_assert_uint_eq(t->frames[502].address, 0x410000 + 499);
	ck_assert_str_eq(t->lanes[1].name, "worker");
	trace_free(t);
	builder_free(b);
}
END_TEST

START_TEST(a_site_without_its_info_is_left_out)
{
	struct builder *b = small_trace();
	size_t size;
	unsigned char *bytes = builder_bytes(b, &size);
	struct mt_header *h = (void *)bytes;
	struct trace *t;

	h->tables[MT_SITES].count++; /* the writer died between the two */
	t = trace_open(file_with(bytes, size), why, sizeof(why));
	ck_assert_msg(t != NULL, "%s", why);
	ck_assert_uint_eq(t->site_count, 2);
	trace_free(t);
	free(bytes);
	builder_free(b);
}
END_TEST

/* tests/golden/v1.hex: "OFFSET: 16 BYTES" lines, zeros left out. */
static unsigned char *read_hex(const char *path, size_t size)
{
	unsigned char *bytes = calloc(1, size);
	FILE *f = fopen(path, "r");
	char line[256];

	ck_assert_msg(f != NULL, "%s", path);
	while (fgets(line, sizeof(line), f)) {
		char *next = line;
		size_t at = strtoul(next, &next, 16);

		if (*line == '#' || *next != ':')
			continue;
		ck_assert_uint_le(at + 16, size);
		next++;
		for (size_t i = 0; i < 16; i++)
			bytes[at + i] = (unsigned char)strtoul(next, &next, 16);
	}
	fclose(f);
	return bytes;
}

START_TEST(version_1_stays_readable)
{
	enum { SIZE = 40960 };
	char path[4096];
	unsigned char *bytes;
	struct measures *sites;
	struct trace *t;

	ck_assert_ptr_nonnull(getenv("TEST_GOLDEN"));
	snprintf(path, sizeof(path), "%s/v1.hex", getenv("TEST_GOLDEN"));
	bytes = read_hex(path, SIZE);
	t = trace_open(file_with(bytes, SIZE), why, sizeof(why));
	ck_assert_msg(t != NULL, "%s", why);
	ck_assert_str_eq(trace_program(t), "/opt/demo/demo");
	ck_assert_str_eq(trace_directory(t), "/home/user");
	ck_assert_str_eq(trace_host(t), "example");
	ck_assert_uint_eq(t->command_count, 2);
	ck_assert_uint_eq(t->header.end_ns, 1500000000);
	ck_assert_uint_eq(t->site_info[1].node, 6);
	ck_assert_uint_eq(t->nodes[6].parent, 5);
	ck_assert_uint_eq(t->frames[t->nodes[6].frame].flags, MT_FRAME_WRAPPER);
	ck_assert_str_eq(trace_string(t, t->modules[2].path), "/usr/lib/libstdc++.so.6");
	sites = site_measures(t);
	ck_assert_int_eq(sites[1].current_bytes, 0);
	ck_assert_uint_eq(sites[1].at_peak_bytes, 4000);
	ck_assert_uint_eq(sites[1].frees, 1);
	ck_assert_int_eq(sites[2].current_bytes, 100);
	ck_assert_uint_eq(sites[2].at_peak_bytes, 100);
	ck_assert_uint_eq(t->calls[1].peak_bytes, 4000);
	ck_assert_uint_eq(program_totals(t, sites).all.peak_bytes, 4100);
	free(sites);
	trace_free(t);
	free(bytes);
}
END_TEST

/* ---- measures */

START_TEST(measures_add_up_over_lanes)
{
	struct builder *b = builder_new();
	uint32_t frame = builder_frame(b, 0, 0x1000, 0);
	uint32_t site = builder_site(b, MT_NODE_ROOT, MT_KIND_HEAP, &frame, 1);
	uint32_t lane;
	struct mt_lane *lanes;
	struct measures *sites;
	struct totals totals;
	struct trace *t;

	builder_alloc(b, 0, site, 1000, false);
	builder_release(b, 0, site, 1000);
	builder_alloc(b, 0, site, 10, true);
	lane = builder_thread(b, "w", 2);
	builder_alloc(b, 0, site, 500, false);
	builder_alloc(b, lane, site, 700, true);
	builder_release(b, lane, site, 500); /* a block of the other thread */
	lanes = builder_table(b, MT_LANES, NULL);
	lanes[0].max_unpublished = 30;
	lanes[1].max_unpublished = 12;
	t = open_built(b);
	ck_assert_msg(t != NULL, "%s", why);
	sites = site_measures(t);
	ck_assert_int_eq(sites[1].current_bytes, 710);
	ck_assert_int_eq(sites[1].current_blocks, 2);
	ck_assert_uint_eq(sites[1].peak_bytes, 1210);
	ck_assert_uint_eq(sites[1].at_peak_bytes, 1210);
	ck_assert_uint_eq(sites[1].allocated_bytes, 2210);
	ck_assert_uint_eq(sites[1].allocations, 4);
	ck_assert_uint_eq(sites[1].frees, 2);
	ck_assert_uint_eq(sites[1].temporary, 2);
	totals = program_totals(t, sites);
	ck_assert_uint_eq(totals.all.peak_bytes, 1210);
	ck_assert_uint_eq(totals.peak_error_bytes, 42);
	free(sites);
	sites = lane_measures(t);
	ck_assert_int_eq(sites[0].current_bytes, 510);
	ck_assert_int_eq(sites[1].current_bytes, 200);
	ck_assert_uint_eq(sites[0].allocations, 3);
	ck_assert_uint_eq(sites[1].frees, 1);
	free(sites);
	trace_free(t);
	builder_free(b);
}
END_TEST

START_TEST(at_peak_follows_the_program_over_random_events)
{
	enum { SITES = 20 };
	struct builder *b = builder_new();
	uint32_t ids[SITES];
	uint64_t held[SITES] = { 0 };
	struct measures *sites;
	struct totals totals;
	uint64_t sum = 0;
	struct trace *t;

	srandom(7);
	for (uint32_t i = 0; i < SITES; i++) {
		uint32_t frame = builder_frame(b, 0, 0x1000 + i, 0);

		ids[i] = builder_site(b, MT_NODE_ROOT, MT_KIND_HEAP, &frame, 1);
	}
	for (int i = 0; i < 20000; i++) {
		long n = random() % SITES;
		uint64_t bytes = (uint64_t)random() % 1000;

		if (random() % 2 && held[n] >= bytes) {
			builder_release(b, 0, ids[n], bytes);
			held[n] -= bytes;
		} else {
			builder_alloc(b, 0, ids[n], bytes, false);
			held[n] += bytes;
		}
	}
	t = open_built(b);
	sites = site_measures(t);
	totals = program_totals(t, sites);
	for (uint32_t i = 0; i < SITES; i++) {
		struct builder_truth truth = builder_site_truth(b, ids[i]);

		ck_assert_int_eq(sites[ids[i]].current_bytes, (int64_t)held[i]);
		ck_assert_uint_eq(sites[ids[i]].at_peak_bytes, truth.at_peak_bytes);
		ck_assert_uint_eq(sites[ids[i]].peak_bytes, truth.peak_bytes);
		sum += sites[ids[i]].at_peak_bytes;
	}
	ck_assert_uint_eq(sum, totals.all.peak_bytes);
	free(sites);
	trace_free(t);
	builder_free(b);
}
END_TEST

/* ---- what is refused */

#define RECORD(b, table, type, i) ((struct type *)builder_table(b, table, NULL))[i]

static void no_module(struct builder *b)
{
	RECORD(b, MT_FRAMES, mt_frame, 1).module = 9;
}
static void no_parent(struct builder *b)
{
	RECORD(b, MT_NODES, mt_node, 4).parent = 4;
}
static void parent_none(struct builder *b)
{
	RECORD(b, MT_NODES, mt_node, 4).parent = 0;
}
static void no_frame(struct builder *b)
{
	RECORD(b, MT_NODES, mt_node, 5).frame = 3;
}
static void frame_none(struct builder *b)
{
	RECORD(b, MT_NODES, mt_node, 5).frame = 0;
}
static void no_node(struct builder *b)
{
	RECORD(b, MT_SITE_INFO, mt_site_info, 1).node = 77;
}
static void node_none(struct builder *b)
{
	RECORD(b, MT_SITE_INFO, mt_site_info, 1).node = 0;
}
static void no_line(struct builder *b)
{
	RECORD(b, MT_SITE_INFO, mt_site_info, 1).call = 2;
}
static void line_no_frame(struct builder *b)
{
	RECORD(b, MT_CALLS, mt_call, 1).frame = 3;
}
static void no_site(struct builder *b)
{
	RECORD(b, MT_ENTRIES, mt_entry, 0).site = 2;
}
static void no_lane(struct builder *b)
{
	RECORD(b, MT_ENTRIES, mt_entry, 0).lane = 2;
}
static void no_string(struct builder *b)
{
	RECORD(b, MT_MODULES, mt_module, 1).path = 1000;
}
static void long_id(struct builder *b)
{
	RECORD(b, MT_MODULES, mt_module, 1).build_id_size = 33;
}
static void backwards(struct builder *b)
{
	RECORD(b, MT_MODULES, mt_module, 1).end = 1;
}
static void foreign_node(struct builder *b)
{
	RECORD(b, MT_FOREIGN, mt_foreign, 0).node = 99;
}
static void held_no_owner(struct builder *b)
{
	RECORD(b, MT_HELD, mt_held, 0).owner = 0;
}
static void held_no_site(struct builder *b)
{
	RECORD(b, MT_HELD, mt_held, 0).site = 2;
}
static void leak_no_site(struct builder *b)
{
	RECORD(b, MT_LEAKS, mt_leak, 0).site = 2;
}
static void symbol_no_frame(struct builder *b)
{
	RECORD(b, MT_SYMBOLS, mt_symbol, 1).frame = 3;
}
static void symbol_order(struct builder *b)
{
	RECORD(b, MT_SYMBOLS, mt_symbol, 0).frame = 2;
	RECORD(b, MT_SYMBOLS, mt_symbol, 1).frame = 1;
}
static void symbol_no_string(struct builder *b)
{
	RECORD(b, MT_SYMBOLS, mt_symbol, 0).file = 1000;
}
static void bad_program(struct builder *b)
{
	builder_header(b)->program.offset = 5000;
}
static void bad_command(struct builder *b)
{
	builder_header(b)->command.size = 5000;
}
static void newer(struct builder *b)
{
	builder_header(b)->version = builder_header(b)->oldest_reader = 9;
}
static void swapped(struct builder *b)
{
	builder_header(b)->byte_order = 0x04030201;
}
static void odd_order(struct builder *b)
{
	builder_header(b)->byte_order = 3;
}
static void no_version(struct builder *b)
{
	builder_header(b)->oldest_reader = 0;
}
static void small_header(struct builder *b)
{
	builder_header(b)->header_size = 16;
}
static void huge_header(struct builder *b)
{
	builder_header(b)->header_size = 1u << 30;
}
static void odd_page(struct builder *b)
{
	builder_header(b)->page_size = 5000;
}
static void tiny_page(struct builder *b)
{
	builder_header(b)->page_size = 1;
}
static void no_state(struct builder *b)
{
	builder_header(b)->state = 7;
}
static void no_magic(struct builder *b)
{
	builder_header(b)->magic[0] = 'x';
}

static void long_strings(struct builder *b)
{
	uint64_t count;
	char *strings = builder_table(b, MT_STRINGS, &count);

	strings[count - 1] = 'x';
}

static void deep(struct builder *b)
{
	uint32_t frames[5000];

	for (uint32_t i = 0; i < 5000; i++)
		frames[i] = 1;
	builder_site(b, MT_NODE_ROOT, MT_KIND_HEAP, frames, 5000);
}

static struct mt_point *first_point(struct builder *b)
{
	return builder_table(b, MT_POINTS, NULL);
}
static struct mt_share *first_share(struct builder *b)
{
	return builder_table(b, MT_SHARES, NULL);
}
static void point_no_kind(struct builder *b)
{
	first_point(b)->kind = 5;
}
static void point_no_string(struct builder *b)
{
	first_point(b)->label = 1000;
}
static void share_no_point(struct builder *b)
{
	first_share(b)->point = 3;
}
static void share_no_site(struct builder *b)
{
	first_share(b)->site = 2;
}
static void share_site_none(struct builder *b)
{
	first_share(b)->site = 0;
}
static void peak_no_site(struct builder *b)
{
	builder_header(b)->peak_site = 2;
}
static struct mt_snapshot *first_snapshot(struct builder *b)
{
	return builder_table(b, MT_SNAPSHOTS, NULL);
}
static void snapshot_no_label(struct builder *b)
{
	first_snapshot(b)->label = 0;
}
static void snapshot_no_string(struct builder *b)
{
	first_snapshot(b)->label = 1000;
}
static void snapshot_no_rows(struct builder *b)
{
	first_snapshot(b)->rows_end = 2;
}
static void snapshot_backwards(struct builder *b)
{
	builder_snapshot(b, 3000, "again");
	first_snapshot(b)[1].rows_end = 0;
}
static void snapshot_no_site(struct builder *b)
{
	first_snapshot(b)->peak_site = 2;
}
static void row_no_site(struct builder *b)
{
	((struct mt_snapshot_row *)builder_table(b, MT_SNAPSHOT_ROWS, NULL))->site = 2;
}
static void row_site_none(struct builder *b)
{
	((struct mt_snapshot_row *)builder_table(b, MT_SNAPSHOT_ROWS, NULL))->site = 0;
}

static const struct {
	void (*damage)(struct builder *b);
	const char *says;
} refused[] = {
	{ point_no_kind, "corrupt: points[0]: no kind 5" },
	{ point_no_string, "corrupt: points[0]: no string 1000" },
	{ share_no_point, "corrupt: shares[0]: no point 2" },
	{ share_no_site, "corrupt: shares[0]: no site 2" },
	{ share_site_none, "corrupt: shares[0]: no site 0" },
	{ peak_no_site, "corrupt: peak of site 2" },
	{ snapshot_no_label, "corrupt: snapshots[0]: no string 0" },
	{ snapshot_no_string, "corrupt: snapshots[0]: no string 1000" },
	{ snapshot_no_rows, "corrupt: snapshots[0]: no rows up to 2" },
	{ snapshot_backwards, "corrupt: snapshots[1]: no rows up to 0" },
	{ snapshot_no_site, "corrupt: snapshots[0]: peak of site 2" },
	{ row_no_site, "corrupt: snapshot rows[0]: no site 2" },
	{ row_site_none, "corrupt: snapshot rows[0]: no site 0" },
	{ no_module, "corrupt: frames[1]: no module 9" },
	{ no_parent, "corrupt: nodes[4]: no parent 4" },
	{ parent_none, "corrupt: nodes[4]: no parent 0" },
	{ no_frame, "corrupt: nodes[5]: no frame 3" },
	{ frame_none, "corrupt: nodes[5]: no frame 0" },
	{ no_node, "corrupt: site info[1]: no node 77" },
	{ node_none, "corrupt: site info[1]: no node 0" },
	{ no_line, "corrupt: site info[1]: no line 2" },
	{ line_no_frame, "corrupt: lines[1]: no frame 3" },
	{ no_site, "corrupt: entries[0]: no site 2" },
	{ no_lane, "corrupt: entries[0]: no lane 2" },
	{ no_string, "corrupt: modules[1]: no string 1000" },
	{ long_id, "corrupt: modules[1]: build-id of bytes 33" },
	{ backwards, "corrupt: modules[1]: ends before its start 4194304" },
	{ foreign_node, "corrupt: foreign[0]: no node 99" },
	{ leak_no_site, "corrupt: leaks[0]: no site 2" },
	{ held_no_owner, "corrupt: held[0]: no owner 0" },
	{ held_no_site, "corrupt: held[0]: no site 2" },
	{ symbol_no_frame, "corrupt: symbols[1]: no frame 3" },
	{ symbol_order, "corrupt: symbols[1]: frames not in order: 1" },
	{ symbol_no_string, "corrupt: symbols[0]: no string for frame 1" },
	{ bad_program, "corrupt: header text at 5000 of 8 bytes" },
	{ bad_command, "corrupt: header text at 19 of 5000 bytes" },
	{ newer, "requires a newer mtracer: format 9, but this one reads up to 3" },
	{ swapped, "written on a machine with a different byte order" },
	{ odd_order, "corrupt: invalid byte order: 0x3" },
	{ no_version, "corrupt: version 3, oldest reader 0" },
	{ small_header, "corrupt: header of 16 bytes" },
	{ huge_header, "corrupt: header of 1073741824 bytes" },
	{ odd_page, "corrupt: pages of 5000 bytes" },
	{ tiny_page, "corrupt: pages of 1 bytes" },
	{ no_state, "corrupt: invalid state: 7" },
	{ no_magic, "not a trace" },
	{ long_strings, "corrupt: strings not terminated" },
	{ deep, "corrupt: nodes[4102]: stack of frames 4097" },
};

START_TEST(each_damage_is_named)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct builder *b = small_trace();
		struct trace *t;

		refused[i].damage(b);
		t = open_built(b);
		ck_assert_msg(t == NULL, "accepted, expected: %s", refused[i].says);
		ck_assert_str_eq(why, refused[i].says);
		builder_free(b);
	}
}
END_TEST

/* Damage to the directory, which the builder makes right when it writes. */
static void expect_refused(const unsigned char *bytes, size_t size, const char *says)
{
	struct trace *t = trace_open(file_with(bytes, size), why, sizeof(why));

	ck_assert_msg(t == NULL, "accepted, expected: %s", says);
	ck_assert_msg(strncmp(why, says, strlen(says)) == 0, "'%s' is not '%s'", why, says);
}

START_TEST(a_damaged_directory_is_refused)
{
	struct builder *b = small_trace();
	size_t size;
	unsigned char *bytes = builder_bytes(b, &size);
	struct mt_header *h = (void *)bytes, good = *h;

	h->extents[1].file_page = h->extents[0].file_page;
	expect_refused(bytes, size, "corrupt: extents overlap at page 2");
	*h = good;
	h->extents[0].file_page = 0;
	expect_refused(bytes, size, "corrupt: extents overlap at page 0");
	*h = good;
	h->extents[2].table_page = 1;
	expect_refused(bytes, size, "corrupt: table 2 has no page 0");
	*h = good;
	h->extents[2].table = MT_TABLES;
	expect_refused(bytes, size, "corrupt: extent of table 24 with 1 pages");
	*h = good;
	h->extents[0].pages = 0;
	expect_refused(bytes, size, "corrupt: extent of table 0 with 0 pages");
	*h = good;
	h->extents[h->extent_count - 1].pages = UINT32_MAX;
	expect_refused(bytes, size, "truncated: ");
	*h = good;
	h->extent_count = MT_EXTENTS + 1;
	expect_refused(bytes, size, "corrupt: 401 extents");
	*h = good;
	h->extent_count = 0;
	expect_refused(bytes, size, "corrupt: 3 frames in 0 pages");
	*h = good;
	h->tables[MT_SITES].count = UINT64_MAX / 64 + 2; /* times 64 is 64 */
	expect_refused(bytes, size, "corrupt: 288230376151711745 sites in 1 pages");
	*h = good;
	h->tables[MT_SITES].record_size = 63;
	expect_refused(bytes, size, "corrupt: sites of 63 bytes");
	*h = good;
	h->tables[MT_STRINGS].record_size = 2;
	expect_refused(bytes, size, "corrupt: strings of 2 bytes");
	free(bytes);
	builder_free(b);
}
END_TEST

START_TEST(every_truncation_is_told)
{
	struct builder *b = small_trace();
	size_t size;
	unsigned char *bytes = builder_bytes(b, &size);

	expect_refused(bytes, 0, "empty file, not a trace");
	expect_refused(bytes, 4, "not a trace");
	expect_refused(bytes, 8, "truncated: 8 bytes, less than the header of 8192");
	expect_refused(bytes, 8191, "truncated: 8191 bytes");
	for (size_t cut = 8192; cut < size; cut += 509)
		expect_refused(bytes, cut, "truncated: ");
	free(bytes);
	builder_free(b);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	ck_assert_ptr_null(trace_open("/nonexistent/trace", why, sizeof(why)));
	ck_assert_str_eq(why, "No such file or directory");
	ck_assert_ptr_null(trace_open("/", why, sizeof(why)));
	ck_assert_str_eq(why, "is a directory, not a trace");
	ck_assert_ptr_null(trace_open("/dev/zero", why, sizeof(why)));
	ck_assert_str_eq(why, "not a regular file");
}
END_TEST

START_TEST(a_fifo_is_refused_at_once)
{
	char path[] = "/tmp/test_trace.XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(path));
	ck_assert_int_eq(chdir(path), 0);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_ptr_null(trace_open("fifo", why, sizeof(why)));
	ck_assert_str_eq(why, "not a regular file");
	unlink("fifo");
	rmdir(path);
}
END_TEST

/* A file may claim terabytes and hold none. */
START_TEST(sparse_claims_take_no_memory)
{
	struct builder *b = builder_new();
	size_t size;
	unsigned char *bytes = builder_bytes(b, &size);
	struct mt_header *h = (void *)bytes;
	int fd = memfd_create("sparse", 0);
	char path[64];

	h->extent_count = 1;
	h->extents[0] = (struct mt_extent){ MT_NODES, 0, 2, 1u << 23 };
	for (int t = 0; t < MT_TABLES_USED; t++)
		h->tables[t].count = 0;
	h->tables[MT_NODES].count = UINT32_MAX;
	ck_assert_int_eq(ftruncate(fd, (off_t)8192 + ((off_t)4096 << 23)), 0);
	ck_assert_int_eq(pwrite(fd, h, sizeof(*h), 0), (ssize_t)sizeof(*h));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_ptr_null(trace_open(path, why, sizeof(why)));
	ck_assert_msg(
		strncmp(why, "corrupt: tables of 34359738360 bytes in a file that holds ", 57) == 0,
		"%s", why);
	close(fd);
	free(bytes);
	builder_free(b);
}
END_TEST

/* ---- the process */

static struct trace *open_running(uint32_t pid, uint64_t ticks)
{
	struct builder *b = small_trace();
	struct trace *t;

	builder_header(b)->state = MT_STATE_RUNNING;
	builder_header(b)->pid = pid;
	builder_header(b)->start_ticks = ticks;
	t = open_built(b);
	ck_assert_msg(t != NULL, "%s", why);
	builder_free(b);
	return t;
}

/* 0 stands for an unknown start. */
START_TEST(a_trace_says_running_until_its_process_is_gone)
{
	struct trace *t = open_running(0x3fffffff, 0);

	ck_assert_int_eq(t->state, TRACE_DIED);
	trace_free(t);
	t = open_running((uint32_t)getpid(), 1); /* another process had this pid */
	ck_assert_int_eq(t->state, TRACE_DIED);
	trace_free(t);
	t = open_running((uint32_t)getpid(), 0); /* lives, but does not map the file */
	ck_assert_int_eq(t->state, TRACE_EXITED);
	trace_free(t);
}
END_TEST

START_TEST(who_maps_the_file_is_running)
{
	struct builder *b = small_trace();
	char path[] = "/tmp/test_trace.XXXXXX";
	int fd = mkstemp(path);
	struct trace *t;
	void *mapped;

	builder_header(b)->state = MT_STATE_RUNNING;
	builder_header(b)->pid = (uint32_t)getpid();
	builder_header(b)->start_ticks = 0;
	ck_assert(builder_write(b, path));
	mapped = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	t = trace_open(path, why, sizeof(why));
	ck_assert_msg(t != NULL, "%s", why);
	ck_assert_int_eq(t->state, TRACE_RUNNING);
	trace_free(t);
	munmap(mapped, 4096);
	close(fd);
	unlink(path);
	builder_free(b);
}
END_TEST

START_TEST(the_wait_status_decides)
{
	struct builder *b = small_trace();
	struct trace *t;

	builder_header(b)->state = MT_STATE_RUNNING;
	builder_header(b)->flags |= MT_HAS_WAIT_STATUS;
	builder_header(b)->wait_status = 9;
	t = open_built(b);
	ck_assert_int_eq(t->state, TRACE_DIED);
	trace_free(t);
	builder_header(b)->wait_status = 3 << 8;
	t = open_built(b);
	ck_assert_int_eq(t->state, TRACE_EXITED);
	trace_free(t);
	builder_free(b);
}
END_TEST

UNIT_SUITE("trace", version_1_stays_readable, a_whole_trace_is_read, tables_are_pieced_together,
	longer_records_of_a_newer_writer_are_read, a_site_without_its_info_is_left_out,
	measures_add_up_over_lanes, at_peak_follows_the_program_over_random_events,
	each_damage_is_named, a_damaged_directory_is_refused, every_truncation_is_told,
	what_is_no_file_is_refused, a_fifo_is_refused_at_once, sparse_claims_take_no_memory,
	a_trace_says_running_until_its_process_is_gone, who_maps_the_file_is_running,
	the_wait_status_decides)
