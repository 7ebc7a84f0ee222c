/* SPDX-License-Identifier: MIT */
/*
 * plugin_b.c - the other of the two libraries (see plugins.c). Its allocation is on another line than plugin_a.c's.
 */
#include <stdlib.h>

void *plugin_allocate(void);
const char *plugin_name(void);

const char *plugin_name(void)
{
	return "b";
}

void *plugin_allocate(void)
{
	return malloc(7);  //= count 20, total 140, current 140, blocks 20, peak 140
}
