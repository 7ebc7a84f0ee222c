/* asking.c - loses 10 blocks of 100 bytes, then does as it is told: busy, idle, exit STATUS, clean STATUS, abort. */
#include "cases.h"

#include <stdio.h>
#include <unistd.h>

CASE lose(void)
{
	for (int i = 0; i < 10; i++) {
		void *volatile p = malloc(100);

		p = NULL;
		(void)p;
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "clean") != 0)
		RUN(lose);
	puts("ready");
	fflush(stdout);
	while (strcmp(what, "busy") == 0) {
		free(malloc(50));
		usleep(1000);
	}
	while (strcmp(what, "idle") == 0)
		pause();
	if (strcmp(what, "abort") == 0)
		abort();
	return argc > 2 ? atoi(argv[2]) : 0;
}
