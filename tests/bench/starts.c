/* SPDX-License-Identifier: MIT */
/*
 * starts.c - runs a command many times, one after the other: what the start and the end of a process cost.
 *
 * usage: starts COUNT COMMAND...
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

static int run(char **command)
{
	pid_t pid;
	int status, error = posix_spawnp(&pid, command[0], NULL, NULL, command, environ);

	if (error) {
		fprintf(stderr, "starts: %s: %s\n", command[0], strerror(error));
		return 1;
	}
	return waitpid(pid, &status, 0) != pid || status != 0;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: starts COUNT COMMAND...\n");
		return 2;
	}
	for (long i = strtol(argv[1], NULL, 10); i > 0; i--)
		if (run(argv + 2))
			return 1;
	return 0;
}
