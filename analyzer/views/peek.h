/* SPDX-License-Identifier: MIT */
/*
 * peek.h - one function between its callers and its callees.
 *
 * Each stack that the function is on counts once: for the caller of its outermost call, and for the
 * callee of its innermost one, or for the function itself. So callers, and callees with the
 * function itself, each add up to the whole, whatever the recursion.
 */
#ifndef MTRACER_PEEK_H
#define MTRACER_PEEK_H

#include "analyzer/views/annotation.h"

#define PEEK_NOBODY SIZE_MAX /* no caller: the function is outermost on those stacks */

struct neighbour {
	size_t function; /* of the annotation; PEEK_NOBODY */
	struct measures m;
};

struct peek {
	struct neighbour *callers, *callees; /* largest first */
	size_t caller_count, callee_count;
	struct measures self, all;
	uint32_t recursion; /* the most calls of it on one stack */
};

struct peek peek_function(const struct annotation *a, const struct trace *trace,
	struct resolver *resolver, size_t function, enum sort_key key);
void peek_release(struct peek *peek);

#endif
