/* SPDX-License-Identifier: MIT */
/* companion_mimalloc.c - mimalloc's mi_* functions. Those with a heap as their first argument do the
 * same in that heap. */

/* clang-format off */
#define FUNCTIONS(X) \
	X(mi_malloc) X(mi_zalloc) X(mi_malloc_small) X(mi_zalloc_small) X(mi_calloc) X(mi_mallocn) \
	X(mi_new) X(mi_new_nothrow) X(mi_new_n) X(mi_new_aligned) X(mi_new_aligned_nothrow) \
	X(mi_malloc_aligned) X(mi_zalloc_aligned) X(mi_calloc_aligned) \
	X(mi_malloc_aligned_at) X(mi_zalloc_aligned_at) X(mi_calloc_aligned_at) \
	X(mi_memalign) X(mi_aligned_alloc) X(mi_posix_memalign) X(mi_valloc) X(mi_pvalloc) \
	X(mi_realloc) X(mi_rezalloc) X(mi_reallocf) X(mi_new_realloc) X(mi_expand) \
	X(mi_reallocn) X(mi_recalloc) X(mi_reallocarray) X(mi_new_reallocn) X(mi_reallocarr) \
	X(mi_realloc_aligned) X(mi_rezalloc_aligned) X(mi_recalloc_aligned) X(mi_aligned_recalloc) \
	X(mi_realloc_aligned_at) X(mi_rezalloc_aligned_at) X(mi_recalloc_aligned_at) \
	X(mi_aligned_offset_recalloc) \
	X(mi_strdup) X(mi_strndup) X(mi_mbsdup) X(mi_wcsdup) X(mi_realpath) X(mi_dupenv_s) \
	X(mi_free) X(mi_cfree) X(mi_free_size) X(mi_free_aligned) X(mi_free_size_aligned) \
	X(mi_heap_malloc) X(mi_heap_zalloc) X(mi_heap_malloc_small) X(mi_heap_calloc) \
	X(mi_heap_mallocn) X(mi_heap_alloc_new) X(mi_heap_alloc_new_n) \
	X(mi_heap_malloc_aligned) X(mi_heap_zalloc_aligned) X(mi_heap_calloc_aligned) \
	X(mi_heap_malloc_aligned_at) X(mi_heap_zalloc_aligned_at) X(mi_heap_calloc_aligned_at) \
	X(mi_heap_realloc) X(mi_heap_rezalloc) X(mi_heap_reallocf) X(mi_heap_reallocn) \
	X(mi_heap_recalloc) X(mi_heap_realloc_aligned) X(mi_heap_rezalloc_aligned) \
	X(mi_heap_recalloc_aligned) X(mi_heap_realloc_aligned_at) X(mi_heap_rezalloc_aligned_at) \
	X(mi_heap_recalloc_aligned_at) X(mi_heap_strdup) X(mi_heap_strndup) X(mi_heap_realpath) \
	X(mi_heap_zalloc_small) X(mi_heap_destroy) X(mi_heap_visit_blocks) X(mi_version) \
	X(mi_theap_malloc) X(mi_theap_zalloc) X(mi_theap_malloc_small) X(mi_theap_zalloc_small) \
	X(mi_theap_calloc) X(mi_theap_malloc_aligned) X(mi_theap_realloc)

#include "preload/hooks/companion_hooks.h"

#include <wchar.h>

#define PAGE CPU_PAGE

typedef void heap_t;  /* mi_heap_t */
typedef void theap_t; /* mi_theap_t, a thread's part of a heap; from 3.3 on */

int mi_version(void);

/* ---- by what they are told: a size, a count of sizes, an alignment, an offset of what is aligned */

#define BY_SIZE(name, alignment) ALLOCATES(void *, name, (size_t size), (size), size, alignment)
#define BY_COUNT(name) \
	ALLOCATES(void *, name, (size_t count, size_t size), (count, size), times(count, size), 0)
#define ALIGNED(name) \
	ALLOCATES(void *, name, (size_t size, size_t alignment), (size, alignment), size, alignment)
#define ALIGNED_FIRST(name) \
	ALLOCATES(void *, name, (size_t alignment, size_t size), (alignment, size), size, alignment)
#define ALIGNED_AT(name) \
	ALLOCATES(void *, name, (size_t size, size_t alignment, size_t offset), (size, alignment, offset), size, alignment)

