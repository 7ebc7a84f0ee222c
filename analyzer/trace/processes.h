/* SPDX-License-Identifier: MIT */
/*
 * processes.h - the processes whose traces were added up: how many, of which programs, who started
 * whom, and what can be proved of the peak of all together.
 */
#ifndef MTRACER_PROCESSES_H
#define MTRACER_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>

struct json;
struct mt_process;
struct strbuf;
struct trace;

/*
 * No process held more than its own peak, nor anything before its start or after its end. So at any
 * moment all together held no more than the sum of the peaks of those that ran then, and at some
 * moment at least as much as the largest.
 */
struct process_totals {
	uint32_t count;
	uint32_t programs; /* different paths of executables */
	uint32_t running, died;
	uint32_t forked; /* that began with the blocks and counts of the one that forked them */
	uint64_t peak_at_most, peak_at_least; /* of what all held at one time, bytes */
};

/* Zeros for a process's own trace. */
struct process_totals process_totals(const struct trace *trace);

/* "12 processes of 3 programs: cc1 (8), make (3), sh" */
void processes_headline(const struct trace *trace, struct strbuf *text);

/* The processes in the order of a tree: children below their parents, by start. */
struct process_node {
	uint32_t index; /* in trace->processes */
	uint32_t depth; /* 0: its parent has no trace here */
	bool continues; /* the same process as the one before, which executed this program */
};
struct process_node *process_tree(
	const struct trace *trace); /* process_count of them; caller frees */

/*
 * A process that executed another program leaves a trace that says no more than one that died: it
 * went on if the same process has a later one. Sets the states so.
 */
void processes_settle(struct mt_process *processes, uint32_t count);

/* How it ended: "exited with status 1". */
void process_state_text(const struct trace *trace, uint32_t index, struct strbuf *text);

/* "processes": [...], in the tree's order. */
void processes_json(const struct trace *trace, struct json *json);

#endif
