/* SPDX-License-Identifier: MIT */
/*
 * small_malloc.c - an allocator of another style than glibc's, as a library: blocks 16 bytes apart, realloc(p, 0) gives
 * a block, and its functions call each other by their public names, so that hooks are called inside hooks.
 *
 * Its functions do no more than the tests need; one lock for all.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CLASSES 48      /* powers of two */
#define CHUNK (1 << 22) /* bytes taken from the kernel at a time */
#define MOST ((size_t)1 << 40)

/* In front of each block. */
struct header {
	size_t size;          /* usable bytes from here on */
	struct header *whole; /* of what was cut to align the block; else this */
};

struct free_block {
	struct free_block *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct free_block *free_blocks[CLASSES];
static char *chunk, *chunk_end;

static int class_of(size_t size)
{
	return size <= 16 ? 4 : 64 - __builtin_clzl(size - 1);
}

static void *take(size_t bytes)
{
	size_t most = bytes > CHUNK ? bytes : CHUNK;

	if ((size_t)(chunk_end - chunk) < bytes || !chunk) {
		chunk = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (chunk == MAP_FAILED)
			return chunk = chunk_end = NULL;
		chunk_end = chunk + most;
	}
	chunk += bytes;
	return chunk - bytes;
}

static struct header *header_of(void *p)
{
	return (struct header *)p - 1;
}

void *malloc(size_t size)
{
	struct free_block *p;
	struct header *h;
	int class = class_of(size);

	if (size > MOST) {
		errno = ENOMEM;
		return NULL;
	}
	pthread_mutex_lock(&lock);
	p = free_blocks[class];
	if (p)
		free_blocks[class] = p->next;
	h = p ? header_of(p) : take(sizeof(*h) + ((size_t)1 << class));
	pthread_mutex_unlock(&lock);
	if (!h) {
		errno = ENOMEM;
		return NULL;
	}
	*h = (struct header){ (size_t)1 << class, h };
	return h + 1;
}

void free(void *p)
{
	struct free_block *block;
	int class;

	if (!p)
		return;
	block = (struct free_block *)(header_of(p)->whole + 1);
	class = class_of(header_of(block)->size);
	pthread_mutex_lock(&lock);
	block->next = free_blocks[class];
	free_blocks[class] = block;
	pthread_mutex_unlock(&lock);
}

size_t malloc_usable_size(void *p)
{
	return p ? header_of(p)->size : 0;
}

void *calloc(size_t count, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(count, size, &bytes))
		bytes = PTRDIFF_MAX;
	p = malloc(bytes);
	return p ? memset(p, 0, bytes) : NULL;
}

void *realloc(void *p, size_t size)
{
	size_t old = malloc_usable_size(p);
	void *q;

	if (p && size <= old && size > old / 2)
		return p;
	q = malloc(size);
	if (q && p) {
		memcpy(q, p, old < size ? old : size);
		free(p);
	}
	return q;
}

void *memalign(size_t alignment, size_t size)
{
	struct header *whole, *h;
	uintptr_t at;

	if (size > MOST || alignment > MOST) {
		errno = ENOMEM;
		return NULL;
	}
	whole = malloc(size + alignment + sizeof(*h));
	if (!whole)
		return NULL;
	at = ((uintptr_t)whole + alignment - 1) & ~(alignment - 1);
	if (at == (uintptr_t)whole)
		return whole;
	h = (struct header *)at - 1;
	*h = (struct header){ header_of(whole)->size - (at - (uintptr_t)whole), header_of(whole) };
	return (void *)at;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

void *valloc(size_t size)
{
	return memalign(4096, size);
}

void *pvalloc(size_t size)
{
	return memalign(4096, (size + 4095) & ~(size_t)4095);
}

int posix_memalign(void **to, size_t alignment, size_t size)
{
	void *p = memalign(alignment, size);

	if (p)
		*to = p;
	return p ? 0 : ENOMEM;
}
