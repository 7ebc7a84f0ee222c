/* SPDX-License-Identifier: MIT */
/* stacks.c - resolves the stacks of all sites and adds equal ones up. */
#include "analyzer/export/stacks.h"
#include "analyzer/trace/measures.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/progress.h"
#include "analyzer/symbols/resolve.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/filter.h"

#include <stdlib.h>
#include <string.h>

/* One site's stack, innermost first. */
struct walk {
	const struct exporter *e;
	struct stacks *stacks;
	struct stack_frame *frames;
	size_t count, room;
};

/* ---- frames of a site */

static void push_name(struct walk *w, const char *name)
{
	struct stack_frame frame = { .function = name };

	VEC_PUSH(w->frames, w->count, w->room, frame);
}

static void push_symbols(struct walk *w, uint32_t index, size_t first)
{
	const struct resolved_frame *resolved = resolve(w->e->resolver, index);
	const struct mt_frame *f = &w->e->trace->frames[index];

	for (size_t i = first; i < resolved->count; i++) {
		const struct symbol *s = &resolved->symbols[i];
		struct stack_frame frame = { s->function, s->linkage, s->file, s->line,
			s->decl_file, s->decl_line, resolved->module, f->module, f->address - 1,
			(uint32_t)i };

		VEC_PUSH(w->frames, w->count, w->room, frame);
	}
}

/* The frames from the owner outwards; start-up frames are none of them. */
static void push_frames(struct walk *w, uint32_t node, const struct frame_function *owner)
{
	const struct mt_node *nodes = w->e->trace->nodes;
	size_t first = (size_t)(owner->symbol - owner->frame->symbols), end = 0;
	const char *start;

	while (resolve(w->e->resolver, nodes[node].frame) != owner->frame)
		node = nodes[node].parent;
	for (; node >= MT_NODE_FIRST; node = nodes[node].parent, first = 0) {
		push_symbols(w, nodes[node].frame, first);
		if (!end || w->e->whole_stacks ||
			!is_start_up(resolve(w->e->resolver, nodes[node].frame)))
			end = w->count;
	}
	start = stack_start(node);
	if (start)
		push_name(w, start);
	else
		w->count = end;
}

static void read_stack(struct walk *w, uint32_t site)
{
	uint32_t node = w->e->trace->site_info[site].node;
	struct frame_function owner = resolve_owner(w->e->resolver, node);

	w->count = 0;
	if (owner.symbol)
		push_frames(w, node, &owner);
	else
		push_name(w, NO_STACK);
}

/* ---- the tree */

static bool same_frame(const void *context, uint32_t index, const void *key)
{
	const struct stacks *s = context;
	const struct stack_frame *a = &s->frames[index], *b = key;

	if (a->function != b->function || a->module != b->module)
		return false;
	if (s->detail == STACKS_FUNCTIONS)
		return true;
	if (a->file != b->file || a->line != b->line || a->decl_file != b->decl_file)
		return false;
	return s->detail == STACKS_LINES || (a->address == b->address && a->level == b->level &&
						    a->module_index == b->module_index);
}

static uint64_t frame_hash(const struct stacks *s, const struct stack_frame *f)
{
	uint64_t hash = hash_number((uintptr_t)f->module, (uintptr_t)f->function);

	if (s->detail == STACKS_FUNCTIONS)
		return hash;
	hash = hash_number(hash, (uintptr_t)f->file ^ (uint64_t)f->line << 40);
	return s->detail == STACKS_LINES ? hash
					 : hash_number(hash, f->address ^ (uint64_t)f->level << 56);
}

static uint32_t find_frame(struct stacks *s, const struct stack_frame *frame)
{
	uint32_t index = hashmap_find(&s->frame_index, frame_hash(s, frame), same_frame, s, frame,
		(uint32_t)s->frame_count);

	if (index == s->frame_count)
		VEC_PUSH(s->frames, s->frame_count, s->frame_room, *frame);
	return index;
}

