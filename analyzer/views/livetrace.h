/* SPDX-License-Identifier: MIT */
/*
 * livetrace.h - the trace that a running process writes, and the process that writes a trace.
 */
#ifndef MTRACER_LIVETRACE_H
#define MTRACER_LIVETRACE_H

#include <stdbool.h>
#include <stdint.h>

struct mt_header;

struct livetrace {
	uint32_t pid;
	char *path;		  /* that opens the file from here */
	int fd;			  /* for reading and writing */
	struct mt_header *header; /* livetrace_map() */
};

/* Whether an operand is a process rather than a file: a number, and no file is called so. */
bool livetrace_is_pid(const char *operand, uint32_t *pid);

/* Finds the trace that a process has mapped; or opens one that a process is writing, by its path or
 * by the number of the process. EXIT_OK, or EXIT_ERROR after one line on stderr; it has to be closed
 * in any case. */
int livetrace_open_pid(struct livetrace *live, uint32_t pid);
int livetrace_open(struct livetrace *live, const char *operand);
void livetrace_close(struct livetrace *live);

/* The header itself, which the process reads and writes meanwhile: only for atomic accesses. NULL: no
 * memory. */
struct mt_header *livetrace_map(struct livetrace *live);

#endif
