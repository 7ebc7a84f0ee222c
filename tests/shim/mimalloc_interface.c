/* SPDX-License-Identifier: MIT */
/*
 * mimalloc_interface.c - mimalloc's functions under its own names, which call each other inside.
 */
#include <mimalloc.h>
#include <string.h>

#include "program.h"

#define HUGE_SIZE ((size_t)1 << 62)

static void by_size(void)
{
	volatile size_t count = 16; /* more than fits */
	char *kept = mi_malloc(100);  //= count 1, total 100, current 100, blocks 1, peak 100

	CHECK(kept);
	mi_free(mi_zalloc(11));  //= count 1, total 11, temporary 1
	mi_free(mi_malloc_small(12));  //= count 1, total 12, temporary 1
	mi_free(mi_zalloc_small(13));  //= count 1, total 13, temporary 1
	mi_free(mi_calloc(2, 7));  //= count 1, total 14, temporary 1
	mi_cfree(mi_mallocn(3, 5));  //= count 1, total 15, temporary 1
	mi_free_size(mi_new(16), 16);  //= count 1, total 16, temporary 1
	mi_free(mi_new_nothrow(17));  //= count 1, total 17, temporary 1
	mi_free(mi_new_n(9, 2));  //= count 1, total 18, temporary 1
	mi_free(mi_valloc(19));  //= count 1, total 19, temporary 1
	mi_free(mi_pvalloc(20));  //= count 1, total 20, temporary 1
	CHECK(mi_malloc(HUGE_SIZE) == NULL);
	CHECK(mi_mallocn(count, HUGE_SIZE) == NULL);
}

static void aligned(void)
{
	void *p;

	mi_free_aligned(mi_malloc_aligned(31, 64), 64);  //= count 1, total 31, temporary 1
	mi_free_size_aligned(mi_zalloc_aligned(32, 64), 32, 64);  //= count 1, total 32, temporary 1
	mi_free(mi_calloc_aligned(3, 11, 64));  //= count 1, total 33, temporary 1
	mi_free(mi_malloc_aligned_at(34, 64, 8));  //= count 1, total 34, temporary 1
	mi_free(mi_zalloc_aligned_at(35, 64, 8));  //= count 1, total 35, temporary 1
	mi_free(mi_calloc_aligned_at(4, 9, 64, 8));  //= count 1, total 36, temporary 1
	mi_free(mi_new_aligned(37, 64));  //= count 1, total 37, temporary 1
	mi_free(mi_new_aligned_nothrow(38, 64));  //= count 1, total 38, temporary 1
	mi_free(mi_memalign(64, 39));  //= count 1, total 39, temporary 1
	mi_free(mi_aligned_alloc(64, 64));  //= count 1, total 64, temporary 1
	CHECK(mi_posix_memalign(&p, 64, 41) == 0);  //= count 1, total 41
	mi_free(p);
}

static void resized(void)
{
	char *p = mi_realloc(NULL, 10);  //= count 1, total 10, peak 10

	p = mi_realloc(p, 1000);  //= count 1, total 1000, peak 1000
	CHECK(mi_realloc(p, HUGE_SIZE) == NULL);
	p = mi_rezalloc(p, 2000);  //= count 1, total 2000
	p = mi_reallocn(p, 30, 10);  //= count 1, total 300
	p = mi_recalloc(p, 40, 10);  //= count 1, total 400
	p = mi_reallocarray(p, 50, 10);  //= count 1, total 500
	CHECK(mi_reallocarr(&p, 60, 10) == 0);  //= count 1, total 600
	p = mi_new_realloc(p, 700);  //= count 1, total 700
	p = mi_new_reallocn(p, 80, 10);  //= count 1, total 800
	p = mi_realloc_aligned(p, 900, 64);  //= count 1, total 900
	p = mi_rezalloc_aligned(p, 1000, 64);  //= count 1, total 1000
	p = mi_recalloc_aligned(p, 110, 10, 64);  //= count 1, total 1100
	p = mi_realloc_aligned_at(p, 1200, 64, 8);  //= count 1, total 1200
	p = mi_rezalloc_aligned_at(p, 1300, 64, 8);  //= count 1, total 1300
	p = mi_recalloc_aligned_at(p, 140, 10, 64, 8);  //= count 1, total 1400
	p = mi_aligned_recalloc(p, 150, 10, 64);  //= count 1, total 1500
	p = mi_aligned_offset_recalloc(p, 160, 10, 64, 8);  //= count 1, total 1600
	CHECK(mi_expand(p, HUGE_SIZE) == NULL);
	CHECK(mi_expand(p, 1590) == p);  //= count 1, total 1590, peak 1590
	CHECK(mi_reallocf(p, HUGE_SIZE) == NULL);
	p = mi_malloc(5);  //= count 1, total 5
	p = mi_reallocf(p, 6);  //= count 1, total 6, current 6, blocks 1
}

