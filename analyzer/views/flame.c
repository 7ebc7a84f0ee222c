/* SPDX-License-Identifier: MIT */
/* flame.c - chooses the calls that have a box, and lays them out. */
#include "analyzer/views/flame.h"
#include "analyzer/base/mem.h"

#include <stdlib.h>

struct layout {
	const struct calltree *tree;
	enum sort_key key;
	double least;
	bool *shown;   /* by call: has a box */
	double *start; /* by call that is shown */
	double *width;
	struct flame *flame;
};

static int64_t value_of(const struct calltree *tree, enum sort_key key, uint32_t call)
{
	int64_t value = sort_measure(&tree->calls[call].all, key);

	return value > 0 ? value : 0;
}

/* ---- who has a box */

static int compare_values(const void *left, const void *right, void *context)
{
	const struct layout *l = context;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	int64_t x = value_of(l->tree, l->key, a), y = value_of(l->tree, l->key, b);

	/* Callers come first where all is equal. */
	return x != y ? (x < y ? 1 : -1) : (a > b) - (a < b);
}

static void choose(struct layout *l, size_t most)
{
	uint32_t *wide = mem_zalloc(l->tree->count, sizeof(*wide));
	size_t count = 0;

	for (uint32_t i = 0; i < l->tree->count; i++) {
		int64_t value = value_of(l->tree, l->key, i);

		if (value > 0 && (double)value >= l->least)
			wide[count++] = i;
	}
	if (count > most) {
		qsort_r(wide, count, sizeof(*wide), compare_values, l);
		count = most;
	}
	for (size_t i = 0; i < count; i++)
		l->shown[wide[i]] = true;
	free(wide);
}

/* ---- where it is */

static void push_box(struct layout *l, const struct flame_box *box)
{
	struct flame *f = l->flame;

	VEC_PUSH(f->boxes, f->count, f->room, *box);
	if (box->depth > f->deepest)
		f->deepest = box->depth;
}

/* Places the calls of a call side by side. Sums of a damaged trace may exceed their whole. */
static void place_children(struct layout *l, uint32_t call, uint32_t depth)
{
	struct flame_box rest = { .call = call, .depth = depth + 1 };
	double at = l->start[call], end = at + l->width[call];

	for (uint32_t c = l->tree->calls[call].first_child; c != CALL_NONE;
		c = l->tree->calls[c].next) {
		int64_t value = value_of(l->tree, l->key, c);

		l->shown[c] &= at < end;
		if (!l->shown[c]) {
			rest.rest += value > 0;
			rest.width += (double)value;
			continue;
		}
		l->start[c] = at;
		l->width[c] = (double)value < end - at ? (double)value : end - at;
		at += l->width[c];
	}
	rest.start = at;
	rest.value = (int64_t)(rest.width < 0x1p62 ? rest.width : 0x1p62);
	rest.width = rest.width < end - at ? rest.width : end - at;
	if (rest.rest && rest.width > 0 && rest.width >= l->least)
		push_box(l, &rest);
}

static uint32_t first_shown(const struct layout *l, uint32_t call)
{
	while (call != CALL_NONE && !l->shown[call])
		call = l->tree->calls[call].next;
	return call;
}

/* The next call with a box, callers before their calls: a trace's stacks may be of any depth, so
 * nothing recurs here. */
static uint32_t next_shown(const struct layout *l, uint32_t call, uint32_t *depth)
{
	uint32_t next = first_shown(l, l->tree->calls[call].first_child);

	if (next != CALL_NONE)
		++*depth;
	while (next == CALL_NONE && call) {
		next = first_shown(l, l->tree->calls[call].next);
		if (next == CALL_NONE) {
			call = l->tree->calls[call].parent;
			--*depth;
		}
	}
	return next;
}

static void place_all(struct layout *l)
{
	uint32_t depth = 0;

	for (uint32_t call = 0; call != CALL_NONE; call = next_shown(l, call, &depth)) {
		struct flame_box box = { call, 0, depth, value_of(l->tree, l->key, call),
			l->start[call], l->width[call] };

		push_box(l, &box);
		place_children(l, call, depth);
	}
}

/* What is below a call without box has none either, and wasn't counted with its siblings. A call
 * that has nothing of the measure isn't missed. */
static void count_without(struct layout *l)
{
	size_t count = 0;

	for (uint32_t i = 0; i < l->tree->count; i++)
		count += value_of(l->tree, l->key, i) > 0;
	for (size_t i = 0; i < l->flame->count; i++)
		count -= l->flame->boxes[i].rest == 0;
	l->flame->without = count;
}

struct flame *flame_new(const struct calltree *tree, enum sort_key key, double least, size_t most)
{
	struct flame *flame = mem_zalloc(1, sizeof(*flame));
	struct layout l = { .tree = tree, .key = key, .least = least, .flame = flame };

	l.shown = mem_zalloc(tree->count, sizeof(*l.shown));
	l.start = mem_zalloc(tree->count, sizeof(*l.start));
	l.width = mem_zalloc(tree->count, sizeof(*l.width));
	l.width[0] = (double)value_of(tree, key, 0);
	choose(&l, most);
	if (l.shown[0])
		place_all(&l);
	count_without(&l);
	free(l.shown);
	free(l.start);
	free(l.width);
	return flame;
}

void flame_free(struct flame *flame)
{
	if (!flame)
		return;
	free(flame->boxes);
	free(flame);
}
