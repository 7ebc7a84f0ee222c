/*
 * hooks.c - the malloc family. One shape for all: call the next definition, then record; or the
 * reverse where the block goes away (record.h says why). Nothing of ours is held or marked while
 * the next definition runs.
 */
#include "preload/next.h"
#include "preload/record.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define HOOK __attribute__((visibility("default")))

/* C23, not declared by all C libraries. */
HOOK void free_sized(void *p, size_t size);
HOOK void free_aligned_sized(void *p, size_t alignment, size_t size);

/* Is the next definition known? It isn't for what the loader and dlsym allocate before our
 * constructor. */
#define READY(function) (likely(next.function != NULL) || (next_resolve(), next.function != NULL))

/*
 * Other allocators than the C library's may call a hook inside the real call. What such an inner
 * call allocates or frees is the outer one's affair, which alone knows what was asked for. It is
 * told by its caller, the allocator, so what a new_handler or a signal handler does counts.
 */
struct call {
	void *last;	 /* record_last() before it */
	uintptr_t outer; /* what `inside` was */
	bool inner;
};

/* The stack pointer of the caller of the outermost hook whose real call is running; 0 = none. */
static __thread uintptr_t inside __attribute__((tls_model("initial-exec")));

static inline bool is_inner(struct cpu_frame at)
{
	return unlikely(!next.glibc) && inside > at.sp && next_is_allocator(at.pc);
}

static always_inline struct call call_begin(struct cpu_frame at)
{
	struct call c = { 0 };

	if (likely(next.glibc))
		return c;
	c = (struct call){ record_last(), inside, is_inner(at) };
	inside = at.sp;
	return c;
}

static always_inline void call_end(struct call c)
{
	if (unlikely(!next.glibc))
		inside = c.outer;
}

static always_inline void call_allocated(void *p, size_t size, struct cpu_frame at, struct call c)
{
	call_end(c);
	if (likely(p) && likely(!c.inner) && !record_was_nested(p, c.last))
		record_new(p, size, at);
}

/*
 * malloc and free come in tiers, each of which jumps to the next and so sees the hook's caller as
 * its own. The hook only tells plain recording from sampling, before anything is saved; then there
 * is the common case, which calls nothing but the real function; and then everything else. What was
 * found out about the stack is handed on: the thread stays marked busy over the jump.
 */
static __attribute__((__noinline__)) void *malloc_on(void *p, size_t size, struct leaf *leaf)
{
	struct thread *t = thread_self;

	if (likely(p) && record_enabled())
		record_new_on(t, p, size, leaf, slot_at(p));
	thread_leave(t);
	return p;
}

static __attribute__((__noinline__)) void *malloc_walked(void *p, size_t size, struct leaf *place)
{
	struct thread *t = thread_self;
	struct cpu_frame at = CPU_CALLER();

	if (likely(p) && record_enabled()) {
		capture_walk(t, place, at.sp, at.pc, at.bp);
		record_new_on(t, p, size, place, slot_at(p));
		check_walk(t, place, at);
	}
	thread_leave(t);
	return p;
}

/* From the mark on. */
static always_inline void *malloc_marked(
	struct thread *t, void *p, size_t size, struct cpu_frame at, bool single)
{
	struct leaf *place, *leaf;
	uint32_t *slot = slot_at_32(p);

	__builtin_prefetch(slot, 1);
	leaf = capture_find(t, at, &place);
	if (unlikely(!leaf))
		return malloc_walked(p, size, place);
	check_walk(t, leaf, at);
	if (unlikely(!record_new_plain(t, p, size, leaf, slot, single)))
		return malloc_on(p, size, leaf);
	thread_leave(t);
	return p;
}

static __attribute__((__noinline__)) void *malloc_recorded(void *p, size_t size)
{
	struct cpu_frame at = CPU_CALLER();
	struct thread *t = thread_self;

	if (likely(record_enter_lane(t, at.sp)))
		return malloc_marked(t, p, size, at, false);
	if (likely(p))
		record_new(p, size, at);
	return p;
}

static always_inline void *malloc_made(void *p, size_t size, struct cpu_frame at)
{
	struct thread *t = thread_self;

	if (unlikely(!record_enter_single(t, at.sp)))
		return malloc_recorded(p, size);
	return malloc_marked(t, p, size, at, true);
}

