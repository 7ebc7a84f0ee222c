/* SPDX-License-Identifier: MIT */
/*
 * replay.c - runs a fuzz target on files, without any fuzzing engine.
 *
 * usage: replay-TARGET FILE|DIRECTORY...
 *
 * Each input has little memory and little time. What goes wrong is named by its file; the exit
 * status is 1 then.
 */
#include "target.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_SECONDS 20
#define INPUT_MOST (4u << 20)	     /* bytes */
#define MEMORY_LIMIT (1024ull << 20) /* address space */

static const char *running; /* the input's file */
static unsigned count;

/* What went wrong says so by itself; only the input's name is missing. */
static void name_input(int signal)
{
	dprintf(STDERR_FILENO, "replay: %s: %s\n", running,
		signal == SIGALRM ? "too slow" : strsignal(signal));
	_exit(1);
}

static void name_exit(void)
{
	if (running)
		dprintf(STDERR_FILENO, "replay: %s: ended the program\n", running);
}

static void limit_resources(void)
{
#ifndef SANITIZED
	struct rlimit limit = { MEMORY_LIMIT, MEMORY_LIMIT };

	setrlimit(RLIMIT_AS, &limit);
	signal(SIGSEGV, name_input);
	signal(SIGBUS, name_input);
#endif
	signal(SIGABRT, name_input);
	signal(SIGALRM, name_input);
	atexit(name_exit);
}

static void replay_file(const char *path)
{
	uint8_t *data = malloc(INPUT_MOST);
	FILE *f = fopen(path, "re");
	size_t size;

	if (!data || !f) {
		dprintf(STDERR_FILENO, "replay: %s: cannot be read\n", path);
		exit(2);
	}
	size = fread(data, 1, INPUT_MOST, f);
	fclose(f);
	/* Of its exact size, so that a sanitizer sees reads behind its end. */
	data = realloc(data, size ? size : 1);
	running = path;
	alarm(INPUT_SECONDS);
	LLVMFuzzerTestOneInput(data, size);
	alarm(0);
	running = NULL;
	count++;
	free(data);
}

static void replay(const char *path)
{
	struct dirent **entries;
	struct stat st;
	int n;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		replay_file(path);
		return;
	}
	n = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char *inside = NULL;

		if (entries[i]->d_name[0] != '.' &&
			asprintf(&inside, "%s/%s", path, entries[i]->d_name) > 0)
			replay(inside);
		free(inside);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

int main(int argc, char **argv)
{
	FILE *out = fdopen(dup(STDOUT_FILENO), "w");

	LLVMFuzzerInitialize(&argc, &argv);
	limit_resources();
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	fprintf(out, "%u inputs\n", count);
	fclose(out);
	return count ? 0 : 2;
}
