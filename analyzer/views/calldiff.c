/* SPDX-License-Identifier: MIT */
/* calldiff.c - finds each call of an old tree in the new one, callers before their calls. */
#include "analyzer/views/calldiff.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/mem.h"
#include "analyzer/views/code.h"
#include "analyzer/views/match.h"

#include <stdlib.h>

enum side { OLD, NEW, SIDES };

struct comparison {
	const struct calldiff_side *sides[SIDES];
	struct code *code[SIDES];
	uint32_t *points[SIDES]; /* identities, by point of the code */
	struct match *match;
	uint64_t *ids;	       /* by call of the new tree */
	struct hashmap index;  /* of the new tree's calls, by caller and identity */
	uint32_t *counterpart; /* by call of the old tree; CALL_NONE: gone */
};

struct call_key {
	uint32_t parent;
	uint64_t id;
};

/* What makes a call the same among those of one caller. The two highest bits tell the kinds apart. */
static uint64_t identity(const struct comparison *c, enum side side, const struct call *call)
{
	const struct code *code = c->code[side];
	uint32_t point;

	if (call->frame == CALL_NONE)
		return 3ull << 62 | hash_text(0, call->function) >> 2;
	point = code_point_of(code, call->frame, call->symbol);
	/* All functions without a name are one in the code. */
	if (!code->functions[code->points[point].function].name[0])
		return 1ull << 62 | c->points[side][point];
	return 2ull << 62 | match_function(c->match, c->points[side][point]);
}

static void match_code(struct comparison *c)
{
	c->match = match_new();
	for (int side = 0; side < SIDES; side++) {
		const struct calldiff_side *s = c->sides[side];

		c->code[side] = code_new(s->tally->trace, s->resolver, s->tally);
		c->points[side] =
			mem_zalloc(c->code[side]->point_count + 1, sizeof(*c->points[side]));
		match_add(c->match, c->code[side], c->points[side]);
	}
}

static bool same_call(const void *context, uint32_t index, const void *key)
{
	const struct comparison *c = context;
	const struct call_key *k = key;

	return c->sides[NEW]->tree->calls[index].parent == k->parent && c->ids[index] == k->id;
}

static uint32_t find(struct comparison *c, uint32_t parent, uint64_t id, uint32_t next)
{
	struct call_key key = { parent, id };

	return hashmap_find(&c->index, hash_number(parent, id), same_call, c, &key, next);
}

static void index_new_calls(struct comparison *c)
{
	const struct calltree *tree = c->sides[NEW]->tree;

	c->ids = mem_zalloc(tree->count, sizeof(*c->ids));
	for (uint32_t i = 1; i < tree->count; i++) {
		c->ids[i] = identity(c, NEW, &tree->calls[i]);
		find(c, tree->calls[i].parent, c->ids[i], i);
	}
}

static void find_old_calls(struct comparison *c, struct calldiff *diff, enum sort_key key)
{
	const struct calltree *tree = c->sides[OLD]->tree;

	c->counterpart = mem_zalloc(tree->count, sizeof(*c->counterpart));
	diff->old[0] = sort_measure(&tree->calls[0].all, key);
	diff->known[0] = true;
	for (uint32_t i = 1; i < tree->count; i++) {
		const struct call *call = &tree->calls[i];
		uint32_t parent = c->counterpart[call->parent], same = CALL_NONE;
		int64_t value = sort_measure(&call->all, key);

		if (parent != CALL_NONE)
			same = find(c, parent, identity(c, OLD, call), CALL_NONE);
		c->counterpart[i] = same;
		if (same != CALL_NONE) {
			diff->old[same] += value;
			diff->known[same] = true;
		} else if (parent != CALL_NONE && value > 0) {
			diff->gone += value;
			diff->gone_calls++;
		}
	}
}

struct calldiff *calldiff_new(
	const struct calldiff_side *old, const struct calldiff_side *new, enum sort_key key)
{
	struct calldiff *diff = mem_zalloc(1, sizeof(*diff));
	struct comparison c = { .sides = { old, new } };

	diff->old = mem_zalloc(new->tree->count, sizeof(*diff->old));
	diff->known = mem_zalloc(new->tree->count, sizeof(*diff->known));
	match_code(&c);
	index_new_calls(&c);
	find_old_calls(&c, diff, key);
	hashmap_release(&c.index);
	match_free(c.match);
	for (int side = 0; side < SIDES; side++) {
		code_free(c.code[side]);
		free(c.points[side]);
	}
	free(c.ids);
	free(c.counterpart);
	return diff;
}

void calldiff_free(struct calldiff *diff)
{
	if (!diff)
		return;
	free(diff->old);
	free(diff->known);
	free(diff);
}
