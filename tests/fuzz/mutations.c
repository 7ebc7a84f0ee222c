/* SPDX-License-Identifier: MIT */
/*
 * mutations.c - damaged traces, thousands of them: mtracer reads each or says in one line what is
 * wrong.
 *
 * usage: mutations [-n CASES] [-s SEED] TRACE...
 *
 * Every case takes one of the traces, damages it (cut, bytes flipped, numbers replaced by telling
 * ones, stretches moved), and runs a command on it in a child process with little memory and little
 * time. The command must end with status 0 or 1, or with 2 and exactly one error line. Children run
 * some cases each; when one dies, the case it was at is named and can be run alone: -s SEED -n 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/trace_format.h"
#include "target.h"

#define BATCH 50 /* cases of one child */
#define CASE_SECONDS 20
#define MEMORY_LIMIT (512ull << 20) /* address space; the traces have some ten thousand bytes */

struct bytes {
	unsigned char *data;
	size_t size;
};

static struct bytes *originals;
static size_t original_count;
static uint64_t *progress; /* shared: the seed of the case that the child is at */

/* ---- random numbers that are the same everywhere */

static uint64_t state;

static uint64_t next(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static size_t below(size_t limit)
{
	return limit ? (size_t)(next() % limit) : 0;
}

/* ---- damage */

/* Mostly the header and what the tables hold, rarely the zeros behind. */
static size_t place(const struct bytes *b, size_t width)
{
	size_t at = below(4) == 0 ? below(sizeof(struct mt_header)) : below(b->size);

	for (int i = 0; i < 50 && at < b->size && b->data[at] == 0; i++)
		at = below(b->size);
	at = at / width * width;
	return at + width <= b->size ? at : 0;
}

static void flip_bits(struct bytes *b)
{
	for (size_t n = 1 + below(8); n > 0 && b->size; n--)
		b->data[place(b, 1)] ^= (unsigned char)(1u << below(8));
}

static void replace_numbers(struct bytes *b)
{
	static const uint64_t telling[] = { 0, 1, 2, 3, 4, 0x7f, 0xff, 0xffff, 0x7fffffff,
		0x80000000, 0xffffffff, 0x100000000, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX,
		UINT64_MAX / 64 + 2 };
	static const size_t widths[] = { 2, 4, 8 };

	for (size_t n = 1 + below(3); n > 0; n--) {
		size_t width = widths[below(3)];
		uint64_t value = telling[below(sizeof(telling) / sizeof(telling[0]))];
		size_t at = place(b, width);

		if (at + width > b->size)
			continue;
		if (below(3) == 0) { /* near what was there */
			memcpy(&value, b->data + at, width);
			value += below(5) - 2;
		}
		memcpy(b->data + at, &value, width);
	}
}

static void move_stretch(struct bytes *b)
{
	size_t size = 1 + below(300);
	size_t from = place(b, 1), to = place(b, 1);

	if (from + size <= b->size && to + size <= b->size)
		memmove(b->data + to, b->data + from, size);
}

static void fill_stretch(struct bytes *b)
{
	size_t size = 1 + below(64), at = place(b, 8);

	for (size_t i = at; i < at + size && i < b->size; i++)
		b->data[i] = (unsigned char)next();
}

static void cut(struct bytes *b)
{
	b->size = below(b->size + 1);
}

/* The header's own numbers, where damage does most. */
static void damage_header(struct bytes *b)
{
	struct mt_header *h = (void *)b->data;

	if (b->size < sizeof(*h))
		return;
	switch (below(5)) {
	case 0:
		h->tables[below(MT_TABLES_USED)].count = below(2) ? next() : below(100);
		break;
	case 1:
		h->tables[below(MT_TABLES_USED)].record_size = (uint32_t)below(300);
		break;
	case 2:
		((uint32_t *)&h->extents[below(h->extent_count % MT_EXTENTS)])[below(4)] =
			(uint32_t)below(40);
		break;
	case 3:
		h->extent_count = (uint32_t)below(MT_EXTENTS + 2);
		break;
	case 4:
		h->state = (uint32_t)below(4);
		h->pid = (uint32_t)getpid();
		h->flags = (uint32_t)next();
		break;
	}
}

static struct bytes damaged(uint64_t seed)
{
	static void (*const ways[])(struct bytes *) = { flip_bits, replace_numbers, replace_numbers,
		move_stretch, fill_stretch, damage_header, damage_header, cut };
	const struct bytes *original;
	struct bytes b;

	state = seed * 1000003;
	original = &originals[below(original_count)];
	b.size = original->size;
	b.data = malloc(b.size);
	if (!b.data)
		abort();
	memcpy(b.data, original->data, b.size);
	for (size_t n = 1 + below(3); n > 0 && b.size; n--)
		ways[below(sizeof(ways) / sizeof(ways[0]))](&b);
	return b;
}

/* ---- one case */

static bool run_case(uint64_t seed)
{
	struct bytes b = damaged(seed);
	char path[TARGET_PATH], other[TARGET_PATH];
	int fd = target_file(b.data, b.size, path);
	const struct bytes *whole = &originals[below(original_count)];
	int other_fd = target_file(whole->data, whole->size, other);
	bool ok;

	free(b.data);
	alarm(CASE_SECONDS);
	ok = target_command((unsigned)below(target_command_count()), path, other);
	alarm(0);
	close(fd);
	close(other_fd);
	if (!ok)
		fprintf(stderr, "case %llu\n", (unsigned long long)seed);
	return ok;
}

/* ---- many cases */

static void limit_memory(void)
{
#ifndef SANITIZED
	struct rlimit limit = { MEMORY_LIMIT, MEMORY_LIMIT };

	setrlimit(RLIMIT_AS, &limit);
#endif
}

static _Noreturn void run_batch(uint64_t first, uint64_t count)
{
	bool ok = true;

	limit_memory();
	LLVMFuzzerInitialize(NULL, NULL);
	for (uint64_t seed = first; seed < first + count && ok; seed++) {
		*progress = seed;
		ok = run_case(seed);
	}
	exit(!ok);
}

static bool batch_is_ok(uint64_t first, uint64_t count)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		run_batch(first, count);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFSIGNALED(status))
		fprintf(stderr, "case %llu: %s\n", (unsigned long long)*progress,
			WTERMSIG(status) == SIGALRM ? "too slow" : strsignal(WTERMSIG(status)));
	fprintf(stderr, "again: mutations -s %llu -n 1 TRACE...\n", (unsigned long long)*progress);
	return false;
}

