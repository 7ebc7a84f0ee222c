/* SPDX-License-Identifier: MIT */
/*
 * notes.h - what a reader of a trace should know before trusting it: what was lost and why, and how
 * it was recorded.
 */
#ifndef MTRACER_NOTES_H
#define MTRACER_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace;

struct note {
	const char *key; /* for machines: "lost_site" */
	bool loss;	 /* something is missing or wrong; otherwise a fact about the recording */
	uint64_t count;	 /* of what the note speaks of; 0 where nothing is counted */
	char *text;	 /* human-readable, one line */
};

struct notes {
	struct note *items;
	size_t count;
};

/* What isn't known of the state at the trace's moment; NULL: nothing. The caller frees it. */
char *moment_unknown(const struct trace *trace);

struct notes notes_of(const struct trace *trace);
void notes_release(struct notes *notes);

#endif
