/* SPDX-License-Identifier: MIT */
/*
 * summary.h - a trace in a few lines: the program, how it ended, its peak and its counts, what was
 * lost.
 */
#ifndef MTRACER_SUMMARY_H
#define MTRACER_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json;
struct strbuf;
struct totals;
struct trace;

/* The headline of reports, and what `mtracer run` says at the end: about four lines, and one for
 * each loss. */
void summary_print(const struct trace *trace, const struct totals *totals, FILE *out);

/* The same in Markdown: a paragraph. */
void summary_markdown(const struct trace *trace, const struct totals *totals);

/* What `print` prints of `subject`, as a paragraph of Markdown; nothing where it prints nothing. */
void lines_markdown(void (*print)(const void *subject, FILE *out), const void *subject);

/* The members that every command's JSON has: "trace": {...} and "totals": {...}. */
void summary_json(const struct trace *trace, const struct totals *totals, struct json *json);

/* The same of a moment while it runs. */
void summary_json_now(const struct trace *trace, const struct totals *totals,
	double allocations_per_s, struct json *json);

/* Program and arguments as one would type them, at most `limit` bytes (0 = all); of a sum, how many
 * processes of which programs. */
void summary_command(const struct trace *trace, size_t limit, struct strbuf *text);

/* "exited with status 3", "killed by signal 9 (Killed)", "still running". */
void summary_state(const struct trace *trace, struct strbuf *text);

/* Which moment the trace is the state of: "snapshot 'warm', 1.20 s after the start". */
void summary_moment(const struct trace *trace, struct strbuf *text);

/* The same of a sum: "all exited"; "3 still running, 1 died". */
void summary_states(const struct trace *trace, struct strbuf *text);

#endif
