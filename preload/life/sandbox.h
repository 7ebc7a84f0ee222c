/* SPDX-License-Identifier: MIT */
/* sandbox.h - seccomp filters that come: what they will forbid is done before. */
#ifndef MTRACE_SANDBOX_H
#define MTRACE_SANDBOX_H

#include <stdbool.h>

#include "preload/sys/cpu.h"

#pragma GCC visibility push(hidden)

/* The program is about to install a filter (struct sock_fprog), or strict mode (NULL): what that
 * will forbid is done now, as far as it can be. False: it isn't for this process. */
bool sandbox_enter(const void *program, struct cpu_frame at);
void sandbox_leave(void); /* the kernel has refused it */

#pragma GCC visibility pop

#endif
