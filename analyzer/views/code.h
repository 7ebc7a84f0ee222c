/* SPDX-License-Identifier: MIT */
/*
 * code.h - the code that a trace saw: functions, and the points in them that are on call stacks.
 *
 * A point is a location in a function from which memory was allocated, by itself or by what it
 * calls: a source line of the function, or the address of a call where no lines are known. Inlined
 * functions are functions with points of their own. Texts belong to the resolver.
 */
#ifndef MTRACER_CODE_H
#define MTRACER_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/symbols/resolve.h"

struct tally;
struct trace;

#define CODE_ALLOCATES UINT32_MAX /* in place of a called function: the allocation itself */

struct code_function {
	const char *module; /* "[program]", or the file's name without version: "libfoo.so"; "" =
			       none */
	const char *name;   /* "" where it is unknown: all such code of a module is one function */
	const char *file;   /* where it is written; NULL = unknown */
};

struct code_point {
	uint32_t function; /* in code.functions */
	uint32_t line;	   /* 0 = unknown */
	const char *file;  /* of the line */
	uint64_t offset;   /* of the call in the module */
	uint64_t build;	   /* tells the module's builds apart; 0 = unknown */
	uint64_t count;	   /* allocations from here, and from what is called here */
	uint64_t bytes;	   /* of these */
	uint32_t callees;  /* index of the first in code.callees */
	uint32_t callee_count;
};

struct code {
	struct code_function *functions;
	size_t function_count, function_room;
	struct code_point *points;
	size_t point_count, point_room;
	uint32_t
		*callees; /* functions called at points, or CODE_ALLOCATES; sorted for each point */
	uint32_t *frame_points; /* points of a frame's functions, innermost first */
	uint32_t *frame_start;	/* by frame: index in frame_points */
	size_t frame_point_count, frame_point_room;
	char **modules; /* their names */
	size_t module_count, module_room;
};

/* What the used sites of a trace have on their stacks. */
struct code *code_new(
	const struct trace *trace, struct resolver *resolver, const struct tally *tally);
void code_free(struct code *code);

/* The point of a function on a stack: the `symbol`th of a frame that some used site's stack has. */
static inline uint32_t code_point_of(const struct code *code, uint32_t frame, size_t symbol)
{
	return code->frame_points[code->frame_start[frame] + symbol];
}

#endif
