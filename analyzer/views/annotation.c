/* SPDX-License-Identifier: MIT */
/*
 * annotation.c - finds the functions of all stacks, and adds sites up for the lines of those that
 * are shown.
 *
 * Both passes look at each return address once: what it stands for is kept by frame, as a run of
 * frame lines (a function, and a line in it) in one array.
 */
#include "analyzer/views/annotation.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/mem.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define COPIES_MEASURED 32 /* of one function: each tells some lines, and these are soon all */

/* A name of a function, and its share. */
struct name {
	const char *text;
	uint32_t function;
	uint64_t at_peak_bytes;
	uint64_t allocated_bytes;
	uint32_t next; /* name of the same function; NONE */
};

struct function {
	struct annotated shown;
	uint32_t first_name, best_name;
	uint32_t joined; /* the function that it is shown with; its own index */
	uint32_t copies; /* whose extent was asked for */
	size_t line_room;
};

/* A line that sites are added to. */
struct line {
	struct annotated_line shown;
	uint32_t function;
};

/* What a symbol of a frame stands for. */
struct frame_line {
	uint32_t function;
	uint32_t name;
	uint32_t line; /* NONE until, and unless, its function is shown */
};

struct annotation {
	const struct trace *trace;
	struct resolver *resolver;
	struct tally tally;
	struct function *functions;
	size_t function_count, function_room;
	struct name *names;
	size_t name_count, name_room;
	struct line **lines; /* each its own, since pointers to them are given out */
	size_t line_count, line_room;
	uint32_t *frames; /* by frame: its first frame line, plus 1; 0 = not looked at */
	struct frame_line *frame_lines;
	size_t frame_line_count, frame_line_room;
	struct hashmap function_index, name_index, line_index;
};

/* ---- functions */

static bool same_function(const void *context, uint32_t index, const void *key)
{
	const struct annotated *a = &((const struct annotation *)context)->functions[index].shown;
	const struct annotated *b = key;

	if (a->file != b->file || a->line != b->line)
		return false;
	return a->file || (a->name == b->name && a->module == b->module);
}

static uint64_t function_hash(const struct annotated *key)
{
	uint64_t hash = hash_number(key->line, (uintptr_t)key->file);

	if (key->file)
		return hash;
	return hash_number(hash_number(hash, (uintptr_t)key->name), (uintptr_t)key->module);
}

static uint32_t find_function(struct annotation *a, const struct frame_function *fn)
{
	const struct symbol *symbol = fn->symbol;
	struct function f = { .first_name = NONE, .best_name = NONE };
	uint32_t index;

	f.shown.name = symbol->function;
	f.shown.module = fn->frame->module;
	if (symbol->decl_file && symbol->decl_line) {
		f.shown.file = symbol->decl_file;
		f.shown.line = symbol->decl_line;
	}
	f.joined = (uint32_t)a->function_count;
	index = hashmap_find(&a->function_index, function_hash(&f.shown), same_function, a,
		&f.shown, (uint32_t)a->function_count);
	if (index == a->function_count)
		VEC_PUSH(a->functions, a->function_count, a->function_room, f);
	return index;
}

static bool same_name(const void *context, uint32_t index, const void *key)
{
	const struct name *a = &((const struct annotation *)context)->names[index];
	const struct name *b = key;

	return a->text == b->text && a->function == b->function;
}

static uint32_t find_name(struct annotation *a, uint32_t function, const char *text)
{
	struct function *f = &a->functions[function];
	struct name name = { text, function, 0, 0, f->first_name };
	uint64_t hash = hash_number(function, (uintptr_t)text);
	uint32_t index =
		hashmap_find(&a->name_index, hash, same_name, a, &name, (uint32_t)a->name_count);

	if (index == a->name_count) {
		VEC_PUSH(a->names, a->name_count, a->name_room, name);
		f->first_name = index;
		f->shown.names++;
	}
	return index;
}

