/* SPDX-License-Identifier: MIT */
/*
 * measure.c - runs a command and writes down what it cost.
 *
 * usage: measure RESULT [NAME=VALUE]... -- COMMAND...
 *
 * The variables are for the command alone. RESULT becomes one line: status, user and system microseconds, maximal
 * resident KiB, wall nanoseconds. A small program of its own, because a process starts
 * with the maximal resident size of the one that forked it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void execute(char **variables, char **command)
{
	for (; strcmp(*variables, "--"); variables++)
		putenv(*variables);
	execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

static long long microseconds(struct timeval time)
{
	return time.tv_sec * 1000000LL + time.tv_usec;
}

static int write_result(const char *path, int status, const struct rusage *used, long long wall)
{
	FILE *result = fopen(path, "w");

	if (!result) {
		perror(path);
		return 1;
	}
	fprintf(result, "%d %lld %lld %ld %lld\n", status, microseconds(used->ru_utime),
		microseconds(used->ru_stime), used->ru_maxrss, wall);
	return fclose(result) != 0;
}

int main(int argc, char **argv)
{
	struct rusage used;
	int status, command = 2;

	while (command < argc && strcmp(argv[command], "--"))
		command++;
	if (command + 1 >= argc) {
		fprintf(stderr, "usage: measure RESULT [NAME=VALUE]... -- COMMAND...\n");
		return 2;
	}
	long long start = nanoseconds();
	pid_t pid = fork();

	if (pid == 0)
		execute(argv + 2, argv + command + 1);
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid) {
		perror("measure");
		return 1;
	}
	return write_result(argv[1], status, &used, nanoseconds() - start);
}
