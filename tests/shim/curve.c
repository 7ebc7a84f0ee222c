/* SPDX-License-Identifier: MIT */
/*
 * curve.c - a program with a known curve, which keeps a ledger of its own.
 *
 *     curve curve LEDGER      steps, ramp, spike, sawtooth, idle; a record for each allocation
 *     curve killed LEDGER     likewise, up to a SIGKILL
 *     curve fork LEDGER       the sawtooth in a child, too
 *     curve teeth COUNT       that many allocations in teeth of 1000, which need no ledger
 *     curve threads COUNT     several at once
 *     curve marks COUNT       a mark after each allocation
 *
 * A record of the ledger is five numbers of 64 bits: the state after an allocation (number, live
 * bytes and blocks, all bytes so far) and the time, CLOCK_REALTIME. The state at a mark, which is
 * that of some allocation less what was freed since, comes with number | 1 << 63.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "preload/libmtrace.h"
#include "program.h"

#define RECORDS 60000
#define TOOTH 1000

static struct {
	uint64_t number, live, blocks, all, ns;
} ledger[RECORDS], now;
static unsigned used;

static uint64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void note(uint64_t flag)
{
	CHECK(used < RECORDS);
	now.ns = clock_now();
	ledger[used] = now;
	ledger[used++].number |= flag;
}

static void *counted(void *p, size_t size)
{
	CHECK(p);
	now.number++;
	now.live += size;
	now.blocks++;
	now.all += size;
	note(0);
	return p;
}

static void gone(void *p, size_t size)
{
	free(p);
	now.live -= size;
	now.blocks--;
}

static void mark(const char *label)
{
	note(1ull << 63);
	MTRACE_MARK(label);
}

static void rest(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void write_ledger(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK(write(fd, ledger, used * sizeof(*ledger)) == (ssize_t)(used * sizeof(*ledger)));
	close(fd);
}

static void *held[TOOTH];

static void steps(void)
{
	static void *all[20];

	for (int i = 0; i < 20; i++) {
		all[i] = counted(malloc(100000), 100000); /* line: steps */
		rest(2);
	}
	for (int i = 0; i < 20; i++)
		gone(all[i], 100000);
}

static void ramp(void)
{
	static void *all[20000];

	for (int i = 0; i < 20000; i++)
		all[i] = counted(malloc(50), 50); /* line: ramp */
	for (int i = 0; i < 10000; i++)
		gone(all[i], 50);
}

static void spike(void)
{
	gone(counted(malloc(30000000), 30000000), 30000000); /* line: spike */
}

static void teeth(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		held[i % TOOTH] = counted(malloc(64), 64); /* line: teeth */
		for (unsigned k = 0; i % TOOTH == TOOTH - 1 && k < TOOTH; k++)
			gone(held[k], 64);
	}
}

static void curve(void)
{
	steps();
	mark("steps");
	ramp();
	mark("ramp");
	rest(20);
	spike();
	rest(20);
	teeth(20 * TOOTH);
	mark("idle <&\"> \xc3\xa9");
	rest(300);
	teeth(10);
}

/* As teeth(), without a ledger. */
static void many(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		held[i % TOOTH] = malloc(64);
		for (unsigned k = 0; i % TOOTH == TOOTH - 1 && k < TOOTH; k++)
			free(held[k]);
	}
}

static void *work(void *arg)
{
	void *mine[100];

	for (unsigned long i = 0; i < (unsigned long)(uintptr_t)arg; i++) {
		mine[i % 100] = malloc(100 + i % 1000);
		for (unsigned k = 0; i % 100 == 99 && k < 100; k++)
			free(mine[k]);
	}
	return NULL;
}

static void threads(unsigned long count)
{
	pthread_t all[4];

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&all[i], NULL, work, (void *)(uintptr_t)count) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(all[i], NULL);
}

static void marks(unsigned long count)
{
	char label[400];

	for (unsigned long i = 0; i < count; i++) {
		memset(label, 'x', sizeof(label) - 1);
		label[sizeof(label) - 1] = '\0';
		label[snprintf(label, 20, "mark %lu", i)] = i % 2 ? '\0' : ' ';
		held[i % TOOTH] = malloc(10);
		MTRACE_MARK(label);
	}
}

static void in_child(const char *path)
{
	pid_t child;

	steps();
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		used = 0;
		teeth(20 * TOOTH);
		write_ledger(path);
		_exit(0);
	}
	CHECK(waitpid(child, NULL, 0) == child);
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	if (strcmp(argv[1], "teeth") == 0) {
		many(strtoul(argv[2], NULL, 10));
	} else if (strcmp(argv[1], "threads") == 0) {
		threads(strtoul(argv[2], NULL, 10));
	} else if (strcmp(argv[1], "marks") == 0) {
		marks(strtoul(argv[2], NULL, 10));
	} else if (strcmp(argv[1], "fork") == 0) {
		in_child(argv[2]);
	} else {
		curve();
		write_ledger(argv[2]);
		if (strcmp(argv[1], "killed") == 0)
			raise(SIGKILL);
	}
	return 0;
}
