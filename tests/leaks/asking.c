/* SPDX-License-Identifier: MIT */
/* asking.c - loses 10 blocks of 100 bytes, then does as it is told: busy, idle, exit STATUS, abort,
 * _exit STATUS, quick_exit STATUS, handler STATUS (by _exit on a handler's own stack), limited
 * (busy, and may start no process), peaked (busy, after a peak of 100,000 bytes); or loses nothing: clean STATUS, leave STATUS (as nobody can
 * see), forked STATUS (its child loses them). */
#include "cases.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

CASE lose(void)
{
	for (int i = 0; i < 10; i++) {
		void *volatile p = malloc(100);

		p = NULL;
		(void)p;
	}
}

static int status_of_handler;

static void handle(int number)
{
	(void)number;
	_exit(status_of_handler);
}

static void leave_from_handler(int status)
{
	static char memory[65536];
	stack_t own = { .ss_sp = memory, .ss_size = sizeof(memory) };
	struct sigaction action = { .sa_handler = handle, .sa_flags = SA_ONSTACK };

	status_of_handler = status;
	if (sigaltstack(&own, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0)
		raise(SIGUSR1);
}

static void wait_for_child(void)
{
	pid_t child = fork();

	if (child == 0) {
		RUN(lose);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "clean") != 0 && strcmp(what, "leave") != 0 && strcmp(what, "forked") != 0)
		RUN(lose);
	if (strcmp(what, "limited") == 0) {
		const struct rlimit none = { 0, 0 };

		if (geteuid() == 0 && setuid(65534) != 0) /* root has no limit */
			return 1;
		if (setrlimit(RLIMIT_NPROC, &none) != 0)
			return 1;
		what = "busy";
	}
	if (strcmp(what, "peaked") == 0) {
		free(malloc(100000));
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
	if (strcmp(what, "_exit") == 0)
		_exit(atoi(argv[2]));
	if (strcmp(what, "quick_exit") == 0)
		quick_exit(atoi(argv[2]));
	if (strcmp(what, "handler") == 0)
		leave_from_handler(atoi(argv[2]));
	if (strcmp(what, "forked") == 0)
		wait_for_child();
	if (strcmp(what, "leave") == 0) /* as nobody can see */
		syscall(SYS_exit_group, atoi(argv[2]));
	return argc > 2 ? atoi(argv[2]) : 0;
}
