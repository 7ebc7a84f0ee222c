/* SPDX-License-Identifier: MIT */
/* snapshot.h - the scan's children, and when there is a scan. */
#ifndef MTRACE_SNAPSHOT_H
#define MTRACE_SNAPSHOT_H

#include <stdbool.h>

#include "preload/sys/cpu.h"

#pragma GCC visibility push(hidden)

/* From the frame that ends the process. */
/* scans the process, and waits for that a second at the most */
void snapshot_at_exit(const struct cpu_caller *at);
bool snapshot_is_due(void); /* there are blocks to look for */

/*
 * The scan's children, which the program must not find among its own. A hook that waits for children first
 * notes how many of ours are gone, and then asks of what was found. It may have been found when it
 * was there, and be gone by now; and long gone, its number may be that of a child of the program's.
 */
extern unsigned snapshot_gone; /* how many of ours are */
bool snapshot_is_child(int pid, unsigned gone);
void snapshot_child_gone(int pid);
void snapshot_forked(void); /* in a fork child: another thread of its parent may have been at it */

/* Scans if somebody has asked for it and it hasn't been done. In a hook: waits next to nothing. */
void snapshot_answer(void);

void snapshot_note_tracer(unsigned long pid); /* whom the program allows to trace it */

#pragma GCC visibility pop

#endif
