/* SPDX-License-Identifier: MIT */
/*
 * livetrace.h - the trace that a running process writes, and asking the process for something
 * through it.
 *
 * The header has fields that others than the process may write; the library looks at them when the
 * process allocates.
 */
#ifndef MTRACER_LIVETRACE_H
#define MTRACER_LIVETRACE_H

#include <stdbool.h>
#include <stdint.h>

struct livetrace {
	uint32_t pid;
	char *path; /* that opens the file from here */
	int fd;	    /* for reading and writing */
};

/* Whether an operand is a process rather than a file: a number, and no file is called so. */
bool livetrace_is_pid(const char *operand, uint32_t *pid);

/* Finds the trace that a process has mapped. EXIT_OK, or EXIT_ERROR after one line on stderr. */
int livetrace_open(struct livetrace *live, uint32_t pid);
void livetrace_close(struct livetrace *live);

/* Makes the process look for leaks, and waits for the result. EXIT_OK, or EXIT_ERROR after one
 * line on stderr. */
int livetrace_scan(struct livetrace *live, uint64_t wait_seconds);

#endif
