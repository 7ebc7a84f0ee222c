/* SPDX-License-Identifier: MIT */
/*
 * moment.h - a trace as the state of another moment than its last: everything that reads it then reads
 * that.
 *
 * A moment is named behind the trace, TRACE@MOMENT:
 *
 *   LABEL   a snapshot; of several with this label the last. It has all measures, as they were then
 *   peak    when the whole program held most: what sites held then is known, not what they had
 *           allocated by then
 *   end     the trace as it is
 *   12.5s   the nearest point of the timeline, which knows what the larger sites held; or a snapshot,
 *           if none is nearer
 */
#ifndef MTRACER_MOMENT_H
#define MTRACER_MOMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "analyzer/trace/trace.h"

/* False: the trace is as it was, and `error` says why in one line. */
bool trace_go_to(struct trace *trace, const char *moment, char *error, size_t error_size);

/* The last snapshot with this label; NULL: none. */
const struct mt_snapshot *trace_find_snapshot(const struct trace *trace, const char *label);

/* Whether every trace has a moment of that name. */
bool moment_is_reserved(const char *label);

#endif
