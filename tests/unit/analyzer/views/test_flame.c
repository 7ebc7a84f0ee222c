/* SPDX-License-Identifier: MIT */
/* test_flame.c - which calls of a tree have a box, and where: of trees made here. */
#include "unit.h"

#include "analyzer/base/mem.h"
#include "analyzer/views/flame.h"

#include <stdlib.h>
#include <string.h>

#define LARGE 1000000

/* Each call's own bytes; what is below it is added. Children come after their parents. */
struct planted {
	struct calltree tree;
	size_t room;
};

static uint32_t plant(struct planted *p, uint32_t parent, uint64_t own)
{
	struct call call = {
		.function = "f", .parent = parent, .first_child = CALL_NONE, .next = CALL_NONE
	};

	call.own.at_peak_bytes = own;
	VEC_PUSH(p->tree.calls, p->tree.count, p->room, call);
	return (uint32_t)p->tree.count - 1;
}

static struct flame *grow(struct planted *p, double least, size_t most)
{
	for (size_t i = p->tree.count; i-- > 0;) {
		struct call *call = &p->tree.calls[i];

		measures_add(&call->all, &call->own);
		if (i)
			measures_add(&p->tree.calls[call->parent].all, &call->all);
	}
	calltree_sort(&p->tree, SORT_AT_PEAK_BYTES);
	return flame_new(&p->tree, SORT_AT_PEAK_BYTES, least, most);
}

/* Boxes lie in their callers', one beside the other. */
static void check_layout(const struct flame *f)
{
	double *end = mem_zalloc(f->deepest + 2, sizeof(*end));	    /* of the last box of a level */
	double *start = mem_zalloc(f->deepest + 2, sizeof(*start)); /* where its next call may be */

	for (size_t i = 0; i < f->count; i++) {
		const struct flame_box *b = &f->boxes[i];

		if (i) {
			ck_assert_uint_gt(b->depth, 0);
			ck_assert(b->start + b->width <= end[b->depth - 1]);
		}
		if (i && !b->rest) {
			ck_assert(b->start == start[b->depth - 1]);
			start[b->depth - 1] += b->width;
		}
		if (!b->rest) {
			start[b->depth] = b->start;
			end[b->depth] = b->start + b->width;
		}
	}
	free(end);
	free(start);
}

START_TEST(narrow_calls_are_one_box)
{
	struct planted p = { { 0 } };
	uint32_t wide;
	struct flame *f;

	plant(&p, 0, 0);
	wide = plant(&p, 0, 500);
	for (int i = 0; i < 60; i++)
		plant(&p, 0, 5);
	plant(&p, wide, 3);
	f = grow(&p, 10, 100);
	check_layout(f);
	ck_assert_uint_eq(f->count, 3);
	ck_assert_int_eq(f->boxes[0].value, 803);
	ck_assert_uint_eq(f->boxes[1].rest, 60);
	ck_assert_int_eq(f->boxes[1].value, 300);
	ck_assert(f->boxes[1].start == 503);
	ck_assert_uint_eq(f->boxes[2].call, wide);
	ck_assert_int_eq(f->boxes[2].value, 503);
	ck_assert_uint_eq(f->without, 61);
	flame_free(f);
	free(p.tree.calls);
}
END_TEST

START_TEST(nothing_has_no_box)
{
	struct planted p = { { 0 } };
	struct flame *f;

	plant(&p, 0, 0);
	plant(&p, 0, 0);
	f = grow(&p, 0, 100);
	ck_assert_uint_eq(f->count, 0);
	flame_free(f);
	free(p.tree.calls);
}
END_TEST

START_TEST(calls_without_the_measure_are_not_missed)
{
	struct planted p = { { 0 } };
	uint32_t wide;
	struct flame *f;

	plant(&p, 0, 0);
	wide = plant(&p, 0, 500);
	plant(&p, wide, 20);
	for (int i = 0; i < 3; i++) {
		plant(&p, wide, 0);
		plant(&p, wide, 6);
	}
	f = grow(&p, 10, 100);
	check_layout(f);
	ck_assert_uint_eq(f->count, 4);
	ck_assert_uint_eq(f->boxes[2].rest, 3);
	ck_assert_int_eq(f->boxes[2].value, 18);
	ck_assert_uint_eq(f->without, 3);
	flame_free(f);
	free(p.tree.calls);
}
END_TEST

START_TEST(a_million_levels_are_bounded)
{
	struct planted p = { { 0 } };
	struct flame *f;

	plant(&p, 0, 0);
	for (uint32_t i = 0; i < LARGE; i++)
		plant(&p, i, i == LARGE - 1 ? 4096 : 0);
	f = grow(&p, 1, 5000);
	check_layout(f);
	ck_assert_uint_eq(f->count, 5001);
	ck_assert_uint_eq(f->boxes[5000].rest, 1);
	ck_assert_int_eq(f->boxes[5000].value, 4096);
	ck_assert_uint_eq(f->without, LARGE + 1 - 5000);
	flame_free(f);
	f = flame_new(&p.tree, SORT_AT_PEAK_BYTES, 1, LARGE + 1);
	ck_assert_uint_eq(f->deepest, LARGE);
	flame_free(f);
	free(p.tree.calls);
}
END_TEST

START_TEST(a_million_calls_are_bounded)
{
	struct planted p = { { 0 } };
	struct flame *f;

	plant(&p, 0, 0);
	for (uint32_t i = 1; i <= LARGE; i++)
		plant(&p, i / 7, i % 100 + 1);
	f = grow(&p, 100, 5000);
	check_layout(f);
	ck_assert_uint_le(f->count, 10000);
	ck_assert_uint_eq(f->without, LARGE + 1 - 5000);
	flame_free(f);
	free(p.tree.calls);
}
END_TEST

/* In a damaged trace a call may have less than the calls below it. */
START_TEST(calls_stay_inside_their_caller)
{
	struct planted p = { { 0 } };
	struct flame *f;

	plant(&p, 0, 0);
	plant(&p, 0, 100);
	plant(&p, 0, 90);
	plant(&p, 0, 80);
	f = grow(&p, 1, 100);
	flame_free(f);
	p.tree.calls[0].all.at_peak_bytes = 150;
	f = flame_new(&p.tree, SORT_AT_PEAK_BYTES, 1, 100);
	check_layout(f);
	ck_assert_uint_eq(f->count, 3);
	ck_assert(f->boxes[2].width == 50);
	flame_free(f);
	free(p.tree.calls);
}
END_TEST

UNIT_SUITE("flame", narrow_calls_are_one_box, nothing_has_no_box,
	calls_without_the_measure_are_not_missed, a_million_levels_are_bounded,
	a_million_calls_are_bounded, calls_stay_inside_their_caller)
