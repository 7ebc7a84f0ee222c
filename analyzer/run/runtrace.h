/* SPDX-License-Identifier: MIT */
/*
 * runtrace.h - the traces that one run of a program left behind.
 *
 * The library chooses each file's name when its process starts (MTRACE_OUT), adds the pid and a
 * number where a name is taken, and starts a new trace at exec. So the names are looked for by
 * pattern, and the files are identified by their headers.
 */
#ifndef MTRACER_RUNTRACE_H
#define MTRACER_RUNTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The process that was started. */
struct run_process {
	pid_t pid;
	uint64_t start_ticks; /* field 22 of /proc/PID/stat */
	uint64_t start_ns;    /* CLOCK_REALTIME, before it was started */
};

struct run_trace {
	char *path;
	bool went_on; /* by exec, as a program that has a trace of its own */
};

struct run_traces {
	char *path; /* of the process's last trace: of the program it was in the end; NULL = none */
	size_t programs;       /* traces of this process, one for each exec */
	size_t children;       /* traces of its descendants */
	struct run_trace *all; /* all of these, as they began */
	size_t count;
};

/* `out` is MTRACE_OUT as the process had it. */
struct run_traces run_traces_find(const char *out, const struct run_process *process);

/* The same where the process itself is untraced: of all that descends from it. */
struct run_traces run_traces_below(const char *out, const struct run_process *process);
void run_traces_release(struct run_traces *traces);

/* Writes what wait() said into the process's trace. Returns 0, or an error number. */
int run_trace_record_status(const char *path, const struct run_process *process, int wait_status);

#endif
