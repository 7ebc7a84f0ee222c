/* SPDX-License-Identifier: MIT */
/*
 * request.h - asks a running process for something, through the trace that it is writing.
 *
 * The header has fields that others than the process write. The library looks at them when the
 * process allocates, so a process that is idle takes nothing; but nothing can have changed then.
 * All functions give EXIT_OK, or EXIT_ERROR after one line on stderr.
 */
#ifndef MTRACER_REQUEST_H
#define MTRACER_REQUEST_H

#include "analyzer/views/livetrace.h"

/* A search for leaks; waits for its result. */
int request_scan(struct livetrace *live, uint64_t wait_seconds);

/* Recording goes on, or stops, from the process's next allocation; there is nothing to wait for. `already`:
 * it did before. */
int request_recording(struct livetrace *live, bool on, bool *already);

/* Any other request (MT_REQUEST_*); waits until it was done, and says where it couldn't be. label: ""
 * where the request has none. */
int request_make(struct livetrace *live, uint32_t kind, const char *label, uint64_t wait_seconds);

#endif
