/* SPDX-License-Identifier: MIT */
/* keptback.h - memory that the program keeps from its children (MADV_DONTFORK, MADV_WIPEONFORK), which
 * a scan in a copy of the process has to see all the same. */
#ifndef MTRACE_KEPTBACK_H
#define MTRACE_KEPTBACK_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* A child that is made between the two has that memory. Takes no lock. */
void kept_back_share(bool share);

#pragma GCC visibility pop

#endif
