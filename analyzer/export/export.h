/* SPDX-License-Identifier: MIT */
/*
 * export.h - traces in the formats of other tools' viewers: one file a format, from the same stacks
 * (stacks.h).
 *
 * What is written is valid whatever bytes names hold, and takes memory in proportion to the trace,
 * since it goes out as it is made.
 */
#ifndef MTRACER_EXPORT_H
#define MTRACER_EXPORT_H

#include <stdio.h>

#include "analyzer/views/profile.h"
#include "analyzer/views/tally.h"

struct filter;

struct exporter {
	const struct trace *trace;
	const struct tally *tally;
	struct resolver *resolver;
	enum sort_key measure;	     /* the only one, or the one that a viewer shows first */
	bool whole_stacks;	     /* start-up frames are kept */
	const struct filter *filter; /* of stacks, as folded takes it; NULL keeps all */
	FILE *out;
};

struct export_format {
	const char *name;
	bool packed;  /* in gzip's format by itself */
	bool adds_up; /* functions have the sums of what they call: no own peaks */
	void (*write)(const struct exporter *e);
};

/* In the order of export_format_names. */
extern const struct export_format *const export_formats[];
extern const char *const export_format_names[]; /* NULL-terminated */

extern const struct export_format export_folded, export_callgrind, export_pprof, export_dhat,
	export_speedscope, export_heaptrack, export_massif, export_csv, export_json;

#endif
