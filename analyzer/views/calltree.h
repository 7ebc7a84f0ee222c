/* SPDX-License-Identifier: MIT */
/*
 * calltree.h - all stacks of a trace merged into one tree of functions, from the outermost inwards
 * or from the allocating ones outwards.
 *
 *	top-down:  the program -> main -> parse -> read_line
 *	           each node holds what was allocated below it
 *	callers:   the program -> read_line -> parse -> main
 *	           what the first node owns, for its callers
 *
 * Every site is in one node's own measures and in those of all nodes above, so the children of a
 * node never add up to more than the node. A function that calls itself directly is one node. The
 * wrappers between an owner and malloc are left out, and so are the start-up frames of libc.
 */
#ifndef MTRACER_CALLTREE_H
#define MTRACER_CALLTREE_H

#include "analyzer/views/profile.h"
#include "analyzer/views/tally.h"

struct filter;

struct calltree_options {
	bool callers;
	bool lines;	   /* a node for each line of a function that calls (or allocates) */
	bool whole_stacks; /* leave no outer frames out */
	enum sort_key key; /* callers of what has less than `least` by this key are left out */
	int64_t least;
};

#define CALL_NONE UINT32_MAX

/* Measures are without own peaks, which paths don't have. */
struct call {
	const char *function; /* "[...]" for what is no function; NULL for the root */
	const char *module;
	const char *file; /* where the function is written; with `lines` the line's file; NULL =
			     unknown */
	uint32_t line;
	uint64_t offset;	/* of the call, with `lines` where the line isn't known */
	uint32_t frame, symbol; /* one that it is, as resolve() has it; CALL_NONE: no function */
	bool recursive;
	bool small;			    /* its callers are left out: it has less than `least` */
	uint32_t parent, first_child, next; /* CALL_NONE */
	uint32_t children;
	struct measures own, all;
};

struct calltree {
	struct call *calls; /* the first is the root; parents come before their children */
	size_t count;
};

/* Of the sites that the filter keeps (by any function of their stacks); NULL keeps all. Texts are
 * the resolver's. */
struct calltree *calltree_new(const struct tally *tally, struct resolver *resolver,
	const struct calltree_options *options, const struct filter *filter);
void calltree_free(struct calltree *tree); /* NULL is ok */

/* Orders all children, largest first. */
void calltree_sort(struct calltree *tree, enum sort_key key);

#endif
