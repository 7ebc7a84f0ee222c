/* part.c - one of two files of this name. */
#include <stdlib.h>

char *left(void);

__attribute__((noinline)) static char *right(void)
{
	char *part = malloc(222);

	if (part)
		part[0] = 2;
	return part;
}

int main(void)
{
	return left() == right();
}
