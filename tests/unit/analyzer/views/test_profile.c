/* SPDX-License-Identifier: MIT */
/* test_profile.c - rows: what they gather, whom they belong to, and what is claimed of their
 * peaks. */
#include "analyzer/base/array.h"
#include "unit.h"

#include <string.h>
#include <unistd.h>

#include "analyzer/views/profile.h"
#include "analyzer/trace/trace.h"
#include "analyzer/symbols/wrappers.h"
#include "fake_symbolize.h"
#include "trace_builder.h"

static const char a_c[] = "/src/a.c", b_c[] = "/src/b.c";
static const char malloc_[] = "malloc", xmalloc_[] = "xmalloc", f_[] = "f", g_[] = "g", h_[] = "h";
static const char main_[] = "main", small_[] = "small", stripped_[] = "stripped";

/* clang-format off */
enum {
	MALLOC = 0x100, XMALLOC = 0x200, F10 = 0x300, F10_AGAIN = 0x304, F11 = 0x310, G20 = 0x400,
	H30 = 0x500, MAIN = 0x600, INLINED = 0x700, STRIPPED = 0x800, STRIPPED_2 = 0x810, SELF = 0x900,
	TWIN = 0xa00, ONE = 0x1000,
};

static const struct fake_symbols table[] = {
	{ MALLOC, { { malloc_, NULL, NULL, 0, false } } },
	{ XMALLOC, { { xmalloc_, NULL, a_c, 5, false } } },
	{ F10, { { f_, NULL, a_c, 10, false } } },
	{ F10_AGAIN, { { f_, NULL, a_c, 10, false } } },
	{ F11, { { f_, NULL, a_c, 11, false } } },
	{ G20, { { g_, NULL, a_c, 20, false } } },
	{ H30, { { h_, NULL, b_c, 30, false } } },
	{ MAIN, { { main_, NULL, a_c, 99, false } } },
	{ INLINED, { { xmalloc_, NULL, a_c, 5, true }, { small_, NULL, b_c, 7, true }, { h_, NULL, b_c, 40, false } } },
	{ STRIPPED, { { stripped_, NULL, NULL, 0, false } } },
	{ STRIPPED_2, { { stripped_, NULL, NULL, 0, false } } },
	{ SELF, { { malloc_, NULL, NULL, 0, false } } },
	{ TWIN, { { g_, NULL, a_c, 10, false } } },
	{ ONE + 0, { { f_, NULL, a_c, 1, false } } },
	{ ONE + 1, { { f_, NULL, a_c, 2, false } } },
	{ ONE + 2, { { g_, NULL, a_c, 3, false } } },
	{ ONE + 3, { { g_, NULL, b_c, 1, false } } },
	{ ONE + 4, { { xmalloc_, NULL, b_c, 2, false } } },
	{ ONE + 5, { { h_, NULL, b_c, 2, false } } },
	{ 0, { { 0 } } },
};
/* clang-format on */

/* A program, its modules, and what was made of it. */
struct world {
	struct builder *builder;
	uint32_t app, lib, self;
	struct trace *trace;
	struct wrappers *wrappers;
	struct resolver *resolver;
	struct profile *profile;
};

static struct world world_new(void)
{
	struct world w = { .builder = builder_new() };

	fake_table = table;
	fake_lookups = 0;
	w.app = builder_module(w.builder, "/bin/app", 0, 0, 0x10000, MT_MODULE_EXE);
	w.lib = builder_module(w.builder, "/lib/lib.so", 0, 0x10000, 0x20000, 0);
	w.self =
		builder_module(w.builder, "/lib/libmtrace.so", 0, 0x20000, 0x30000, MT_MODULE_SELF);
	w.wrappers = wrappers_new();
	return w;
}

static uint32_t site(struct world *w, uint32_t kind, size_t count, const uint32_t *addresses)
{
	uint32_t frames[16];

	for (size_t i = 0; i < count; i++) {
		uint32_t a = addresses[i];

		frames[i] = builder_frame(w->builder, a == SELF ? w->self : w->app, a, 0);
	}
	return builder_site(w->builder, MT_NODE_ROOT, kind, frames, count);
}

