/* SPDX-License-Identifier: MIT */
/*
 * timeline_plot.h - the curve of a timeline in characters: braille, 2 x 4 dots each, or ASCII.
 *
 * Between two points the curve stays at the first one's height, since nothing happens there or it
 * isn't known; a column shows the highest that it covers, so that no peak falls between columns.
 */
#ifndef MTRACER_TIMELINE_PLOT_H
#define MTRACER_TIMELINE_PLOT_H

#include "analyzer/views/timeline.h"

struct strbuf;

struct plot_options {
	bool ascii;
	size_t width;	  /* columns for all of it */
	uint64_t peak_ns; /* where the peak is marked; 0: nowhere */
};

/* Does the environment's locale have UTF-8? */
bool locale_is_utf8(void);

/* Several lines: the heap as an area, resident memory as a line above it, the time below, and a
 * line with the peak and the marks. */
void plot_add(struct strbuf *text, const struct timeline *t, const struct plot_options *options);

/* The character that stands for a mark on the plot, by its number from 0; so many have one of their
 * own. */
#define PLOT_MARKS 35
char plot_mark(size_t number);

/* One line: values at the points, in `width` characters of the heights up to `most`. */
void sparkline_add(struct strbuf *text, const struct timeline *t, const uint64_t *values,
	uint64_t most, size_t width, bool ascii);

/* One character of one: a value of at most `most`. */
void sparkline_add_height(struct strbuf *text, uint64_t value, uint64_t most, bool ascii);

/* Whether resident memory is of a size to be drawn with the heap. */
bool plot_has_rss(const struct timeline *t);

#endif
