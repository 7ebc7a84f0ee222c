/* SPDX-License-Identifier: MIT */
/*
 * timeline_svg.h - the curve of a timeline as a picture: what the largest rows had, one upon the
 * other, and resident memory, the peak and the marks above that. It needs no other file, and has
 * colours for a light and for a dark page.
 */
#ifndef MTRACER_TIMELINE_SVG_H
#define MTRACER_TIMELINE_SVG_H

#include "analyzer/views/timeline.h"

#include <stdio.h>

#define SVG_ROWS 9 /* that have a colour */

struct svg_options {
	const char *title;  /* the program */
	const char **names; /* of the rows shown */
	size_t rows;	    /* shown, SVG_ROWS at the most; the rest is one area */
	uint64_t peak_ns, peak_bytes;
};

void timeline_svg(FILE *out, const struct timeline *t, const struct svg_options *options);

#endif
