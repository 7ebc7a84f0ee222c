/* SPDX-License-Identifier: MIT */
/* resolve.c - frames to functions and lines, through the symbolizer, remembered by frame. */
#include "analyzer/symbols/resolve.h"
#include "analyzer/base/intern.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/progress.h"
#include "analyzer/symbols/wrappers.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>
#include <string.h>

#define PROGRESS_STEP 64 /* frames between two words about them */

/* What the symbolizer has: a file, however often and wherever it is loaded. */
struct known_module {
	const char *path;
	uint64_t bias; /* where the symbolizer has it */
	uint8_t build_id[sizeof(((struct mt_module *)0)->build_id)];
	uint16_t build_id_size;
	bool used;
};

/* A module of the trace. */
struct module {
	const char *path; /* NULL for module 0 */
	size_t number;	  /* of the known module, and in the symbolizer */
	uint64_t shift;	  /* from addresses of the trace to those of the symbolizer */
	bool kept_lines;  /* the trace itself has lines of it */
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
	struct known_module *known;
	size_t known_count, known_room;
	struct module *modules;	       /* as many as trace->module_count */
	struct resolved_frame *frames; /* by frame; without symbols until asked for */
	struct owner *owners;	       /* by node */
	uint32_t resolved;	       /* frames so far */
	uint32_t *path;		       /* nodes on the way up to a known one */
	size_t path_count, path_room;
	struct symbol *kept;	/* that came with the trace; NULL = none */
	uint32_t *kept_at;	/* by frame: index of its first + 1, 0 = none */
	struct interner *texts; /* of these, and the paths of modules */
};

/* ---- modules */

static bool is_known_as(const struct known_module *k, const struct mt_module *m, const char *path)
{
	return k->path == path && k->build_id_size == m->build_id_size &&
	       memcmp(k->build_id, m->build_id, m->build_id_size) == 0;
}

static size_t know_module(struct resolver *r, const struct mt_module *m, const char *path)
{
	struct symbolizer_module module = { path, m->bias, m->start, m->end, m->build_id,
		m->build_id_size };
	struct known_module known = { path, m->bias, { 0 }, m->build_id_size, false };

	for (size_t i = 0; i < r->known_count; i++)
		if (is_known_as(&r->known[i], m, path))
			return i;
	memcpy(known.build_id, m->build_id, sizeof(known.build_id));
	symbolizer_add_module(r->symbolizer, &module);
	VEC_PUSH(r->known, r->known_count, r->known_room, known);
	return r->known_count - 1;
}

/* A library that was loaded twice is one module to people, and so it is in the processes of a sum. */
static void add_modules(struct resolver *r)
{
	const struct trace *t = r->trace;

	for (uint32_t i = 1; i < t->module_count; i++) {
		const struct mt_module *m = &t->modules[i];
		struct module *module = &r->modules[i];

		module->path = intern(r->texts, trace_string(t, m->path));
		module->number = know_module(r, m, module->path);
		module->shift = r->known[module->number].bias - m->bias;
	}
}

/* The call of a frame, as the symbolizer has it. */
static uint64_t symbol_address(const struct resolver *r, const struct mt_frame *f)
{
	return f->address - 1 + r->modules[f->module].shift;
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
	if (m->path && !r->known[m->number].used)
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
		if (f->module)
			r->known[r->modules[f->module].number].used = true;
		return *symbolize(r->symbolizer,
			f->module ? r->modules[f->module].number : SIZE_MAX, symbol_address(r, f));
	}
	kept.symbols = &r->kept[--at];
	while (at < t->symbol_count && t->symbols[at++].frame == frame)
		kept.count++;
	return kept;
}

/* ---- the resolver */

static void start_trace(struct resolver *r)
{
	const struct trace *t = r->trace;

	r->modules = mem_zalloc(t->module_count, sizeof(*r->modules));
	r->frames = mem_zalloc(t->frame_count, sizeof(*r->frames));
	r->owners = mem_zalloc(t->node_count, sizeof(*r->owners));
	add_modules(r);
	keep_symbols(r);
}

static uint32_t calls_of(const struct mt_frame *f)
{
	return f->flags / MT_FRAME_CALLS(0) & ((1u << MT_FUNCTIONS) - 1);
}

struct resolver *resolver_new(const struct trace *trace, const struct symbolizer_options *options,
	const struct wrappers *wrappers)
{
	struct resolver *r = mem_zalloc(1, sizeof(*r));

	r->trace = trace;
	r->wrappers = wrappers;
	r->symbolizer = symbolizer_new(options);
	r->texts = interner_new();
	start_trace(r);
	return r;
}

