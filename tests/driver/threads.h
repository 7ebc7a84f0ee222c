/* SPDX-License-Identifier: MIT */
/*
 * threads.h - waits until the other threads of the process are where a test wants them. Nothing is
 * allocated meanwhile. After a minute it gives up: abort().
 */
#ifndef TESTS_THREADS_H
#define TESTS_THREADS_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The calling one, too; also those that have ended but are still there for the kernel. */
static inline int thread_count(void)
{
	struct stat tasks;

	return stat("/proc/self/task", &tasks) == 0 ? (int)tasks.st_nlink - 2 : 1;
}

/* 'S': it waits for something in the kernel. */
static inline char thread_state(const char *tid)
{
	char path[300], text[512];
	const char *name_end;
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%s/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (size <= 0)
		return 'X';
	text[size] = '\0';
	name_end = strrchr(text, ')');
	return name_end ? name_end[2] : 'X';
}

struct thread_entry { /* as getdents64() has it */
	unsigned long long inode, offset;
	unsigned short size;
	unsigned char type;
	char name[1];
};

/* The calling one is. */
static inline int threads_awake(void)
{
	static long long buffer[512];
	int awake = 0, fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long size;

	while (fd >= 0 && (size = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
		for (long at = 0; at < size;) {
			const struct thread_entry *entry =
				(const struct thread_entry *)((const char *)buffer + at);

			awake += *entry->name != '.' && thread_state(entry->name) != 'S';
			at += entry->size;
		}
	if (fd >= 0)
		close(fd);
	return awake;
}

/* Waits until the process has no more than so many threads, or so many that don't wait for something. */
static inline void threads_wait(int (*number)(void), int most)
{
	const struct timespec pause_of = { 0, 1000000 };

	for (int i = 0; number() > most; i++) {
		if (i == 60000)
			abort();
		nanosleep(&pause_of, NULL);
	}
}

#endif
