/* SPDX-License-Identifier: MIT */
/*
 * flamegraph.h - a flame graph as one SVG file: a picture by itself, interactive in a browser. It
 * names no other file and no server.
 */
#ifndef MTRACER_FLAMEGRAPH_H
#define MTRACER_FLAMEGRAPH_H

#include <stdio.h>

#include "analyzer/views/calldiff.h"
#include "analyzer/views/flame.h"

struct trace;

/* Of a picture without script, in pixels; with it, the width is the window's. */
#define FLAME_WIDTH 1200
#define FLAME_MARGIN 10
#define FLAME_LEAST 0.1 /* narrower boxes are left out */
#define FLAME_MOST 5000 /* boxes of calls, a megabyte */

struct flamegraph {
	const struct trace *trace;
	const struct calltree *tree;
	const struct flame *flame;
	enum sort_key key;
	bool callers;		     /* the tree is of callers, drawn above what they call */
	const char *match;	     /* what stacks were chosen by; NULL: all */
	const struct calldiff *diff; /* what the tree was in `old`; NULL: colours are modules */
	const struct trace *old;
};

void flamegraph_write(const struct flamegraph *g, FILE *out);

#endif
