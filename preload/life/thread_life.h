/* SPDX-License-Identifier: MIT */
/* thread_life.h - threads begin and end. */
#ifndef MTRACE_THREAD_LIFE_H
#define MTRACE_THREAD_LIFE_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)

struct thread *thread_new(void); /* the calling thread's; NULL: no memory or past its end */
bool threads_init(void);
void threads_name_last(void); /* the calling thread's name, as it is at the process's end */
void threads_forked(struct thread *self);

#pragma GCC visibility pop

#endif
