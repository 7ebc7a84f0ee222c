/* SPDX-License-Identifier: MIT */
/* test_merge.c - sums of traces against a plain sum of what their call stacks say; packed and
 * copied traces. */
#include "analyzer/trace/measures.h"
#include "analyzer/views/merge.h"
#include "analyzer/base/packing.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/trace_write.h"
#include "trace_builder.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- a plain sum: call stacks as texts, and what they say */

struct entry {
	char *stack;
	struct measures m;
	uint64_t leaks[MT_LEAK_UNCLASSIFIED + 1];
	uint64_t held, holds; /* bytes */
};

struct sum {
	struct entry entries[512];
	size_t count;
	struct measures total;
	uint64_t peak;
};

static char *stack_text(const struct trace *t, uint32_t site)
{
	const struct mt_site_info *info = &t->site_info[site];
	uint32_t node = info->node;
	struct strbuf text = { 0 };

	strbuf_addf(&text, "%u", info->call ? t->calls[info->call].kind : MT_KIND_HEAP);
	for (; node >= MT_NODE_FIRST; node = t->nodes[node].parent) {
		const struct mt_frame *f = &t->frames[t->nodes[node].frame];
		const struct mt_module *m = f->module ? &t->modules[f->module] : NULL;

		strbuf_addf(&text, " %s+%llx/%u", m ? trace_string(t, m->path) : "-",
			(unsigned long long)(f->address - (m ? m->bias : 0)), f->flags);
	}
	strbuf_addf(&text, " root %u", node);
	return text.text;
}

static struct entry *entry_of(struct sum *sum, char *stack)
{
	for (size_t i = 0; i < sum->count; i++) {
		if (strcmp(sum->entries[i].stack, stack) == 0) {
			free(stack);
			return &sum->entries[i];
		}
	}
	sum->entries[sum->count].stack = stack;
	return &sum->entries[sum->count++];
}

static void add_trace(struct sum *sum, const struct trace *t)
{
	struct measures *sites = site_measures(t);
	struct totals totals = program_totals(t, sites);

	for (uint32_t i = 1; i < t->site_count; i++) {
		struct entry *e = entry_of(sum, stack_text(t, i));

		measures_add(&e->m, &sites[i]);
		e->m.peak_bytes += sites[i].peak_bytes;
	}
	for (uint32_t i = 0; i < t->leak_count; i++)
		entry_of(sum, stack_text(t, t->leaks[i].site))->leaks[t->leaks[i].kind] +=
			t->leaks[i].bytes;
	for (uint32_t i = 0; i < t->held_count; i++) {
		entry_of(sum, stack_text(t, t->held[i].owner))->holds += t->held[i].bytes;
		entry_of(sum, stack_text(t, t->held[i].site))->held += t->held[i].bytes;
	}
	measures_add(&sum->total, &totals.all);
	sum->peak += totals.all.peak_bytes;
	free(sites);
}

static void release(struct sum *sum)
{
	for (size_t i = 0; i < sum->count; i++)
		free(sum->entries[i].stack);
}

static void same_measures(const struct measures *a, const struct measures *b)
{
	ck_assert_int_eq(a->current_bytes, b->current_bytes);
	ck_assert_int_eq(a->current_blocks, b->current_blocks);
	ck_assert_uint_eq(a->at_peak_bytes, b->at_peak_bytes);
	ck_assert_uint_eq(a->at_peak_blocks, b->at_peak_blocks);
	ck_assert_uint_eq(a->allocated_bytes, b->allocated_bytes);
	ck_assert_uint_eq(a->allocations, b->allocations);
	ck_assert_uint_eq(a->frees, b->frees);
	ck_assert_uint_eq(a->temporary, b->temporary);
}

static void same_sums(struct sum *a, struct sum *b)
{
	ck_assert_uint_eq(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		struct entry *other = entry_of(b, strdup(a->entries[i].stack));

		same_measures(&a->entries[i].m, &other->m);
		ck_assert_uint_eq(a->entries[i].m.peak_bytes, other->m.peak_bytes);
		ck_assert_mem_eq(a->entries[i].leaks, other->leaks, sizeof(other->leaks));
		ck_assert_uint_eq(a->entries[i].held, other->held);
		ck_assert_uint_eq(a->entries[i].holds, other->holds);
	}
	ck_assert_uint_eq(a->count, b->count);
	same_measures(&a->total, &b->total);
	ck_assert_uint_eq(a->peak, b->peak);
}

