/* SPDX-License-Identifier: MIT */
/* test_moment.c - a trace at its snapshots, its peak and its points, beside what was held then. */
#include "analyzer/base/array.h"
#include "unit.h"

#include <string.h>

#include "analyzer/trace/measures.h"
#include "analyzer/trace/moment.h"
#include "trace_builder.h"

#define SITES 20
#define MOMENTS 12

static char why[512];

struct then {
	struct builder_truth sites[SITES];
	struct mt_header header;
};

static uint32_t ids[SITES];
static struct then taken[MOMENTS];

static struct trace *open_built(struct builder *b)
{
	size_t size;
	unsigned char *bytes = builder_bytes(b, &size);
	struct trace *t = trace_from_bytes(bytes, size, "t", why, sizeof(why));

	ck_assert_msg(t != NULL, "%s", why);
	return t;
}

static void random_event(struct builder *b, uint32_t lanes)
{
	static uint64_t held[SITES];
	uint32_t n = (uint32_t)random() % SITES, lane = (uint32_t)random() % lanes;
	uint64_t bytes = (uint64_t)random() % 1000;

	if (random() % 2 && held[n] >= bytes) {
		builder_release(b, lane, ids[n], bytes);
		held[n] -= bytes;
	} else {
		builder_alloc(b, lane, ids[n], bytes, false);
		held[n] += bytes;
	}
}

static void take(struct builder *b, int i)
{
	char label[16];

	snprintf(label, sizeof(label), "s%d", i);
	builder_snapshot(b, (uint64_t)(i + 1) * 1000000000, label);
	for (uint32_t k = 0; k < SITES; k++)
		taken[i].sites[k] = builder_site_truth(b, ids[k]);
	taken[i].header = *builder_header(b);
}

/* Three sites have one call instruction; from the middle on there is a second thread. */
static struct builder *random_trace(void)
{
	struct builder *b = builder_new();
	uint32_t lanes = 1;

	for (uint32_t i = 0; i < SITES; i++) {
		uint32_t frames[2] = { builder_frame(b, 0, 0x1000 + (i < 3 ? 0 : i), 0),
			builder_frame(b, 0, 0x2000 + i, 0) };

		ids[i] = builder_site(b, MT_NODE_ROOT, MT_KIND_HEAP, frames, 2);
	}
	for (int i = 0; i < MOMENTS; i++) {
		/* Between some nothing happens, between others little. */
		for (int k = 0; k < (i % 4 == 1 ? 0 : i % 4 == 2 ? 3 : 500); k++)
			random_event(b, lanes);
		if (i == MOMENTS / 2)
			lanes = builder_thread(b, "w", 2) + 1;
		take(b, i);
	}
	return b;
}

static void check_moment(const struct then *then, const struct trace *t)
{
	struct measures *sites = site_measures(t);
	struct totals totals = program_totals(t, sites);
	uint64_t at_peak = 0;

	for (uint32_t k = 0; k < SITES; k++) {
		const struct measures *m = &sites[ids[k]];
		const struct builder_truth *truth = &then->sites[k];

		ck_assert_int_eq(m->current_bytes, (int64_t)truth->current_bytes);
		ck_assert_uint_eq(m->peak_bytes, truth->peak_bytes);
		ck_assert_uint_eq(m->at_peak_bytes, truth->at_peak_bytes);
		ck_assert_uint_eq(m->allocated_bytes, truth->allocated_bytes);
		ck_assert_uint_eq(m->allocations, truth->allocations);
		at_peak += m->at_peak_bytes;
	}
	ck_assert_uint_eq(totals.all.peak_bytes, then->header.peak_bytes);
	ck_assert_uint_eq(at_peak, then->header.peak_bytes);
	ck_assert_int_eq(totals.all.current_bytes, (int64_t)then->header.live_bytes);
	free(sites);
}

START_TEST(a_snapshot_is_the_state_of_then)
{
	struct builder *b;
	char label[16];

	srandom(11);
	b = random_trace();
	for (int i = 0; i < MOMENTS; i++) {
		struct trace *t = open_built(b);

		snprintf(label, sizeof(label), "s%d", i);
		ck_assert_msg(trace_go_to(t, label, why, sizeof(why)), "%s", why);
		ck_assert_int_eq(t->moment.kind, MOMENT_SNAPSHOT);
		ck_assert_str_eq(t->moment.label, label);
		ck_assert_uint_eq(t->header.end_ns, (uint64_t)(i + 1) * 1000000000);
		ck_assert_uint_eq(t->snapshot_count, i + 1);
		check_moment(&taken[i], t);
		trace_free(t);
	}
	builder_free(b);
}
END_TEST

/* The peak of the call instruction of three sites is in the last row of these. */
START_TEST(calls_have_their_peaks_of_then)
{
	struct builder *b;

	srandom(12);
	b = builder_new();
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t frames[2] = { builder_frame(b, 0, 0x1000, 0),
			builder_frame(b, 0, 0x2000 + i, 0) };

		ids[i] = builder_site(b, MT_NODE_ROOT, MT_KIND_HEAP, frames, 2);
	}
	builder_alloc(b, 0, ids[0], 100, false);
	builder_snapshot(b, 1, "a");
	builder_alloc(b, 0, ids[1], 50, false);
	builder_snapshot(b, 2, "b");
	builder_release(b, 0, ids[1], 50);
	builder_alloc(b, 0, ids[0], 20, false);
	builder_snapshot(b, 3, "c");
	builder_alloc(b, 0, ids[0], 1000, false);
	for (int i = 0; i < 3; i++) {
		static const uint64_t peaks[] = { 100, 150, 150 };
		struct trace *t = open_built(b);
		char label[2] = { (char)('a' + i), '\0' };

		ck_assert(trace_go_to(t, label, why, sizeof(why)));
		ck_assert_uint_eq(t->calls[1].peak_bytes, peaks[i]);
		trace_free(t);
	}
	builder_free(b);
}
END_TEST