#define SITE(w, ...)                                                                    \
	site((w), MT_KIND_HEAP, sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), \
		(uint32_t[]){ __VA_ARGS__ })

static void make(struct world *w, enum profile_by by, bool cumulative)
{
	char path[] = "/tmp/test_profile.XXXXXX", why[512];
	struct symbolizer_options options = { 0 };

	close(mkstemp(path));
	ck_assert(builder_write(w->builder, path));
	w->trace = trace_open(path, why, sizeof(why));
	unlink(path);
	ck_assert_msg(w->trace != NULL, "%s", why);
	w->resolver = resolver_new(w->trace, &options, w->wrappers);
	w->profile = profile_new(w->trace, w->resolver, by, cumulative);
	profile_sort(w->profile, SORT_NAME);
}

static void forget(struct world *w)
{
	profile_free(w->profile);
	resolver_free(w->resolver);
	trace_free(w->trace);
}

static void world_free(struct world *w)
{
	forget(w);
	wrappers_free(w->wrappers);
	builder_free(w->builder);
}

static void alloc(struct world *w, uint32_t site, uint64_t bytes)
{
	builder_alloc(w->builder, 0, site, bytes, false);
}

static void release(struct world *w, uint32_t site, uint64_t bytes)
{
	builder_release(w->builder, 0, site, bytes);
}

static const struct row *row_at(const struct world *w, const char *file, uint32_t line)
{
	for (size_t i = 0; i < w->profile->row_count; i++) {
		const struct row *r = &w->profile->rows[i];

		if (r->file == file && r->line == line)
			return r;
	}
	ck_abort_msg("no row %s:%u", file ? file : "-", line);
	return NULL;
}

static const struct row *row_named(const struct world *w, const char *function)
{
	for (size_t i = 0; i < w->profile->row_count; i++) {
		if (w->profile->rows[i].function == function)
			return &w->profile->rows[i];
	}
	ck_abort_msg("no row %s", function);
	return NULL;
}

static uint64_t sum_at_peak(const struct world *w)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < w->profile->row_count; i++)
		sum += w->profile->rows[i].m.at_peak_bytes;
	return sum;
}

/* ---- whom a row belongs to */

START_TEST(wrappers_are_looked_through)
{
	struct world w = world_new();

	alloc(&w, SITE(&w, SELF, MALLOC, XMALLOC, F10, MAIN), 10);
	alloc(&w, SITE(&w, XMALLOC, F10_AGAIN, MAIN), 20); /* the same line by another way */
	alloc(&w, SITE(&w, XMALLOC, F11, MAIN), 40);
	make(&w, BY_LINE, false);
	ck_assert_uint_eq(w.profile->row_count, 2);
	ck_assert_int_eq(row_at(&w, a_c, 10)->m.current_bytes, 30);
	ck_assert_uint_eq(row_at(&w, a_c, 10)->sites, 2);
	ck_assert_str_eq(row_at(&w, a_c, 10)->function, "f");
	ck_assert_str_eq(row_at(&w, a_c, 10)->module, "/bin/app");
	ck_assert_int_eq(row_at(&w, a_c, 11)->m.current_bytes, 40);
	world_free(&w);
}
END_TEST

START_TEST(inlined_wrappers_are_looked_through_too)
{
	struct world w = world_new();

	alloc(&w, SITE(&w, INLINED, MAIN), 10);
	make(&w, BY_LINE, false);
	ck_assert_str_eq(row_at(&w, b_c, 7)->function, "small");
	world_free(&w);
}
END_TEST

START_TEST(only_wrappers_give_the_outermost)
{
	struct world w = world_new();

	alloc(&w, SITE(&w, SELF, MALLOC, XMALLOC), 10);
	make(&w, BY_LINE, false);
	ck_assert_uint_eq(w.profile->row_count, 1);
	ck_assert_str_eq(row_at(&w, a_c, 5)->function, "xmalloc");
	world_free(&w);
}
END_TEST

