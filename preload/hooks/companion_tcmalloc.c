/* SPDX-License-Identifier: MIT */
/* companion_tcmalloc.c - tcmalloc's tc_* functions, which are its malloc and operator new under
 * other names. */

/* clang-format off */
#define FUNCTIONS(X) \
	X(tc_malloc) X(tc_malloc_skip_new_handler) X(tc_calloc) X(tc_realloc) X(tc_memalign) \
	X(tc_posix_memalign) X(tc_valloc) X(tc_pvalloc) X(tc_free) X(tc_free_sized) X(tc_cfree) \
	X(tc_new) X(tc_newarray) X(tc_new_nothrow) X(tc_newarray_nothrow) X(tc_new_aligned) \
	X(tc_newarray_aligned) X(tc_new_aligned_nothrow) X(tc_newarray_aligned_nothrow) \
	X(tc_delete) X(tc_deletearray) X(tc_delete_nothrow) X(tc_deletearray_nothrow) \
	X(tc_delete_sized) X(tc_deletearray_sized) X(tc_delete_aligned) X(tc_deletearray_aligned) \
	X(tc_delete_sized_aligned) X(tc_deletearray_sized_aligned) \
	X(tc_delete_aligned_nothrow) X(tc_deletearray_aligned_nothrow)

#include "preload/hooks/companion_hooks.h"

#define PAGE CPU_PAGE

typedef const void *nothrow; /* std::nothrow_t const & */

#define NEW(name) ALLOCATES(void *, name, (size_t size), (size), size, 0)
#define NEW_NOTHROW(name) \
	ALLOCATES(void *, name, (size_t size, nothrow tag), (size, tag), size, 0)
#define NEW_ALIGNED(name) \
	ALLOCATES(void *, name, (size_t size, size_t alignment), (size, alignment), size, alignment)
#define NEW_ALIGNED_NOTHROW(name) \
	ALLOCATES(void *, name, (size_t size, size_t alignment, nothrow tag), (size, alignment, tag), size, alignment)
#define FREE(name) FREES(name, (void *p), (p))
#define FREE_NUMBER(name) FREES(name, (void *p, size_t number), (p, number))
#define FREE_NOTHROW(name) FREES(name, (void *p, nothrow tag), (p, tag))
#define FREE_SIZED_ALIGNED(name) \
	FREES(name, (void *p, size_t size, size_t alignment), (p, size, alignment))
#define FREE_ALIGNED_NOTHROW(name) \
	FREES(name, (void *p, size_t alignment, nothrow tag), (p, alignment, tag))

NEW(tc_malloc)
NEW(tc_malloc_skip_new_handler)
ALLOCATES(void *, tc_calloc, (size_t count, size_t size), (count, size), times(count, size), 0)
RESIZES(tc_realloc, (void *p, size_t size), (p, size), size, size == 0)
ALLOCATES(void *, tc_memalign, (size_t alignment, size_t size), (alignment, size), size, alignment)
ALLOCATES_TO(tc_posix_memalign, (void **to, size_t alignment, size_t size), (to, alignment, size), size, alignment)
ALLOCATES(void *, tc_valloc, (size_t size), (size), size, PAGE)
ALLOCATES(void *, tc_pvalloc, (size_t size), (size), size, PAGE)
FREE(tc_free)
FREE_NUMBER(tc_free_sized)
FREE(tc_cfree)
NEW(tc_new)
NEW(tc_newarray)
NEW_NOTHROW(tc_new_nothrow)
NEW_NOTHROW(tc_newarray_nothrow)
NEW_ALIGNED(tc_new_aligned)
NEW_ALIGNED(tc_newarray_aligned)
NEW_ALIGNED_NOTHROW(tc_new_aligned_nothrow)
NEW_ALIGNED_NOTHROW(tc_newarray_aligned_nothrow)
FREE(tc_delete)
FREE(tc_deletearray)
FREE_NOTHROW(tc_delete_nothrow)
FREE_NOTHROW(tc_deletearray_nothrow)
FREE_NUMBER(tc_delete_sized)
FREE_NUMBER(tc_deletearray_sized)
FREE_NUMBER(tc_delete_aligned)
FREE_NUMBER(tc_deletearray_aligned)
FREE_SIZED_ALIGNED(tc_delete_sized_aligned)
FREE_SIZED_ALIGNED(tc_deletearray_sized_aligned)
FREE_ALIGNED_NOTHROW(tc_delete_aligned_nothrow)
FREE_ALIGNED_NOTHROW(tc_deletearray_aligned_nothrow)
