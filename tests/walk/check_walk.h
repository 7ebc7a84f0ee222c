/* SPDX-License-Identifier: MIT */
/* check_walk.h - the hook that the special build of the library calls after each capture. */
#ifndef MTRACE_CHECK_WALK_H
#define MTRACE_CHECK_WALK_H

#include "preload/store/thread.h"
#include "preload/sys/cpu.h"

void check_walk(const struct thread *t, const struct cached_stack *stack, struct cpu_frame at);

#endif