BY_SIZE(mi_malloc, 0)
BY_SIZE(mi_zalloc, 0)
BY_SIZE(mi_malloc_small, 0)
BY_SIZE(mi_zalloc_small, 0)
BY_SIZE(mi_new, 0)
BY_SIZE(mi_new_nothrow, 0)
BY_SIZE(mi_valloc, PAGE)
BY_SIZE(mi_pvalloc, PAGE)
BY_COUNT(mi_calloc)
BY_COUNT(mi_mallocn)
BY_COUNT(mi_new_n)
ALIGNED(mi_malloc_aligned)
ALIGNED(mi_zalloc_aligned)
ALIGNED(mi_new_aligned)
ALIGNED(mi_new_aligned_nothrow)
ALIGNED_FIRST(mi_memalign)
ALIGNED_FIRST(mi_aligned_alloc)
ALIGNED_AT(mi_malloc_aligned_at)
ALIGNED_AT(mi_zalloc_aligned_at)
ALLOCATES(void *, mi_calloc_aligned, (size_t count, size_t size, size_t alignment),
	(count, size, alignment), times(count, size), alignment)
ALLOCATES(void *, mi_calloc_aligned_at, (size_t count, size_t size, size_t alignment, size_t offset),
	(count, size, alignment, offset), times(count, size), alignment)
ALLOCATES_TO(mi_posix_memalign, (void **to, size_t alignment, size_t size), (to, alignment, size), size, alignment)

/* ---- resizing */

#define TO_SIZE(name, freed) RESIZES(name, (void *p, size_t size), (p, size), size, freed)
#define TO_COUNT(name) \
	RESIZES(name, (void *p, size_t count, size_t size), (p, count, size), times(count, size), false)
#define TO_ALIGNED(name) \
	RESIZES(name, (void *p, size_t size, size_t alignment), (p, size, alignment), size, false)
#define TO_ALIGNED_AT(name) \
	RESIZES(name, (void *p, size_t size, size_t alignment, size_t offset), (p, size, alignment, offset), size, false)
#define TO_COUNT_ALIGNED(name) \
	RESIZES(name, (void *p, size_t count, size_t size, size_t alignment), (p, count, size, alignment), \
		times(count, size), false)
#define TO_COUNT_ALIGNED_AT(name) \
	RESIZES(name, (void *p, size_t count, size_t size, size_t alignment, size_t offset), \
		(p, count, size, alignment, offset), times(count, size), false)

TO_SIZE(mi_realloc, false)
TO_SIZE(mi_rezalloc, false)
TO_SIZE(mi_reallocf, true)
TO_SIZE(mi_new_realloc, false)
TO_SIZE(mi_expand, false)
TO_COUNT(mi_reallocn)
TO_COUNT(mi_recalloc)
TO_COUNT(mi_reallocarray)
TO_COUNT(mi_new_reallocn)
TO_ALIGNED(mi_realloc_aligned)
TO_ALIGNED(mi_rezalloc_aligned)
TO_ALIGNED_AT(mi_realloc_aligned_at)
TO_ALIGNED_AT(mi_rezalloc_aligned_at)
TO_COUNT_ALIGNED(mi_recalloc_aligned)
TO_COUNT_ALIGNED(mi_aligned_recalloc)
TO_COUNT_ALIGNED_AT(mi_recalloc_aligned_at)
TO_COUNT_ALIGNED_AT(mi_aligned_offset_recalloc)

/* ---- texts */

static size_t text_size(const void *text)
{
	return strlen(text) + 1;
}

/* Wide characters were unsigned shorts before 1.9.9, 2.3.1 and 3.3.1, which is when versions got five digits. */
static size_t wide_size(const void *text)
{
	const unsigned short *shorts = text;
	const wchar_t *wides = text;
	size_t n = 0;

	if (NEXT(mi_version) && NEXT(mi_version)() >= 10000)
		return (wcslen(wides) + 1) * sizeof(*wides);
	while (shorts[n])
		n++;
	return (n + 1) * sizeof(*shorts);
}

