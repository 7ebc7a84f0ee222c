/* SPDX-License-Identifier: MIT */
/*
 * control.c - a program that says itself what is to be traced, by libmtrace.h.
 */
//! MTRACE_START=0
#include "preload/libmtrace.h"
#include "program.h"

/* Without the library there is nothing to see. */
static void check_memory(size_t current, size_t peak)
{
	size_t current_now, peak_now;

	if (!mtrace_get_traced_memory)
		return;
	mtrace_get_traced_memory(&current_now, &peak_now);
	CHECK(current_now == current && peak_now == peak);
	mtrace_get_traced_memory(NULL, NULL);
}

static int tracing(void)
{
	return mtrace_is_tracing && mtrace_is_tracing();
}

int main(void)
{
	char *before = malloc(1000);

	CHECK(!tracing());
	check_memory(0, 0);
	MTRACE_START();
	MTRACE_START();
	CHECK(tracing() == (mtrace_start != NULL));

	char *kept = malloc(100);  //= count 1, total 100, peak 100
	char *freed = malloc(400);  //= count 1, total 400, peak 0

	free(before);
	check_memory(500, 500);
	MTRACE_STOP();
	CHECK(!tracing());

	char *unseen = malloc(5000);

	free(freed);
	check_memory(100, 500);
	MTRACE_RESET_PEAK(); /* of the lines too */
	check_memory(100, 100);
	MTRACE_START();
	kept = realloc(kept, 90);  //= count 1, total 90, current 90, blocks 1, peak 90
	check_memory(90, 100);
	free(unseen);
	free(malloc(7));  //= count 1, total 7, peak 7
	check_memory(90, 100);

	char *resized = malloc(300);  //= count 1, total 300, temporary 1, peak 300

	MTRACE_STOP();
	resized = realloc(resized, 700);
	check_memory(90, 390);
	free(realloc(calloc(1, 20), 40));
	free(resized);
	MTRACE_START();
	check_memory(90, 390);
	CHECK(kept && (!mtrace_overhead || mtrace_overhead() > 0));
	puts("done");
	return 0;
}
