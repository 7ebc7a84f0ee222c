/* SPDX-License-Identifier: MIT */
/*
 * limited.c - what a program may still map after it has limited its address space.
 *
 * usage: limited MIB    that it leaves for who traces it
 *
 * The limit is by so much above what the program needs itself: 8 threads with stacks of 256 KiB, which share an arena
 * of the allocator where there is no room for 64 MiB more, and 16 MiB for the program and its libraries.
 */
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

#define THREADS 8

static pthread_barrier_t all;

static void *work(void *unused)
{
	pthread_barrier_wait(&all);
	return malloc(144);
}

static void child(void)
{
	pthread_t threads[THREADS];
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 << 10);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], &attributes, work, NULL) != 0)
			_exit(1);
	pthread_barrier_wait(&all);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	int status;
	pid_t pid;

	limit.rlim_cur = limit.rlim_max = (size_t)(atoi(argv[1]) + 16 + THREADS / 4) << 20;
	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	pthread_barrier_init(&all, NULL, THREADS + 1);
	for (int i = 0; i < 2; i++) {
		pid = fork();
		if (pid == 0)
			child();
		CHECK(waitpid(pid, &status, 0) == pid);
		printf("status %x\n", status);
	}
	return 0;
}
