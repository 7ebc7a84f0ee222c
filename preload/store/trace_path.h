/* SPDX-License-Identifier: MIT */
/*
 * trace_path.h - where a trace goes: the path that MTRACE_OUT says, or where else there is room for
 * it.
 *
 * The candidates are tried one after the other until the trace could be made at one. Each that was
 * no good has said why by trace_path_failed(); the first reason is told with the path that was
 * found.
 *
 * A file has no name until all of it is written: who is killed meanwhile leaves nothing, and nobody
 * ever meets half a trace. Where the file system has no such files, or there is no /proc to name it
 * by, it has another name until then (.NAME.PID.new).
 */
#ifndef MTRACE_TRACE_PATH_H
#define MTRACE_TRACE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "preload/sys/text.h"

struct trace_path {
	unsigned next;	     /* the candidate to be tried next */
	bool child;	     /* of a fork: where it is now isn't where MTRACE_OUT was set */
	bool fixed;	     /* nowhere else than where MTRACE_OUT says */
	bool in_memory;	     /* the present one never gets a name */
	bool named;	     /* it has got it */
	bool aside;	     /* until then, files have another name */
	bool again;	     /* with one: this one couldn't be named */
	unsigned attempt;    /* which of the names in this directory */
	size_t stem;	     /* bytes of the path without what makes it a free one */
	bool has_pid;	     /* among these */
	struct text why;     /* why the first one was no good; "" as long as it may be */
	char path[4096];     /* the present one */
	char other[4096];    /* its name until then; "" = none */
	char why_text[4300]; /* room for a path and a reason */
};

#pragma GCC visibility push(hidden)

/* Once, before the program can change it. */
void trace_path_init(char **environment);
void trace_path_start(struct trace_path *p, bool child);

/* A new, empty file at the next candidate; -1 when there is none left. */
int trace_path_open(struct trace_path *p);

/* Gives that file its name. Negative errno. */
int trace_path_name(struct trace_path *p, int fd);

/* The file that was opened is no good: removes it. */
void trace_path_failed(struct trace_path *p, int error);

/* It is: says where, if that isn't as wanted. */
void trace_path_found(struct trace_path *p);

/* None is: says why. */
void trace_path_none(struct trace_path *p);

#pragma GCC visibility pop

#endif
