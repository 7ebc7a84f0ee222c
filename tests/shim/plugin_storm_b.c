/* SPDX-License-Identifier: MIT */
/*
 * plugin_storm_b.c - the other of the two libraries (see plugin_storms.c): the same size, other code at each place.
 */
#include <stdlib.h>

void plugin_work(void);

static void *held;

void plugin_work(void)
{
	free(malloc(7));  //= count 1600, total 11200
}

__attribute__((destructor)) static void unloaded(void)
{
	free(held);
	free(malloc(9));  //= any
}

__attribute__((constructor)) static void loaded(void)
{
	held = malloc(8);  //= any
}