/* ---- traces */

static char path[64];

static const char *temporary(void)
{
	snprintf(path, sizeof(path), "/tmp/test_merge.%d", (int)getpid());
	return path;
}

static struct trace *opened(const char *file)
{
	char why[256] = "";
	struct trace *t = trace_open(file, why, sizeof(why));

	ck_assert_msg(t != NULL, "%s", why);
	return t;
}

static struct trace *written(struct builder *b)
{
	struct trace *t;

	ck_assert(builder_write(b, temporary()));
	t = opened(path);
	unlink(path);
	return t;
}

static unsigned seed;

static uint32_t below(uint32_t limit)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % limit;
}

/* Modules are loaded elsewhere in each trace, in another order. */
static void add_modules(struct builder *b, uint32_t trace, uint32_t modules[3])
{
	static const char *const paths[] = { "/opt/app", "/lib/liba.so", "/lib/libb.so" };

	for (uint32_t i = 0; i < 3; i++) {
		uint32_t k = (i + trace) % 3;
		uint64_t start = 0x10000000ull * (i + 1) + 0x100000ull * trace;

		modules[k] = builder_module(
			b, paths[k], start, start, start + 0x100000, k ? 0 : MT_MODULE_EXE);
	}
}

static uint32_t random_site(struct builder *b, uint32_t trace, const uint32_t modules[3])
{
	uint32_t frames[4];
	size_t count = 1 + below(4);

	for (size_t i = 0; i < count; i++) {
		uint32_t k = below(3);
		uint64_t start =
			0x10000000ull * ((k + 3 - trace % 3) % 3 + 1) + 0x100000ull * trace;

		if (below(8) == 0)
			frames[i] = builder_frame(b, 0, 0x7000 + below(3), 0);
		else
			frames[i] =
				builder_frame(b, modules[k], start + 0x100 + below(5), below(2));
	}
	return builder_site(b, below(10) ? MT_NODE_ROOT : MT_NODE_DEEP,
		below(10) ? MT_KIND_HEAP : MT_KIND_MMAP, frames, count);
}

#define SITES 24

static struct trace *random_trace(uint32_t trace, bool threads)
{
	struct builder *b = builder_new();
	uint32_t modules[3], sites[SITES];
	uint64_t live[SITES] = { 0 };
	struct trace *t;

	builder_program(b, "/opt/app");
	builder_argument(b, "app");
	add_modules(b, trace, modules);
	for (int i = 0; i < SITES; i++)
		sites[i] = random_site(b, trace, modules);
	for (int i = 0; i < 2000; i++) {
		uint32_t k = below(SITES), lane = 0;
		uint64_t size = 8 * (1 + k); /* one size a site, so that any block may go */

		if (threads && i == 1000)
			builder_thread(b, "worker", 77);
		if (threads && i >= 1000)
			lane = below(2);
		if (live[k] && below(2)) {
			builder_release(b, lane, sites[k], size);
			live[k]--;
		} else {
			builder_alloc(b, lane, sites[k], size, below(3) == 0);
			live[k]++;
		}
	}
	for (int i = 0; i < SITES; i += 3)
		builder_leak(b, sites[i], 1 + below(4), 8, 1);
	for (int i = 0; i < SITES; i += 2)
		builder_held(b, sites[i], sites[below(SITES)], 8, 1);
	builder_header(b)->scan_state = MT_SCAN_DONE;
	builder_header(b)->foreign_frees = trace;
	builder_header(b)->lost[1] = trace + 1;
	t = written(b);
	builder_free(b);
	return t;
}

/* A copy, through a file. */
static struct trace *copied(const struct trace *original, bool packed)
{
	struct trace_writer w;
	struct trace *t;
	uint64_t size;

	trace_writer_copy(&w, original, true);
	ck_assert_int_eq(trace_writer_save(&w, temporary(), packed, &size), 0);
	trace_writer_release(&w);
	t = opened(path);
	ck_assert_uint_eq(t->file_size, size);
	ck_assert(t->packed == packed);
	unlink(path);
	return t;
}

/* The sum, through a file. */
static struct trace *saved(struct merge *merge, bool packed)
{
	char why[256] = "";
	struct trace *sum = merge_finish(merge, "sum", why, sizeof(why)), *t;

