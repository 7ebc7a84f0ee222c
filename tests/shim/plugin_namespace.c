/* SPDX-License-Identifier: MIT */
/*
 * plugin_namespace.c - is loaded with a C library of its own, whose malloc isn't the program's (see namespaces.c).
 */
#include <stdlib.h>
#include <string.h>

int plugin_own(int count);
void *plugin_call(void *(*callback)(size_t), size_t size);

/* Memory of the other C library: nobody is to record it. */
int plugin_own(int count)
{
	int sum = 0;

	for (int i = 0; i < count; i++) {
		char *p = realloc(malloc(10), 1000 + i);

		if (p) {
			memset(p, i, 1000);
			sum++;
		}
		free(p);
	}
	return sum;
}

/* Back into the program: its allocation has this function on its stack. */
void *plugin_call(void *(*callback)(size_t), size_t size)
{
	//~ plugin_call count 70, total 2100
	return callback(size);
}
