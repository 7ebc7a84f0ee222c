/*
 * sandbox.h - the system calls that the program has forbidden itself, and with it us (seccomp).
 *
 * A filter kills for what it doesn't allow, and knows the program's needs alone. So the filters are
 * kept as they are installed, and asked before each call that we make: one that isn't simply
 * allowed isn't made, and counts as failed.
 */
#ifndef MTRACE_SANDBOX_H
#define MTRACE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "preload/sys/atomic.h"
#include "preload/sys/cpu.h"

#ifndef SYS_close_range
#define SYS_close_range 436 /* Linux 5.9; glibc's headers have it from 2.32 on */
#endif

#pragma GCC visibility push(hidden)

extern int sandbox_depth; /* filters that are in force; 0 almost always */

/* The program is about to install a filter (struct sock_fprog), or strict mode (NULL): what that
 * will forbid is done now, as far as it can be. False: it isn't for this process. */
bool sandbox_enter(const void *program, struct cpu_frame at);
void sandbox_leave(void); /* the kernel has refused it */

bool sandbox_asks(long number, const unsigned long *arguments); /* would all of them allow it? */

/* Whether a whole piece of work may be begun. */
bool sandbox_allows_growth(void); /* of the trace */
bool sandbox_allows_child(void);  /* the trace of a fork child */
bool sandbox_allows_scan(void);
bool sandbox_allows_stopping(void); /* other threads, for that */
bool sandbox_allows_messages(void);
bool sandbox_allows_masks(void); /* rt_sigprocmask: libunwind's need */

#pragma GCC visibility pop

static inline bool sandbox_is_on(void)
{
	return unlikely(load_relaxed(&sandbox_depth) > 0);
}

#endif
