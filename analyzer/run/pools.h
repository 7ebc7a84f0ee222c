/* SPDX-License-Identifier: MIT */
/*
 * pools.h - allocators that programs have on top of malloc: they take large blocks from it and give
 * out parts of these, which no tracer sees. Most can be told by the environment to ask malloc each
 * time.
 */
#ifndef MTRACER_POOLS_H
#define MTRACER_POOLS_H

#include <stdbool.h>

struct libraries;
struct strbuf;
struct trace;

/* Sets of pools are bits. Those that a program and its libraries have, identified by their symbols;
 * and those of the modules that a trace names. `program` NULL: isn't known. */
unsigned pools_of_program(const char *program, const struct libraries *libraries);
unsigned pools_of_trace(const struct trace *trace);

/* Without those that the environment has turned off, or, with `unpool`, that pools_turn_off()
 * does. */
unsigned pools_left(unsigned pools, bool unpool);

/* Turns all of them off for the programs that this process becomes or starts. */
void pools_turn_off(void);

/* One line on what they hide and what to do, to follow the program's name. */
void pools_text(unsigned pools, struct strbuf *text);

#endif
