/* SPDX-License-Identifier: MIT */
/*
 * callgrind.c - callgrind.out, of callgrind_annotate and KCachegrind: costs by line and function,
 * and the calls between functions with what they cost.
 *
 * callgrind_annotate takes what the calls of a function cost for its inclusive cost, KCachegrind its
 * own lines and what it calls, but for calls inside a cycle. So where a function is on a stack several
 * times, only the outermost call of it there has the cost: nothing counts twice, and the calls
 * without are inside a cycle. What calls the outermost functions is a function of its own.
 */
#include "analyzer/export/plain.h"
#include "analyzer/export/stacks.h"
#include "analyzer/base/array.h"
#include "analyzer/trace/measures.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define ROOT "[program]"

/* What each line of costs has; the first is what viewers sort by. */
static const struct {
	enum sort_key key;
	const char *name, *title;
} events[] = {
	{ SORT_AT_PEAK_BYTES, "AtPeak", "Bytes at the peak" },
	{ SORT_CURRENT_BYTES, "Current", "Bytes at the end" },
	{ SORT_CURRENT_BLOCKS, "CurrentBlocks", "Blocks at the end" },
	{ SORT_ALLOCATED_BYTES, "Allocated", "Bytes allocated" },
	{ SORT_ALLOCATIONS, "Allocations", "Allocations" },
	{ SORT_TEMPORARY, "Temporary", "Temporary allocations" },
};
#define EVENTS ARRAY_SIZE(events)

struct cost {
	int64_t events[EVENTS];
};

struct function {
	uint32_t frame;	    /* one of it */
	uint32_t positions; /* the first of its lines */
	bool on_stack;	    /* further out on the stack that is looked at */
};

/* A line of a function: what it allocates, and whom it calls. */
struct position {
	uint32_t function;
	const char *file;
	uint32_t line;
	struct cost cost;
	uint32_t edges, next;
};

struct edge {
	uint32_t position, callee; /* a function */
	uint64_t calls;
	struct cost cost;
	uint32_t next;
};

struct names {
	const char **texts;
	size_t count, room;
	struct hashmap index;
};

struct graph {
	const struct exporter *e;
	struct stacks *stacks;
	struct function *functions;
	struct position *positions;
	struct edge *edges;
	size_t function_count, function_room, position_count, position_room, edge_count, edge_room;
	struct hashmap function_index, position_index, edge_index;
	uint32_t *position_of; /* by frame */
	uint32_t root;	       /* the position that calls the outermost functions */
	size_t order[EVENTS];
	struct names files, objects, symbols;
};

/* ---- functions and their lines */

static bool same_function(const void *context, uint32_t index, const void *key)
{
	const struct graph *g = context;
	const struct stack_frame *a = &g->stacks->frames[g->functions[index].frame], *b = key;

	return a->function == b->function && a->module == b->module && a->decl_file == b->decl_file;
}

static uint32_t function_of(struct graph *g, uint32_t frame)
{
	const struct stack_frame *f = &g->stacks->frames[frame];
	struct function function = { frame, NONE, false };
	uint64_t hash = hash_number(
		hash_number((uintptr_t)f->function, (uintptr_t)f->module), (uintptr_t)f->decl_file);
	uint32_t index = hashmap_find(
		&g->function_index, hash, same_function, g, f, (uint32_t)g->function_count);

	if (index == g->function_count)
		VEC_PUSH(g->functions, g->function_count, g->function_room, function);
	return index;
}

static bool same_position(const void *context, uint32_t index, const void *key)
{
	const struct position *a = &((const struct graph *)context)->positions[index], *b = key;

	return a->function == b->function && a->file == b->file && a->line == b->line;
}

static uint32_t find_position(struct graph *g, uint32_t frame)
{
	const struct stack_frame *f = &g->stacks->frames[frame];
	struct position p = { .function = function_of(g, frame), .edges = NONE };
	uint32_t index;

	p.file = f->file && f->line ? f->file : f->decl_file;
	p.line = f->file ? f->line : 0;
	index = hashmap_find(&g->position_index,
		hash_number(hash_number(p.function, (uintptr_t)p.file), p.line), same_position, g,
		&p, (uint32_t)g->position_count);
	if (index == g->position_count) {
		p.next = g->functions[p.function].positions;
		g->functions[p.function].positions = index;
		VEC_PUSH(g->positions, g->position_count, g->position_room, p);
	}
	return index;
}