/* A run-time library that allocates as it is loaded: ld.so calls it, and malloc is libc's. */
START_TEST(only_libraries_give_the_innermost_but_libc)
{
	struct world w = world_new();
	uint32_t libc = builder_module(w.builder, "/lib/libc.so.6", 0, 0x30000, 0x40000, 0);
	uint32_t cxx = builder_module(w.builder, "/lib/libstdc++.so.6", 0, 0x40000, 0x50000, 0);
	uint32_t loader = builder_module(w.builder, "/lib/ld-linux.so.2", 0, 0x50000, 0x60000, 0);
	uint32_t frames[] = { builder_frame(w.builder, libc, MALLOC, 0),
		builder_frame(w.builder, cxx, XMALLOC, MT_FRAME_WRAPPER),
		builder_frame(w.builder, cxx, G20, 0), builder_frame(w.builder, cxx, H30, 0),
		builder_frame(w.builder, loader, F10, 0),
		builder_frame(w.builder, loader, F11, 0) };

	alloc(&w, builder_site(w.builder, MT_NODE_ROOT, MT_KIND_HEAP, frames, 6), 10);
	alloc(&w, builder_site(w.builder, MT_NODE_ROOT, MT_KIND_HEAP, frames + 4, 2), 5);
	make(&w, BY_LINE, false);
	ck_assert_uint_eq(w.profile->row_count, 2);
	ck_assert_int_eq(row_at(&w, a_c, 20)->m.current_bytes, 10);
	ck_assert_int_eq(row_at(&w, a_c, 11)->m.current_bytes, 5);
	world_free(&w);
}
END_TEST

START_TEST(a_stack_of_nothing_is_a_row)
{
	struct world w = world_new();

	alloc(&w, SITE(&w, SELF), 10);
	alloc(&w, builder_site(w.builder, MT_NODE_BROKEN, MT_KIND_HEAP, NULL, 0), 5);
	make(&w, BY_LINE, false);
	ck_assert_uint_eq(w.profile->row_count, 1);
	ck_assert_str_eq(w.profile->rows[0].function, "[no stack]");
	ck_assert_int_eq(w.profile->rows[0].m.current_bytes, 15);
	world_free(&w);
}
END_TEST

START_TEST(frames_flagged_by_the_library_are_wrappers)
{
	struct world w = world_new();
	uint32_t frames[] = { builder_frame(w.builder, w.lib, G20, MT_FRAME_WRAPPER),
		builder_frame(w.builder, w.app, F10, 0) };
	struct symbolizer_options options = { 0 };

	alloc(&w, builder_site(w.builder, MT_NODE_ROOT, MT_KIND_HEAP, frames, 2), 10);
	make(&w, BY_LINE, false);
	ck_assert_ptr_nonnull(row_at(&w, a_c, 10));
	profile_free(w.profile);
	resolver_free(w.resolver);
	w.resolver = resolver_new(w.trace, &options, NULL); /* --no-wrappers */
	w.profile = profile_new(w.trace, w.resolver, BY_LINE, false);
	ck_assert_ptr_nonnull(row_at(&w, a_c, 20));
	world_free(&w);
}
END_TEST

START_TEST(without_lines_each_call_is_a_row)
{
	struct world w = world_new();

	alloc(&w, SITE(&w, STRIPPED, MAIN), 10);
	alloc(&w, SITE(&w, STRIPPED_2, MAIN), 20);
	make(&w, BY_LINE, false);
	ck_assert_uint_eq(w.profile->row_count, 2);
	ck_assert_ptr_null(w.profile->rows[0].file);
	ck_assert_uint_eq(w.profile->rows[0].line, 0);
	ck_assert(w.profile->rows[0].has_offset);
	ck_assert_uint_eq(w.profile->rows[0].offset, STRIPPED - 1);
	forget(&w);
	make(&w, BY_FUNCTION, false);
	ck_assert_uint_eq(w.profile->row_count, 1);
	ck_assert_int_eq(w.profile->rows[0].m.current_bytes, 30);
	world_free(&w);
}
END_TEST

