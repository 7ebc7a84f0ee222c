/* SPDX-License-Identifier: MIT */
/*
 * cuts.h - stack memory that goes while threads know frames that were read from it.
 *
 * A stack is proved to be there again by reading words of it (capture.h), so these must be mapped.
 * That of a thread goes with the thread; but fibers' stacks are cut, moved, shrunk and given back,
 * in part or whole, by any thread, while they still run. Asking the kernel at each event would cost
 * more than the walk. So whoever takes pages away is asked instead: the pages that words lie in are
 * watched, the hooks of munmap, mprotect and the like, and of free for large blocks, say what goes,
 * and if it is watched, the state generation changes, and each thread drops what it knows of there
 * before its next event.
 */
#ifndef MTRACE_CUTS_H
#define MTRACE_CUTS_H

#include <stddef.h>
#include <stdint.h>

#include "preload/store/thread.h"

#pragma GCC visibility push(hidden)

/* bytes: a block that may be a stack, and be given back to the kernel */
#define CUTS_LEAST (32u << 10)

void cuts_watch(uintptr_t address); /* the page with this word of a stack */
/* before these pages go, or can't be read any more */
void cuts_make(const void *start, size_t size);
/* the calling thread's: drops what has been cut since */
void cuts_see(struct thread *t);

extern uint32_t cuts_count; /* how many there were; goes up before the state generation */

#pragma GCC visibility pop

#endif
