/* SPDX-License-Identifier: MIT */
/*
 * endings.c - allocates at random and writes down its progress, until it ends in the way it is told.
 *
 * usage: endings HOW STEP SEED LEDGER THREADS
 *
 * LEDGER is a file, mapped shared: it survives whatever kills the program. For each thread, `begun` goes up before each
 * call of the allocator, `ended` after it; the trace must be at one of the two (see test_endings.py). The
 * first thread ends the program after STEP steps, while the others go on.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "program.h"

#define BLOCKS 500
#define MAX_THREADS 8

struct counts {
	uint64_t allocations;
	uint64_t allocated_bytes;
	uint64_t frees;
	uint64_t current_bytes;
};

struct ledger {
	struct counts begun, ended;
};

struct worker {
	struct ledger *ledger;
	unsigned long steps;
	unsigned seed;
	void *blocks[BLOCKS];
	size_t sizes[BLOCKS];
};

static struct worker workers[MAX_THREADS];

static struct ledger *open_ledgers(const char *path)
{
	size_t size = MAX_THREADS * sizeof(struct ledger);
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	CHECK(fd >= 0 && ftruncate(fd, size) == 0);
	struct ledger *ledgers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK(ledgers != MAP_FAILED);
	close(fd);
	return ledgers;
}

static void allocate(struct worker *self, int slot, size_t size)
{
	struct ledger *ledger = self->ledger;

	ledger->begun.allocations++;
	ledger->begun.allocated_bytes += size;
	ledger->begun.current_bytes += size;
	__asm__ volatile("" ::: "memory");
	self->blocks[slot] = malloc(size); /* line: malloc */
	__asm__ volatile("" ::: "memory");
	ledger->ended = ledger->begun;
	self->sizes[slot] = size;
}

static void release(struct worker *self, int slot)
{
	struct ledger *ledger = self->ledger;

	ledger->begun.frees++;
	ledger->begun.current_bytes -= self->sizes[slot];
	__asm__ volatile("" ::: "memory");
	free(self->blocks[slot]);
	__asm__ volatile("" ::: "memory");
	ledger->ended = ledger->begun;
	self->blocks[slot] = NULL;
}

static void *work(void *worker)
{
	struct worker *self = worker;

	for (unsigned long step = 0; step < self->steps; step++) {
		int slot = rand_r(&self->seed) % BLOCKS;

		if (self->blocks[slot])
			release(self, slot);
		else
			allocate(self, slot, rand_r(&self->seed) % 10000);
	}
	return NULL;
}

static void end(const char *how)
{
	if (!strcmp(how, "kill"))
		kill(getpid(), SIGKILL);
	else if (!strcmp(how, "abort"))
		abort();
	else if (!strcmp(how, "segv"))
		raise(SIGSEGV);
	else if (!strcmp(how, "_exit"))
		_exit(7);
	else if (!strcmp(how, "quick_exit"))
		quick_exit(7);
	else if (!strcmp(how, "exit"))
		exit(7);
	else if (!strcmp(how, "exec"))
		execl("/bin/false", "false", NULL);
	else if (!strcmp(how, "term"))
		raise(SIGTERM);
}

int main(int argc, char **argv)
{
	CHECK(argc == 6);
	struct ledger *ledgers = open_ledgers(argv[4]);
	int threads = atoi(argv[5]);

	CHECK(threads >= 1 && threads <= MAX_THREADS);
	for (int i = 0; i < threads; i++) {
		workers[i].ledger = &ledgers[i];
		workers[i].steps = i == 0 ? strtoul(argv[2], NULL, 10) : -1ul;
		workers[i].seed = atoi(argv[3]) * MAX_THREADS + i;
	}
	for (int i = 1; i < threads; i++) {
		pthread_t thread;

		CHECK(pthread_create(&thread, NULL, work, &workers[i]) == 0);
	}
	work(&workers[0]);
	end(argv[1]);
	return 7;
}