/* The frame's lines, as many as it has symbols; NULL for none. */
static struct frame_line *frame_lines_of(
	struct annotation *a, uint32_t frame, const struct resolved_frame *resolved)
{
	if (!resolved->count)
		return NULL;
	if (a->frames[frame])
		return &a->frame_lines[a->frames[frame] - 1];
	a->frames[frame] = (uint32_t)a->frame_line_count + 1;
	for (size_t i = 0; i < resolved->count; i++) {
		struct frame_function fn = { resolved, &resolved->symbols[i] };
		struct frame_line frame_line = { .line = NONE };

		frame_line.function = find_function(a, &fn);
		frame_line.name = find_name(a, frame_line.function, fn.symbol->function);
		VEC_PUSH(a->frame_lines, a->frame_line_count, a->frame_line_room, frame_line);
	}
	return &a->frame_lines[a->frames[frame] - 1];
}

/* ---- the first pass */

static uint32_t frame_of(const struct annotation *a, uint32_t node)
{
	return a->trace->nodes[node].frame;
}

static const struct frame_line *owner_line(struct annotation *a, uint32_t site)
{
	struct frame_function fn = resolve_owner(a->resolver, a->trace->site_info[site].node);
	uint32_t node = a->trace->site_info[site].node;

	for (; fn.symbol && node >= MT_NODE_FIRST; node = a->trace->nodes[node].parent) {
		const struct resolved_frame *resolved = resolve(a->resolver, frame_of(a, node));

		if (resolved == fn.frame)
			return frame_lines_of(a, frame_of(a, node), resolved) +
			       (fn.symbol - resolved->symbols);
	}
	return NULL;
}

static bool is_larger(const struct name *a, const struct name *b)
{
	if (a->at_peak_bytes != b->at_peak_bytes)
		return a->at_peak_bytes > b->at_peak_bytes;
	if (a->allocated_bytes != b->allocated_bytes)
		return a->allocated_bytes > b->allocated_bytes;
	return strcmp(a->text, b->text) < 0;
}

static void add_owned(struct annotation *a, uint32_t site)
{
	const struct measures *m = &a->tally.sites[site];
	const struct frame_line *frame_line = owner_line(a, site);
	struct name *name;

	if (!frame_line)
		return;
	name = &a->names[frame_line->name];
	measures_add(&a->functions[frame_line->function].shown.owned, m);
	name->at_peak_bytes += m->at_peak_bytes;
	name->allocated_bytes += m->allocated_bytes;
}

static void name_functions(struct annotation *a)
{
	for (size_t i = 0; i < a->function_count; i++) {
		struct function *f = &a->functions[i];

		f->best_name = f->first_name;
		for (uint32_t n = f->first_name; n != NONE; n = a->names[n].next)
			if (is_larger(&a->names[n], &a->names[f->best_name]))
				f->best_name = n;
		f->shown.name = a->names[f->best_name].text;
	}
}

static void note_stack_frames(struct annotation *a, uint32_t site)
{
	uint32_t node = a->trace->site_info[site].node;

	for (; node >= MT_NODE_FIRST; node = a->trace->nodes[node].parent) {
		uint32_t frame = frame_of(a, node);

		if (!a->frames[frame])
			frame_lines_of(a, frame, resolve(a->resolver, frame));
	}
}

struct annotation *annotation_new(const struct trace *trace, struct resolver *resolver)
{
	struct annotation *a = mem_zalloc(1, sizeof(*a));

	a->trace = trace;
	a->resolver = resolver;
	a->frames = mem_zalloc(trace->frame_count, sizeof(*a->frames));
	tally_init(&a->tally, trace);
	for (uint32_t i = 0; i < a->tally.count; i++) {
		note_stack_frames(a, a->tally.order[i]);
		add_owned(a, a->tally.order[i]);
	}
	name_functions(a);
	return a;
}

void annotation_free(struct annotation *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->function_count; i++)
		free(a->functions[i].shown.lines);
	for (size_t i = 0; i < a->line_count; i++)
		free(a->lines[i]);
	hashmap_release(&a->function_index);
	hashmap_release(&a->name_index);
	hashmap_release(&a->line_index);
	tally_release(&a->tally);
	free(a->functions);
	free(a->names);
	free(a->lines);
	free(a->frames);
	free(a->frame_lines);
	free(a);
}

const struct tally *annotation_tally(const struct annotation *a)
{
	return &a->tally;
}

size_t annotation_count(const struct annotation *a)
{
	return a->function_count;
}

const struct annotated *annotation_function(const struct annotation *a, size_t index)
{
	return &a->functions[index].shown;
}

size_t annotation_at(const struct annotation *a, uint32_t frame, size_t symbol)
{
	return a->frame_lines[a->frames[frame] - 1 + symbol].function;
}

