/* SPDX-License-Identifier: MIT */
/*
 * resolve.h - from the frames of a trace to functions and source lines, each frame once and only
 * when asked for; and which frame of a stack a row belongs to.
 */
#ifndef MTRACER_RESOLVE_H
#define MTRACER_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/symbols/symbolize.h"

struct trace;
struct wrappers;
struct resolver;

/* A return address of the trace. With inlining it stands for several functions. */
struct resolved_frame {
	const struct symbol *symbols; /* innermost first; none where `self` is set */
	size_t count;
	size_t first;	    /* the innermost that is no wrapper; `count` where all are */
	const char *module; /* path; NULL = none. Equal paths are the same pointer */
	uint64_t offset;    /* of the call in the module's ELF file; without module the address */
	uint32_t calls;	    /* allocation functions that it called, as bits 1 << MT_* */
	bool self;	    /* inside libmtrace.so: no part of the program's stack */
};

/* Its index in MT_FRAMES, of any that resolve() gave out. */
uint32_t resolved_index(const struct resolver *r, const struct resolved_frame *frame);

/* One function on a stack. */
struct frame_function {
	const struct resolved_frame *frame; /* NULL where there is no frame at all */
	const struct symbol *symbol;
};

/* The trace and the wrappers must outlive it. Without wrappers (NULL) nothing is looked through. */
struct resolver *resolver_new(const struct trace *trace, const struct symbolizer_options *options,
	const struct wrappers *wrappers);
void resolver_free(struct resolver *r);

/*
 * For the trace as it was read again later, or for another one: what is known of symbols is kept, and
 * where the tables only grew, all of the stacks too. Texts stay as they are; frames and functions on
 * stacks have to be asked for again. The trace before may be freed afterwards.
 */
void resolver_renew(struct resolver *r, const struct trace *trace);

/* Lives until the resolver is renewed or freed. `frame` is an index in MT_FRAMES. */
const struct resolved_frame *resolve(struct resolver *r, uint32_t frame);

/*
 * The function that a stack's row belongs to: the innermost that is no wrapper. Where there are
 * only wrappers, it is the outermost of those in the program and its own libraries; or else the
 * innermost in a language's run-time library (libstdc++'s own pool, made as it is loaded); or else
 * the outermost frame. A stack without frames has a NULL frame and symbol.
 */
struct frame_function resolve_owner(struct resolver *r, uint32_t node);

/*
 * Calls visit() for each function on a site's stack, innermost first, our own frames left out.
 * Returns the root where the stack ends: MT_NODE_ROOT, MT_NODE_DEEP or MT_NODE_BROKEN.
 */
uint32_t stack_walk(const struct trace *trace, struct resolver *resolver, uint32_t site,
	void (*visit)(void *context, const struct frame_function *fn), void *context);

/*
 * Frames that every stack has at its outer end: from the loader or a thread's start to the first
 * function of the program. With wrappers alone; without them nothing is looked through.
 */
bool is_start_up(const struct resolved_frame *resolved);

/* What a stack begins with that doesn't begin at the program's start, by its root: "[...]"; NULL for
 * whole ones. And what stands for a stack without frames. */
const char *stack_start(uint32_t root);
#define NO_STACK "[no stack]"

/* The lines of a function in its decl_file, as far as they are known (symbolize.h). */
struct extent resolver_extent(struct resolver *r, const struct frame_function *fn);

/* When a module was built, at the latest, in ns since the epoch; 0 = unknown. A source file that
 * was written later isn't what was compiled, or was copied. `module` is some frame's. */
int64_t resolver_built(const struct resolver *r, const char *module);

/* The same by the contents of the file, where the module's debug information has their sum. */
enum source_match resolver_source(
	const struct resolver *r, const char *module, const char *file, const uint8_t *md5);

/* Whether debug information tells lines of a module that some frame's `module` names. */
bool resolver_has_lines(const struct resolver *r, const char *module);

/* Complaints about the symbols of the modules used so far, for warnings: NULL after the last.
 * Starts at *next = 0. */
const char *resolver_complaint(const struct resolver *r, uint32_t *next);

#endif