START_TEST(functions_on_one_line_are_one_row)
{
	struct world w = world_new();

	alloc(&w, SITE(&w, F10, MAIN), 10);
	alloc(&w, SITE(&w, TWIN, MAIN), 20);
	make(&w, BY_LINE, false);
	ck_assert_uint_eq(w.profile->row_count, 1);
	ck_assert_str_eq(w.profile->rows[0].function, "g"); /* the larger part */
	ck_assert(w.profile->rows[0].more_functions);
	world_free(&w);
}
END_TEST

START_TEST(mappings_are_rows_of_their_own)
{
	struct world w = world_new();
	uint32_t stack[] = { F10, MAIN };

	alloc(&w, site(&w, MT_KIND_HEAP, 2, stack), 10);
	alloc(&w, site(&w, MT_KIND_MMAP, 2, stack), 4096);
	make(&w, BY_LINE, false);
	ck_assert_uint_eq(w.profile->row_count, 2);
	ck_assert_uint_eq(w.profile->rows[0].kind, MT_KIND_HEAP);
	ck_assert_int_eq(w.profile->rows[0].m.current_bytes, 10);
	ck_assert_uint_eq(w.profile->rows[1].kind, MT_KIND_MMAP);
	world_free(&w);
}
END_TEST

START_TEST(rows_by_everything)
{
	struct world w = world_new();
	uint32_t lane;

	alloc(&w, SITE(&w, F10, MAIN), 1);
	alloc(&w, SITE(&w, F11, MAIN), 2);
	alloc(&w, SITE(&w, H30, F10, MAIN), 4);
	make(&w, BY_FUNCTION, false);
	ck_assert_int_eq(row_named(&w, f_)->m.current_bytes, 3);
	ck_assert_int_eq(row_named(&w, h_)->m.current_bytes, 4);
	forget(&w);
	make(&w, BY_FILE, false);
	ck_assert_int_eq(row_at(&w, a_c, 0)->m.current_bytes, 3);
	ck_assert_int_eq(row_at(&w, b_c, 0)->m.current_bytes, 4);
	forget(&w);
	make(&w, BY_MODULE, false);
	ck_assert_uint_eq(w.profile->row_count, 1);
	ck_assert_int_eq(w.profile->rows[0].m.current_bytes, 7);
	forget(&w);
	make(&w, BY_SITE, false);
	ck_assert_uint_eq(w.profile->row_count, 3);
	forget(&w);
	lane = builder_thread(w.builder, "worker", 7);
	builder_release(w.builder, lane, 1, 1);
	builder_alloc(w.builder, lane, 1, 100, false);
	builder_release(w.builder, lane, 2, 2);
	builder_release(w.builder, lane, 1, 100);
	make(&w, BY_THREAD, false);
	ck_assert_uint_eq(w.profile->row_count, 2);
	ck_assert_int_eq(w.profile->rows[0].m.current_bytes, 7);
	ck_assert_int_eq(w.profile->rows[1].m.current_bytes, -3);
	ck_assert_uint_eq(w.profile->rows[1].m.frees, 3);
	world_free(&w);
}
END_TEST

START_TEST(only_what_is_needed_is_symbolized)
{
	struct world w = world_new();

	alloc(&w, SITE(&w, F10, G20, H30, MAIN), 1);
	alloc(&w, SITE(&w, F10, MAIN), 1);
	make(&w, BY_LINE, false);
	ck_assert_uint_eq(fake_lookups, 1);
	forget(&w);
	fake_lookups = 0;
	make(&w, BY_LINE, true);
	ck_assert_uint_eq(fake_lookups, 4);
	world_free(&w);
}
END_TEST

/* ---- peaks */

