/* SPDX-License-Identifier: MIT */
/*
 * twins.c - does what a script on stdin says under libmtrace.h, as twins.py does under tracemalloc.
 *
 *     a|b|c|d BLOCK MIB DEPTH   site a, b or c allocates, so many calls deep; d resizes one of c's blocks, or allocates
 *     free BLOCK
 *     start LIMIT               prints the limit of tracebacks; MTRACE_DEPTH is the same
 *     stop                      and forgets all
 *     clear, reset
 *     traceback BLOCK           prints the site that the block of a or b is from, and how many frames are known
 *     snapshot LABEL            test_twins.py adds what is in it
 *
 * After each step it prints whether it is traced, and current and peak in MiB.
 */
#include <dlfcn.h>
#include <string.h>

#include "preload/libmtrace.h"
#include "program.h"

enum { BLOCKS = 40, FRAMES = 128 };

static void *blocks[BLOCKS];

void site_a(int i, size_t size);
void site_b(int i, size_t size);
void site_c(int i, size_t size);
void site_d(int i, size_t size);

void site_a(int i, size_t size)
{
	blocks[i] = malloc(size); /* line: a */
}

void site_b(int i, size_t size)
{
	blocks[i] = malloc(size); /* line: b */
}

void site_c(int i, size_t size)
{
	blocks[i] = malloc(size); /* line: c */
}

void site_d(int i, size_t size)
{
	blocks[i] = realloc(blocks[i], size); /* line: d */
}

static void (*const sites[])(int, size_t) = { site_a, site_b, site_c, site_d };

static void deep(int depth, void (*site)(int, size_t), int i, size_t size)
{
	if (depth > 0)
		deep(depth - 1, site, i, size);
	else
		site(i, size);
}

/* The name of the site whose call the innermost frame is. */
static void print_traceback(int i)
{
	void *frames[FRAMES];
	size_t count = MTRACE_GET_TRACEBACK(blocks[i], frames, FRAMES);
	Dl_info info;

	if (count == 0) {
		fputs("unknown", stdout);
		return;
	}
	CHECK(dladdr((char *)frames[0] - 1, &info) && info.dli_sname);
	CHECK(strncmp(info.dli_sname, "site_", 5) == 0);
	printf("%s %zu", info.dli_sname + 5, count);
}

static void stop(void)
{
	MTRACE_STOP();
	CHECK(MTRACE_CLEAR_TRACES() == 0);
}

/* Those that print nothing. */
static void step(const char *word, const int *numbers)
{
	if (strlen(word) == 1) {
		deep(numbers[2], sites[word[0] - 'a'], numbers[0], (size_t)numbers[1] << 20);
	} else if (strcmp(word, "free") == 0) {
		free(blocks[numbers[0]]);
		blocks[numbers[0]] = NULL;
	} else if (strcmp(word, "start") == 0) {
		MTRACE_START();
	} else if (strcmp(word, "stop") == 0) {
		stop();
	} else if (strcmp(word, "clear") == 0) {
		CHECK(MTRACE_CLEAR_TRACES() == 0);
	} else if (strcmp(word, "reset") == 0) {
		MTRACE_RESET_PEAK();
	}
}

static void say(const char *word, const int *numbers)
{
	size_t current = 0, peak = 0;

	if (mtrace_get_traced_memory)
		mtrace_get_traced_memory(&current, &peak);
	printf(" %d %zu %zu ", MTRACE_IS_TRACING(), current >> 20, peak >> 20);
	if (strcmp(word, "start") == 0)
		printf("%d", MTRACE_GET_TRACEBACK_LIMIT());
	else if (strcmp(word, "traceback") == 0)
		print_traceback(numbers[0]);
	putchar('\n');
}

int main(void)
{
	char line[80], word[20], rest[60];

	while (fgets(line, sizeof(line), stdin)) {
		int numbers[3] = { 0 };

		line[strcspn(line, "\n")] = '\0';
		rest[0] = '\0';
		CHECK(sscanf(line, "%19s %59[^\n]", word, rest) >= 1);
		sscanf(rest, "%d %d %d", &numbers[0], &numbers[1], &numbers[2]);
		if (strcmp(word, "snapshot") == 0)
			MTRACE_SNAPSHOT(rest);
		step(word, numbers);
		fputs(line, stdout);
		say(word, numbers);
	}
	return 0;
}
