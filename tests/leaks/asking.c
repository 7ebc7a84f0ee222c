/* asking.c - loses 10 blocks of 100 bytes, then does as it is told: busy, idle, exit STATUS, clean
 * STATUS, leave STATUS, abort, limited: busy, and may start no process. */
#include "cases.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
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

	if (strcmp(what, "clean") != 0 && strcmp(what, "leave") != 0)
		RUN(lose);
	if (strcmp(what, "limited") == 0) {
		const struct rlimit none = { 0, 0 };

		if (geteuid() == 0 && setuid(65534) != 0) /* root has no limit */
			return 1;
		if (setrlimit(RLIMIT_NPROC, &none) != 0)
			return 1;
		what = "busy";
	}
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
	if (strcmp(what, "leave") == 0) /* as nobody can see */
		syscall(SYS_exit_group, atoi(argv[2]));
	return argc > 2 ? atoi(argv[2]) : 0;
}
