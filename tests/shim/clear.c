/* SPDX-License-Identifier: MIT */
/*
 * clear.c - a program that has forgotten what was recorded: alone, in a handler, and while threads allocate. Whatever
 * comes from before, what is recorded afterwards is exact.
 */
#include "preload/libmtrace.h"
#include "program.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#define ROUNDS 30
#define THREADS 4
#define SLOTS 64

static void check_memory(size_t current, size_t peak)
{
	size_t current_now, peak_now;

	if (!mtrace_get_traced_memory)
		return;
	mtrace_get_traced_memory(&current_now, &peak_now);
	CHECK(current_now == current && peak_now == peak);
}

static void clear(void)
{
	CHECK(MTRACE_CLEAR_TRACES() == 0);
}

static void handler(int number)
{
	(void)number;
	clear();
}

static void alone(void)
{
	char *old[4], *new;

	for (int i = 0; i < 4; i++)
		old[i] = malloc(1000 + 1000000 * i); /* forgotten */
	check_memory(6004000, 6004000);
	clear();
	check_memory(0, 0);
	CHECK(!MTRACE_GET_BLOCK(old[0], NULL) && !MTRACE_GET_BLOCK(old[3] + 7, NULL));
	free(old[0]);
	check_memory(0, 0);
	new = malloc(50);
	check_memory(50, 50);
	old[1] = realloc(old[1], 300);
	check_memory(350, 350);
	free(old[2]);
	free(new);
	check_memory(300, 350);
	CHECK(!mtrace_is_tracing || mtrace_is_tracing());
	CHECK(old[1] && realloc(old[3], 0) == NULL);
	check_memory(300, 350);
}

static void in_between(void)
{
	char *p = malloc(77);

	check_memory(77, 77);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	check_memory(0, 0);
	MTRACE_STOP();
	clear();
	free(malloc(33));
	free(p);
	CHECK(!MTRACE_IS_TRACING());
	MTRACE_START();
	check_memory(0, 0);
}

/* ---- threads: of their blocks many are from before, when they go */

static volatile int stop;

static unsigned next(unsigned *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 16;
}

static void *allocate(void *seed)
{
	unsigned state = (unsigned)(size_t)seed;
	char *blocks[SLOTS] = { NULL };

	while (!stop) {
		unsigned i = next(&state) % SLOTS, size = next(&state) % 3000;

		switch (next(&state) % 4) {
		case 0:
			free(blocks[i]);
			blocks[i] = malloc(size);  //= current 0
			break;
		case 1:
			free(blocks[i]);
			blocks[i] = calloc(1, size);  //= current 0
			break;
		case 2:
			blocks[i] = realloc(blocks[i], size + 1);  //= current 0
			break;
		default:
			free(blocks[i]);
			blocks[i] = NULL;
		}
	}
	for (int i = 0; i < SLOTS; i++)
		free(blocks[i]);
	return NULL;
}

static int refused;

static void *clear_too(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		refused += MTRACE_CLEAR_TRACES() != 0;
		usleep(1000);
	}
	return unused;
}

static void with_threads(void)
{
	pthread_t threads[THREADS + 1];
	size_t peak = 0;

	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, allocate, (void *)(i + 1)) == 0);  //= any
	CHECK(pthread_create(&threads[THREADS], NULL, clear_too, NULL) == 0);  //= any
	for (int i = 0; i < ROUNDS; i++) {
		refused += MTRACE_CLEAR_TRACES() != 0;
		usleep(1000);
	}
	CHECK(pthread_join(threads[THREADS], NULL) == 0);
	usleep(20000);
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	if (mtrace_get_traced_memory)
		mtrace_get_traced_memory(NULL, &peak);
	CHECK(peak < 2 * THREADS * SLOTS * 3000);
	CHECK(refused < ROUNDS);
}

/* What is in the report. */
static void afterwards(void)
{
	char *old[3] = { malloc(1000), malloc(2000), malloc(3 << 20) }, *new;

	clear();
	free(old[0]);
	new = malloc(50);  //= count 1, total 50, peak 50
	old[1] = realloc(old[1], 300);  //= count 1, total 300, current 300, blocks 1, peak 300
	free(new);
	free(old[2]);
	free(malloc(9));  //= count 1, total 9, temporary 1
	CHECK(old[1]);
}

int main(void)
{
	in_between();
	alone();
	with_threads();
	clear();
	check_memory(0, 0);
	afterwards();
	puts("done");
	return 0;
}
