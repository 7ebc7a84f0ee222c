/*
 * endings.c - allocates at random and writes down its progress, until it ends in the way it is told.
 *
 * usage: endings HOW STEP SEED LEDGER
 *
 * LEDGER is a file, mapped shared: it survives whatever kills the program. `begun` goes up before each call of the
 * allocator, `ended` after it; the trace must be at one of the two (see test_endings.py).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "program.h"

#define BLOCKS 500

struct counts {
	uint64_t allocations;
	uint64_t allocated_bytes;
	uint64_t frees;
	uint64_t current_bytes;
};

struct ledger {
	struct counts begun, ended;
};

static struct ledger *ledger;
static void *blocks[BLOCKS];
static size_t sizes[BLOCKS];

static void open_ledger(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	CHECK(fd >= 0 && ftruncate(fd, sizeof(*ledger)) == 0);
	ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(ledger != MAP_FAILED);
	close(fd);
}

static void allocate(int slot, size_t size)
{
	ledger->begun.allocations++;
	ledger->begun.allocated_bytes += size;
	ledger->begun.current_bytes += size;
	__asm__ volatile("" ::: "memory");
	blocks[slot] = malloc(size); /* line: malloc */
	__asm__ volatile("" ::: "memory");
	ledger->ended = ledger->begun;
	sizes[slot] = size;
}

static void release(int slot)
{
	ledger->begun.frees++;
	ledger->begun.current_bytes -= sizes[slot];
	__asm__ volatile("" ::: "memory");
	free(blocks[slot]);
	__asm__ volatile("" ::: "memory");
	ledger->ended = ledger->begun;
	blocks[slot] = NULL;
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
	CHECK(argc == 5);
	long last = atol(argv[2]);

	srandom(atoi(argv[3]));
	open_ledger(argv[4]);
	for (long step = 0; last < 0 || step < last; step++) {
		int slot = random() % BLOCKS;

		if (blocks[slot])
			release(slot);
		else
			allocate(slot, random() % 10000);
	}
	end(argv[1]);
	return 7;
}