void *record_made(void *p, size_t size)
{
	return malloc_made(p, size, CPU_CALLER());
}

static cold_path void *malloc_anyhow(size_t size)
{
	struct call c;
	void *p;

	if (!READY(malloc))
		return boot_alloc(size, 16);
	c = call_begin(CPU_CALLER());
	p = next.malloc(size);
	call_allocated(p, size, CPU_CALLER(), c);
	return p;
}

/* When sampling, most calls need nothing but the real one. Before the real one is known, we may not
 * be relocated, and there is nothing of a thread's. */
static __attribute__((__noinline__)) void *malloc_sampled(size_t size)
{
	if (likely(next.malloc != NULL) && likely(sample_skips(size)))
		return next.malloc(size);
	return malloc_anyhow(size);
}

static __attribute__((__noinline__)) void *malloc_plain(size_t size)
{
	return malloc_made(next.malloc(size), size, CPU_CALLER());
}

HOOK void *malloc(size_t size)
{
	return likely(next.plain) ? malloc_plain(size) : malloc_sampled(size);
}

static __attribute__((__noinline__)) void *calloc_anyhow(size_t count, size_t size)
{
	struct call c;
	void *p;
	size_t bytes;

	if (unlikely(!READY(calloc)))
		return __builtin_mul_overflow(count, size, &bytes) ? NULL : boot_alloc(bytes, 16);
	c = call_begin(CPU_CALLER());
	p = next.calloc(count, size);
	call_allocated(p, count * size, CPU_CALLER(), c);
	return p;
}

static __attribute__((__noinline__)) void *calloc_sampled(size_t count, size_t size)
{
	size_t bytes;

	if (likely(next.calloc != NULL) && !__builtin_mul_overflow(count, size, &bytes) &&
		likely(sample_skips(bytes)))
		return next.calloc(count, size);
	return calloc_anyhow(count, size);
}

static __attribute__((__noinline__)) void *calloc_plain(size_t count, size_t size)
{
	return malloc_made(next.calloc(count, size), count * size, CPU_CALLER());
}

HOOK void *calloc(size_t count, size_t size)
{
	return likely(next.plain) ? calloc_plain(count, size) : calloc_sampled(count, size);
}

static __attribute__((__noinline__)) void free_anyhow(void *p)
{
	if (unlikely(!p || boot_owns(p)))
		return;
	if (likely(!is_inner(CPU_CALLER())) || slot_is_taken(p))
		record_gone(p, CPU_CALLER());
	if (READY(free))
		next.free(p);
}

static __attribute__((__noinline__)) void free_sampled(void *p)
{
	if (likely(sample_lacks(p)))
		next.free(p);
	else
		free_anyhow(p);
}

static __attribute__((__noinline__)) void free_recorded(void *p)
{
	if (record_gone_in_lane(p, CPU_CALLER().sp))
		next.free(p);
	else
		free_anyhow(p);
}

static __attribute__((__noinline__)) void free_plain(void *p)
{
	if (likely(record_gone_single(p, CPU_CALLER().sp)))
		next.free(p);
	else
		free_recorded(p);
}

HOOK void free(void *p)
{
	if (likely(next.plain))
		free_plain(p);
	else
		free_sampled(p);
}

HOOK void free_sized(void *p, size_t size)
{
	if (unlikely(!p || boot_owns(p)))
		return;
	if (READY(free) && unlikely(earlier.free)) {
		earlier.free(p);
		return;
	}
	record_gone(p, CPU_CALLER());
	if (next.free_sized)
		next.free_sized(p, size);
	else if (next.free)
		next.free(p);
}

HOOK void free_aligned_sized(void *p, size_t alignment, size_t size)
{
	if (unlikely(!p || boot_owns(p)))
		return;
	if (READY(free) && unlikely(earlier.free)) {
		earlier.free(p);
		return;
	}
	record_gone(p, CPU_CALLER());
	if (next.free_aligned_sized)
		next.free_aligned_sized(p, alignment, size);
	else if (next.free)
		next.free(p);
}

