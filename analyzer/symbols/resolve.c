/* SPDX-License-Identifier: MIT */
/* resolve.c - frames to functions and lines, through the symbolizer, remembered by frame. */
#include "analyzer/symbols/resolve.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/intern.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/progress.h"
#include "analyzer/symbols/wrappers.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>
#include <string.h>

#define PROGRESS_STEP 64 /* frames between two words about them */

struct module {
	const char *path; /* NULL for module 0 */
	size_t number;	  /* in the symbolizer */
	bool used;
	bool kept_lines; /* the trace itself has lines of it */
};

/* The better ones come later. */
enum owner_kind {
	OWNER_UNKNOWN,	 /* not looked for yet */
	OWNER_NONE,	 /* the stack has no frame */
	OWNER_OUTERMOST, /* all frames are the C library's or the loader's: the outermost */
	OWNER_LIBRARY,	 /* the innermost of a language's run-time library */
	OWNER_NAMED,	 /* the outermost wrapper elsewhere, as in the program itself */
	OWNER_REAL,	 /* the innermost that is no wrapper */
};

/* Found once for each node; whole stacks of wrappers share long ways up. */
struct owner {
	enum owner_kind kind;
	uint32_t node;	 /* of the owning frame */
	uint32_t symbol; /* in its frame */
};

struct resolver {
	const struct trace *trace;
	const struct wrappers *wrappers;
	struct symbolizer *symbolizer;
	struct module *modules;	       /* as many as trace->module_count */
	struct resolved_frame *frames; /* by frame; without symbols until asked for */
	struct owner *owners;	       /* by node */
	uint32_t resolved;	       /* frames so far */
	uint32_t *path;		       /* nodes on the way up to a known one */
	size_t path_count, path_room;
	struct symbol *kept;	/* that came with the trace; NULL = none */
	uint32_t *kept_at;	/* by frame: index of its first + 1, 0 = none */
	struct interner *texts; /* of these */
};

static bool same_path(const void *modules, uint32_t index, const void *path)
{
	return strcmp(((const struct module *)modules)[index].path, path) == 0;
}

/* A library that was loaded twice is one module to people. */
static void add_modules(struct resolver *r)
{
	const struct trace *t = r->trace;
	struct hashmap paths = { 0 };

	for (uint32_t i = 1; i < t->module_count; i++) {
		const struct mt_module *m = &t->modules[i];
		const char *path = trace_string(t, m->path);
		struct symbolizer_module module = { path, m->bias, m->start, m->end, m->build_id,
			m->build_id_size };

		r->modules[i].path = path;
		r->modules[i].path = r->modules[hashmap_find(&paths, hash_text(0, path), same_path,
							r->modules, path, i)]
					     .path;
		r->modules[i].number = symbolizer_add_module(r->symbolizer, &module);
	}
	hashmap_release(&paths);
}

/* ---- symbols that came with the trace */

/* NULL for the empty text. */
static const char *kept_text(struct resolver *r, uint32_t offset)
{
	const char *text = trace_string(r->trace, offset);

	return *text ? intern(r->texts, text) : NULL;
}

static struct symbol kept_symbol(struct resolver *r, const struct mt_symbol *s)
{
	const char *function = kept_text(r, s->function);

	return (struct symbol){
		.function = function ? function : intern(r->texts, "?"),
		.linkage = kept_text(r, s->linkage),
		.file = kept_text(r, s->file),
		.line = s->line,
		.inlined = s->flags & MT_SYMBOL_INLINED,
		.decl_file = kept_text(r, s->decl_file),
		.decl_line = s->decl_line,
	};
}

static void keep_symbols(struct resolver *r)
{
	const struct trace *t = r->trace;

	if (!t->symbol_count)
		return;
	r->texts = interner_new();
	r->kept = mem_zalloc(t->symbol_count, sizeof(*r->kept));
	r->kept_at = mem_zalloc(t->frame_count, sizeof(*r->kept_at));
	for (uint32_t i = 0; i < t->symbol_count; i++) {
		uint32_t frame = t->symbols[i].frame;

		r->kept[i] = kept_symbol(r, &t->symbols[i]);
		if (!r->kept_at[frame])
			r->kept_at[frame] = i + 1;
		if (r->kept[i].file)
			r->modules[t->frames[frame].module].kept_lines = true;
	}
}

static void tell_progress(struct resolver *r, const struct mt_frame *f)
{
	const struct module *m = &r->modules[f->module];

	r->resolved++;
	if (m->path && !m->used)
		progress_say("reading the symbols of %s", path_base(m->path));
	else if (r->resolved % PROGRESS_STEP == 0)
		progress_say("symbolizing: %u of %u addresses", r->resolved, r->trace->frame_count);
}

static struct symbols symbols_of(struct resolver *r, uint32_t frame)
{
	const struct trace *t = r->trace;
	const struct mt_frame *f = &t->frames[frame];
	uint32_t at = r->kept ? r->kept_at[frame] : 0;
	struct symbols kept = { 0, NULL };

