/* SPDX-License-Identifier: MIT */
/*
 * calldiff.h - the calls of a tree, and what each had in the tree of an older run.
 *
 * Two calls are the same where their functions are the same code (match.h), though it moved or was
 * built anew, and their callers are the same calls. A call of the old tree that has no like in the
 * new one is gone, with all below it.
 */
#ifndef MTRACER_CALLDIFF_H
#define MTRACER_CALLDIFF_H

#include "analyzer/views/calltree.h"

struct calldiff_side {
	struct resolver *resolver;
	const struct tally *tally;
	const struct calltree *tree;
};

struct calldiff {
	int64_t *old; /* by call of the new tree: its measure in the old one */
	bool *known;  /* by call of the new tree: the old one has it */
	int64_t gone; /* the measure of what is gone */
	size_t gone_calls;
};

/* Both trees by the same options, their calls by function. */
struct calldiff *calldiff_new(
	const struct calldiff_side *old, const struct calldiff_side *new, enum sort_key key);
void calldiff_free(struct calldiff *diff); /* NULL is ok */

#endif