/* ---- calls */

static bool same_edge(const void *context, uint32_t index, const void *key)
{
	const struct edge *a = &((const struct graph *)context)->edges[index], *b = key;

	return a->position == b->position && a->callee == b->callee;
}

static struct edge *find_edge(struct graph *g, uint32_t position, uint32_t callee)
{
	struct edge edge = { .position = position, .callee = callee };
	uint32_t index = hashmap_find(&g->edge_index, hash_number(position, callee), same_edge, g,
		&edge, (uint32_t)g->edge_count);

	if (index == g->edge_count) {
		edge.next = g->positions[position].edges;
		g->positions[position].edges = index;
		VEC_PUSH(g->edges, g->edge_count, g->edge_room, edge);
	}
	return &g->edges[index];
}

static void add_cost(struct cost *cost, const struct measures *m)
{
	for (size_t i = 0; i < EVENTS; i++)
		cost->events[i] += (int64_t)not_negative(sort_measure(m, events[i].key));
}

/* The stack's calls, from the outermost one inwards. */
static void add_group(
	struct graph *g, const struct stack_group *group, const uint32_t *path, size_t depth)
{
	const struct measures *m = &group->sum.m;
	uint32_t caller = g->root;

	for (size_t i = 0; i < depth; i++) {
		uint32_t position = g->position_of[g->stacks->nodes[path[i]].frame];
		uint32_t function = g->positions[position].function;
		struct edge *edge = find_edge(g, caller, function);

		edge->calls += m->allocations;
		if (!g->functions[function].on_stack)
			add_cost(&edge->cost, m);
		g->functions[function].on_stack = true;
		caller = position;
	}
	add_cost(&g->positions[caller].cost, m);
	for (size_t i = 0; i < depth; i++) {
		uint32_t position = g->position_of[g->stacks->nodes[path[i]].frame];

		g->functions[g->positions[position].function].on_stack = false;
	}
}

static void build(struct graph *g)
{
	struct stack_frame root = { .function = ROOT, .module = trace_program(g->e->trace) };
	uint32_t *path = mem_zalloc(g->stacks->deepest + 1, sizeof(*path));

	VEC_PUSH(g->stacks->frames, g->stacks->frame_count, g->stacks->frame_room, root);
	g->position_of = mem_zalloc(g->stacks->frame_count + 1, sizeof(*g->position_of));
	for (uint32_t i = 0; i < g->stacks->frame_count; i++)
		g->root = g->position_of[i] = find_position(g, i);
	for (size_t i = 0; i < g->stacks->group_count; i++) {
		const struct stack_group *group = &g->stacks->groups[i];

		add_group(g, group, path, stacks_path(g->stacks, group, path));
	}
	free(path);
}

/* ---- text */

static bool same_text(const void *context, uint32_t index, const void *key)
{
	return strcmp(((const struct names *)context)->texts[index], key) == 0;
}

/* "fn=(3) parse", and "fn=(3)" the next time. */
static void write_name(const char *what, struct names *names, const char *text, FILE *out)
{
	uint32_t index;

	text = text ? text : "???";
	index = hashmap_find(
		&names->index, hash_text(0, text), same_text, names, text, (uint32_t)names->count);
	fprintf(out, "%s=(%u)", what, index + 1);
	if (index < names->count) {
		putc('\n', out);
		return;
	}
	VEC_PUSH(names->texts, names->count, names->room, text);
	putc(' ', out);
	write_plain(text, out);
	putc('\n', out);
}

static void write_cost(const struct graph *g, uint32_t line, const struct cost *cost)
{
	fprintf(g->e->out, "%u", line);
	for (size_t i = 0; i < EVENTS; i++)
		fprintf(g->e->out, " %lld", (long long)cost->events[g->order[i]]);
	putc('\n', g->e->out);
}

