/* SPDX-License-Identifier: MIT */
/*
 * private_jemalloc.h - the tracer's own heap: the distribution's jemalloc under the prefix mtje_.
 *
 * It shares nothing with the program: neither its malloc, nor MALLOC_CONF or /etc/malloc.conf, nor an exported
 * symbol. It maps its memory itself, has one arena, starts no threads and registers no handlers. The first call
 * initializes it, and takes 10 MiB of address space. The contracts are those of jemalloc(3), sizes are bytes.
 *
 * To it there is one thread, with one set of thread data: no two may call it at a time, and who does calls
 * mtje_enter() first. So it takes nothing of the static thread storage.
 */
#ifndef MTRACE_PRIVATE_JEMALLOC_H
#define MTRACE_PRIVATE_JEMALLOC_H

#include <stddef.h>

_Bool mtje_enter(void); /* 0: there is no memory, and nothing may be called */

/* Flags of mallocx and its family. */
#define MTJE_ZERO 0x40
#define MTJE_ALIGN(a) ((int)__builtin_ctzl(a)) /* a: a power of two */

/* Each returns NULL when the system has no more memory. `size` must not be 0. */
void *mtje_mallocx(size_t size, int flags);
void *mtje_rallocx(void *block, size_t size, int flags); /* the old block stays valid on failure */
/* in place; the real size */
size_t mtje_xallocx(void *block, size_t size, size_t extra, int flags);
void mtje_dallocx(void *block, int flags);
void mtje_sdallocx(void *block, size_t size, int flags); /* size: as it was asked for */
size_t mtje_sallocx(const void *block, int flags);
size_t mtje_nallocx(size_t size, int flags);

void *mtje_malloc(size_t size);
void *mtje_calloc(size_t count, size_t size);
void *mtje_realloc(void *block, size_t size);
void *mtje_aligned_alloc(size_t alignment, size_t size);
void mtje_free(void *block); /* NULL is fine */
size_t mtje_malloc_usable_size(void *block);

/* Control and statistics by name, see jemalloc(3). 0, or an errno value. Statistics ("stats.allocated",
 * "stats.resident") are those of the last write to "epoch". */
int mtje_mallctl(const char *name, void *old, size_t *old_size, void *new_value, size_t new_size);
int mtje_mallctlnametomib(const char *name, size_t *mib, size_t *mib_length);
int mtje_mallctlbymib(const size_t *mib, size_t mib_length, void *old, size_t *old_size,
	void *new_value, size_t new_size);

#endif
