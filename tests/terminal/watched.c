/* SPDX-License-Identifier: MIT */
/*
 * watched.c - a program that does as it is told, line by line: "g N" holds N bytes more, "t" has a
 * thread whose name is hard on terminals, "f" forks a child that holds more and waits, "k" ends it, and
 * "q N" exits with N. Answers each with a line.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;

__attribute__((noinline)) static void *grow(size_t size)
{
	void *p = malloc(size);

	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

__attribute__((noinline)) static void *hold_for_the_start(void)
{
	void *p = calloc(100, 1000);

	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

static void *allocate_and_wait(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "\033[2J\xe6\xbc\xa2\xff\n");
	grow(12345);
	while (pause())
		;
	return NULL;
}

static void start_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, allocate_and_wait, NULL) != 0)
		abort();
	usleep(200000);
}

static void start_child(void)
{
	child = fork();
	if (child)
		return;
	grow(3000000);
	for (;;)
		pause();
}

static void end_child(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

int main(void)
{
	char line[100];

	hold_for_the_start();
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (line[0] == 'q')
			return atoi(line + 1);
		if (line[0] == 'g')
			grow((size_t)atol(line + 1));
		if (line[0] == 't')
			start_thread();
		if (line[0] == 'f')
			start_child();
		if (line[0] == 'k')
			end_child();
		puts("done");
		fflush(stdout);
	}
	return 0;
}
