/*
 * leaks.h - the live blocks of a trace by who points to them: rows by call site and kind.
 *
 * Where the library made a scan (MT_SCAN_DONE), a row is the blocks of one kind that one site
 * allocated; elsewhere the live blocks of every site are unclassified, and `why` says why.
 */
#ifndef MTRACER_LEAKS_H
#define MTRACER_LEAKS_H

#include "analyzer/measures.h"
#include "analyzer/resolve.h"
#include "analyzer/suppress.h"

#include <stdio.h>

struct json;
struct reading;
struct source_cache;
struct trace;

extern const char *const leak_kind_names[LEAK_KINDS]; /* "lost", "indirect", ... */

struct leak_sum {
	uint64_t bytes, blocks;
	uint32_t stacks; /* call stacks */
};

/* All sites whose stacks read the same are one: one source line may hold several calls. */
struct leak {
	uint32_t site; /* in MT_SITES: the first of them */
	enum leak_kind kind;
	uint64_t bytes, blocks;
	uint64_t hash;	   /* of the stack */
	struct measures m; /* of the sites */
	uint32_t last;	   /* site that was added */
	struct spot owner; /* whom the stack belongs to; NULLs for an empty stack */
};

struct leaks {
	bool classified;
	char *why;	      /* if it is not, or not all: one line */
	struct totals totals; /* of the program */
	struct leak *items;   /* that no suppression matched; by kind, then most bytes first */
	size_t count;
	struct leak_sum found[LEAK_KINDS]; /* of the items, without those below min_bytes */
	struct leak_sum suppressed[LEAK_KINDS];
	struct leak_sum small; /* left out by min_bytes, of all kinds */
};

/* Smaller rows than min_bytes are counted, not listed. The suppressions note what they did. */
struct leaks *leaks_new(const struct trace *trace, struct resolver *resolver,
	const struct suppressions *suppressions, uint64_t min_bytes);
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
	bool hints;	 /* name the options that show more */
};

/* The verdict in a few lines, then the listed rows with their stacks. */
void leaks_print(const struct leaks *leaks, const struct trace *trace, struct resolver *resolver,
	struct source_cache *sources, const struct leaks_view *view, FILE *out);

/* The members "leaks": {...} and "rows": [...]. */
void leaks_json(const struct leaks *leaks, const struct trace *trace, struct resolver *resolver,
	const struct leaks_view *view, struct json *json);

#endif