static bool same_node(const void *context, uint32_t index, const void *key)
{
	const struct stack_node *a = &((const struct stacks *)context)->nodes[index];
	const struct stack_node *b = key;

	return a->parent == b->parent && a->frame == b->frame;
}

static uint32_t find_node(struct stacks *s, uint32_t parent, uint32_t frame)
{
	struct stack_node node = { parent, frame };
	uint32_t index = hashmap_find(&s->node_index, hash_number(parent, frame), same_node, s,
		&node, (uint32_t)s->node_count);

	if (index == s->node_count) {
		s->group_of = mem_grow(
			s->group_of, s->node_count, &s->group_of_room, sizeof(*s->group_of));
		s->group_of[s->node_count] = 0;
		VEC_PUSH(s->nodes, s->node_count, s->node_room, node);
	}
	return index;
}

static struct stack_group *find_group(struct stacks *s, uint32_t node)
{
	struct stack_group group = { .node = node };

	if (!s->group_of[node]) {
		VEC_PUSH(s->groups, s->group_count, s->group_room, group);
		s->group_of[node] = (uint32_t)s->group_count;
	}
	return &s->groups[s->group_of[node] - 1];
}

static void add_site(struct walk *w, uint32_t site)
{
	struct stacks *s = w->stacks;
	struct stack_group *group;
	uint32_t node = 0;

	read_stack(w, site);
	for (size_t i = w->count; i-- > 0;)
		node = find_node(s, node, find_frame(s, &w->frames[i]));
	if (w->count > s->deepest)
		s->deepest = w->count;
	group = find_group(s, node);
	s->group_of_site[site] = (uint32_t)(group - s->groups);
	tally_add(w->e->tally, &group->sum, site);
}

struct stacks *stacks_new(const struct exporter *e, enum stack_detail detail)
{
	struct stacks *s = mem_zalloc(1, sizeof(*s));
	struct walk w = { e, s, NULL, 0, 0 };

	s->detail = detail;
	s->group_of_site = mem_zalloc(e->trace->site_count + 1, sizeof(*s->group_of_site));
	find_node(s, UINT32_MAX, UINT32_MAX);
	for (uint32_t i = 0; i < e->tally->count; i++) {
		uint32_t site = e->tally->order[i];

		if (filter_keeps_stack(e->filter, e->trace, e->resolver, site))
			add_site(&w, site);
	}
	for (size_t i = 0; i < s->group_count; i++)
		tally_finish(e->tally, &s->groups[i].sum);
	free(w.frames);
	progress_end();
	return s;
}

void stacks_free(struct stacks *s)
{
	hashmap_release(&s->frame_index);
	hashmap_release(&s->node_index);
	free(s->frames);
	free(s->nodes);
	free(s->groups);
	free(s->group_of);
	free(s->group_of_site);
	free(s);
}

const struct stack_frame *stacks_frame(const struct stacks *s, uint32_t node)
{
	return &s->frames[s->nodes[node].frame];
}

bool stacks_innermost(const struct stacks *s, const uint32_t *path, size_t depth, size_t at)
{
	return at + 1 == depth || stacks_frame(s, path[at])->level == 0;
}

size_t stacks_outermost(const struct stacks *s, const uint32_t *path, size_t at)
{
	while (at > 0 && stacks_frame(s, path[at - 1])->level > 0)
		at--;
	return at;
}

size_t stacks_path(const struct stacks *s, const struct stack_group *group, uint32_t *path)
{
	size_t depth = 0;

	for (uint32_t node = group->node; node; node = s->nodes[node].parent)
		depth++;
	for (uint32_t node = group->node, at = (uint32_t)depth; node; node = s->nodes[node].parent)
		path[--at] = node;
	return depth;
}

uint64_t stacks_weight(const struct exporter *e, const struct stack_group *group)
{
	return not_negative(sort_measure(&group->sum.m, e->measure));
}
