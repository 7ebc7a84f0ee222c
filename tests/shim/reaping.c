/* SPDX-License-Identifier: MIT */
/*
 * reaping.c - a thread waits for children of all kinds, by one of the ways to wait, while the process
 * ends; there are none, and none may be found.
 *
 * usage: reaping waitpid|wait3|wait4|waitid|nowait|syscall|blocking [MILLISECONDS]
 *
 * With MILLISECONDS main allocates for that long before it ends, for who asks meanwhile.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

static const char *how;

static void say(const char *text)
{
	(void)!write(STDOUT_FILENO, text, strlen(text));
}

static void on_child(int signal)
{
	say("SIGCHLD\n");
}

static int by_waitid(int options)
{
	siginfo_t info = { 0 };

	return waitid(P_ALL, 0, &info, options) == 0 ? info.si_pid : -1;
}

static int wait_once(void)
{
	int status;

	if (strcmp(how, "wait3") == 0)
		return wait3(&status, __WALL | WNOHANG, NULL);
	if (strcmp(how, "wait4") == 0)
		return wait4(-1, &status, __WCLONE | WNOHANG, NULL);
	if (strcmp(how, "waitid") == 0)
		return by_waitid(__WALL | WEXITED | WNOHANG);
	if (strcmp(how, "nowait") == 0)
		return by_waitid(__WALL | WEXITED | WNOWAIT | WNOHANG);
	if (strcmp(how, "syscall") == 0)
		return (int)syscall(SYS_wait4, -1, &status, __WALL | WNOHANG, NULL);
	return waitpid(-1, &status, strcmp(how, "blocking") == 0 ? __WALL : __WALL | WNOHANG);
}

static void *reap(void *unused)
{
	for (;;)
		if (wait_once() > 0)
			say("reaped\n");
	return NULL;
}

int main(int argc, char **argv)
{
	struct timespec pause = { 0, 1000000 };
	pthread_t thread;

	how = argv[1];
	signal(SIGCHLD, on_child);
	pthread_create(&thread, NULL, reap, NULL);
	for (int i = argc > 2 ? atoi(argv[2]) : 1; i > 0; i--) {
		nanosleep(&pause, NULL);
		free(malloc(10));
	}
	for (int i = 0; i < 100000; i++) {
		void **p = malloc(100);

		p[0] = p;
	}
	return 0;
}