START_TEST(a_whole_line_has_an_exact_peak)
{
	struct world w = world_new();
	uint32_t one = SITE(&w, F10, G20, MAIN), two = SITE(&w, F10, H30, MAIN);

	/* The two sites are at their highest at different times; together they are never above
	 * 110. */
	alloc(&w, one, 100);
	release(&w, one, 90);
	alloc(&w, two, 100);
	release(&w, two, 100);
	make(&w, BY_LINE, false);
	ck_assert_uint_eq(row_at(&w, a_c, 10)->m.peak_bytes, 110);
	ck_assert(row_at(&w, a_c, 10)->m.peak_is_exact);
	world_free(&w);
}
END_TEST

START_TEST(rows_of_several_lines_have_a_bound)
{
	struct world w = world_new();
	uint32_t one = SITE(&w, F10, MAIN), two = SITE(&w, F11, MAIN), big = SITE(&w, H30, MAIN);

	alloc(&w, one, 100);
	release(&w, one, 100);
	alloc(&w, two, 50);
	release(&w, two, 50);
	alloc(&w, big, 1000);
	make(&w, BY_FUNCTION, false);
	ck_assert_uint_eq(row_named(&w, f_)->m.peak_bytes, 150);
	ck_assert(!row_named(&w, f_)->m.peak_is_exact);
	ck_assert(row_named(&w, h_)->m.peak_is_exact);
	world_free(&w);
}
END_TEST

START_TEST(what_never_shrank_is_exact)
{
	struct world w = world_new();

	alloc(&w, SITE(&w, F10, MAIN), 100);
	alloc(&w, SITE(&w, F11, MAIN), 50);
	make(&w, BY_FUNCTION, false);
	ck_assert_uint_eq(row_named(&w, f_)->m.peak_bytes, 150);
	ck_assert(row_named(&w, f_)->m.peak_is_exact);
	world_free(&w);
}
END_TEST

START_TEST(what_was_highest_at_the_peak_is_exact)
{
	struct world w = world_new();
	uint32_t one = SITE(&w, F10, MAIN), two = SITE(&w, F11, MAIN);

	alloc(&w, one, 100);
	alloc(&w, two, 50);
	release(&w, one, 100);
	release(&w, two, 50);
	make(&w, BY_FUNCTION, false);
	ck_assert_uint_eq(row_named(&w, f_)->m.peak_bytes, 150);
	ck_assert(row_named(&w, f_)->m.peak_is_exact);
	world_free(&w);
}
END_TEST

START_TEST(no_peak_is_above_the_programs)
{
	struct world w = world_new();
	uint32_t one = SITE(&w, F10, MAIN), two = SITE(&w, F11, MAIN);

	alloc(&w, one, 100);
	release(&w, one, 100);
	alloc(&w, two, 90);
	make(&w, BY_FUNCTION, false);
	ck_assert_uint_eq(row_named(&w, f_)->m.peak_bytes, 100);
	ck_assert(row_named(&w, f_)->m.peak_is_exact);
	world_free(&w);
}
END_TEST

START_TEST(with_threads_no_peak_is_exact)
{
	struct world w = world_new();
	uint32_t one = SITE(&w, F10, MAIN);
	struct mt_lane *lanes;

	builder_thread(w.builder, "w", 2);
	lanes = builder_table(w.builder, MT_LANES, NULL);
	lanes[1].max_unpublished = 5;
	alloc(&w, one, 100);
	make(&w, BY_LINE, false);
	ck_assert(!w.profile->rows[0].m.peak_is_exact);
	ck_assert_uint_eq(w.profile->totals.peak_error_bytes, 5);
	world_free(&w);
}
END_TEST

/*
 * Random events over sites of few lines and functions; every row's own peak is kept beside, by
 * plain sums after each event. A claim of exactness must be true, and a bound must hold.
 */
enum { STACKS = 12, ROWS = 16, EVENTS = 400 };

static const uint32_t addresses[STACKS][3] = {
	{ ONE, ONE + 1, MAIN },
	{ ONE, ONE + 2, MAIN },
	{ ONE + 1, ONE, MAIN },
	{ ONE + 1, ONE + 3, MAIN },
	{ ONE + 2, ONE, MAIN },
	{ ONE + 2, ONE + 2, MAIN },
	{ ONE + 3, ONE + 5, MAIN },
	{ ONE + 4, ONE, MAIN },
	{ ONE + 4, ONE + 1, MAIN },
	{ ONE + 4, ONE + 5, MAIN },
	{ ONE + 5, ONE + 3, MAIN },
	{ ONE + 5, ONE + 4, MAIN },
};