START_TEST(the_peak_knows_what_was_held)
{
	struct builder *b;
	struct trace *t;
	struct measures *sites;
	int64_t sum = 0;

	srandom(13);
	b = random_trace();
	t = open_built(b);
	ck_assert(trace_go_to(t, "peak", why, sizeof(why)));
	sites = site_measures(t);
	for (uint32_t k = 0; k < SITES; k++) {
		struct builder_truth truth = builder_site_truth(b, ids[k]);

		ck_assert_int_eq(sites[ids[k]].current_bytes, (int64_t)truth.at_peak_bytes);
		ck_assert_uint_eq(sites[ids[k]].at_peak_bytes, truth.at_peak_bytes);
		ck_assert(sites[ids[k]].unknown & UNKNOWN_TOTALS);
		ck_assert_uint_eq(sites[ids[k]].allocations, 0);
		sum += sites[ids[k]].current_bytes;
	}
	ck_assert_int_eq(sum, (int64_t)builder_header(b)->peak_bytes);
	free(sites);
	trace_free(t);
	builder_free(b);
}
END_TEST

static const struct {
	const char *moment, *says;
} unknown[] = {
	{ "", "no moment is named behind the @; there are s0, s1, s2, s3, s4, s5, s6, s7, 4 more, "
	      "peak and "
	      "end, and times such as 1.5s" },
	{ "s12", "no snapshot 's12'; did you mean 's1'? There are " },
	{ "pea", "no snapshot 'pea'; did you mean 'peak'? There are " },
	{ "elsewhere", "no snapshot 'elsewhere'; there are " },
	{ "1.5", "no snapshot '1.5'; " },
	{ "1..5s", "no snapshot '1..5s'; " },
	{ "1e3s", "no snapshot '1e3s'; " },
	{ "-1s", "no snapshot '-1s'; " },
	{ "99999999999h", "no snapshot '99999999999h'; " },
};

START_TEST(an_unknown_moment_is_told_from_what_there_is)
{
	struct builder *b;

	srandom(14);
	b = random_trace();
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		struct trace *t = open_built(b);

		ck_assert(!trace_go_to(t, unknown[i].moment, why, sizeof(why)));
		ck_assert_msg(
			strncmp(why, unknown[i].says, strlen(unknown[i].says)) == 0, "%s", why);
		ck_assert_int_eq(t->moment.kind, MOMENT_END);
		ck_assert_uint_eq(t->snapshot_count, MOMENTS);
		trace_free(t);
	}
	builder_free(b);
}
END_TEST

/* Snapshots are at whole seconds, a point between two of them. */
static const struct {
	const char *time;
	enum moment_kind kind;
	uint64_t ns;
} times[] = {
	{ "0s", MOMENT_SNAPSHOT, 1000000000 },
	{ "3200ms", MOMENT_SNAPSHOT, 3000000000 },
	{ "3.4s", MOMENT_POINT, 3500000000 },
	{ "3500000us", MOMENT_POINT, 3500000000 },
	{ "0.0583333min", MOMENT_POINT, 3500000000 },
	{ "1h", MOMENT_SNAPSHOT, 12000000000 },
};

START_TEST(a_time_is_the_nearest_moment)
{
	struct builder *b;

	srandom(15);
	b = random_trace();
	builder_point(b, MT_POINT_REGULAR, 3500000000, "");
	builder_share(b, ids[5], 77);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		struct trace *t = open_built(b);

		ck_assert(trace_go_to(t, times[i].time, why, sizeof(why)));
		ck_assert_msg(t->moment.kind == times[i].kind, "%s", times[i].time);
		ck_assert_uint_eq(t->moment.ns, times[i].ns);
		if (t->moment.kind == MOMENT_POINT) {
			struct measures *sites = site_measures(t);
			struct totals totals = program_totals(t, sites);

			ck_assert_int_eq(sites[ids[5]].current_bytes, 77);
			ck_assert_int_eq(sites[ids[4]].current_bytes, 0);
			ck_assert_int_eq(
				totals.all.current_bytes, (int64_t)builder_header(b)->live_bytes);
			free(sites);
		}
		trace_free(t);
	}
	builder_free(b);
}
END_TEST

START_TEST(rows_that_no_snapshot_counts_are_none)
{
	struct builder *b;
	struct mt_snapshot_row *rows;
	unsigned char *bytes;
	uint64_t count;
	size_t size;
	struct trace *t;

	srandom(16);
	b = random_trace();
	builder_alloc(b, 0, ids[7], 1 << 20, false);
	builder_snapshot(b, 14000000000, "cut short");
	rows = builder_table(b, MT_SNAPSHOT_ROWS, &count);
	rows[count - 1].site = 0; /* was being written */
	bytes = builder_bytes(b, &size);
	((struct mt_header *)(void *)bytes)->tables[MT_SNAPSHOTS].count--;
	t = trace_from_bytes(bytes, size, "t", why, sizeof(why));
	ck_assert_msg(t != NULL, "%s", why);
	ck_assert(!trace_go_to(t, "cut short", why, sizeof(why)));
	ck_assert(trace_go_to(t, "s11", why, sizeof(why)));
	check_moment(&taken[11], t);
	trace_free(t);
	builder_free(b);
}
END_TEST

UNIT_SUITE("moment", a_snapshot_is_the_state_of_then, calls_have_their_peaks_of_then,
	the_peak_knows_what_was_held, an_unknown_moment_is_told_from_what_there_is,
	a_time_is_the_nearest_moment, rows_that_no_snapshot_counts_are_none)
