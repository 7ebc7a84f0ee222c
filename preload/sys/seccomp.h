/* SPDX-License-Identifier: MIT */
/*
 * seccomp.h - the system calls that the program has forbidden itself, and with it us (seccomp).
 *
 * A filter kills for what it doesn't allow, and knows the program's needs alone. So the filters are
 * kept as they are installed, and asked before each call that we make: one that isn't simply
 * allowed isn't made, and counts as failed.
 */
#ifndef MTRACE_SECCOMP_H
#define MTRACE_SECCOMP_H

#include <stdbool.h>
#include <sys/syscall.h>

#include "preload/sys/atomic.h"

#ifndef SYS_close_range
#define SYS_close_range 436 /* Linux 5.9; glibc's headers have it from 2.32 on */
#endif

struct sock_filter;

struct seccomp_filter {
	unsigned count; /* instructions; 0: allows nothing */
	const struct sock_filter *code;
};

#pragma GCC visibility push(hidden)

extern int seccomp_depth;     /* filters that are in force; 0 almost always */
extern bool seccomp_of_child; /* a child in our memory (vfork) has one, which isn't known */

/* A new filter: to be kept before it counts, which it does from the change on (by 1; by -1 the last one
 * is gone). */
void seccomp_keep(struct seccomp_filter f);
void seccomp_change(int by);
bool seccomp_forbids_growth(const struct seccomp_filter *f);

bool seccomp_asks(long number, const unsigned long *arguments); /* would all of them allow it? */

/* Whether a whole piece of work may be begun. */
bool seccomp_allows_growth(void); /* of the trace */
bool seccomp_allows_child(void);  /* the trace of a fork child */
bool seccomp_allows_scan(void);
bool seccomp_allows_stopping(void); /* other threads, for that */
bool seccomp_allows_messages(void);
bool seccomp_allows_masks(void); /* rt_sigprocmask: libunwind's need */

#pragma GCC visibility pop

static inline bool seccomp_is_on(void)
{
	return unlikely(load_relaxed(&seccomp_depth) > 0);
}

#endif
