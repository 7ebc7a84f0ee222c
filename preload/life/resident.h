/* SPDX-License-Identifier: MIT */
/* resident.h - how much memory the process took, at the exit. */
#ifndef MTRACE_RESIDENT_H
#define MTRACE_RESIDENT_H

#pragma GCC visibility push(hidden)

void resident_note_peak(void); /* what memory the process took */
void resident_note_own(void);  /* and what of it is ours */

#pragma GCC visibility pop

#endif
