/* SPDX-License-Identifier: MIT */
/*
 * successor.h - the program that a traced process went on as (exec). If that was traced, too, its
 * trace has the same pid and start time, and usually lies beside.
 */
#ifndef MTRACER_SUCCESSOR_H
#define MTRACER_SUCCESSOR_H

struct trace;

/* Fills in trace->went_on_as and trace->successor: by the trace's own word, by the next trace of the same
 * process in its directory, or by the process where that lives. A trace that seems to have died
 * without a word, but has such a next one, has exited: it went on. */
void successor_look(struct trace *trace);

#endif
