/* SPDX-License-Identifier: MIT */
/*
 * threads.h - the other threads of the process, for a scan: where their stacks are in use, and what
 * their registers hold.
 *
 * Registers are the kernel's to tell, and only of a thread that is stopped, by a tracer that is a
 * process of its own. So a child stops them (ptrace), which shares the program's memory. A thread
 * that waits in the kernel goes on waiting afterwards: most calls are restarted by the kernel, those
 * that fail with EINTR instead by us. Where that isn't allowed, it is only known where a waiting
 * thread's stack pointer is.
 */
#ifndef MTRACE_THREADS_H
#define MTRACE_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCAN_REGISTERS 448u /* words: general, and vector registers of 512 bits */

/* Where a thread's stack is in use, from its stack pointer upwards, and its registers. */
struct scan_stack {
	int tid;
	uintptr_t sp; /* the lowest address that is in use */
	bool running; /* sp is unknown: its whole stack is a root */
	bool stopped;
	int signal;	      /* that it gets when it goes on */
	size_t register_size; /* bytes that are known */
	uintptr_t registers[SCAN_REGISTERS];
};

struct threads {
	struct scan_stack *stacks; /* [0]: of the thread that asks, which sleeps */
	int *tids; /* of these, close together: looked through for each thread that is met */
	size_t count;
	size_t stopped;	   /* of them */
	unsigned unlisted; /* threads that there is no room for */
	unsigned blind;	   /* threads whose registers aren't known, these included */
	int tasks;	   /* the directory /proc/self/task of the process, open */
};

#pragma GCC visibility push(hidden)

/* Finds what is known without stopping anybody. */
bool threads_open(struct threads *t, uintptr_t sp); /* false: no memory */
void threads_look(struct threads *t);
void threads_close(struct threads *t);

/* In the child. Stops all but the sleeping one, until threads_go() or the child's end; after
 * `wait_ms` those that couldn't be stopped are given up. False: none may be stopped. */
bool threads_stop(struct threads *t, unsigned wait_ms);
void threads_go(const struct threads *t);

#pragma GCC visibility pop

#endif
