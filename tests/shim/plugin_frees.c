/* SPDX-License-Identifier: MIT */
/* plugin_frees.c - a library that frees what others have allocated. */
#include <stdlib.h>

void plugin_free(void *block);

void plugin_free(void *block)
{
	free(block);
}
