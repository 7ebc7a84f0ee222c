/*
 * successor.h - the program that a traced process went on as (exec), if that was traced, too: its
 * trace has the same pid and start time, and usually lies beside.
 */
#ifndef MTRACER_SUCCESSOR_H
#define MTRACER_SUCCESSOR_H

struct trace;

/* A trace that seems to have died without a word, but has such a one in its directory, has exited:
 * it went on, as trace->successor, and trace->went_on_as is the program. That of a process that lives
 * is known without a trace. */
void successor_look(struct trace *trace);

#endif