bool annotation_has_name(const struct annotation *a, size_t index,
	bool (*accept)(void *context, const char *name), void *context)
{
	for (uint32_t n = a->functions[index].first_name; n != NONE; n = a->names[n].next)
		if (accept(context, a->names[n].text))
			return true;
	return false;
}

void annotation_choose(struct annotation *a, size_t index)
{
	a->functions[index].shown.chosen = true;
}

/* ---- where the chosen functions are */

static void measure_extent(
	struct annotation *a, struct function *f, const struct frame_function *fn)
{
	struct extent e;

	if (!f->shown.file || f->copies >= COPIES_MEASURED)
		return;
	f->copies++;
	e = resolver_extent(a->resolver, fn);
	if (e.first && e.last > f->shown.extent.last)
		f->shown.extent.last = e.last;
}

static void measure_extents(struct annotation *a)
{
	for (size_t i = 0; i < a->function_count; i++) {
		struct annotated *shown = &a->functions[i].shown;

		shown->extent = (struct extent){ shown->line, shown->line };
	}
	for (uint32_t frame = 0; frame < a->trace->frame_count; frame++) {
		const struct resolved_frame *resolved;

		if (!a->frames[frame])
			continue;
		resolved = resolve(a->resolver, frame);
		for (size_t i = 0; i < resolved->count; i++) {
			const struct frame_line *frame_line =
				&a->frame_lines[a->frames[frame] - 1 + i];
			struct frame_function fn = { resolved, &resolved->symbols[i] };

			if (a->functions[frame_line->function].shown.chosen)
				measure_extent(a, &a->functions[frame_line->function], &fn);
		}
	}
}

/* Whether `inner` is written inside of `outer`. A function on the line of another's name is no part
 * of that. */
static bool is_inside(const struct annotated *inner, const struct annotated *outer)
{
	return inner->file && inner->file == outer->file && inner->line > outer->extent.first &&
	       inner->line <= outer->extent.last;
}

static int compare_locations(const void *left, const void *right)
{
	const struct annotated *a = &(*(struct function *const *)left)->shown;
	const struct annotated *b = &(*(struct function *const *)right)->shown;

	if (a->file != b->file)
		return strcmp(a->file, b->file);
	return (a->line > b->line) - (a->line < b->line);
}

/* Every function with a location, by file and line. */
static size_t sort_functions(struct annotation *a, struct function ***sorted)
{
	size_t count = 0;

	*sorted = mem_zalloc(a->function_count, sizeof(**sorted));
	for (size_t i = 0; i < a->function_count; i++)
		if (a->functions[i].shown.file)
			(*sorted)[count++] = &a->functions[i];
	qsort(*sorted, count, sizeof(**sorted), compare_locations);
	return count;
}

static void join_nested(struct annotation *a)
{
	struct function **sorted, *outer = NULL;
	size_t count = sort_functions(a, &sorted);

	for (size_t i = 0; i < count; i++) {
		struct function *f = sorted[i];

		if (outer && is_inside(&f->shown, &outer->shown)) {
			f->joined = (uint32_t)(outer - a->functions);
			if (f->shown.chosen && f->shown.extent.last > outer->shown.extent.last)
				outer->shown.extent.last = f->shown.extent.last;
			f->shown.chosen = false;
		} else {
			outer = f->shown.chosen ? f : NULL;
		}
	}
	free(sorted);
}

/* ---- the second pass */

static bool same_line(const void *context, uint32_t index, const void *key)
{
	const struct line *a = ((const struct annotation *)context)->lines[index];
	const struct line *b = key;

	return a->function == b->function && a->shown.file == b->shown.file &&
	       a->shown.line == b->shown.line && a->shown.offset == b->shown.offset;
}

static uint32_t find_line(struct annotation *a, uint32_t function, const struct frame_function *fn)
{
	struct function *f = &a->functions[function];
	struct line line = { .function = function }, *kept;
	uint64_t hash;
	uint32_t index;

	if (fn->symbol->file && fn->symbol->line) {
		line.shown.file = fn->symbol->file;
		line.shown.line = fn->symbol->line;
	} else {
		line.shown.offset = fn->frame->offset;
	}
	hash = hash_number(
		hash_number(hash_number(function, (uintptr_t)line.shown.file), line.shown.line),
		line.shown.offset);
	index = hashmap_find(&a->line_index, hash, same_line, a, &line, (uint32_t)a->line_count);
	if (index < a->line_count)
		return index;
	kept = mem_alloc(sizeof(*kept));
	*kept = line;
	VEC_PUSH(a->lines, a->line_count, a->line_room, kept);
	VEC_PUSH(f->shown.lines, f->shown.line_count, f->line_room, &kept->shown);
	return index;
}

