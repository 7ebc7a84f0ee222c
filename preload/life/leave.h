/* SPDX-License-Identifier: MIT */
/* leave.h - the end of the process. */
#ifndef MTRACE_LEAVE_H
#define MTRACE_LEAVE_H

#include "preload/sys/cpu.h"

#pragma GCC visibility push(hidden)

extern struct cpu_caller exit_caller;	 /* of the last way out that was called */
void leave(const struct cpu_caller *at); /* on a way out that runs no destructors */
void leave_quickly(void);		 /* the same on quick_exit, once its handlers have run */

#pragma GCC visibility pop

#endif