	ck_assert_msg(sum != NULL, "%s", why);
	ck_assert_str_eq(sum->path, "sum");
	t = copied(sum, packed);
	trace_free(sum);
	return t;
}

static void merge_and_compare(uint32_t count, bool threads, bool packed)
{
	struct merge *merge = merge_new();
	struct sum expected = { .count = 0 }, got = { .count = 0 };
	uint64_t lost = 0;
	struct trace *t;

	for (uint32_t i = 0; i < count; i++) {
		t = random_trace(i, threads && i % 2);
		lost += t->header.lost[1];
		add_trace(&expected, t);
		merge_add(merge, t);
		trace_free(t);
	}
	t = saved(merge, packed);
	add_trace(&got, t);
	same_sums(&expected, &got);
	ck_assert_uint_eq(t->header.lost[1], lost);
	ck_assert_uint_eq(t->header.merged, count);
	ck_assert_uint_eq(t->header.scan_state, MT_SCAN_DONE);
	ck_assert(t->header.flags & MT_NOTE_MERGED);
	ck_assert_str_eq(trace_program(t), "/opt/app");
	ck_assert_uint_eq(t->module_count, 4);
	trace_free(t);
	merge_free(merge);
	release(&expected);
	release(&got);
}

START_TEST(a_sum_says_what_its_parts_say)
{
	for (seed = 1; seed < 20; seed += 3) {
		merge_and_compare(1, false, false);
		merge_and_compare(2, false, true);
		merge_and_compare(5, true, false);
	}
}
END_TEST

START_TEST(threads_stay_threads_of_their_own)
{
	struct merge *merge = merge_new();
	struct measures *lanes;
	struct trace *t;
	uint64_t counts[3];

	seed = 5;
	for (uint32_t i = 0; i < 2; i++) {
		t = random_trace(i, i == 1);
		lanes = lane_measures(t);
		counts[i] = lanes[0].allocations;
		counts[2] = lanes[t->lane_count - 1].allocations;
		merge_add(merge, t);
		free(lanes);
		trace_free(t);
	}
	t = saved(merge, false);
	ck_assert_uint_eq(t->lane_count, 3);
	ck_assert_str_eq(t->lanes[2].name, "worker");
	lanes = lane_measures(t);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(lanes[i].allocations, counts[i]);
	free(lanes);
	trace_free(t);
	merge_free(merge);
}
END_TEST

/* Bytes of the leaks of one kind. */
static uint64_t leaks_of(const struct trace *t, uint32_t kind)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < t->leak_count; i++)
		bytes += t->leaks[i].kind == kind ? t->leaks[i].bytes : 0;
	return bytes;
}

/* `blind` of two processes did not look. */
static void merge_blind(uint32_t blind)
{
	struct merge *merge = merge_new();
	uint64_t unclassified = 0, lost = 0;
	struct trace *t;

	seed = 9;
	for (uint32_t i = 0; i < 2; i++) {
		struct measures *sites;

		t = random_trace(i, false);
		sites = site_measures(t);
		if (i < blind) {
			t->header.scan_state = MT_SCAN_FAILED;
			unclassified += (uint64_t)program_totals(t, sites).all.current_bytes;
		} else {
			lost += leaks_of(t, MT_LEAK_LOST);
		}
		merge_add(merge, t);
		free(sites);
		trace_free(t);
	}
	t = saved(merge, false);
	ck_assert_uint_eq(t->header.scan_state, blind < 2 ? MT_SCAN_DONE : MT_SCAN_NONE);
	ck_assert_uint_eq(leaks_of(t, MT_LEAK_UNCLASSIFIED), blind < 2 ? unclassified : 0);
	ck_assert_uint_eq(leaks_of(t, MT_LEAK_LOST), lost);
	trace_free(t);
	merge_free(merge);
}

START_TEST(blocks_of_those_that_did_not_look_are_unclassified)
{
	merge_blind(0);
	merge_blind(1);
	merge_blind(2);
}
END_TEST