/* The frame lines of chosen functions get their lines. */
static void find_lines(struct annotation *a)
{
	for (uint32_t frame = 0; frame < a->trace->frame_count; frame++) {
		const struct resolved_frame *resolved;

		if (!a->frames[frame])
			continue;
		resolved = resolve(a->resolver, frame);
		for (size_t i = 0; i < resolved->count; i++) {
			struct frame_line *frame_line = &a->frame_lines[a->frames[frame] - 1 + i];
			struct frame_function fn = { resolved, &resolved->symbols[i] };

			frame_line->function = a->functions[frame_line->function].joined;
			if (a->functions[frame_line->function].shown.chosen)
				frame_line->line = find_line(a, frame_line->function, &fn);
		}
	}
}

static void add_stack(struct annotation *a, uint32_t site)
{
	const struct frame_line *owner = owner_line(a, site);
	uint32_t node = a->trace->site_info[site].node;

	if (owner && owner->line != NONE) {
		tally_add(&a->tally, &a->lines[owner->line]->shown.own, site);
		tally_add(&a->tally, &a->functions[owner->function].shown.own, site);
	}
	for (; node >= MT_NODE_FIRST; node = a->trace->nodes[node].parent) {
		uint32_t frame = frame_of(a, node);
		const struct frame_line *frame_lines = &a->frame_lines[a->frames[frame] - 1];

		for (size_t i = 0; i < resolve(a->resolver, frame)->count; i++) {
			if (frame_lines[i].line == NONE)
				continue;
			tally_add(&a->tally, &a->lines[frame_lines[i].line]->shown.all, site);
			tally_add(
				&a->tally, &a->functions[frame_lines[i].function].shown.all, site);
		}
	}
}

/* The function's own file comes first: its lines are the listing, all others stand below. */
static int compare_lines(const void *left, const void *right, void *file)
{
	const struct annotated_line *a = *(struct annotated_line *const *)left;
	const struct annotated_line *b = *(struct annotated_line *const *)right;

	if (a->file != b->file) {
		if (a->file == file || b->file == file)
			return a->file == file ? -1 : 1;
		if (!a->file || !b->file)
			return a->file ? -1 : 1;
		return strcmp(a->file, b->file);
	}
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Its own lines are part of it, whatever the line table says. */
static void widen_extent(struct annotated *f)
{
	for (size_t i = 0; i < f->line_count; i++)
		if (f->file && f->lines[i]->file == f->file && f->lines[i]->line > f->extent.last)
			f->extent.last = f->lines[i]->line;
}

static void finish(struct annotation *a)
{
	for (size_t i = 0; i < a->line_count; i++) {
		tally_finish(&a->tally, &a->lines[i]->shown.own);
		tally_finish(&a->tally, &a->lines[i]->shown.all);
	}
	for (size_t i = 0; i < a->function_count; i++) {
		struct annotated *f = &a->functions[i].shown;

		if (!f->chosen)
			continue;
		tally_finish(&a->tally, &f->own);
		tally_finish(&a->tally, &f->all);
		widen_extent(f);
		qsort_r(f->lines, f->line_count, sizeof(struct annotated_line *), compare_lines,
			(void *)f->file);
	}
}

void annotation_fill(struct annotation *a)
{
	measure_extents(a);
	join_nested(a);
	find_lines(a);
	for (uint32_t i = 0; i < a->tally.count; i++)
		add_stack(a, a->tally.order[i]);
	finish(a);
}

uint32_t annotation_next_function(const struct annotation *a, const char *file, uint32_t line)
{
	uint32_t next = UINT32_MAX;

	for (size_t i = 0; i < a->function_count; i++) {
		const struct function *f = &a->functions[i];

		if (f->shown.file == file && f->shown.line > line && f->shown.line < next &&
			f->joined == i)
			next = f->shown.line;
	}
	return next;
}