static void end_trace(struct resolver *r)
{
	free(r->modules);
	free(r->frames);
	free(r->owners);
	free(r->kept);
	free(r->kept_at);
	r->kept = NULL;
	r->kept_at = NULL;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	end_trace(r);
	symbolizer_free(r->symbolizer);
	free(r->known);
	free(r->path);
	interner_free(r->texts);
	free(r);
}

/* ---- the trace as it was read again */

static bool begins_with(
	const void *now, uint32_t count, const void *before, uint32_t old_count, size_t size)
{
	return count >= old_count && memcmp(now, before, old_count * size) == 0;
}

/* A frame may get to call more, which its owner doesn't depend on; all else stays as it is written. */
static bool same_frames(const struct trace *now, const struct trace *before)
{
	for (uint32_t i = 0; i < before->frame_count && i < now->frame_count; i++) {
		const struct mt_frame *a = &now->frames[i], *b = &before->frames[i];

		if (a->address != b->address || a->module != b->module ||
			((a->flags ^ b->flags) & (MT_FRAME_CALLS(0) - 1)))
			return false;
	}
	return now->frame_count >= before->frame_count;
}

/* Modules may be unloaded. */
static bool same_modules(const struct resolver *r, const struct trace *now)
{
	const struct trace *before = r->trace;

	for (uint32_t i = 1; i < before->module_count && i < now->module_count; i++) {
		const struct mt_module *a = &now->modules[i], *b = &before->modules[i];

		if (a->bias != b->bias || a->flags != b->flags ||
			!is_known_as(&r->known[r->modules[i].number], a,
				intern(r->texts, trace_string(now, a->path))))
			return false;
	}
	return now->module_count >= before->module_count;
}

static bool goes_on(const struct resolver *r, const struct trace *now)
{
	const struct trace *before = r->trace;

	return !now->symbol_count && !before->symbol_count && same_modules(r, now) &&
	       same_frames(now, before) &&
	       begins_with(now->nodes, now->node_count, before->nodes, before->node_count,
		       sizeof(*now->nodes));
}

static void *more(void *array, uint32_t count, uint32_t old_count, size_t size)
{
	char *grown = mem_resize(array, count, size);

	memset(grown + old_count * size, 0, (count - old_count) * size);
	return grown;
}

static void go_on(struct resolver *r, const struct trace *now)
{
	const struct trace *before = r->trace;

	r->modules = more(r->modules, now->module_count, before->module_count, sizeof(*r->modules));
	r->frames = more(r->frames, now->frame_count, before->frame_count, sizeof(*r->frames));
	r->owners = more(r->owners, now->node_count, before->node_count, sizeof(*r->owners));
	r->trace = now;
	add_modules(r);
	for (uint32_t i = 0; i < before->frame_count; i++)
		r->frames[i].calls = calls_of(&now->frames[i]);
}

void resolver_renew(struct resolver *r, const struct trace *trace)
{
	if (trace == r->trace)
		return;
	if (goes_on(r, trace)) {
		go_on(r, trace);
		return;
	}
	end_trace(r);
	r->trace = trace;
	start_trace(r);
}

/* ---- frames */

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
	resolved->calls = calls_of(f);
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

uint32_t resolved_index(const struct resolver *r, const struct resolved_frame *frame)
{
	return (uint32_t)(frame - r->frames);
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
	uint32_t frame = resolved_index(r, fn->frame);
	const struct mt_frame *f = &r->trace->frames[frame];

	if (r->kept && r->kept_at[frame])
		return (struct extent){ fn->symbol->decl_line, fn->symbol->decl_line };
	return symbolizer_extent(r->symbolizer, module_number(r, fn->frame), symbol_address(r, f),
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
		int64_t changed = m->path == module && r->known[m->number].used
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

		if (m->path == module && r->known[m->number].used)
			match = symbolizer_source(r->symbolizer, m->number, file, md5);
	}
	return match;
}

bool resolver_has_lines(const struct resolver *r, const char *module)
{
	for (uint32_t i = 1; i < r->trace->module_count; i++) {
		const struct module *m = &r->modules[i];

		if (m->path == module &&
			(m->kept_lines || (r->known[m->number].used &&
						  symbolizer_has_lines(r->symbolizer, m->number))))
			return true;
	}
	return false;
}

const char *resolver_complaint(const struct resolver *r, uint32_t *next)
{
	while (*next < r->known_count) {
		uint32_t number = (*next)++;
		const char *complaint =
			r->known[number].used ? symbolizer_complaint(r->symbolizer, number) : NULL;

		if (complaint)
			return complaint;
	}
	return NULL;
}
