/* SPDX-License-Identifier: MIT */
/*
 * program.h - what the annotated test programs share (see ../driver/annotations.py).
 */
#ifndef TEST_PROGRAM_H
#define TEST_PROGRAM_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#if !__GLIBC_PREREQ(2, 34) /* by the kernel's call, which glibc has no function for */
#include <unistd.h>
#define close_range(first, last, flags) syscall(436, first, last, flags)
#define closefrom(first) ((void)close_range(first, ~0u, 0))
#endif

#define CHECK(condition)                                                               \
	do {                                                                           \
		if (!(condition)) {                                                    \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_Exit(1);                                                      \
		}                                                                      \
	} while (0)

/* Keeps stdio from allocating: only the program's own lines are to be in the report. */
__attribute__((constructor)) static void own_stdout_buffer(void)
{
	static char buffer[1 << 14];

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
}

#endif
