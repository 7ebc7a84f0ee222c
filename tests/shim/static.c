/* SPDX-License-Identifier: MIT */
/*
 * static.c - a program into which no library can be loaded.
 */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	void *block = malloc(100);

	printf("static %d\n", block != NULL);
	free(block);
	return 6;
}
