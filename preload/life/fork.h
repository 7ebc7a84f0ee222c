/* SPDX-License-Identifier: MIT */
/* fork.h - fork children, which get traces of their own. */
#ifndef MTRACE_FORK_H
#define MTRACE_FORK_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)

bool fork_init(void);
void fork_begin_child(void); /* at the first event of one, which has no trace yet */

#pragma GCC visibility pop

#endif