/* Which row each stack counts for, read from the profile's own rows by making one of them at a time
 * is what is tested; so the rows are found by hand: the first frame that isn't xmalloc. */
static const struct symbol *owner(const uint32_t *stack)
{
	const struct fake_symbols *s = table;
	uint32_t address = stack[0] == ONE + 4 ? stack[1] : stack[0];

	while (s->address != address)
		s++;
	return &s->symbols[0];
}

static bool belongs(const struct row *row, enum profile_by by, const struct symbol *symbol)
{
	if (by == BY_LINE)
		return row->file == symbol->file && row->line == symbol->line;
	if (by == BY_FUNCTION)
		return row->function == symbol->function && row->file == symbol->file;
	return row->file == symbol->file;
}

static unsigned check_claims(
	struct world *w, enum profile_by by, const uint64_t history[][STACKS], int events)
{
	unsigned exact = 0;

	for (size_t i = 0; i < w->profile->row_count; i++) {
		const struct row *row = &w->profile->rows[i];
		uint64_t truth = 0;

		for (int e = 0; e < events; e++) {
			uint64_t sum = 0;

			for (int s = 0; s < STACKS; s++) {
				if (belongs(row, by, owner(addresses[s])))
					sum += history[e][s];
			}
			truth = sum > truth ? sum : truth;
		}
		if (row->m.peak_is_exact)
			ck_assert_uint_eq(row->m.peak_bytes, truth);
		else
			ck_assert_uint_ge(row->m.peak_bytes, truth);
		exact += row->m.peak_is_exact;
	}
	return exact;
}

START_TEST(claims_about_peaks_are_true)
{
	static const enum profile_by kinds[] = { BY_LINE, BY_FUNCTION, BY_FILE };
	static uint64_t history[EVENTS][STACKS];
	unsigned exact = 0;

	for (unsigned seed = 1; seed <= 60; seed++) {
		struct world w = world_new();
		uint64_t held[STACKS] = { 0 };
		uint32_t ids[STACKS];
		int events = (int)(seed % 3 ? EVENTS : 20);

		srandom(seed);
		for (int s = 0; s < STACKS; s++)
			ids[s] = site(&w, MT_KIND_HEAP, 3, addresses[s]);
		for (int e = 0; e < events; e++) {
			long s = random() % STACKS;
			uint64_t bytes = 1 + (uint64_t)random() % 100;

			if (random() % 2 && held[s] >= bytes) {
				release(&w, ids[s], bytes);
				held[s] -= bytes;
			} else {
				alloc(&w, ids[s], bytes);
				held[s] += bytes;
			}
			memcpy(history[e], held, sizeof(held));
		}
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			make(&w, kinds[k], false);
			ck_assert_uint_eq(sum_at_peak(&w), w.profile->totals.all.peak_bytes);
			exact += check_claims(&w, kinds[k], history, events);
			forget(&w);
		}
		make(&w, BY_LINE, false);
		world_free(&w);
	}
	ck_assert_uint_gt(exact, 200); /* not by claiming nothing */
}
END_TEST

/* ---- cumulative */

START_TEST(recursion_counts_once)
{
	struct world w = world_new();

	alloc(&w, SITE(&w, F10, G20, F10, G20, F11, MAIN), 8);
	alloc(&w, SITE(&w, G20, MAIN), 1);
	make(&w, BY_FUNCTION, true);
	ck_assert_uint_eq(w.profile->row_count, 3);
	ck_assert_int_eq(row_named(&w, f_)->m.current_bytes, 8);
	ck_assert_int_eq(row_named(&w, g_)->m.current_bytes, 9);
	ck_assert_int_eq(row_named(&w, main_)->m.current_bytes, 9);
	ck_assert_uint_eq(row_named(&w, main_)->m.peak_bytes, 9);
	ck_assert(row_named(&w, main_)->m.peak_is_exact);
	forget(&w);
	make(&w, BY_LINE, true);
	ck_assert_int_eq(row_at(&w, a_c, 10)->m.current_bytes, 8);
	ck_assert_int_eq(row_at(&w, a_c, 11)->m.current_bytes, 8);
	ck_assert_int_eq(row_at(&w, a_c, 20)->m.current_bytes, 9);
	world_free(&w);
}
END_TEST