/* A block from before the next definitions were known moves to the real heap. */
static cold_path void *move_boot_block(void *p, size_t size)
{
	size_t had = boot_size(p);
	void *q = READY(malloc) ? next.malloc(size) : boot_alloc(size, 16);

	if (q)
		memcpy(q, p, had < size ? had : size);
	return q;
}

static inline void *resize(void *p, size_t size, struct cpu_frame at)
{
	struct call c;
	struct block b;
	void *q;

	if (unlikely(boot_owns(p)))
		return move_boot_block(p, size);
	if (unlikely(!READY(realloc)))
		return p ? NULL : boot_alloc(size, 16);
	if (unlikely(sample_lacks(p)) && sample_skips(size))
		return next.realloc(p, size);
	c = call_begin(at);
	if (!p) {
		q = next.realloc(NULL, size);
		call_allocated(q, size, at, c);
		return q;
	}
	if (unlikely(c.inner)) {
		q = next.realloc(p, size);
		call_end(c);
		return q;
	}
	b = record_take(p);
	q = next.realloc(p, size);
	call_end(c);
	if (unlikely(!q && size != 0))
		record_put_back(p, b);
	else
		record_moved(p, b, record_was_nested(q, c.last) ? NULL : q, size, at);
	return q;
}

HOOK void *realloc(void *p, size_t size)
{
	return resize(p, size, CPU_CALLER());
}

HOOK void *reallocarray(void *p, size_t count, size_t size)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(count, size, &bytes))) {
		errno = ENOMEM;
		return NULL;
	}
	if (READY(realloc) && unlikely(earlier.realloc))
		return earlier.realloc(p, bytes);
	return resize(p, bytes, CPU_CALLER());
}

HOOK void *memalign(size_t alignment, size_t size)
{
	struct call c;
	void *p;

	if (unlikely(!READY(memalign)))
		return boot_alloc(size, alignment);
	c = call_begin(CPU_CALLER());
	p = next.memalign(alignment, size);
	call_allocated(p, size, CPU_CALLER(), c);
	return p;
}

HOOK int posix_memalign(void **to, size_t alignment, size_t size)
{
	struct call c;
	int error;

	if (unlikely(!READY(posix_memalign))) {
		*to = boot_alloc(size, alignment);
		return *to ? 0 : ENOMEM;
	}
	c = call_begin(CPU_CALLER());
	error = next.posix_memalign(to, alignment, size);
	call_allocated(error == 0 ? *to : NULL, size, CPU_CALLER(), c);
	return error;
}

/* What operator new was asked for, if it is what calls: the size of the call is that, rounded up.
 */
static size_t take_asked(size_t alignment, size_t size)
{
	size_t asked = thread_self->asked;

	if (likely(!asked))
		return size;
	thread_self->asked = 0;
	asked--;
	return alignment && size % alignment == 0 && (size - asked < alignment || asked == 0)
		       ? asked
		       : size;
}

HOOK void *aligned_alloc(size_t alignment, size_t size)
{
	struct call c;
	void *p;

	if (unlikely(!READY(aligned_alloc)))
		return boot_alloc(size, alignment);
	c = call_begin(CPU_CALLER());
	p = next.aligned_alloc(alignment, size);
	call_allocated(p, take_asked(alignment, size), CPU_CALLER(), c);
	return p;
}

HOOK void *valloc(size_t size)
{
	struct call c;
	void *p;

	if (unlikely(!READY(valloc)))
		return boot_alloc(size, os_page_size());
	c = call_begin(CPU_CALLER());
	p = next.valloc(size);
	call_allocated(p, size, CPU_CALLER(), c);
	return p;
}

HOOK void *pvalloc(size_t size)
{
	struct call c;
	void *p;

	if (unlikely(!READY(pvalloc)))
		return boot_alloc(size, os_page_size());
	c = call_begin(CPU_CALLER());
	p = next.pvalloc(size);
	call_allocated(p, size, CPU_CALLER(), c);
	return p;
}

HOOK size_t malloc_usable_size(void *p)
{
	if (unlikely(boot_owns(p)))
		return boot_size(p);
	return READY(malloc_usable_size) ? next.malloc_usable_size(p) : 0;
}
