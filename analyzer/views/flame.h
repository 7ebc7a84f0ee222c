/* SPDX-License-Identifier: MIT */
/*
 * flame.h - a call tree as the boxes of a flame graph: each call as wide as its measure, its calls
 * within its width one level further.
 *
 * A call gets a box if that isn't too narrow to be seen, and the tree's size has a limit: then the
 * widest ones do. What a call's other calls have together is one box, the rest, if that can be seen.
 */
#ifndef MTRACER_FLAME_H
#define MTRACER_FLAME_H

#include "analyzer/views/calltree.h"

struct flame_box {
	uint32_t call; /* in the tree; of a rest, the call whose calls it stands for */
	uint32_t rest; /* how many calls it stands for; 0: it is the call itself */
	uint32_t depth;
	int64_t value;	     /* of the measure */
	double start, width; /* in the measure's unit; the width is what its caller has room for */
};

struct flame {
	struct flame_box *boxes; /* callers before their calls */
	size_t count, room;
	uint32_t deepest;
	size_t without; /* calls that have some of the measure, but no box of their own */
};

/* The tree must be sorted by the key. A box is at least `least` wide, and at most `most` calls have
 * one. No boxes at all where the whole is 0. */
struct flame *flame_new(const struct calltree *tree, enum sort_key key, double least, size_t most);
void flame_free(struct flame *flame); /* NULL is ok */

#endif