START_TEST(inlined_functions_count_cumulatively)
{
	struct world w = world_new();

	alloc(&w, SITE(&w, SELF, INLINED, MAIN), 8);
	make(&w, BY_FUNCTION, true);
	ck_assert_uint_eq(w.profile->row_count, 4);
	ck_assert_int_eq(row_named(&w, xmalloc_)->m.current_bytes, 8);
	ck_assert_int_eq(row_named(&w, small_)->m.current_bytes, 8);
	ck_assert_int_eq(row_named(&w, h_)->m.current_bytes, 8);
	world_free(&w);
}
END_TEST

/* ---- order */

START_TEST(sort_keys_have_short_forms)
{
	static const struct {
		const char *name;
		enum sort_key key;
	} cases[] = {
		{ "current_bytes", SORT_CURRENT_BYTES },
		{ "current-blocks", SORT_CURRENT_BLOCKS },
		{ "current", SORT_CURRENT_BYTES },
		{ "peak", SORT_PEAK_BYTES },
		{ "at-peak", SORT_AT_PEAK_BYTES },
		{ "at", SORT_AT_PEAK_BYTES },
		{ "allocated", SORT_ALLOCATED_BYTES },
		{ "allocations", SORT_ALLOCATIONS },
		{ "count", SORT_ALLOCATIONS },
		{ "tempo", SORT_TEMPORARY },
		{ "n", SORT_NAME },
	};
	enum sort_key key;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_msg(sort_key_find(cases[i].name, &key), "%s", cases[i].name);
		ck_assert_int_eq(key, cases[i].key);
	}
	ck_assert(!sort_key_find("", &key));
	ck_assert(!sort_key_find("a", &key)); /* at_peak_bytes, allocated_bytes, allocations */
	ck_assert(!sort_key_find("peaks", &key));
}
END_TEST

START_TEST(rows_are_sorted_and_ties_are_decided)
{
	struct world w = world_new();

	alloc(&w, SITE(&w, H30, MAIN), 5);
	alloc(&w, SITE(&w, F11, MAIN), 5);
	alloc(&w, SITE(&w, F10, MAIN), 5);
	alloc(&w, SITE(&w, G20, MAIN), 7);
	make(&w, BY_LINE, false);
	profile_sort(w.profile, SORT_AT_PEAK_BYTES);
	ck_assert_uint_eq(w.profile->rows[0].line, 20);
	ck_assert_uint_eq(w.profile->rows[1].line, 10);
	ck_assert_uint_eq(w.profile->rows[2].line, 11);
	ck_assert_uint_eq(w.profile->rows[3].line, 30);
	world_free(&w);
}
END_TEST

UNIT_SUITE("profile", wrappers_are_looked_through, inlined_wrappers_are_looked_through_too,
	only_wrappers_give_the_outermost, only_libraries_give_the_innermost_but_libc,
	a_stack_of_nothing_is_a_row, frames_flagged_by_the_library_are_wrappers,
	without_lines_each_call_is_a_row, functions_on_one_line_are_one_row,
	mappings_are_rows_of_their_own, rows_by_everything, only_what_is_needed_is_symbolized,
	a_whole_line_has_an_exact_peak, rows_of_several_lines_have_a_bound,
	what_never_shrank_is_exact, what_was_highest_at_the_peak_is_exact,
	no_peak_is_above_the_programs, with_threads_no_peak_is_exact, claims_about_peaks_are_true,
	recursion_counts_once, inlined_functions_count_cumulatively, sort_keys_have_short_forms,
	rows_are_sorted_and_ties_are_decided)
