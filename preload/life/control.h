/* SPDX-License-Identifier: MIT */
/* control.h - the last words in the header. */
#ifndef MTRACE_CONTROL_H
#define MTRACE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

struct thread;

#define MTRACE_EXPORT __attribute__((visibility("default"))) /* a function of libmtrace.h */

#pragma GCC visibility push(hidden)

/* For a function of libmtrace.h, as thread_enter(); NULL is no loss. */
struct thread *control_enter(uintptr_t sp);
bool control_is_process(void); /* the one that the trace is of, not a vfork child in its memory */
void control_exit(void);       /* writes the end into the header */
/* Before exec, by that system call; NULL: the program is unknown. True: control_stays() if it comes
 * back. */
bool control_goes_on(long call, const char *program);
void control_stays(void);

#pragma GCC visibility pop

#endif