/* A merge of merges is a merge of all. */
START_TEST(sums_can_be_added)
{
	struct merge *all = merge_new(), *some = merge_new(), *both = merge_new();
	struct sum expected = { .count = 0 }, got = { .count = 0 };
	struct trace *traces[3], *sum, *total;

	seed = 11;
	for (uint32_t i = 0; i < 3; i++) {
		traces[i] = random_trace(i, i == 2);
		merge_add(all, traces[i]);
		if (i < 2)
			merge_add(some, traces[i]);
	}
	sum = saved(some, true);
	merge_add(both, sum);
	merge_add(both, traces[2]);
	trace_free(sum);
	sum = saved(both, false);
	total = saved(all, false);
	add_trace(&got, sum);
	add_trace(&expected, total);
	same_sums(&expected, &got);
	ck_assert_uint_eq(sum->header.merged, 3);
	for (int i = 0; i < 3; i++)
		trace_free(traces[i]);
	trace_free(sum);
	trace_free(total);
	merge_free(all);
	merge_free(some);
	merge_free(both);
	release(&expected);
	release(&got);
}
END_TEST

START_TEST(a_copy_says_the_same)
{
	struct sum expected = { .count = 0 }, got = { .count = 0 };
	struct trace *t, *copy;

	seed = 13;
	t = random_trace(1, true);
	copy = copied(t, true);
	add_trace(&expected, t);
	add_trace(&got, copy);
	same_sums(&expected, &got);
	ck_assert_uint_eq(copy->state, t->state);
	ck_assert(copy->header.flags & MT_NOTE_COPY);
	trace_free(t);
	trace_free(copy);
	release(&expected);
	release(&got);
}
END_TEST

/* ---- files */

static void put(const void *bytes, size_t size)
{
	FILE *f = fopen(temporary(), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(what_is_no_trace_is_not_replaced)
{
	char kept[8] = "", text[] = "precious";
	struct trace_writer w;
	uint64_t size;
	FILE *f;

	put(text, sizeof(text) - 1);
	trace_writer_init(&w);
	w.header.state = MT_STATE_EXITED;
	ck_assert_int_eq(trace_writer_save(&w, path, false, &size), 2);
	f = fopen(path, "r");
	ck_assert_uint_eq(fread(kept, 1, sizeof(kept), f), 8);
	fclose(f);
	ck_assert_mem_eq(kept, text, 8);
	unlink(path);
	ck_assert_int_eq(trace_writer_save(&w, path, false, &size), 0);
	ck_assert_int_eq(trace_writer_save(&w, path, true, &size), 0);
	ck_assert_int_eq(trace_writer_save(&w, path, false, &size), 0);
	ck_assert_int_eq(trace_writer_save(&w, "/nowhere/at/all", false, &size), 2);
	unlink(path);
	trace_writer_release(&w);
}
END_TEST

static void refused(const char *expected)
{
	char why[256] = "";
	struct trace *t = trace_open(path, why, sizeof(why));

	ck_assert_ptr_null(t);
	ck_assert_msg(strstr(why, expected) != NULL, "'%s' instead of '%s'", why, expected);
	unlink(path);
}

START_TEST(damaged_packed_traces_are_refused)
{
	char why[256];
	size_t size, bomb_size = 300u << 20;
	unsigned char *packed, *bomb = calloc(bomb_size, 1);
	struct builder *b = builder_new();
	unsigned char *bytes = builder_bytes(b, &size);
	size_t packed_size;

	packed = pack_bytes(bytes, size, &packed_size, why, sizeof(why));
	put(packed, packed_size);
	trace_free(opened(path));
	put(packed, packed_size - 5);
	refused("truncated");
	put(packed, 6);
	refused("");
	packed[packed_size / 2] ^= 0x55;
	put(packed, packed_size);
	refused("corrupt");
	free(packed);
	packed = pack_bytes("no trace at all", 15, &packed_size, why, sizeof(why));
	put(packed, packed_size);
	refused("not a trace");
	free(packed);
	memcpy(bomb, bytes, size);
	packed = pack_bytes(bomb, bomb_size, &packed_size, why, sizeof(why));
	ck_assert_uint_lt(packed_size, 1u << 20);
	put(packed, packed_size);
	refused("decompresses to more than");
	free(packed);
	free(bomb);
	free(bytes);
	builder_free(b);
}
END_TEST

UNIT_SUITE("merge", a_sum_says_what_its_parts_say, threads_stay_threads_of_their_own,
	blocks_of_those_that_did_not_look_are_unclassified, sums_can_be_added, a_copy_says_the_same,
	what_is_no_trace_is_not_replaced, damaged_packed_traces_are_refused)
