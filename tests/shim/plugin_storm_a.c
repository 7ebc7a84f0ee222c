/* SPDX-License-Identifier: MIT */
/*
 * plugin_storm_a.c - a library that allocates when it is loaded, used and unloaded (see plugin_storms.c).
 */
#include <stdlib.h>

void plugin_work(void);

static void *held;

__attribute__((constructor)) static void loaded(void)
{
	held = malloc(100);  //= any
}

__attribute__((destructor)) static void unloaded(void)
{
	free(malloc(40));  //= any
	free(held);
}

void plugin_work(void)
{
	free(malloc(60));  //= count 1600, total 96000
}
