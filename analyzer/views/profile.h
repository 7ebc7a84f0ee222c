/* SPDX-License-Identifier: MIT */
/*
 * profile.h - the rows of a report: sites added up by line, function, file, module, or taken one by
 * one, or by thread.
 */
#ifndef MTRACER_PROFILE_H
#define MTRACER_PROFILE_H

#include "analyzer/base/units.h"
#include "analyzer/symbols/resolve.h"
#include "analyzer/trace/measures.h"

enum profile_by { BY_LINE, BY_FUNCTION, BY_FILE, BY_MODULE, BY_SITE, BY_THREAD };

extern const char *const
	profile_by_names[]; /* "line", "function", ...; NULL-terminated, in the order of the enum */

/*
 * What is NULL or 0 isn't known or has no meaning for the kind of row: a file's row has no
 * function, and where no debug information exists there is no file and line. Texts belong to the
 * resolver or the trace.
 */
struct row {
	const char *function;
	const char *file;
	uint32_t line;
	const char *module;
	uint64_t offset; /* of the call in the module, where line is 0 and the row is one address */
	bool has_offset;
	bool more_functions; /* several functions share this line (templates, macros); the first by
				bytes is named */
	uint32_t kind;	     /* MT_KIND_* */
	uint32_t site;	     /* BY_SITE: in MT_SITES */
	uint32_t lane;	     /* BY_THREAD: in MT_LANES */
	uint32_t sites;	     /* how many were added up */
	struct measures m;   /* BY_THREAD: without peaks */
};

struct profile {
	enum profile_by by;
	bool cumulative;
	struct totals totals; /* of the program, whatever the rows */
	struct row *rows;     /* in no order */
	size_t row_count;
	uint32_t
		*row_of_site; /* index in rows, until these are sorted; UINT32_MAX: none. NULL where
				  a row isn't a sum of whole sites */
};

/*
 * With `cumulative`, a site counts for every row on its stack, once each, however often the row
 * recurs; only for lines, functions, files and modules. Rows live until profile_free(), their texts
 * as long as the resolver.
 */
struct profile *profile_new(
	const struct trace *trace, struct resolver *resolver, enum profile_by by, bool cumulative);
void profile_free(struct profile *profile);

/* A hash of what makes a row one: the same in another profile with the same resolver, but for sites and
 * threads, which are numbers of the trace. */
uint64_t row_name(const struct row *row);

/* By a measure or by the row's name; `name` may be shortened while it is unambiguous, and has short
 * forms. */
enum sort_key {
	SORT_CURRENT_BYTES,
	SORT_CURRENT_BLOCKS,
	SORT_PEAK_BYTES,
	SORT_AT_PEAK_BYTES,
	SORT_ALLOCATED_BYTES,
	SORT_ALLOCATIONS,
	SORT_TEMPORARY,
	SORT_NAME,
};
extern const char *const sort_key_names[]; /* NULL-terminated, in the order of the enum */
bool sort_key_find(const char *name, enum sort_key *key);

/* A column's title: "at peak". */
const char *measure_title(enum sort_key key);

/* The measure of a key, 0 for the name; and as people read it. */
int64_t sort_measure(const struct measures *m, enum sort_key key);
double measure_variance(const struct variances *v, enum sort_key key);
bool measure_is_bytes(enum sort_key key);

/* Of the state at a moment some measures may be unknown: format_known() leaves these blank. */
bool measure_is_known(const struct measures *m, enum sort_key key);
char *format_known(char text[UNIT_TEXT], const struct measures *m, enum sort_key key);
char *format_measure(char text[UNIT_TEXT], int64_t value, enum sort_key key);

/* Largest first, names in alphabetical order; rows that are equal in the key have an order too. */
void profile_sort(struct profile *profile, enum sort_key key);
int row_order(const struct row *a, const struct row *b, enum sort_key key);

#endif
