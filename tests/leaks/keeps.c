/* SPDX-License-Identifier: MIT */
/* keeps.c - a library that comes late: a variable of its own, and one of each thread's. */
static void *volatile global;
static __thread void *volatile local[512];

void *volatile *global_place(void);
void *volatile *local_place(void);

void *volatile *global_place(void)
{
	return &global;
}

void *volatile *local_place(void)
{
	return &local[300];
}