ALLOCATES(char *, mi_strdup, (const char *s), (s), text_size(s), 0)
ALLOCATES(char *, mi_strndup, (const char *s, size_t n), (s, n), strnlen(s, n) + 1, 0)
ALLOCATES(unsigned char *, mi_mbsdup, (const unsigned char *s), (s), text_size(s), 0)
ALLOCATES(void *, mi_wcsdup, (const void *s), (s), wide_size(s), 0)
ALLOCATES(char *, mi_heap_strdup, (heap_t *heap, const char *s), (heap, s), text_size(s), 0)
ALLOCATES(char *, mi_heap_strndup, (heap_t *heap, const char *s, size_t n), (heap, s, n), strnlen(s, n) + 1, 0)

/* ---- freeing */

FREES(mi_free, (void *p), (p))
FREES(mi_cfree, (void *p), (p))
FREES(mi_free_size, (void *p, size_t size), (p, size))
FREES(mi_free_aligned, (void *p, size_t alignment), (p, alignment))
FREES(mi_free_size_aligned, (void *p, size_t size, size_t alignment), (p, size, alignment))

/* ---- in a heap */

#define IN_HEAP(name, parameters, arguments, bytes) \
	ALLOCATES(void *, name, parameters, arguments, bytes, 0)

IN_HEAP(mi_heap_malloc, (heap_t *heap, size_t size), (heap, size), size)
IN_HEAP(mi_heap_zalloc, (heap_t *heap, size_t size), (heap, size), size)
IN_HEAP(mi_heap_malloc_small, (heap_t *heap, size_t size), (heap, size), size)
IN_HEAP(mi_heap_zalloc_small, (heap_t *heap, size_t size), (heap, size), size)
IN_HEAP(mi_heap_alloc_new, (heap_t *heap, size_t size), (heap, size), size)
IN_HEAP(mi_heap_calloc, (heap_t *heap, size_t count, size_t size), (heap, count, size), times(count, size))
IN_HEAP(mi_heap_mallocn, (heap_t *heap, size_t count, size_t size), (heap, count, size), times(count, size))
IN_HEAP(mi_heap_alloc_new_n, (heap_t *heap, size_t count, size_t size), (heap, count, size), times(count, size))
IN_HEAP(mi_heap_malloc_aligned, (heap_t *heap, size_t size, size_t alignment), (heap, size, alignment), size)
IN_HEAP(mi_heap_zalloc_aligned, (heap_t *heap, size_t size, size_t alignment), (heap, size, alignment), size)
IN_HEAP(mi_heap_calloc_aligned, (heap_t *heap, size_t count, size_t size, size_t alignment),
	(heap, count, size, alignment), times(count, size))
IN_HEAP(mi_heap_malloc_aligned_at, (heap_t *heap, size_t size, size_t alignment, size_t offset),
	(heap, size, alignment, offset), size)
IN_HEAP(mi_heap_zalloc_aligned_at, (heap_t *heap, size_t size, size_t alignment, size_t offset),
	(heap, size, alignment, offset), size)
IN_HEAP(mi_heap_calloc_aligned_at, (heap_t *heap, size_t count, size_t size, size_t alignment, size_t offset),
	(heap, count, size, alignment, offset), times(count, size))
RESIZES(mi_heap_realloc, (heap_t *heap, void *p, size_t size), (heap, p, size), size, false)
RESIZES(mi_heap_rezalloc, (heap_t *heap, void *p, size_t size), (heap, p, size), size, false)
RESIZES(mi_heap_reallocf, (heap_t *heap, void *p, size_t size), (heap, p, size), size, true)
RESIZES(mi_heap_reallocn, (heap_t *heap, void *p, size_t count, size_t size), (heap, p, count, size),
	times(count, size), false)
RESIZES(mi_heap_recalloc, (heap_t *heap, void *p, size_t count, size_t size), (heap, p, count, size),
	times(count, size), false)
RESIZES(mi_heap_realloc_aligned, (heap_t *heap, void *p, size_t size, size_t alignment),
	(heap, p, size, alignment), size, false)
RESIZES(mi_heap_rezalloc_aligned, (heap_t *heap, void *p, size_t size, size_t alignment),
	(heap, p, size, alignment), size, false)
RESIZES(mi_heap_recalloc_aligned, (heap_t *heap, void *p, size_t count, size_t size, size_t alignment),
	(heap, p, count, size, alignment), times(count, size), false)
