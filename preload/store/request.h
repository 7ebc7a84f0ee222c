/* SPDX-License-Identifier: MIT */
/*
 * request.h - what other processes ask for, in the header of the trace.
 */
#ifndef MTRACE_REQUEST_H
#define MTRACE_REQUEST_H

#pragma GCC visibility push(hidden)

/* Does what is asked for, if anything is. Of a thread that is busy with an event. */
void request_take(void);

#pragma GCC visibility pop

#endif
