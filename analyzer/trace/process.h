/* SPDX-License-Identifier: MIT */
/*
 * process.h - whether the process that a trace names still lives, and still writes that trace.
 */
#ifndef MTRACER_PROCESS_H
#define MTRACER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum process_state {
	PROCESS_WRITES,	 /* lives and has the file mapped, or doesn't let us see whether it has */
	PROCESS_WENT_ON, /* lives as another program: the file isn't mapped any more */
	PROCESS_GONE,	 /* dead, or its pid belongs to another process now, or to another boot or
			    machine */
};

/* Field 22 of /proc/PID/stat, which tells a reused pid; 0 = unknown. */
uint64_t process_start_ticks(pid_t pid);

/* Whether it lives still, and is no zombie. */
bool process_lives(uint32_t pid, uint64_t start_ticks);

struct process {
	uint32_t pid, parent;
	uint64_t start_ticks;
};

/* A process and all that descend from it and live, each behind its parent; the first is missing where
 * it doesn't live. The caller frees it. */
struct process *process_family(uint32_t pid, size_t *count);

/* Bytes of resident memory; 0 = unknown. */
uint64_t process_resident(uint32_t pid);

/*
 * start_ticks: process_start_ticks(), 0 = unknown; boot_id: of the machine's boot, "" =
 * unknown; path and stat: the trace, to be found among the process's mappings.
 */
enum process_state process_state(uint32_t pid, uint64_t start_ticks, const char *boot_id,
	const char *path, const struct stat *stat);

#endif
