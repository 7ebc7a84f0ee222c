/* SPDX-License-Identifier: MIT */
/*
 * annotation.h - the functions of a program's source, and what their lines allocated: by
 * themselves, and with all that they called.
 *
 * A function is a piece of source: all instantiations of a template and all inlined copies are one.
 * Where the debug information doesn't say where a function is written, it is known by its name and
 * module, and its lines are addresses of calls.
 *
 *	annotation_new()	every function on any stack, with sums to choose by
 *	annotation_choose()	these are to be shown
 *	annotation_fill()	their lines and measures
 */
#ifndef MTRACER_ANNOTATION_H
#define MTRACER_ANNOTATION_H

#include "analyzer/views/profile.h"
#include "analyzer/views/tally.h"

struct annotated_line {
	const char *file;     /* NULL: known by its address */
	uint32_t line;	      /* 0: the same */
	uint64_t offset;      /* of the call in the module, for those */
	struct tally_sum own; /* of stacks that the line owns */
	struct tally_sum all; /* of stacks that it is on */
};

struct annotated {
	const char *name;      /* where several share the source, the one with the largest share */
	size_t names;	       /* how many these are */
	const char *file;      /* where it is written; NULL = unknown */
	uint32_t line;	       /* of its name there */
	const char *module;    /* of one of its copies; NULL = generated code */
	struct measures owned; /* plain sums over the stacks that it owns: no peak */
	bool chosen;
	struct extent extent;	       /* chosen: from its name to the last line with code */
	struct tally_sum own, all;     /* chosen: the whole function */
	struct annotated_line **lines; /* chosen: by file (its own first), then line or offset */
	size_t line_count;
};

struct annotation;

struct annotation *annotation_new(const struct trace *trace, struct resolver *resolver);
void annotation_free(struct annotation *a); /* NULL is ok */

const struct tally *annotation_tally(const struct annotation *a);

/* In the order in which they were met. Texts belong to the resolver. */
size_t annotation_count(const struct annotation *a);
const struct annotated *annotation_function(const struct annotation *a, size_t index);

/* Which function the symbol at `symbol` of a frame is; the frame must be on some stack. */
size_t annotation_at(const struct annotation *a, uint32_t frame, size_t symbol);

/* Whether one of the function's names is accepted. */
bool annotation_has_name(const struct annotation *a, size_t index,
	bool (*accept)(void *context, const char *name), void *context);

void annotation_choose(struct annotation *a, size_t index);

/* What is written inside another chosen function (lambdas, local classes) joins that one, and is no
 * longer chosen itself. Once, after all choices. */
void annotation_fill(struct annotation *a);

/* The first line after `line` in `file` where another function is written; UINT32_MAX = none. */
uint32_t annotation_next_function(const struct annotation *a, const char *file, uint32_t line);

#endif