static void read_original(const char *path)
{
	FILE *f = fopen(path, "r");
	struct bytes b = { malloc(1 << 20), 0 };

	if (!f || !b.data) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(2);
	}
	b.size = fread(b.data, 1, 1 << 20, f);
	fclose(f);
	originals = realloc(originals, (original_count + 1) * sizeof(*originals));
	if (!originals)
		abort();
	originals[original_count++] = b;
}

int main(int argc, char **argv)
{
	uint64_t cases = getenv("TEST_LONG") ? 100000 : 4000, first = 1, failed = 0;
	int option;

	while ((option = getopt(argc, argv, "n:s:")) > 0) {
		if (option == 'n')
			cases = strtoull(optarg, NULL, 10);
		else if (option == 's')
			first = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	for (int i = optind; i < argc; i++)
		read_original(argv[i]);
	if (original_count == 0) {
		fputs("usage: mutations [-n CASES] [-s SEED] TRACE...\n", stderr);
		return 2;
	}
	progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (uint64_t done = 0; done < cases; done += BATCH) {
		uint64_t count = cases - done < BATCH ? cases - done : BATCH;

		failed += !batch_is_ok(first + done, count);
	}
	printf("%llu cases, %llu batches failed\n", (unsigned long long)cases,
		(unsigned long long)failed);
	for (size_t i = 0; i < original_count; i++)
		free(originals[i].data);
	free(originals);
	return failed > 0;
}
