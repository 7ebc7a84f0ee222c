/* SPDX-License-Identifier: MIT */
/*
 * growing.c - allocates from more and more different stacks, so that its trace grows, and checks its own work.
 *
 * usage: growing LEVELS [PREPARATION...]    2^LEVELS stacks
 *
 * Preparations, in this order, before the growth: `closefrom` closes all descriptors but the first three, `occupy` takes
 * all free ones by files of its own, which must be untouched in the end, `chdir` goes to /,
 * `close_range` closes them by that call, `dup2` puts files of its own over all that are open,
 * `fsize` limits files to 64 KiB, `nofile`, `address` and `data` limit descriptors, address space and data; `delete` deletes the
 * trace (the file that MTRACE_OUT names), `replace` puts another file in its place. `chroot` and `setuid`
 * make the working directory the root, and nobody the user. `eat` takes all memory until malloc fails. With `wait` it waits in the end until its
 * input ends.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"

static int occupied[2000], occupied_count;
static unsigned long allocations;
static int waits;

static void *grow(int level, unsigned long path);

static __attribute__((noinline)) void *left(int level, unsigned long path)
{
	return grow(level - 1, path * 2);
}

static __attribute__((noinline)) void *right(int level, unsigned long path)
{
	return grow(level - 1, path * 2 + 1);
}

/* Each leaf of the tree of calls is a stack of its own. */
static void *grow(int level, unsigned long path)
{
	if (level > 0) {
		free(left(level, path));
		return right(level, path);
	}
	unsigned long *block = malloc(sizeof(*block)); /* line: leaf */

	CHECK(block);
	*block = path;
	allocations++;
	return block;
}

static void limit(int resource, rlim_t value)
{
	struct rlimit limit = { value, value };

	CHECK(setrlimit(resource, &limit) == 0);
}

static void occupy(void)
{
	int fd;

	while (occupied_count < 2000 && (fd = open("/dev/null", O_WRONLY)) >= 0)
		occupied[occupied_count++] = fd;
	printf("occupied from %d\n", occupied[0]);
}

/* Puts files of its own over whatever is open above the standard streams. */
static void take_over(void)
{
	int null = open("/dev/null", O_WRONLY);

	CHECK(null == 3);
	for (int fd = 4; fd < 5000; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			CHECK((occupied[occupied_count++] = dup2(null, fd)) == fd);
	close(null);
}

static void check_occupied(void)
{
	struct stat null, found;

	CHECK(stat("/dev/null", &null) == 0);
	for (int i = 0; i < occupied_count; i++)
		CHECK(fstat(occupied[i], &found) == 0 && found.st_rdev == null.st_rdev);
}

static void delete_trace(void)
{
	if (getenv("LD_PRELOAD"))
		CHECK(unlink(getenv("MTRACE_OUT")) == 0);
}

static void replace_trace(void)
{
	int fd;

	delete_trace();
	fd = open(getenv("MTRACE_OUT"), O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd >= 0 && write(fd, "precious", 8) == 8 && close(fd) == 0);
}

/* All memory that there is, and gives it back. */
static void eat(void)
{
	struct block {
		struct block *next;
	} *first = NULL, *block;
	size_t bytes = 0;

	while ((block = malloc(100000))) { /* line: eaten */
		block->next = first;
		first = block;
		bytes += 100000;
	}
	CHECK(errno == ENOMEM);
	while ((block = first)) {
		first = block->next;
		free(block);
	}
	printf("eaten %zu KiB\n", bytes >> 10);
}

static void prepare(const char *what)
{
	if (!strcmp(what, "closefrom"))
		closefrom(3);
	else if (!strcmp(what, "close_range"))
		CHECK(close_range(3, ~0u, 0) == 0);
	else if (!strcmp(what, "dup2"))
		take_over();
	else if (!strcmp(what, "occupy"))
		occupy();
	else if (!strcmp(what, "chdir"))
		CHECK(chdir("/") == 0);
	else if (!strcmp(what, "fsize"))
		limit(RLIMIT_FSIZE, 64 << 10);
	else if (!strcmp(what, "nofile"))
		limit(RLIMIT_NOFILE, 8);
	else if (!strcmp(what, "address"))
		limit(RLIMIT_AS, 64 << 20);
	else if (!strcmp(what, "data"))
		limit(RLIMIT_DATA, 64 << 20);
	else if (!strcmp(what, "delete"))
		delete_trace();
	else if (!strcmp(what, "replace"))
		replace_trace();
	else if (!strcmp(what, "chroot"))
		CHECK(chroot(".") == 0);
	else if (!strcmp(what, "setuid"))
		CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	else if (!strcmp(what, "eat"))
		eat();
	else if (!strcmp(what, "wait"))
		waits = 1;
	else
		CHECK(!"a preparation");
}

int main(int argc, char **argv)
{
	CHECK(argc >= 2);
	for (int i = 2; i < argc; i++)
		prepare(argv[i]);
	free(grow(atoi(argv[1]), 0));
	check_occupied();
	int fd = open("/dev/null", O_RDONLY);

	/* Above 99, the tracer may have some. */
	printf("allocations %lu, next descriptor %d\n", allocations, fd > 99 ? 100 : fd);
	fflush(stdout);
	while (waits && read(0, &fd, 1) > 0)
		;
	return 0;
}
