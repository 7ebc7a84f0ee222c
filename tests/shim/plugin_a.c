/* SPDX-License-Identifier: MIT */
/*
 * plugin_a.c - one of two libraries of the same shape that get loaded at the same address (see plugins.c).
 */
#include <stdlib.h>

void *plugin_allocate(void);
const char *plugin_name(void);

void *plugin_allocate(void)
{
	return malloc(100);  //= count 20, total 2000, current 2000, blocks 20, peak 2000
}

const char *plugin_name(void)
{
	return "a";
}
