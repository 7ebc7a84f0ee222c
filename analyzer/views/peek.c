/* SPDX-License-Identifier: MIT */
/* peek.c - the callers and callees of one function. */
#include "analyzer/views/peek.h"
#include "analyzer/base/array.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>
#include <string.h>

/* What is kept while stacks are looked at. */
struct watch {
	const struct annotation *a;
	const struct trace *trace;
	struct resolver *resolver;
	size_t function;
	struct measures *callers; /* by function, and nobody behind the last */
	struct measures *callees;
	struct peek peek;
};

/* Where the function is on a stack, and who is around it. */
struct sighting {
	size_t caller; /* of the outermost call so far */
	size_t callee; /* of the innermost call; PEEK_NOBODY = itself */
	uint32_t calls;
};

static size_t own_from(const struct watch *w, uint32_t node, const struct frame_function *owner,
	uint32_t *owner_node)
{
	for (; owner->symbol && node >= MT_NODE_FIRST; node = w->trace->nodes[node].parent) {
		if (resolve(w->resolver, w->trace->nodes[node].frame) != owner->frame)
			continue;
		*owner_node = node;
		return (size_t)(owner->symbol - owner->frame->symbols);
	}
	*owner_node = 0;
	return 0;
}

static struct sighting look(const struct watch *w, uint32_t site)
{
	struct sighting seen = { PEEK_NOBODY, PEEK_NOBODY, 0 };
	uint32_t node = w->trace->site_info[site].node, owner_node;
	struct frame_function owner = resolve_owner(w->resolver, node);
	size_t owner_symbol = own_from(w, node, &owner, &owner_node);
	size_t inner = PEEK_NOBODY; /* the next inner function, from the owner outwards */
	bool outside = false, just_seen = false;

	for (; node >= MT_NODE_FIRST; node = w->trace->nodes[node].parent) {
		uint32_t frame = w->trace->nodes[node].frame;
		size_t count = resolve(w->resolver, frame)->count;

		for (size_t i = 0; i < count; i++) {
			size_t here = annotation_at(w->a, frame, i);

			if (just_seen && here != w->function)
				seen.caller = here;
			just_seen = here == w->function;
			if (just_seen && seen.calls++ == 0)
				seen.callee = inner;
			if (just_seen)
				seen.caller = PEEK_NOBODY;
			outside |= node == owner_node && i == owner_symbol;
			if (outside)
				inner = here;
		}
	}
	return seen;
}

static void count_site(struct watch *w, uint32_t site)
{
	const struct measures *m = &annotation_tally(w->a)->sites[site];
	struct sighting seen = look(w, site);
	size_t nobody = annotation_count(w->a);

	if (seen.calls == 0)
		return;
	measures_add(&w->peek.all, m);
	measures_add(&w->callers[seen.caller == PEEK_NOBODY ? nobody : seen.caller], m);
	if (seen.callee == PEEK_NOBODY)
		measures_add(&w->peek.self, m);
	else
		measures_add(&w->callees[seen.callee], m);
	if (seen.calls > w->peek.recursion)
		w->peek.recursion = seen.calls;
}

static int compare(const void *left, const void *right, void *context)
{
	const struct neighbour *a = left, *b = right;
	enum sort_key keys[] = { *(const enum sort_key *)context, SORT_AT_PEAK_BYTES,
		SORT_ALLOCATED_BYTES, SORT_ALLOCATIONS };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int64_t m = sort_measure(&a->m, keys[i]), n = sort_measure(&b->m, keys[i]);

		if (m != n)
			return m > n ? -1 : 1;
	}
	return (a->function > b->function) - (a->function < b->function);
}

static struct neighbour *collect(
	const struct watch *w, const struct measures *by_function, size_t *count, enum sort_key key)
{
	size_t functions = annotation_count(w->a), room = 0;
	struct neighbour *found = NULL;

	*count = 0;
	for (size_t i = 0; i <= functions; i++) {
		struct neighbour n = { i == functions ? PEEK_NOBODY : i, by_function[i] };

		if (n.m.allocations || n.m.current_bytes)
			VEC_PUSH(found, *count, room, n);
	}
	if (*count)
		qsort_r(found, *count, sizeof(*found), compare, &key);
	return found;
}

struct peek peek_function(const struct annotation *a, const struct trace *trace,
	struct resolver *resolver, size_t function, enum sort_key key)
{
	struct watch w = { a, trace, resolver, function };
	const struct tally *tally = annotation_tally(a);

	w.callers = mem_zalloc(annotation_count(a) + 1, sizeof(*w.callers));
	w.callees = mem_zalloc(annotation_count(a) + 1, sizeof(*w.callees));
	for (uint32_t i = 0; i < tally->count; i++)
		count_site(&w, tally->order[i]);
	w.peek.callers = collect(&w, w.callers, &w.peek.caller_count, key);
	w.peek.callees = collect(&w, w.callees, &w.peek.callee_count, key);
	free(w.callers);
	free(w.callees);
	return w.peek;
}

void peek_release(struct peek *peek)
{
	free(peek->callers);
	free(peek->callees);
	*peek = (struct peek){ 0 };
}
