/* SPDX-License-Identifier: MIT */
/*
 * code.c - collects functions and points from the stacks of a trace.
 *
 * Each node of the stack tree is visited once. Its frame gives points, found by function and line
 * (or address) in a hash; the node below it gives the function that is called there.
 */
#include "analyzer/views/code.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/tally.h"

#include <stdlib.h>
#include <string.h>

#define UNSET UINT32_MAX

struct edge {
	uint32_t point, callee;
};

struct builder {
	const struct trace *trace;
	struct resolver *resolver;
	struct code *code;
	struct hashmap functions, points;
	const char **modules; /* by module: its name, the same pointer where it is the same */
	struct edge *edges;   /* each once: a million stacks have few */
	size_t edge_count, edge_room;
	struct hashmap edge_index;
	uint64_t *counts, *bytes; /* by node: allocated there and below */
	bool *has_site;		  /* by node */
};

/* ---- functions and points */

/* "/usr/lib/libfoo.so.1.2" is "libfoo.so"; the program may have any name. */
static char *module_name(const struct trace *t, uint32_t index)
{
	const struct mt_module *m = &t->modules[index];
	const char *base = path_base(trace_string(t, m->path));
	const char *version = strstr(base, ".so.");

	if (m->flags & MT_MODULE_EXE)
		return mem_strdup("[program]");
	return version ? strndup(base, (size_t)(version - base) + 3) : mem_strdup(base);
}

static uint64_t build_of(const struct trace *t, uint32_t index)
{
	const struct mt_module *m = &t->modules[index];
	uint64_t hash = 0;

	if (index == 0 || m->build_id_size == 0)
		return 0;
	for (int i = 0; i < m->build_id_size; i++)
		hash = hash_number(hash, m->build_id[i]);
	return hash ? hash : 1;
}

/* Texts of one resolver are the same pointer when they are equal; modules are identified by their
 * index here. */
static bool same_function(const void *context, uint32_t index, const void *key)
{
	const struct code_function *a = &((const struct code *)context)->functions[index];
	const struct code_function *b = key;

	return a->module == b->module && a->name == b->name && a->file == b->file;
}

static bool same_point(const void *context, uint32_t index, const void *key)
{
	const struct code_point *a = &((const struct code *)context)->points[index];
	const struct code_point *b = key;

	if (a->function != b->function || a->line != b->line)
		return false;
	return a->line ? a->file == b->file : a->offset == b->offset;
}

static uint32_t find_function(struct builder *b, uint32_t module, const struct symbol *s)
{
	bool known = s->file || s->linkage;
	struct code_function function = {
		.module = b->modules[module],
		.name = known ? s->function : "",
		.file = s->decl_file ? s->decl_file : s->file,
	};
	struct code *code = b->code;
	uint64_t hash =
		hash_number(hash_number(0, (uintptr_t)function.module), (uintptr_t)function.name);
	uint32_t index = hashmap_find(&b->functions, hash_number(hash, (uintptr_t)function.file),
		same_function, code, &function, (uint32_t)code->function_count);

	if (index == code->function_count)
		VEC_PUSH(code->functions, code->function_count, code->function_room, function);
	return index;
}

static uint32_t find_point(struct builder *b, uint32_t module,
	const struct resolved_frame *resolved, const struct symbol *s)
{
	bool has_line = s->file && s->line;
	struct code_point point = {
		.function = find_function(b, module, s),
		.line = has_line ? s->line : 0,
		.file = has_line ? s->file : NULL,
		.offset = module ? resolved->offset : 0, /* generated code is one point */
		.build = build_of(b->trace, module),
	};
	struct code *code = b->code;
	uint64_t hash =
		hash_number(hash_number(point.function, point.line), has_line ? 0 : point.offset);
	uint32_t index = hashmap_find(
		&b->points, hash, same_point, code, &point, (uint32_t)code->point_count);

	if (index == code->point_count)
		VEC_PUSH(code->points, code->point_count, code->point_room, point);
	return index;
}

/* The points of a frame, made when it is first met. */
static const uint32_t *points_of_frame(
	struct builder *b, uint32_t frame, const struct resolved_frame *resolved)
{
	struct code *code = b->code;

	if (code->frame_start[frame] == UNSET) {
		code->frame_start[frame] = (uint32_t)code->frame_point_count;
		for (size_t i = 0; i < resolved->count; i++) {
			uint32_t point = find_point(
				b, b->trace->frames[frame].module, resolved, &resolved->symbols[i]);

			VEC_PUSH(code->frame_points, code->frame_point_count,
				code->frame_point_room, point);
		}
	}
	return &code->frame_points[code->frame_start[frame]];
}

/* ---- the stack tree */

static bool same_edge(const void *edges, uint32_t index, const void *key)
{
	const struct edge *a = (const struct edge *)edges + index, *b = key;

	return a->point == b->point && a->callee == b->callee;
}

static void add_edge(struct builder *b, uint32_t point, uint32_t callee)
{
	struct edge edge = { point, callee };
	uint32_t next = (uint32_t)b->edge_count;
	uint64_t hash = hash_number(0, (uint64_t)point << 32 | callee);

	if (hashmap_find(&b->edge_index, hash, same_edge, b->edges, &edge, next) == next)
		VEC_PUSH(b->edges, b->edge_count, b->edge_room, edge);
}

/* What is called at the frame above a node: its outermost function. Our own frames are the
 * allocation. */