	if (!at) {
		tell_progress(r, f);
		r->modules[f->module].used = true;
		return *symbolize(r->symbolizer,
			f->module ? r->modules[f->module].number : SIZE_MAX, f->address - 1);
	}
	kept.symbols = &r->kept[--at];
	while (at < t->symbol_count && t->symbols[at++].frame == frame)
		kept.count++;
	return kept;
}

/* ---- the resolver */

struct resolver *resolver_new(const struct trace *trace, const struct symbolizer_options *options,
	const struct wrappers *wrappers)
{
	struct resolver *r = mem_zalloc(1, sizeof(*r));

	r->trace = trace;
	r->wrappers = wrappers;
	r->symbolizer = symbolizer_new(options);
	r->modules = mem_zalloc(trace->module_count, sizeof(*r->modules));
	r->frames = mem_zalloc(trace->frame_count, sizeof(*r->frames));
	r->owners = mem_zalloc(trace->node_count, sizeof(*r->owners));
	add_modules(r);
	keep_symbols(r);
	return r;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	symbolizer_free(r->symbolizer);
	free(r->modules);
	free(r->frames);
	free(r->owners);
	free(r->path);
	free(r->kept);
	free(r->kept_at);
	interner_free(r->texts);
	free(r);
}

static size_t first_no_wrapper(
	const struct resolver *r, const struct resolved_frame *resolved, uint32_t flags)
{
	size_t i = 0;

	if (!r->wrappers)
		return 0;
	if (flags & MT_FRAME_WRAPPER)
		return resolved->count;
	while (i < resolved->count &&
		wrappers_match(r->wrappers, &resolved->symbols[i], resolved->module))
		i++;
	return i;
}

const struct resolved_frame *resolve(struct resolver *r, uint32_t frame)
{
	const struct mt_frame *f = &r->trace->frames[frame];
	struct resolved_frame *resolved = &r->frames[frame];
	struct symbols symbols;

	if (resolved->symbols || resolved->self)
		return resolved;
	if (f->module && (r->trace->modules[f->module].flags & MT_MODULE_SELF)) {
		resolved->self = true; /* nobody looks at its names */
		return resolved;
	}
	symbols = symbols_of(r, frame);
	resolved->symbols = symbols.symbols;
	resolved->count = symbols.count;
	resolved->module = r->modules[f->module].path;
	resolved->offset = f->address - 1 - (f->module ? r->trace->modules[f->module].bias : 0);
	resolved->calls = f->flags / MT_FRAME_CALLS(0) & ((1u << MT_FUNCTIONS) - 1);
	resolved->first = first_no_wrapper(r, resolved, f->flags);
	return resolved;
}

#define LAST_SYMBOL UINT32_MAX /* of an owner: the outermost of its frame's */

/* Is the frame in a library that is looked through as a whole? Then its symbols need not be read,
 * which takes longer than all else where the C library's debug information is installed. */
static bool in_wrapper_library(const struct resolver *r, uint32_t frame)
{
	const struct mt_frame *f = &r->trace->frames[frame];

	return r->wrappers && f->module && !(r->trace->modules[f->module].flags & MT_MODULE_SELF) &&
	       r->modules[f->module].path &&
	       library_kind(r->modules[f->module].path) != LIBRARY_ORDINARY;
}

/* What an owner would be that is itself all wrappers. */
static enum owner_kind wrapper_kind(const char *module, uint32_t flags)
{
	if (!module)
		return OWNER_NAMED;
	switch (library_kind(module)) {
	case LIBRARY_C:
		return OWNER_OUTERMOST;
	case LIBRARY_RUNTIME:
		return flags & MT_FRAME_WRAPPER ? OWNER_OUTERMOST : OWNER_LIBRARY;
	default:
		return OWNER_NAMED;
	}
}

/* The owner of the stacks that end at a frame, by the owner of those that end above it. */
static struct owner owner_below(struct resolver *r, uint32_t node, struct owner above)
{
	uint32_t frame = r->trace->nodes[node].frame;
	const struct mt_frame *f = &r->trace->frames[frame];
	enum owner_kind kind;

	if (!in_wrapper_library(r, frame)) {
		const struct resolved_frame *resolved = resolve(r, frame);

		if (resolved->first < resolved->count)
			return (struct owner){ OWNER_REAL, node, (uint32_t)resolved->first };
		if (resolved->self)
			return above;
	}
	kind = wrapper_kind(r->modules[f->module].path, f->flags);
	if (kind < above.kind || (kind == above.kind && kind != OWNER_LIBRARY))
		return above;
	return (struct owner){ kind, node, kind == OWNER_LIBRARY ? 0 : LAST_SYMBOL };
}

/* Whether the frames above don't matter. */
static bool is_decided(struct resolver *r, uint32_t node)
{
	uint32_t frame = r->trace->nodes[node].frame;
	const struct resolved_frame *resolved;

	if (in_wrapper_library(r, frame))
		return false;
	resolved = resolve(r, frame);
	return resolved->first < resolved->count;
}

