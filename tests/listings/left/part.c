/* part.c - one of two files of this name. */
#include <stdlib.h>

char *left(void);

char *left(void)
{
	char *part = malloc(111);

	if (part)
		part[0] = 1;
	return part;
}
