/* SPDX-License-Identifier: MIT */
/*
 * tcmalloc_interface.c - tcmalloc's functions under its own names.
 */
#include <gperftools/tcmalloc.h>

#include "program.h"

/* Those that are for C++ and not declared for C. */
void *tc_new(size_t size);
void *tc_newarray(size_t size);
void *tc_new_nothrow(size_t size, const void *tag);
void *tc_newarray_nothrow(size_t size, const void *tag);
void *tc_new_aligned(size_t size, size_t alignment);
void *tc_newarray_aligned(size_t size, size_t alignment);
void *tc_new_aligned_nothrow(size_t size, size_t alignment, const void *tag);
void *tc_newarray_aligned_nothrow(size_t size, size_t alignment, const void *tag);
void tc_delete(void *p);
void tc_deletearray(void *p);
void tc_delete_nothrow(void *p, const void *tag);
void tc_deletearray_nothrow(void *p, const void *tag);
void tc_delete_sized(void *p, size_t size);
void tc_deletearray_sized(void *p, size_t size);
void tc_delete_aligned(void *p, size_t alignment);
void tc_deletearray_aligned(void *p, size_t alignment);
void tc_delete_sized_aligned(void *p, size_t size, size_t alignment);
void tc_deletearray_sized_aligned(void *p, size_t size, size_t alignment);
void tc_delete_aligned_nothrow(void *p, size_t alignment, const void *tag);
void tc_deletearray_aligned_nothrow(void *p, size_t alignment, const void *tag);

static void malloc_family(void)
{
	char *kept = tc_malloc(100);  //= count 1, total 100, current 100, blocks 1, peak 100
	char *p = tc_calloc(7, 3);  //= count 1, total 21, peak 21
	void *q;

	CHECK(kept && p && p[20] == 0);
	p = tc_realloc(p, 900);  //= count 1, total 900, peak 900
	CHECK(p && tc_realloc(p, (size_t)1 << 62) == NULL);
	CHECK(tc_realloc(p, 0) == NULL);
	p = tc_realloc(NULL, 11);  //= count 1, total 11
	tc_free_sized(p, 11);
	tc_free(tc_memalign(64, 33));  //= count 1, total 33, temporary 1
	CHECK(tc_posix_memalign(&q, 128, 50) == 0);  //= count 1, total 50, peak 50
	tc_cfree(q);
	tc_free(tc_valloc(10));  //= count 1, total 10, temporary 1
	tc_free(tc_pvalloc(10));  //= count 1, total 10, temporary 1
	tc_free(tc_malloc_skip_new_handler(5));  //= count 1, total 5, temporary 1
	CHECK(tc_malloc((size_t)1 << 62) == NULL);
}

static void operators(void)
{
	int tag = 0;

	tc_delete(tc_new(16));  //= count 1, total 16, temporary 1
	tc_deletearray(tc_newarray(17));  //= count 1, total 17, temporary 1
	tc_delete_nothrow(tc_new_nothrow(18, &tag), &tag);  //= count 1, total 18, temporary 1
	tc_deletearray_nothrow(tc_newarray_nothrow(19, &tag), &tag);  //= count 1, total 19, temporary 1
	tc_delete_sized(tc_new(20), 20);  //= count 1, total 20, temporary 1
	tc_deletearray_sized(tc_newarray(21), 21);  //= count 1, total 21, temporary 1
	tc_delete_aligned(tc_new_aligned(22, 64), 64);  //= count 1, total 22, temporary 1
	tc_deletearray_aligned(tc_newarray_aligned(23, 64), 64);  //= count 1, total 23, temporary 1
	tc_delete_sized_aligned(tc_new_aligned(24, 64), 24, 64);  //= count 1, total 24, temporary 1
	tc_deletearray_sized_aligned(tc_newarray_aligned(25, 64), 25, 64);  //= count 1, total 25, temporary 1
	tc_delete_aligned_nothrow(tc_new_aligned_nothrow(26, 64, &tag), 64, &tag);  //= count 1, total 26, temporary 1
	tc_deletearray_aligned_nothrow(tc_newarray_aligned_nothrow(27, 64, &tag), 64, &tag);  //= count 1, total 27, temporary 1
}

int main(void)
{
	malloc_family();
	operators();
	puts("done");
	return 0;
}