static struct owner find_owner(struct resolver *r, uint32_t node)
{
	struct owner owner = { OWNER_NONE, 0, 0 };

	r->path_count = 0;
	for (; node >= MT_NODE_FIRST; node = r->trace->nodes[node].parent) {
		if (r->owners[node].kind != OWNER_UNKNOWN) {
			owner = r->owners[node];
			break;
		}
		VEC_PUSH(r->path, r->path_count, r->path_room, node);
		if (is_decided(r, node))
			break;
	}
	while (r->path_count) {
		node = r->path[--r->path_count];
		owner = r->owners[node] = owner_below(r, node, owner);
	}
	return owner;
}

struct frame_function resolve_owner(struct resolver *r, uint32_t node)
{
	struct frame_function fn = { NULL, NULL };
	struct owner owner = find_owner(r, node);

	if (owner.kind == OWNER_NONE)
		return fn;
	fn.frame = resolve(r, r->trace->nodes[owner.node].frame);
	if (owner.symbol == LAST_SYMBOL)
		owner.symbol = (uint32_t)fn.frame->count - 1;
	fn.symbol = &fn.frame->symbols[owner.symbol];
	return fn;
}

static size_t module_number(const struct resolver *r, const struct resolved_frame *resolved)
{
	uint32_t module = r->trace->frames[resolved - r->frames].module;

	return module ? r->modules[module].number : SIZE_MAX;
}

uint32_t stack_walk(const struct trace *t, struct resolver *resolver, uint32_t site,
	void (*visit)(void *context, const struct frame_function *fn), void *context)
{
	uint32_t node = t->site_info[site].node;

	for (; node >= MT_NODE_FIRST; node = t->nodes[node].parent) {
		const struct resolved_frame *resolved = resolve(resolver, t->nodes[node].frame);

		for (size_t i = 0; i < resolved->count; i++) {
			struct frame_function fn = { resolved, &resolved->symbols[i] };

			visit(context, &fn);
		}
	}
	return node;
}

bool is_start_up(const struct resolved_frame *resolved)
{
	if (resolved->first == resolved->count)
		return true;
	return resolved->count == 1 && strcmp(resolved->symbols[0].function, "_start") == 0;
}

const char *stack_start(uint32_t root)
{
	if (root == MT_NODE_DEEP)
		return "[more frames than MTRACE_DEPTH]";
	if (root == MT_NODE_BROKEN)
		return "[could not be unwound further]";
	return NULL;
}

struct extent resolver_extent(struct resolver *r, const struct frame_function *fn)
{
	uint32_t frame = (uint32_t)(fn->frame - r->frames);
	const struct mt_frame *f = &r->trace->frames[frame];

	if (r->kept && r->kept_at[frame])
		return (struct extent){ fn->symbol->decl_line, fn->symbol->decl_line };
	return symbolizer_extent(r->symbolizer, module_number(r, fn->frame), f->address - 1,
		(size_t)(fn->symbol - fn->frame->symbols));
}

#define NO_DATE 631152000000000000 /* 1990: where builds are to be alike, files have older ones */

/* It was there when the process began, and its file says maybe more. */
int64_t resolver_built(const struct resolver *r, const char *module)
{
	uint64_t start = r->trace->header.start_ns;
	int64_t built = start > INT64_MAX ? 0 : (int64_t)start;

	for (uint32_t i = 1; module && i < r->trace->module_count; i++) {
		const struct module *m = &r->modules[i];
		int64_t changed = m->path == module && m->used
					  ? symbolizer_file_time(r->symbolizer, m->number)
					  : 0;

		if (changed > NO_DATE && (built == 0 || changed < built))
			built = changed;
	}
	return built;
}

enum source_match resolver_source(
	const struct resolver *r, const char *module, const char *file, const uint8_t *md5)
{
	enum source_match match = SOURCE_UNKNOWN;

	for (uint32_t i = 1; module && i < r->trace->module_count && match == SOURCE_UNKNOWN; i++) {
		const struct module *m = &r->modules[i];

		if (m->path == module && m->used)
			match = symbolizer_source(r->symbolizer, m->number, file, md5);
	}
	return match;
}

bool resolver_has_lines(const struct resolver *r, const char *module)
{
	for (uint32_t i = 1; i < r->trace->module_count; i++) {
		const struct module *m = &r->modules[i];

		if (m->path == module &&
			(m->kept_lines ||
				(m->used && symbolizer_has_lines(r->symbolizer, m->number))))
			return true;
	}
	return false;
}

const char *resolver_complaint(const struct resolver *r, uint32_t *next)
{
	while (*next < r->trace->module_count) {
		const struct module *m = &r->modules[(*next)++];
		const char *complaint;

		if (!m->used || !m->path)
			continue;
		complaint = symbolizer_complaint(r->symbolizer, m->number);
		if (complaint)
			return complaint;
	}
	return NULL;
}
