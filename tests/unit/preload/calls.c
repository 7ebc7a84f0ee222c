/* SPDX-License-Identifier: MIT */
/* calls.c - a library that calls a function of another's. */
#include <unistd.h>

int calls_parent(void);

int calls_parent(void)
{
	return (int)getppid();
}
