/* SPDX-License-Identifier: MIT */
/*
 * row.h - how a row of a profile is written, by every command that prints rows: as JSON, and as the
 * texts of its location.
 */
#ifndef MTRACER_ROW_H
#define MTRACER_ROW_H

#include "analyzer/views/profile.h"

struct filter;
struct json;
struct paths;
struct strbuf;
struct table;

/* The members of a row's object; the caller opens and closes it, and may add more. */
void row_json(const struct row *row, const struct profile *profile, const struct trace *trace,
	struct json *json);

/* The members of any object with measures that add up: all but the peak. */
void added_json(const struct measures *m, struct json *json);

/* "peak_bytes" and "peak_is_exact"; "frees". */
void exact_peak_json(const struct measures *m, struct json *json);
void frees_json(const struct measures *m, struct json *json);

/* A measure under its key; null where it isn't known. */
void measure_json(const struct measures *m, enum sort_key key, struct json *json);

/* "stack": [...] of a site, innermost frame first, and "stack_end": whole, cut or broken. In CSV a
 * folded stack, outermost frame first. */
void stack_json(
	const struct trace *trace, struct resolver *resolver, uint32_t site, struct json *json);

/* "offset" in a module; without it the member is left out, but in CSV. */
void offset_json(const char *key, bool known, uint64_t offset, struct json *json);

/* Where the row is, human-readable: "table.c:42", "libfoo.so+0x1234", a thread's name. */
void row_location(const struct row *row, enum profile_by by, const struct trace *trace,
	struct paths *paths, struct strbuf *text);

/* What is there, human-readable: the function, with "[mmap]" for mappings. "" where a row has no
 * function. */
void row_function(const struct row *row, struct strbuf *text);

/* Whether a function's name is only what the symbolizer says where it knows nothing: its
 * address. */
bool is_bare_offset(const char *function, const char *module);

/* "function" and "table.c:42" of one function on a stack; the first is "" where it isn't known. */
void frame_function_name(const struct frame_function *fn, struct strbuf *text);
void frame_function_where(
	const struct frame_function *fn, struct paths *paths, struct strbuf *text);

/* Both, fit into the columns that output has after those `used`; clean. */
void frame_function_text(
	const struct frame_function *fn, struct paths *paths, size_t used, struct strbuf *text);

/* A site's call stack as notes under the table's last row. */
void note_stack(struct table *table, const struct trace *trace, struct resolver *resolver,
	uint32_t site, struct paths *paths);

/* Adds what a stack's files and modules are shortened among; for stack_walk(). */
void add_frame_paths(void *paths, const struct frame_function *fn);

/* Whether the filter keeps a row; a site's row is kept or left out by any function on its stack. */
bool row_kept(const struct row *row, const struct profile *profile, const struct trace *trace,
	struct resolver *resolver, const struct filter *filter);

/* Of a sampled trace: the standard errors of all measures, "current_bytes_error" and so on; null
 * where nothing is known. */
void errors_json(
	const struct measures *m, const struct trace *trace, bool peaks, struct json *json);

#endif
