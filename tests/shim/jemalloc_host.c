/* SPDX-License-Identifier: MIT */
/*
 * jemalloc_host.c - a program that a private jemalloc is preloaded into: it must notice nothing but guest_check().
 */
#include <dirent.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

extern int guest_check(void) __attribute__((weak));

static int threads(void)
{
	DIR *directory = opendir("/proc/self/task");
	int count = 0;

	CHECK(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 2;
}

static void *check_in_thread(void *unused)
{
	return (void *)(size_t)guest_check();
}

static void check_everywhere(void)
{
	pthread_t thread;
	void *result;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(guest_check());
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(pthread_create(&thread, NULL, check_in_thread, NULL) == 0);
	CHECK(pthread_join(thread, &result) == 0 && result == NULL);
}

int main(void)
{
	void *end = sbrk(0);

	printf("guest %d\n", guest_check ? guest_check() : -1);
	CHECK(sbrk(0) == end);
	if (guest_check)
		check_everywhere();
	CHECK(threads() == 1);
	return 0;
}