RESIZES(mi_heap_realloc_aligned_at, (heap_t *heap, void *p, size_t size, size_t alignment, size_t offset),
	(heap, p, size, alignment, offset), size, false)
RESIZES(mi_heap_rezalloc_aligned_at, (heap_t *heap, void *p, size_t size, size_t alignment, size_t offset),
	(heap, p, size, alignment, offset), size, false)
RESIZES(mi_heap_recalloc_aligned_at,
	(heap_t *heap, void *p, size_t count, size_t size, size_t alignment, size_t offset),
	(heap, p, count, size, alignment, offset), times(count, size), false)
IN_HEAP(mi_theap_malloc, (theap_t *heap, size_t size), (heap, size), size)
IN_HEAP(mi_theap_zalloc, (theap_t *heap, size_t size), (heap, size), size)
IN_HEAP(mi_theap_malloc_small, (theap_t *heap, size_t size), (heap, size), size)
IN_HEAP(mi_theap_zalloc_small, (theap_t *heap, size_t size), (heap, size), size)
IN_HEAP(mi_theap_calloc, (theap_t *heap, size_t count, size_t size), (heap, count, size), times(count, size))
IN_HEAP(mi_theap_malloc_aligned, (theap_t *heap, size_t size, size_t alignment), (heap, size, alignment), size)
RESIZES(mi_theap_realloc, (theap_t *heap, void *p, size_t size), (heap, p, size), size, false)
/* clang-format on */

/* ---- odd ones */

/* Of the array that *to points to. */
HOOK int mi_reallocarr(void *to, size_t count, size_t size);
HOOK int mi_reallocarr(void *to, size_t count, size_t size)
{
	struct event e = event_begin(CPU_CALLER());
	void **array = to;
	void *p = array ? *array : NULL;
	struct companion_taken taken;
	int error;

	if (!NEXT(mi_reallocarr))
		return ENOMEM;
	taken = event_take(e, p);
	error = NEXT(mi_reallocarr)(to, count, size);
	event_resized(e, p, taken, error ? NULL : *array, times(count, size), false);
	return error;
}

HOOK char *mi_realpath(const char *path, char *to);
HOOK char *mi_realpath(const char *path, char *to)
{
	struct event e = event_begin(CPU_CALLER());
	char *block = NEXT(mi_realpath) ? NEXT(mi_realpath)(path, to) : realpath(path, to);

	return block && !to ? event_allocated(e, block, text_size(block)) : block;
}

HOOK char *mi_heap_realpath(heap_t *heap, const char *path, char *to);
HOOK char *mi_heap_realpath(heap_t *heap, const char *path, char *to)
{
	struct event e = event_begin(CPU_CALLER());
	char *block = NEXT(mi_heap_realpath) ? NEXT(mi_heap_realpath)(heap, path, to)
					     : realpath(path, to);

	return block && !to ? event_allocated(e, block, text_size(block)) : block;
}

HOOK int mi_dupenv_s(char **to, size_t *size, const char *name);
HOOK int mi_dupenv_s(char **to, size_t *size, const char *name)
{
	struct event e = event_begin(CPU_CALLER());
	int error = NEXT(mi_dupenv_s) ? NEXT(mi_dupenv_s)(to, size, name) : ENOMEM;

	if (error == 0 && *to)
		event_allocated(e, *to, text_size(*to));
	return error;
}

/* A heap that is destroyed takes its blocks with it. */

typedef bool visit_t(
	const heap_t *heap, const void *area, void *block, size_t block_size, void *context);
bool mi_heap_visit_blocks(const heap_t *heap, bool blocks, visit_t *visit, void *context);

static bool forget(
	const heap_t *heap, const void *area, void *block, size_t block_size, void *context)
{
	const struct event *e = context;

	if (block)
		event_resized(*e, block, event_take(*e, block), NULL, 0, true);
	return true;
}

HOOK void mi_heap_destroy(heap_t *heap);
HOOK void mi_heap_destroy(heap_t *heap)
{
	struct event e = event_begin(CPU_CALLER());

	if (heap && e.to && NEXT(mi_heap_visit_blocks))
		NEXT(mi_heap_visit_blocks)(heap, true, forget, &e);
	if (NEXT(mi_heap_destroy))
		NEXT(mi_heap_destroy)(heap);
}
