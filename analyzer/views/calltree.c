/* SPDX-License-Identifier: MIT */
/*
 * calltree.c - merges stacks into a tree.
 *
 * Top-down each node of the trace's stack tree becomes one call in this tree, found once and kept:
 * stacks share most of their outer frames. The callers' tree has to walk each stack.
 */
#include "analyzer/views/calltree.h"
#include "analyzer/base/array.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/filter.h"

#include <stdlib.h>
#include <string.h>

struct grower {
	const struct trace *trace;
	const struct tally *tally;
	struct resolver *resolver;
	const struct calltree_options *options;
	struct calltree *tree;
	size_t room;
	struct hashmap index;
	uint32_t
		*below; /* by trace node, top-down: the call that its innermost symbol is, plus 1 */
	uint32_t *path; /* trace nodes, innermost first, on the way to a known one */
	size_t path_count, path_room;
};

/* ---- calls */

static bool same_call(const void *context, uint32_t index, const void *key)
{
	const struct call *a = &((const struct calltree *)context)->calls[index];
	const struct call *b = key;

	return a->parent == b->parent && a->function == b->function && a->module == b->module &&
	       a->file == b->file && a->line == b->line && a->offset == b->offset;
}

static uint64_t call_hash(const struct call *c)
{
	uint64_t hash = hash_number(c->parent, (uintptr_t)c->function);

	hash = hash_number(hash, (uintptr_t)c->file);
	hash = hash_number(hash, (uintptr_t)c->module);
	return hash_number(hash, c->offset ^ (uint64_t)c->line << 40);
}

static uint32_t find_call(struct grower *g, const struct call *call)
{
	struct calltree *tree = g->tree;
	uint32_t index = hashmap_find(
		&g->index, call_hash(call), same_call, tree, call, (uint32_t)tree->count);

	if (index == tree->count) {
		VEC_PUSH(tree->calls, tree->count, g->room, *call);
		tree->calls[call->parent].children++;
	}
	return index;
}

static struct call blank(uint32_t parent)
{
	return (struct call){
		.parent = parent, .first_child = CALL_NONE, .next = CALL_NONE, .frame = CALL_NONE
	};
}

static bool same_function(const struct call *a, const struct call *b)
{
	return a->function == b->function && a->module == b->module && a->file == b->file &&
	       a->line == b->line && a->offset == b->offset;
}

/* The child of `parent` for a function; the parent itself where it calls itself. */
static uint32_t child_of(struct grower *g, uint32_t parent, const struct frame_function *fn)
{
	const struct symbol *symbol = fn->symbol;
	struct call call = blank(parent);

	call.function = symbol->function;
	call.module = fn->frame->module;
	call.frame = resolved_index(g->resolver, fn->frame);
	call.symbol = (uint32_t)(symbol - fn->frame->symbols);
	if (!g->options->lines) {
		call.file = symbol->decl_file ? symbol->decl_file : symbol->file;
		call.line = symbol->decl_file ? symbol->decl_line : 0;
	} else if (symbol->file && symbol->line) {
		call.file = symbol->file;
		call.line = symbol->line;
	} else {
		call.offset = fn->frame->offset;
	}
	if (parent && same_function(&g->tree->calls[parent], &call)) {
		g->tree->calls[parent].recursive = true;
		return parent;
	}
	return find_call(g, &call);
}

static uint32_t named_child(struct grower *g, uint32_t parent, const char *name)
{
	struct call call = blank(parent);

	call.function = name;
	return find_call(g, &call);
}

/* ---- stacks */

/* What stacks that don't begin at the program's start begin with. */
static uint32_t start_of(struct grower *g, uint32_t root)
{
	const char *start = stack_start(root);

	return start ? named_child(g, 0, start) : 0;
}

static bool is_left_out(const struct grower *g, const struct resolved_frame *resolved)
{
	return !g->options->whole_stacks && is_start_up(resolved);
}

/* The call that the symbols of `resolved`, from the outermost down to `last`, lead to from
 * `parent`. */
static uint32_t descend(
	struct grower *g, uint32_t parent, const struct resolved_frame *resolved, size_t last)
{
	for (size_t i = resolved->count; i-- > last;) {
		struct frame_function fn = { resolved, &resolved->symbols[i] };

		parent = child_of(g, parent, &fn);
	}
	return parent;
}

/* The call that the innermost symbol of a trace node is; 0 while only start-up frames were met. */
static uint32_t call_of_node(struct grower *g, uint32_t node)
{
	uint32_t at = node, call;

	g->path_count = 0;
	for (; at >= MT_NODE_FIRST && !g->below[at]; at = g->trace->nodes[at].parent)
		VEC_PUSH(g->path, g->path_count, g->path_room, at);
	call = at >= MT_NODE_FIRST ? g->below[at] - 1 : start_of(g, at);
	while (g->path_count) {
		const struct resolved_frame *resolved;

		at = g->path[--g->path_count];
		resolved = resolve(g->resolver, g->trace->nodes[at].frame);
		if (call || !is_left_out(g, resolved))
			call = descend(g, call, resolved, 0);
		g->below[at] = call + 1;
	}
	return call;
}

/* The trace node that holds a stack's owner. */
static uint32_t owner_node(struct grower *g, uint32_t node, const struct resolved_frame *owner)
{
	while (node >= MT_NODE_FIRST && resolve(g->resolver, g->trace->nodes[node].frame) != owner)
		node = g->trace->nodes[node].parent;
	return node;
}

static uint32_t call_top_down(struct grower *g, uint32_t node, const struct frame_function *owner)
{
	if (!owner->symbol)
		return named_child(g, 0, NO_STACK);
	node = owner_node(g, node, owner->frame);
	return descend(g, call_of_node(g, g->trace->nodes[node].parent), owner->frame,
		(size_t)(owner->symbol - owner->frame->symbols));
}

