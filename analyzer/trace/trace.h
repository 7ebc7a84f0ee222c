/* SPDX-License-Identifier: MIT */
/*
 * trace.h - a trace in memory, checked: whatever the file held, every index and every string in
 * here can be followed.
 *
 * The file is read, not mapped: it may be cut off or written to at any moment, and mtracer must
 * neither get a SIGBUS nor see a counter change between two looks. The memory taken is in
 * proportion to the file's real size. trace.c is the only code that sees raw bytes of a trace.
 */
#ifndef MTRACER_TRACE_H
#define MTRACER_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/trace_format.h"

enum trace_state {
	TRACE_RUNNING, /* the process lives and still writes this file; did, in a copy */
	TRACE_EXITED,  /* it ended by itself, or went on as another program (exec) */
	TRACE_DIED,    /* killed by a signal, or without a word */
};

/* Which moment of the run a trace in memory is the state of (moment.h). */
enum moment_kind { MOMENT_END, MOMENT_SNAPSHOT, MOMENT_PEAK, MOMENT_POINT };

struct trace_moment {
	enum moment_kind kind;
	uint64_t ns;	   /* since the start; 0 = unknown */
	size_t file;	   /* bytes of the trace's path that are the file's; 0: all */
	const char *label; /* of a snapshot, or of a mark that is the point; else "" */
	struct mt_point point;
	unsigned unknown; /* UNKNOWN_* (measures.h), of the sites */
};

/* All of it belongs to the trace and lives until trace_free(). Read-only for everybody else. */
struct trace {
	char *path;	    /* as given to trace_open() */
	uint64_t file_size; /* bytes on disk */
	bool packed;	    /* by `mtracer pack`, or zstd */
	struct mt_header
		header; /* texts and directory are better asked for by the functions below */
	enum trace_state state;
	struct trace_moment moment;
	char *went_on_as; /* the program, as exec was asked for it, else its path; NULL = unknown */
	char *successor;  /* file name of that one's trace; NULL = unknown, or not traced */

	/* The tables, as arrays of this version's records. Index 0 is unused where trace_format.h
	 * says so. */
	const struct mt_frame *frames;
	const struct mt_node *nodes;
	const struct mt_site *sites;
	const struct mt_site_info *site_info; /* as many as sites */
	const struct mt_call *calls;
	const struct mt_published *published; /* as many as sites */
	const struct mt_slack *slack;	      /* as many as sites; NULL: wasn't recorded */
	const struct mt_lane *lanes;
	const struct mt_entry *entries; /* some may be unused: site 0 */
	const struct mt_module *modules;
	const struct mt_foreign *foreign;
	const struct mt_leak *leaks;	    /* as of the last scan; see header.scan_state */
	const struct mt_held *held;	    /* likewise; none in early traces */
	const struct mt_symbol *symbols;    /* sorted by frame; mostly none */
	const struct mt_process *processes; /* that were added up; none in a process's own trace */
	uint32_t frame_count, node_count, site_count, call_count;
	uint32_t lane_count, entry_count, module_count, foreign_count;
	const struct mt_estimate *estimates; /* of the first sites, when sampling */
	const struct mt_point *points; /* in no order, some unused (kind 0); few traces have none */
	const struct mt_share *shares; /* of these; some may be unused: point 0 */
	uint32_t point_count, share_count;
	const struct mt_snapshot *snapshots;	     /* by time; mostly none */
	const struct mt_snapshot_row *snapshot_rows; /* of these; some may be unused: site 0 */
	uint32_t snapshot_count, snapshot_row_count;
	uint32_t leak_count, held_count, symbol_count, process_count, estimate_count;

	const char *strings; /* ends with a zero byte */
	uint32_t strings_size;
	const char **command; /* the arguments, NULL-terminated */
	size_t command_count;
};

/*
 * Reads and checks a trace. NULL on failure, and then `error` says what is wrong in one line,
 * without the path. Never takes longer or more memory than the file's size warrants.
 */
struct trace *trace_open(const char *path, char *error, size_t error_size);
void trace_free(struct trace *trace); /* accepts NULL */

/* The same of a file's contents, which it frees; `path` is only a name. */
struct trace *trace_from_bytes(
	unsigned char *bytes, size_t size, const char *path, char *error, size_t error_size);

/* A string by its offset, as the records hold it. */
const char *trace_string(const struct trace *trace, uint32_t offset);

const char *trace_program(const struct trace *trace);	 /* path of the executable; "" = unknown */
const char *trace_directory(const struct trace *trace);	 /* "" = unknown */
const char *trace_host(const struct trace *trace);	 /* "" = unknown */
const char *trace_state_name(const struct trace *trace); /* "running", "exited", "died" */

/* The process went on as another program (exec), whose trace, if any, is another one. */
bool trace_went_on(const struct trace *trace);

/* Both were written by the same process, so their tables have the same records as far as they go. */
bool trace_same_process(const struct trace *a, const struct trace *b);

/* This node's caller was found without unwind information: frames between the two may be missing. */
bool trace_may_skip(const struct trace *trace, uint32_t node);

/* How long it ran, in ns. False where only a lower bound is known: the last time that something new
 * was met. */
bool trace_run_time(const struct trace *trace, uint64_t *ns);

/* Nothing was lost on the way into the trace, and no frame may be missing inside a stack. */
bool trace_is_complete(const struct trace *trace);

#endif