static const struct stack_frame *frame_of(const struct graph *g, uint32_t function)
{
	return &g->stacks->frames[g->functions[function].frame];
}

static const char *file_of(const struct stack_frame *frame)
{
	return frame->decl_file ? frame->decl_file : frame->file;
}

static void write_edge(struct graph *g, const struct edge *edge, uint32_t line)
{
	const struct stack_frame *callee = frame_of(g, edge->callee);

	write_name("cob", &g->objects, callee->module, g->e->out);
	write_name("cfi", &g->files, file_of(callee), g->e->out);
	write_name("cfn", &g->symbols, callee->function, g->e->out);
	fprintf(g->e->out, "calls=%llu %u\n", (unsigned long long)edge->calls,
		callee->decl_file ? callee->decl_line : 0);
	write_cost(g, line, &edge->cost);
}

static bool any_cost(const struct cost *cost)
{
	int64_t any = 0;

	for (size_t i = 0; i < EVENTS; i++)
		any |= cost->events[i];
	return any;
}

static void write_function(struct graph *g, uint32_t function)
{
	const struct stack_frame *frame = frame_of(g, function);
	const char *file = file_of(frame);
	FILE *out = g->e->out;

	putc('\n', out);
	write_name("ob", &g->objects, frame->module, out);
	write_name("fl", &g->files, file, out);
	write_name("fn", &g->symbols, frame->function, out);
	for (uint32_t i = g->functions[function].positions; i != NONE; i = g->positions[i].next) {
		const struct position *p = &g->positions[i];

		if (p->file != file)
			write_name(
				p->file == file_of(frame) ? "fe" : "fi", &g->files, p->file, out);
		file = p->file;
		if (any_cost(&p->cost))
			write_cost(g, p->line, &p->cost);
		for (uint32_t edge = p->edges; edge != NONE; edge = g->edges[edge].next)
			write_edge(g, &g->edges[edge], p->line);
	}
}

static void choose_order(struct graph *g)
{
	size_t next = 1;

	for (size_t i = 0; i < EVENTS; i++) {
		if (events[i].key == g->e->measure)
			g->order[0] = i;
		else if (next < EVENTS)
			g->order[next++] = i;
	}
}

static void write_header(const struct graph *g)
{
	const struct trace *t = g->e->trace;
	struct cost all = { { 0 } };
	FILE *out = g->e->out;

	fprintf(out,
		"# callgrind format\nversion: 1\ncreator: mtracer " MTRACER_VERSION
		"\npid: %u\ncmd: ",
		t->header.pid);
	write_command(t, out);
	fputs("\npositions: line\n", out);
	for (size_t i = 0; i < EVENTS; i++)
		fprintf(out, "event: %s : %s\n", events[g->order[i]].name,
			events[g->order[i]].title);
	fputs("events:", out);
	for (size_t i = 0; i < EVENTS; i++)
		fprintf(out, " %s", events[g->order[i]].name);
	for (size_t i = 0; i < g->stacks->group_count; i++)
		add_cost(&all, &g->stacks->groups[i].sum.m);
	fputs("\nsummary:", out);
	for (size_t i = 0; i < EVENTS; i++)
		fprintf(out, " %lld", (long long)all.events[g->order[i]]);
	putc('\n', out);
}

static void names_release(struct names *names)
{
	free(names->texts);
	hashmap_release(&names->index);
}

static void write_callgrind(const struct exporter *e)
{
	struct graph g = { .e = e, .stacks = stacks_new(e, STACKS_LINES) };

	choose_order(&g);
	build(&g);
	write_header(&g);
	for (uint32_t i = 0; i < g.function_count; i++)
		write_function(&g, i);
	names_release(&g.files);
	names_release(&g.objects);
	names_release(&g.symbols);
	hashmap_release(&g.function_index);
	hashmap_release(&g.position_index);
	hashmap_release(&g.edge_index);
	free(g.functions);
	free(g.positions);
	free(g.edges);
	free(g.position_of);
	stacks_free(g.stacks);
}

const struct export_format export_callgrind = { "callgrind", false, true, write_callgrind };
