/* SPDX-License-Identifier: MIT */
/*
 * reading.h - what every command that reads a trace shares: the trace, its symbols, and the options
 * about these.
 */
#ifndef MTRACER_READING_H
#define MTRACER_READING_H

#include "analyzer/base/opts.h"
#include "analyzer/symbols/resolve.h"
#include "analyzer/symbols/source.h"
#include "analyzer/trace/trace.h"

struct reading_options {
	const char *sysroot;
	struct option_list debug_dirs;
	bool debuginfod;
	uint64_t debuginfod_seconds;
	struct option_list source_dirs;
	struct option_list path_maps;
	struct option_list wrappers;
	bool no_wrappers;
	bool no_pager, wide;
};

/* Rows for a command's option table; `type` is its values' struct, `member` the struct
 * reading_options in it. */
/* clang-format off */
#define READING_OPTION_ROWS(type, member)                                                          \
	{ OPTION_LIST, "wrapper", 0, "RE", "also treat functions matching RE as wrappers: their callers\n"  \
		"are charged",                                                                        \
		offsetof(type, member.wrappers), NULL },                                                \
	{ OPTION_FLAG, "no-wrappers", 0, NULL, "treat no function as a wrapper, not even operator new",          \
		offsetof(type, member.no_wrappers), NULL },                                             \
	{ OPTION_TEXT, "sysroot", 0, "DIR", "search for programs and libraries under DIR first",         \
		offsetof(type, member.sysroot), NULL },                                                 \
	{ OPTION_LIST, "debug-dir", 0, "DIR", "also search DIR for separate debug files",             \
		offsetof(type, member.debug_dirs), NULL },                                              \
	{ OPTION_FLAG, "debuginfod", 0, NULL, "download missing debug files from debuginfod servers",        \
		offsetof(type, member.debuginfod), NULL },                                              \
	{ OPTION_NUMBER, "debuginfod-time", 0, "S", "wait at most S seconds in total for debuginfod\n"     \
		"(default: 90)",                                                                        \
		offsetof(type, member.debuginfod_seconds), NULL },                                              \
	{ OPTION_LIST, "source-dir", 0, "DIR", "also search for source files under DIR",                 \
		offsetof(type, member.source_dirs), NULL },                                             \
	{ OPTION_LIST, "path-map", 0, "FROM=TO", "search TO for source files recorded under FROM",   \
		offsetof(type, member.path_maps), NULL }

/* Rows about how text is printed; width_member is a uint64_t. */
#define WIDE_OPTION_ROW(type, member)                                                              \
	{ OPTION_FLAG, "wide", 'w', NULL, "show all columns and full names, even if lines do not fit\n"     \
		"the terminal",                                                                          \
		offsetof(type, member.wide), NULL }
#define OUTPUT_OPTION_ROWS(type, width_member, member)                                             \
	WIDE_OPTION_ROW(type, member),                                                                 \
	{ OPTION_NUMBER, "width", 0, "N", "limit lines to N columns (default: the terminal width)",          \
		offsetof(type, width_member), NULL },                                                   \
	{ OPTION_FLAG, "no-pager", 0, NULL, "do not use a pager",                                  \
		offsetof(type, member.no_pager), NULL }
/* clang-format on */

struct reading {
	struct trace *trace;
	struct wrappers *wrappers;
	struct resolver *resolver;
	struct source_cache *sources;
	const char **debug_dirs;
};

/* A trace by its path, of a running process by its pid, the sum of those in a directory, or the
 * newest here where the operand is NULL; with @MOMENT behind it the state of that (operand.h). NULL
 * after an error was printed. */
struct trace *reading_trace(const char *operand);

/* operand: as reading_trace(). EXIT_OK, or the exit status of a failure that was reported;
 * there is nothing to close then. */
int reading_open(struct reading *r, const struct reading_options *options, const char *operand);

/* The same of a trace that is in memory, which it frees. NULL: an error was printed. */
int reading_open_trace(
	struct reading *r, const struct reading_options *options, struct trace *trace);
void reading_close(struct reading *r);

/* For who reads a trace again and again: what can be wrong before there is one; and the trace as it is
 * now. It stays the caller's, who takes it away (NULL) before reading_close(); the one before may be
 * freed. */
int reading_prepare(struct reading *r, const struct reading_options *options);
void reading_take(struct reading *r, const struct reading_options *options, struct trace *trace);

/* Before the first line of text on stdout: fits it to `width` columns (0: the terminal's), unless
 * the options say --wide. */
void output_start(const struct reading_options *options, uint64_t width);

/* The same of a long output: with a pager, unless it isn't wanted. */
void output_start_long(const struct reading_options *options, uint64_t width);

struct json;

/* "warnings": [...], what is wrong with the symbols and sources that were used. */
void reading_json(const struct reading *r, struct json *json);

/* Warns where two traces that are compared are of different programs, or were sampled otherwise;
 * true after the first. */
bool reading_warn_of_difference(const struct trace *first, const struct trace *other);

/* Prints what is wrong with the symbols and sources that were used, on stderr: a few lines at the
 * most. */
void reading_warn(const struct reading *r);

#endif
