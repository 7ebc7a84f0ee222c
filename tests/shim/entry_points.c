/* SPDX-License-Identifier: MIT */
/*
 * entry_points.c - each C allocation function once or twice, with its errors and odd cases.
 */
#include <malloc.h>
#include <stdint.h>
#include <string.h>

#include "program.h"

extern void free_sized(void *block, size_t size) __attribute__((weak));
extern void free_aligned_sized(void *block, size_t alignment, size_t size) __attribute__((weak));

static volatile size_t huge = PTRDIFF_MAX;
static volatile size_t half = SIZE_MAX / 2 + 1;

static void plain(void)
{
	char *freed = malloc(10);  //= count 1, total 10, peak 10
	char *kept = malloc(20);  //= count 1, total 20, current 20, blocks 1, peak 20
	char *zeroed = calloc(3, 5);  //= count 1, total 15, peak 15
	char *empty = malloc(0);  //= count 1, total 0, blocks 1, peak 0

	CHECK(kept && empty && zeroed[14] == 0);
	free(freed);
	free(zeroed);
	free(NULL);
}

static void resized(void)
{
	char *block = realloc(NULL, 100);  //= count 1, total 100, peak 100
	char *one = malloc(200);  //= count 1, total 200, peak 200
	char *two = malloc(64);  //= count 1, total 64, peak 64

	strcpy(block, "kept");
	block = realloc(block, 100000);  //= count 1, total 100000, current 100000, blocks 1, peak 100000
	CHECK(strcmp(block, "kept") == 0);
	one = realloc(one, 30);  //= count 1, total 30, current 30, blocks 1, peak 30
	two = reallocarray(two, 10, 8);  //= count 1, total 80, peak 80
	two = reallocarray(two, 3, 8);  //= count 1, total 24, current 24, blocks 1, peak 24
	CHECK(one && two);
}

/* realloc(p, 0) frees in glibc, and returns NULL. */
static void resized_to_nothing(void)
{
	for (int i = 0; i < 100; i++) {
		void *block = malloc(50);  //= count 100, total 5000, peak 50

		CHECK(realloc(block, 0) == NULL);
	}
}

static void aligned(void)
{
	void *block;
	void *a = memalign(64, 1000);  //= count 1, total 1000, current 1000, blocks 1, peak 1000
	void *b = aligned_alloc(256, 512);  //= count 1, total 512, peak 512
	void *c = valloc(300);  //= count 1, total 300, current 300, blocks 1, peak 300
	void *d = pvalloc(400);  //= count 1, total 400, current 400, blocks 1, peak 400

	CHECK(posix_memalign(&block, 128, 700) == 0);  //= count 1, total 700, peak 700
	CHECK((uintptr_t)a % 64 == 0 && (uintptr_t)b % 256 == 0 && (uintptr_t)c % 4096 == 0);
	CHECK((uintptr_t)d % 4096 == 0 && (uintptr_t)block % 128 == 0);
	free(b);
	free(block);
}

static void texts(void)
{
	char *volatile all = strdup("eight..");  //= count 1, total 8, peak 8
	char *volatile some = strndup("eight..", 4);  //= count 1, total 5, current 5, blocks 1, peak 5

	CHECK(strcmp(all, "eight..") == 0 && strcmp(some, "eigh") == 0);
	free(all);
}

static void sized_frees(void)
{
	void *a = malloc(40);  //= count 1, total 40, peak 40
	void *b = aligned_alloc(64, 64);  //= count 1, total 64, peak 64

	if (free_sized && free_aligned_sized) {
		free_sized(a, 40);
		free_aligned_sized(b, 64, 64);
	} else {
		free(a);
		free(b);
	}
}

/* None of these allocates, and what is there stays. */
static void failures(void)
{
	char *kept = malloc(77);  //= count 1, total 77, current 77, blocks 1, peak 77
	void *untouched = kept;

	errno = 0;
	CHECK(malloc(huge) == NULL && errno == ENOMEM);
	errno = 0;
	CHECK(calloc(half, 2) == NULL && errno == ENOMEM);
	errno = 0;
	CHECK(reallocarray(kept, half, 2) == NULL && errno == ENOMEM);
	errno = 0;
	CHECK(realloc(kept, huge) == NULL && errno == ENOMEM);
	errno = 0;
	CHECK(memalign(64, huge) == NULL && errno == ENOMEM);
	errno = 0;
	CHECK(posix_memalign(&untouched, 3, 10) == EINVAL && untouched == kept);
	CHECK(posix_memalign(&untouched, 64, huge) == ENOMEM && untouched == kept);
}

static void errno_is_kept(void)
{
	errno = EDOM;
	void *block = malloc(5);  //= count 1, total 5, peak 5

	free(realloc(block, 6000));  //= count 1, total 6000, peak 6000
	free(calloc(2, 300000));  //= count 1, total 600000, peak 600000
	CHECK(errno == EDOM);
}

/* What malloc_usable_size says may be used without harm. */
static void usable(void)
{
	char *block = malloc(21);  //= count 1, total 21, peak 21
	size_t size = malloc_usable_size(block);

	CHECK(size >= 21);
	memset(block, 7, size);
	printf("usable %zu\n", size);
	free(block);
}

/* Freed before the next allocation of its thread: temporary. */
static void temporaries(void)
{
	for (int i = 0; i < 9; i++)
		free(malloc(8));  //= count 9, total 72, peak 8, temporary 9
	void *a = malloc(1);  //= count 1, total 1, temporary 0
	void *b = malloc(2);  //= count 1, total 2, temporary 1

	free(b);
	free(a);
}

int main(void)
{
	plain();
	resized();
	resized_to_nothing();
	aligned();
	texts();
	sized_frees();
	failures();
	errno_is_kept();
	usable();
	temporaries();
	puts("done");
	return 0;
}