static void add_call(struct builder *b, uint32_t node, uint32_t callee)
{
	const struct trace *t = b->trace;
	uint32_t caller = t->nodes[node].parent;

	if (caller >= MT_NODE_FIRST) {
		uint32_t frame = t->nodes[caller].frame;
		const struct resolved_frame *resolved = resolve(b->resolver, frame);

		if (!resolved->self)
			add_edge(b, points_of_frame(b, frame, resolved)[0], callee);
	}
}

static void visit(struct builder *b, uint32_t node)
{
	const struct trace *t = b->trace;
	uint32_t frame = t->nodes[node].frame;
	const struct resolved_frame *resolved = resolve(b->resolver, frame);
	struct code *code = b->code;
	const uint32_t *points;

	if (resolved->self || resolved->count == 0) {
		add_call(b, node, CODE_ALLOCATES);
		return;
	}
	points = points_of_frame(b, frame, resolved);
	for (size_t i = 0; i < resolved->count; i++) {
		code->points[points[i]].count += b->counts[node];
		code->points[points[i]].bytes += b->bytes[node];
		if (i > 0)
			add_edge(b, points[i], code->points[points[i - 1]].function);
	}
	if (b->has_site[node])
		add_edge(b, points[0], CODE_ALLOCATES);
	add_call(b, node, code->points[points[resolved->count - 1]].function);
}

static void count_nodes(struct builder *b, const struct tally *tally)
{
	const struct trace *t = b->trace;

	b->counts = mem_zalloc((size_t)t->node_count + MT_NODE_FIRST, sizeof(*b->counts));
	b->bytes = mem_zalloc((size_t)t->node_count + MT_NODE_FIRST, sizeof(*b->bytes));
	b->has_site = mem_zalloc((size_t)t->node_count + MT_NODE_FIRST, sizeof(*b->has_site));
	for (uint32_t i = 0; i < tally->count; i++) {
		uint32_t site = tally->order[i], node = t->site_info[site].node;

		b->counts[node] +=
			tally->sites[site].allocations + 1; /* used, even if only by its past */
		b->bytes[node] += tally->sites[site].allocated_bytes;
		b->has_site[node] = true;
	}
	for (uint32_t i = t->node_count; i-- > MT_NODE_FIRST;) {
		b->counts[t->nodes[i].parent] += b->counts[i];
		b->bytes[t->nodes[i].parent] += b->bytes[i];
	}
}

/* ---- callees */

static int compare_edges(const void *left, const void *right)
{
	const struct edge *a = left, *b = right;

	if (a->point != b->point)
		return a->point < b->point ? -1 : 1;
	return (a->callee > b->callee) - (a->callee < b->callee);
}

static void set_callees(struct builder *b)
{
	struct code *code = b->code;
	uint32_t used = 0;

	if (b->edge_count)
		qsort(b->edges, b->edge_count, sizeof(*b->edges), compare_edges);
	code->callees = mem_zalloc(b->edge_count + 1, sizeof(*code->callees));
	for (size_t i = 0; i < b->edge_count; i++) {
		struct code_point *point = &code->points[b->edges[i].point];

		if (point->callee_count++ == 0)
			point->callees = used;
		code->callees[used++] = b->edges[i].callee;
	}
}

/* ---- the whole */

static bool same_module(const void *code, uint32_t index, const void *name)
{
	return strcmp(((const struct code *)code)->modules[index], name) == 0;
}

/* A library that was loaded twice is one module. */
static void name_modules(struct builder *b)
{
	const struct trace *t = b->trace;
	struct code *code = b->code;
	struct hashmap names = { 0 };
	uint32_t *index = mem_zalloc((size_t)t->module_count + 1, sizeof(*index));

	for (uint32_t i = 0; i == 0 || i < t->module_count; i++) {
		char *name = i ? module_name(t, i) : mem_strdup("");

		index[i] = hashmap_find(&names, hash_text(0, name), same_module, code, name,
			(uint32_t)code->module_count);
		if (index[i] == code->module_count)
			VEC_PUSH(code->modules, code->module_count, code->module_room, name);
		else
			free(name);
	}
	b->modules = mem_zalloc((size_t)t->module_count + 1, sizeof(*b->modules));
	for (uint32_t i = 0; i == 0 || i < t->module_count; i++)
		b->modules[i] = code->modules[index[i]];
	hashmap_release(&names);
	free(index);
}

struct code *code_new(
	const struct trace *trace, struct resolver *resolver, const struct tally *tally)
{
	struct code *code = mem_zalloc(1, sizeof(*code));
	struct builder b = { .trace = trace, .resolver = resolver, .code = code };

	code->frame_start =
		mem_alloc(((size_t)trace->frame_count + 1) * sizeof(*code->frame_start));
	memset(code->frame_start, 0xff,
		((size_t)trace->frame_count + 1) * sizeof(*code->frame_start));
	name_modules(&b);
	count_nodes(&b, tally);
	for (uint32_t i = MT_NODE_FIRST; i < trace->node_count; i++) {
		if (b.counts[i])
			visit(&b, i);
	}
	set_callees(&b);
	hashmap_release(&b.functions);
	hashmap_release(&b.points);
	free(b.modules);
	hashmap_release(&b.edge_index);
	free(b.edges);
	free(b.counts);
	free(b.bytes);
	free(b.has_site);
	return code;
}

void code_free(struct code *code)
{
	if (!code)
		return;
	for (size_t i = 0; i < code->module_count; i++)
		free(code->modules[i]);
	free(code->modules);
	free(code->functions);
	free(code->points);
	free(code->callees);
	free(code->frame_points);
	free(code->frame_start);
	free(code);
}