/* The outermost node that is no start-up frame; the owner's where all are. */
static uint32_t outermost_node(struct grower *g, uint32_t owner)
{
	uint32_t found = owner;

	for (uint32_t node = owner; node >= MT_NODE_FIRST; node = g->trace->nodes[node].parent) {
		const struct resolved_frame *resolved =
			resolve(g->resolver, g->trace->nodes[node].frame);

		if (!resolved->self && !is_left_out(g, resolved))
			found = node;
	}
	return found;
}

/* The call of the owner alone. */
static uint32_t call_of_owner(struct grower *g, const struct frame_function *owner)
{
	return owner->symbol ? child_of(g, 0, owner) : named_child(g, 0, NO_STACK);
}

static uint32_t call_bottom_up(struct grower *g, uint32_t node, const struct frame_function *owner)
{
	uint32_t call = 0, last;
	size_t symbol;

	if (!owner->symbol)
		return call_of_owner(g, owner);
	node = owner_node(g, node, owner->frame);
	last = outermost_node(g, node);
	symbol = (size_t)(owner->symbol - owner->frame->symbols);
	for (;; symbol = 0) {
		const struct resolved_frame *resolved =
			resolve(g->resolver, g->trace->nodes[node].frame);

		for (; symbol < resolved->count; symbol++) {
			struct frame_function fn = { resolved, &resolved->symbols[symbol] };

			call = child_of(g, call, &fn);
		}
		if (node == last)
			break;
		node = g->trace->nodes[node].parent;
	}
	return call;
}

/* ---- the whole */

static uint32_t call_of_site(struct grower *g, uint32_t site, bool only_owners)
{
	uint32_t node = g->trace->site_info[site].node, call;
	struct frame_function owner = resolve_owner(g->resolver, node);

	if (!g->options->callers)
		return call_top_down(g, node, &owner);
	call = call_of_owner(g, &owner);
	if (only_owners || g->tree->calls[call].small)
		return call;
	return call_bottom_up(g, node, &owner);
}

static void add_sites(struct grower *g, const struct filter *filter, bool only_owners)
{
	for (uint32_t i = 0; i < g->tally->count; i++) {
		uint32_t site = g->tally->order[i], call;

		if (!filter_keeps_stack(filter, g->trace, g->resolver, site))
			continue;
		call = call_of_site(g, site, only_owners);
		measures_add(&g->tree->calls[call].own, &g->tally->sites[site]);
	}
}

/* Most owners are small, and their callers' trees would be most of the work. */
static void mark_small_owners(struct grower *g)
{
	for (size_t i = 0; i < g->tree->count; i++) {
		struct call *call = &g->tree->calls[i];

		call->small = sort_measure(&call->own, g->options->key) < g->options->least;
		call->own = (struct measures){ 0 };
	}
}

/* Children come after their parents, so one pass from the end adds everything up. */
static void add_up(struct calltree *tree)
{
	for (size_t i = tree->count; i-- > 0;) {
		struct call *call = &tree->calls[i];

		measures_add(&call->all, &call->own);
		if (i)
			measures_add(&tree->calls[call->parent].all, &call->all);
	}
}

struct calltree *calltree_new(const struct tally *tally, struct resolver *resolver,
	const struct calltree_options *options, const struct filter *filter)
{
	struct calltree *tree = mem_zalloc(1, sizeof(*tree));
	struct grower g = { tally->trace, tally, resolver, options, tree };

	g.below = mem_zalloc(tally->trace->node_count, sizeof(*g.below));
	VEC_PUSH(tree->calls, tree->count, g.room, blank(0));
	if (options->callers) {
		add_sites(&g, filter, true);
		mark_small_owners(&g);
	}
	add_sites(&g, filter, false);
	add_up(tree);
	hashmap_release(&g.index);
	free(g.below);
	free(g.path);
	return tree;
}

void calltree_free(struct calltree *tree)
{
	if (!tree)
		return;
	free(tree->calls);
	free(tree);
}

/* ---- order */

struct order {
	const struct calltree *tree;
	enum sort_key key;
};

static int compare_calls(const void *left, const void *right, void *context)
{
	const enum sort_key ties[] = { ((struct order *)context)->key, SORT_AT_PEAK_BYTES,
		SORT_ALLOCATED_BYTES, SORT_ALLOCATIONS };
	const struct calltree *tree = ((struct order *)context)->tree;
	uint32_t x = *(const uint32_t *)left, y = *(const uint32_t *)right;
	const struct call *a = &tree->calls[x], *b = &tree->calls[y];
	int order;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	for (size_t i = 0; i < ARRAY_SIZE(ties); i++) {
		int64_t m = sort_measure(&a->all, ties[i]), n = sort_measure(&b->all, ties[i]);

		if (m != n)
			return m > n ? -1 : 1;
	}
	order = strcmp(a->function, b->function);
	return order ? order : (x > y) - (x < y);
}

void calltree_sort(struct calltree *tree, enum sort_key key)
{
	uint32_t *sorted = mem_zalloc(tree->count, sizeof(*sorted));
	struct order order = { tree, key };

	for (uint32_t i = 0; i < tree->count; i++) {
		sorted[i] = i;
		tree->calls[i].first_child = tree->calls[i].next = CALL_NONE;
	}
	qsort_r(sorted + 1, tree->count - 1, sizeof(*sorted), compare_calls, &order);
	for (size_t i = tree->count; i-- > 1;) {
		struct call *call = &tree->calls[sorted[i]];

		call->next = tree->calls[call->parent].first_child;
		tree->calls[call->parent].first_child = sorted[i];
	}
	free(sorted);
}
