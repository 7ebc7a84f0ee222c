/* SPDX-License-Identifier: MIT */
/*
 * leaks.h - the live blocks of a trace by who points to them: rows by line and kind, with the call
 * stacks that lead there.
 *
 * Where the library made a scan (MT_SCAN_DONE), a row is the blocks of one kind that one line, or
 * one call stack, allocated; elsewhere live blocks are unclassified, and `why` says why. Lost
 * blocks hold others, the indirect ones, each of which is held once; rows go by what they come to
 * in all.
 */
#ifndef MTRACER_LEAKS_H
#define MTRACER_LEAKS_H

#include "analyzer/symbols/resolve.h"
#include "analyzer/trace/measures.h"
#include "analyzer/views/suppress.h"

#include <stdio.h>

struct json;
struct reading;
struct source_cache;
struct trace;

extern const char *const leak_kind_names[LEAK_KINDS]; /* "lost", "indirect", ... */

struct leak_size {
	uint64_t bytes, blocks;
};

struct leak_sum {
	uint64_t bytes, blocks;
	uint32_t rows, stacks;
};

/* All sites whose stacks read the same are one: one source line may hold several calls. */
struct leak_stack {
	uint32_t leak; /* whose it is, in the order in which they were met */
	uint32_t site; /* in MT_SITES: the first of them */
	uint64_t hash;
	struct leak_size own, all; /* as of the leak */
	uint64_t allocations;
};

/* What a lost row holds, by the line that allocated it. */
struct leak_part {
	uint32_t leak;
	uint64_t hash;
	struct frame_function owner;
	struct leak_size size;
};

struct leak {
	enum leak_kind kind;
	uint64_t hash;		     /* of the line, or of the stack */
	struct frame_function owner; /* whom the stacks belong to; NULLs for empty ones */
	struct leak_size own;	     /* its blocks */
	struct leak_size all;	     /* with what only these lead to, if they are lost */
	struct measures m;	     /* of the sites */
	struct leak_stack *stacks;   /* most bytes in all first */
	size_t stack_count;
	struct leak_part *parts; /* most bytes first */
	size_t part_count;
};

struct leaks {
	bool classified;
	char *why;	      /* if it is not, or not all: one line */
	struct totals totals; /* of the program */
	struct leak *items; /* that no suppression matched; by kind, then most bytes in all first */
	size_t count;
	struct leak_stack *stacks; /* of the items */
	struct leak_part *parts;
	size_t stack_count, part_count;
	struct leak_sum found[LEAK_KINDS]; /* own bytes of all but those below min_bytes */
	struct leak_sum suppressed[LEAK_KINDS];
	struct leak_sum small; /* left out by min_bytes, with what they hold */
};

enum leaks_by { LEAKS_BY_LINE, LEAKS_BY_SITE };
extern const char *const leaks_by_names[]; /* NULL-terminated */

struct leaks_options {
	enum leaks_by by;
	uint64_t min_bytes; /* rows with fewer in all are counted, not listed */
};

/* The suppressions note what they did: what they leave out goes with all that it holds. */
struct leaks *leaks_new(const struct trace *trace, struct resolver *resolver,
	struct suppressions *suppressions, const struct leaks_options *options);
void leaks_free(struct leaks *leaks);

/* Something is lost, for certain: what exit statuses follow. */
bool leaks_found(const struct leaks *leaks);

/* The functions of a site's stack as suppressions see it, innermost first; the caller frees it. */
struct suppress_frame *leak_frames(
	const struct trace *trace, struct resolver *resolver, uint32_t site, size_t *count);

/* ---- leaks_print.c */

struct leaks_view {
	unsigned kinds;	 /* to list: bits 1 << LEAK_* */
	uint64_t limit;	 /* rows, 0 = all */
	uint64_t frames; /* of a stack, 0 = all */
	uint64_t stacks; /* of a row, 0 = all */
	bool hints;	 /* name the options that show more */
};

/* The verdict in a few lines, then the listed rows with their stacks. */
void leaks_print(const struct leaks *leaks, const struct trace *trace, struct resolver *resolver,
	struct source_cache *sources, const struct leaks_view *view, FILE *out);

/* The same as a paragraph and a table of Markdown, to stdout; a row has its largest stack. */
void leaks_markdown(const struct leaks *leaks, const struct trace *trace, struct resolver *resolver,
	const struct leaks_view *view);

/* The listed rows as comma-separated values. */
void leaks_csv(const struct leaks *leaks, const struct trace *trace, struct resolver *resolver,
	const struct leaks_view *view, FILE *out);

/* The members "leaks": {...} and "rows": [...]. */
void leaks_json(const struct leaks *leaks, const struct trace *trace, struct resolver *resolver,
	const struct leaks_view *view, struct json *json);

#endif