/* 20 bytes, whatever a wide character is. */
#if MI_MALLOC_VERSION >= 10000
static const wchar_t wide[] = L"wide";
#else
static const unsigned short wide[] = { 'w', 'i', 'd', 'e', ' ', 't', 'e', 'x', 't', 0 };
#endif

static void texts(void)
{
	char *value;

	mi_free(mi_strdup("four"));  //= count 1, total 5, temporary 1
	mi_free(mi_strndup("fourteen", 4));  //= count 1, total 5, temporary 1
	mi_free(mi_strndup("four", 14));  //= count 1, total 5, temporary 1
	mi_free(mi_mbsdup((const unsigned char *)"bytes"));  //= count 1, total 6, temporary 1
	mi_free(mi_wcsdup(wide));  //= count 1, total 20, temporary 1
	CHECK(mi_dupenv_s(&value, NULL, "LC_ALL") == 0 && value);  //= count 1, total 8
	mi_free(value);
	mi_free(mi_realpath("/", NULL));  //= any
}

static void heaps(void)
{
	mi_heap_t *heap = mi_heap_new();
	char *p;

	mi_free(mi_heap_malloc(heap, 61));  //= count 1, total 61, temporary 1
	mi_free(mi_heap_zalloc(heap, 62));  //= count 1, total 62, temporary 1
	mi_free(mi_heap_malloc_small(heap, 63));  //= count 1, total 63, temporary 1
	mi_free(mi_heap_calloc(heap, 8, 8));  //= count 1, total 64, temporary 1
	mi_free(mi_heap_mallocn(heap, 5, 13));  //= count 1, total 65, temporary 1
	mi_free(mi_heap_alloc_new(heap, 66));  //= count 1, total 66, temporary 1
	mi_free(mi_heap_alloc_new_n(heap, 67, 1));  //= count 1, total 67, temporary 1
	mi_free(mi_heap_malloc_aligned(heap, 68, 64));  //= count 1, total 68, temporary 1
	mi_free(mi_heap_zalloc_aligned(heap, 69, 64));  //= count 1, total 69, temporary 1
	mi_free(mi_heap_calloc_aligned(heap, 7, 10, 64));  //= count 1, total 70, temporary 1
	mi_free(mi_heap_malloc_aligned_at(heap, 71, 64, 8));  //= count 1, total 71, temporary 1
	mi_free(mi_heap_zalloc_aligned_at(heap, 72, 64, 8));  //= count 1, total 72, temporary 1
	mi_free(mi_heap_calloc_aligned_at(heap, 73, 1, 64, 8));  //= count 1, total 73, temporary 1
	mi_free(mi_heap_strdup(heap, "four"));  //= count 1, total 5, temporary 1
	mi_free(mi_heap_strndup(heap, "fourteen", 4));  //= count 1, total 5, temporary 1
	mi_free(mi_heap_realpath(heap, "/", NULL));  //= any
	p = mi_heap_realloc(heap, NULL, 100);  //= count 1, total 100
	p = mi_heap_rezalloc(heap, p, 200);  //= count 1, total 200
	p = mi_heap_reallocn(heap, p, 30, 10);  //= count 1, total 300
	p = mi_heap_recalloc(heap, p, 40, 10);  //= count 1, total 400
	p = mi_heap_realloc_aligned(heap, p, 500, 64);  //= count 1, total 500
	p = mi_heap_rezalloc_aligned(heap, p, 600, 64);  //= count 1, total 600
	p = mi_heap_recalloc_aligned(heap, p, 70, 10, 64);  //= count 1, total 700
	p = mi_heap_realloc_aligned_at(heap, p, 800, 64, 8);  //= count 1, total 800
	p = mi_heap_rezalloc_aligned_at(heap, p, 900, 64, 8);  //= count 1, total 900
	p = mi_heap_recalloc_aligned_at(heap, p, 100, 10, 64, 8);  //= count 1, total 1000
	CHECK(mi_heap_reallocf(heap, p, HUGE_SIZE) == NULL);
	mi_heap_delete(heap);
}

/* What a heap still holds goes with it; what is left of a deleted one stays. */
static void ends_of_heaps(void)
{
	mi_heap_t *destroyed = mi_heap_new(), *deleted = mi_heap_new();

	for (int i = 0; i < 300; i++)
		CHECK(mi_heap_malloc(destroyed, 50 + i % 3));  //= count 300, total 15300, peak 15300
	CHECK(mi_heap_malloc(deleted, 40));  //= count 1, total 40, current 40, blocks 1
	mi_heap_destroy(destroyed);
	mi_heap_delete(deleted);
}

/* The same heap as malloc's, where libmimalloc.so replaces that. */
static void mixed(void)
{
	char *p = mi_malloc(20);  //= count 1, total 20, peak 20

	p = realloc(p, 70);  //= count 1, total 70, peak 70
	mi_free(p);
	mi_free(malloc(30));  //= count 1, total 30, temporary 1
}

int main(void)
{
	by_size();
	aligned();
	resized();
	texts();
	heaps();
	ends_of_heaps();
	mixed();
	puts("done");
	return 0;
}
