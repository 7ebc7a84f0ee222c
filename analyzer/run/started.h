/* SPDX-License-Identifier: MIT */
/*
 * started.h - a program that a command starts under `mtracer run`, which stands between the two: it
 * sets up the tracing, and notes in the trace how the program ended.
 */
#ifndef MTRACER_STARTED_H
#define MTRACER_STARTED_H

#include "analyzer/run/runtrace.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct follow;

struct started {   /* starts as { 0 } */
	pid_t pid; /* of `mtracer run`; 0 = none */
	const char *name, *out;
	struct run_process process;
	int said; /* a file with what it says on stderr */
	bool ended;
	int status; /* exit status, valid with `ended` */
	struct sigaction old[4];
};

/* EXIT_OK, or an error's exit status. `out` and `output` may be NULL. Signals that are meant for the
 * program don't end this command from here on. */
int started_begin(struct started *s, char **command, const char *out, const char *output);

bool started_has_ended(struct started *s);

/* Lets `follow` have the traces of a run that ended before any of them was met. */
void started_add_traces(const struct started *s, struct follow *follow);

/* Waits for its end, and tells what `mtracer run` had to say. Passes a signal (0 = none) on first.
 * Gives the program's exit status, unless `status` is one of a failure. */
int started_finish(struct started *s, int number, int status);

#endif
