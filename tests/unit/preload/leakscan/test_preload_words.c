/* SPDX-License-Identifier: MIT */
/* test_preload_words.c - memory with pages that can't be read, and with such that were never
 * touched. */
#include "unit.h"

#include "preload/leakscan/words.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul
#define PAGES 64

static const struct sift_range ranges[2] = { { 1000, 1000 }, { UINTPTR_MAX, 0 } };

static char *map(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	return p;
}

/* Word `place` of page `page` says which page it is. */
static void put(char *area, size_t page, size_t place)
{
	((uintptr_t *)(area + page * PAGE))[place] = 1000 + page;
}

/* Reads it all: true for the pages that said so. Returns the number of calls. */
static unsigned read_all(struct stretch s, bool said[PAGES])
{
	uintptr_t found[WORDS_MOST + SIFT_SPARE];
	unsigned calls = 0;

	while (s.at < s.end) {
		uintptr_t before = s.at;
		size_t count = words_read(&s, ranges, found);

		for (size_t i = 0; i < count; i++) {
			ck_assert_uint_lt(found[i] - 1000, PAGES);
			said[found[i] - 1000] = true;
		}
		ck_assert_uint_gt(s.at, before);
		calls++;
	}
	return calls;
}

START_TEST(closed_pages)
{
	char *area = map(PAGES * PAGE);
	bool said[PAGES] = { 0 };
	uintptr_t word;

	words_init();
	for (size_t i = 0; i < PAGES; i++)
		put(area, i, i * 8 % 512);
	for (size_t i = 0; i < PAGES; i++)
		if (i % 7 == 3 || (i > 40 && i < 50))
			ck_assert_int_eq(mprotect(area + i * PAGE, PAGE, PROT_NONE), 0);
	ck_assert_int_eq(munmap(area + 60 * PAGE, PAGE), 0);
	ck_assert_uint_eq(read_all((struct stretch){ .at = (uintptr_t)area,
					   .end = (uintptr_t)area + PAGES * PAGE },
				  said),
		PAGES);
	for (size_t i = 0; i < PAGES; i++) {
		bool closed = i % 7 == 3 || (i > 40 && i < 50) || i == 60;

		ck_assert_int_eq(said[i], !closed);
		ck_assert_int_eq(
			word_read((uintptr_t)area + i * PAGE + i * 8 % 512 * 8, &word), !closed);
		if (!closed)
			ck_assert_uint_eq(word, 1000 + i);
	}
}
END_TEST

/* Behind the end of a file its mapping is of no use. */
START_TEST(short_file)
{
	FILE *f = tmpfile();
	bool said[PAGES] = { 0 };
	char *area;

	words_init();
	ck_assert(f && ftruncate(fileno(f), 2 * PAGE) == 0);
	area = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);
	ck_assert_ptr_ne(area, MAP_FAILED);
	put(area, 1, 5);
	read_all((struct stretch){ .at = (uintptr_t)area, .end = (uintptr_t)area + 10 * PAGE },
		said);
	for (size_t i = 0; i < PAGES; i++)
		ck_assert_int_eq(said[i], i == 1);
	fclose(f);
}
END_TEST

START_TEST(untouched_pages)
{
	size_t size = 1ul << 30, middle = 512ul << 20;
	char *area = map(size);
	bool said[PAGES] = { 0 };
	struct stretch all = {
		.at = (uintptr_t)area, .end = (uintptr_t)area + size, .private = true
	};

	words_init();
	put(area, 0, 511);
	put(area + middle, 5, 0); /* a page further on says 5 */
	put(area + size - PAGES * PAGE, PAGES - 1, 511);
	ck_assert_uint_lt(read_all(all, said), 100);
	for (size_t i = 0; i < PAGES; i++)
		ck_assert_int_eq(said[i], i == 0 || i == 5 || i == PAGES - 1);
}
END_TEST

/* The ends of a stretch need be no words' or pages'. */
START_TEST(parts_of_pages)
{
	char *area = map(PAGES * PAGE);
	uintptr_t start = (uintptr_t)area + 100, end = (uintptr_t)area + 3 * PAGE + 45;
	bool said[PAGES] = { 0 };

	words_init();
	put(area, 0, 12); /* bytes 96 to 103 */
	put(area, 1, 0);
	put(area, 2, 511);
	put(area, 3, 5); /* bytes 40 to 47 */
	read_all((struct stretch){ .at = start, .end = end }, said);
	for (size_t i = 0; i < PAGES; i++)
		ck_assert_int_eq(said[i], i == 1 || i == 2);
	read_all((struct stretch){ .at = start - 4, .end = end + 3 }, said);
	ck_assert(said[0] && said[3]);
}
END_TEST

UNIT_SUITE("words", closed_pages, short_file, untouched_pages, parts_of_pages)
