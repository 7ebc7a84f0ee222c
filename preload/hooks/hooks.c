/* SPDX-License-Identifier: MIT */
/*
 * hooks.c - the malloc family. One shape for all: call the next definition, then record; or the
 * reverse where the block goes away (record.h says why). Nothing of ours is held or marked while
 * the next definition runs.
 */
#include "preload/hooks/record.h"
#include "preload/sys/next.h"
#include "preload/sys/os.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* C23, not declared by all C libraries. */
HOOK void free_sized(void *p, size_t size);
HOOK void free_aligned_sized(void *p, size_t alignment, size_t size);

/* Is the next definition known? It isn't for what the loader and dlsym allocate before our
 * constructor. */
#define READY(function) (likely(next.function != NULL) || (next_resolve(), next.function != NULL))

/*
 * Other allocators than the C library's may call a hook inside the real call. What such an inner
 * call allocates or frees is the outer one's affair, which alone knows what was asked for. It is
 * identified by its caller, the allocator, so what a new_handler or a signal handler does counts.
 */
struct call {
	void *last;	 /* record_last() before it */
	uintptr_t outer; /* what `inside` was */
};

/* The stack pointer of the caller of the outermost hook whose real call is running; 0 = none. */
static __thread uintptr_t inside __attribute__((tls_model("initial-exec")));

static inline bool is_inner(struct cpu_frame at)
{
	return unlikely(!next.glibc) && inside > at.sp && next_is_allocator(at.pc);
}

static always_inline struct call call_begin(struct cpu_frame at, bool glibc)
{
	struct call c = { 0 };

	if (likely(glibc))
		return c;
	c = (struct call){ record_last(), inside };
	inside = at.sp;
	return c;
}

static always_inline void call_end(struct call c, bool glibc)
{
	if (unlikely(!glibc))
		inside = c.outer;
}

/* The slow path of a new block. */
static always_inline void record_allocated(
	void *p, size_t size, struct cpu_frame at, void *last, uint32_t calls)
{
	if (likely(p) && likely(!is_inner(at)) && !record_was_nested(p, last))
		record_new(p, size, at, calls);
}

static always_inline void call_allocated(
	void *p, size_t size, struct cpu_frame at, struct call c, enum mt_function function)
{
	call_end(c, next.glibc);
	record_allocated(p, size, at, c.last, MT_FRAME_CALLS(function));
}

/*
 * malloc and free come in tiers, each of which jumps to the next and so sees the hook's caller as
 * its own. The hook only chooses the variant, before anything is saved; then there is the common
 * case, which calls nothing but the real function; and then everything else. What was found out
 * about the stack is handed on: the thread stays marked busy over the jump.
 *
 * A cached stack was recorded before, so it isn't an inner call's: its frames tell.
 */
#define TIER static __attribute__((__noinline__))

/* What a tier returns that is an argument of its own. A compiler that sees this (clang) keeps a copy of its own to return,
 * so the jump becomes a call, and the tier takes the hook for its caller. */
static always_inline void *returned(void *p)
{
	__asm__("" : "+r"(p));
	return p;
}

static cold_path size_t take_asked(size_t alignment, size_t size);

TIER void *allocated_slow(void *p, size_t size, void *last, uint32_t calls)
{
	record_allocated(p, take_asked(1, size), CPU_CALLER(), last, calls);
	return returned(p);
}

TIER void *allocated_on(void *p, size_t size, struct cached_stack *stack, void *last)
{
	struct thread *t = thread_self;

	if (likely(p) && !record_was_nested(p, last) && record_enabled())
		record_new_on(t, p, size, stack, slot_at(p), 0);
	thread_leave(t);
	return returned(p);
}

TIER void *allocated_walking(
	void *p, size_t size, struct cached_stack *cache_slot, void *last, uint32_t calls)
{
	struct thread *t = thread_self;
	struct cpu_frame at = CPU_CALLER();

	if (unlikely(modules_is_loader(at.pc))) {
		thread_leave(t);
		record_allocated(p, size, at, last, calls);
		return returned(p);
	}
	if (likely(p) && !is_inner(at) && !record_was_nested(p, last) && record_enabled()) {
		struct cached_stack *stack = capture_walk(t, cache_slot, at.sp, at.pc, at.bp);

		record_new_on(t, p, size, stack, slot_at(p), calls);
		check_walk(t, stack, at);
	}
	thread_leave(t);
	return returned(p);
}

TIER void *allocated_due(void *p)
{
	struct thread *t = thread_self;

	timeline_take(t, slot_read(slot_at(p)).site);
	thread_leave(t);
	return returned(p);
}

/* The thread is marked busy from here on. */
static always_inline void *allocated_marked(struct thread *t, void *p, size_t size,
	struct cpu_frame at, void *last, uint32_t calls, bool single, bool glibc)
{
	struct cached_stack *cache_slot, *stack;
	uint32_t *slot = record_slot(p, glibc);
	bool due = false;

	__builtin_prefetch(slot, 1);
	stack = capture_find(t, at, single, &cache_slot);
	if (unlikely(!stack))
		return allocated_walking(p, size, cache_slot, last, calls);
	check_walk(t, stack, at);
	if (unlikely(!record_new_marked(t, p, size, stack, slot, single, &due)))
		return allocated_on(p, size, stack, last);
	if (unlikely(due))
		return allocated_due(p);
	thread_leave(t);
	return p;
}

static always_inline void *allocated_fast(void *p, size_t size, struct cpu_frame at, void *last,
	uint32_t calls, bool single, bool glibc)
{
	struct thread *t = thread_self;

	if (unlikely(!record_enter(t, at.sp, single)))
		return allocated_slow(p, size, last, calls);
	return allocated_marked(t, p, size, at, last, calls, single, glibc);
}

/* A function once for each variant of the fast path, from a definition that gets the variant as
 * constants. */
/* clang-format off */
#define EACH_VARIANT(define)                  \
	define(single, true, true)        \
	define(lanes, false, true)        \
	define(other_single, true, false) \
	define(other_lanes, false, false)
/* clang-format on */

#define ALLOCATED(variant, single, glibc)                                                 \
	TIER void *allocated_##variant(void *p, size_t size, void *last, uint32_t calls)  \
	{                                                                                 \
		return allocated_fast(p, size, CPU_CALLER(), last, calls, single, glibc); \
	}
EACH_VARIANT(ALLOCATED)

void *record_new_tail(void *p, size_t size, void *last, uint32_t calls)
{
	void *(*allocated)(void *, size_t, void *, uint32_t) = PHASE_FAST_PATH(allocated);

	return likely(allocated) ? allocated(p, size, last, calls)
				 : allocated_slow(p, size, last, calls);
}

static cold_path void *malloc_slow(size_t size)
{
	struct call c;
	void *p;

	if (!READY(malloc))
		return boot_alloc(size, 16);
	c = call_begin(CPU_CALLER(), next.glibc);
	p = next.malloc(size);
	call_allocated(p, take_asked(1, size), CPU_CALLER(), c, MT_MALLOC);
	return p;
}

/* When sampling, most calls need nothing but the real one. Before the real one is known, we may not
 * be relocated, and there is nothing of a thread's. */
TIER void *malloc_sampled(size_t size)
{
	if (likely(next.malloc != NULL) && likely(sample_skips(size)))
		return next.malloc(size);
	return malloc_slow(size);
}

#define MALLOC(variant, single, glibc)                                           \
	TIER void *malloc_##variant(size_t size)                                 \
	{                                                                        \
		struct call c = call_begin(CPU_CALLER(), glibc);                 \
		void *p = next.malloc(size);                                     \
		call_end(c, glibc);                                              \
		return allocated_fast(p, size, CPU_CALLER(), glibc ? p : c.last, \
			MT_FRAME_CALLS(MT_MALLOC), single, glibc);               \
	}
EACH_VARIANT(MALLOC)

HOOK void *malloc(size_t size)
{
	void *(*fast_path)(size_t) = PHASE_FAST_PATH(malloc);

	return likely(fast_path) ? fast_path(size) : malloc_sampled(size);
}

TIER void *calloc_slow(size_t count, size_t size)
{
	struct call c;
	void *p;
	size_t bytes;

	if (unlikely(!READY(calloc)))
		return __builtin_mul_overflow(count, size, &bytes) ? NULL : boot_alloc(bytes, 16);
	c = call_begin(CPU_CALLER(), next.glibc);
	p = next.calloc(count, size);
	call_allocated(p, count * size, CPU_CALLER(), c, MT_CALLOC);
	return p;
}

/* The loader allocates by calloc what it loads: it has to take the slow path (modules.c). */
TIER void *calloc_sampled(size_t count, size_t size)
{
	size_t bytes;

	if (likely(next.calloc != NULL) && !__builtin_mul_overflow(count, size, &bytes) &&
		likely(!modules_is_loader((uintptr_t)__builtin_return_address(0))) &&
		likely(sample_skips(bytes)))
		return next.calloc(count, size);
	return calloc_slow(count, size);
}

#define CALLOC(variant, single, glibc)                                                   \
	TIER void *calloc_##variant(size_t count, size_t size)                           \
	{                                                                                \
		struct call c = call_begin(CPU_CALLER(), glibc);                         \
		void *p = next.calloc(count, size);                                      \
		call_end(c, glibc);                                                      \
		return allocated_fast(p, count * size, CPU_CALLER(), glibc ? p : c.last, \
			MT_FRAME_CALLS(MT_CALLOC), single, glibc);                       \
	}
EACH_VARIANT(CALLOC)

HOOK void *calloc(size_t count, size_t size)
{
	void *(*fast_path)(size_t, size_t) = PHASE_FAST_PATH(calloc);

	return likely(fast_path) ? fast_path(count, size) : calloc_sampled(count, size);
}

TIER void free_slow(void *p)
{
	if (unlikely(!p || boot_owns(p)))
		return;
	if (likely(!is_inner(CPU_CALLER())) || slot_is_taken(p))
		record_freed(p, CPU_CALLER());
	if (READY(free))
		next.free(p);
}

TIER void free_sampled(void *p)
{
	if (likely(sample_lacks(p)))
		next.free(p);
	else
		free_slow(p);
}

#define FREE(variant, single, glibc)                                              \
	TIER void free_##variant(void *p)                                         \
	{                                                                         \
		if (likely(record_freed_fast(p, CPU_CALLER().sp, single, glibc))) \
			next.free(p);                                             \
		else                                                              \
			free_slow(p);                                             \
	}
EACH_VARIANT(FREE)

#define FREED(variant, single, glibc)                           \
	TIER bool freed_##variant(void *p, uintptr_t sp)        \
	{                                                       \
		return record_freed_fast(p, sp, single, glibc); \
	}
EACH_VARIANT(FREED)

bool record_freed_if_fast(void *p, uintptr_t sp)
{
	bool (*freed)(void *, uintptr_t) = PHASE_FAST_PATH(freed);

	return likely(freed) && freed(p, sp);
}

HOOK void free(void *p)
{
	void (*fast_path)(void *) = PHASE_FAST_PATH(free);

	if (likely(fast_path))
		fast_path(p);
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
	record_freed(p, CPU_CALLER());
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
	record_freed(p, CPU_CALLER());
	if (next.free_aligned_sized)
		next.free_aligned_sized(p, alignment, size);
	else if (next.free)
		next.free(p);
}

/* Maybe we aren't relocated yet, so memcpy isn't there. */
static cold_path void copy_early(void *to, const void *from, size_t size)
{
	volatile unsigned char *bytes = to;

	for (size_t i = 0; i < size; i++)
		bytes[i] = ((const unsigned char *)from)[i];
}

/* A block from before the next definitions were known moves to the real heap. */
static cold_path void *move_boot_block(void *p, size_t size)
{
	size_t had = boot_size(p);
	void *q = READY(malloc) ? next.malloc(size) : boot_alloc(size, 16);

	if (q)
		copy_early(q, p, had < size ? had : size);
	return q;
}

static inline void *resize(void *p, size_t size, struct cpu_frame at)
{
	struct call c;
	struct block b;
	bool inner = is_inner(at);
	void *q;

	if (unlikely(boot_owns(p)))
		return move_boot_block(p, size);
	if (unlikely(!READY(realloc)))
		return p ? NULL : boot_alloc(size, 16);
	if (unlikely(sample_lacks(p)) && sample_skips(size))
		return next.realloc(p, size);
	c = call_begin(at, next.glibc);
	if (!p) {
		q = next.realloc(NULL, size);
		call_allocated(q, size, at, c, MT_REALLOC);
		return q;
	}
	if (unlikely(inner)) {
		q = next.realloc(p, size);
		call_end(c, next.glibc);
		return q;
	}
	b = record_take(p);
	q = next.realloc(p, size);
	call_end(c, next.glibc);
	record_resized(p, b, q, size, at, c.last);
	return q;
}

TIER void *realloc_slow(void *p, size_t size)
{
	return resize(p, size, CPU_CALLER());
}

/* The block had `had` bytes of this site, and has become q, or not. */
TIER void *realloc_rest(void *p, void *q, size_t size, uint32_t site, uint64_t had, void *last)
{
	struct block b = { site, had, 1, 0, record_era(thread_mine()) };

	record_resized(p, b, q, size, CPU_CALLER(), last);
	return returned(q);
}

/* As if it were freed, and a new one made. Its slot is emptied before, as for a free. */
static always_inline void *realloc_fast(
	void *p, size_t size, struct cpu_frame at, bool single, bool glibc)
{
	struct thread *t = thread_self;
	uint32_t *slot = record_slot(p, glibc);
	struct block had;
	struct call c;
	void *q;

	if (unlikely(!record_passes(t, single)) || unlikely(!slot) ||
		unlikely(*slot < 1u << SLOT_SITE_BIT) || (!glibc && unlikely(is_inner(at))))
		return realloc_slow(p, size);
	had = slot_read(slot);
	if (unlikely(had.size >= CUTS_LEAST))
		return realloc_slow(p, size);
	slot_clear(slot, had.size);
	c = call_begin(at, glibc);
	q = next.realloc(p, size);
	call_end(c, glibc);
	if (unlikely(!q) || unlikely(!record_enter(t, at.sp, single)))
		return realloc_rest(p, q, size, had.site, had.size, c.last);
	if ((!glibc && record_was_nested(q, c.last)) ||
		unlikely(!record_freed_known(t, p, had.site, had.size, single))) {
		thread_leave(t);
		return realloc_rest(p, q, size, had.site, had.size, c.last);
	}
	return allocated_marked(
		t, q, size, at, glibc ? q : c.last, MT_FRAME_CALLS(MT_REALLOC), single, glibc);
}

#define REALLOC(variant, single, glibc)                                    \
	TIER void *realloc_##variant(void *p, size_t size)                 \
	{                                                                  \
		return realloc_fast(p, size, CPU_CALLER(), single, glibc); \
	}
EACH_VARIANT(REALLOC)

HOOK void *realloc(void *p, size_t size)
{
	void *(*fast_path)(void *, size_t) = PHASE_FAST_PATH(realloc);

	return likely(fast_path) ? fast_path(p, size) : realloc_slow(p, size);
}

HOOK void *reallocarray(void *p, size_t count, size_t size)
{
	void *(*fast_path)(void *, size_t) = PHASE_FAST_PATH(realloc);
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(count, size, &bytes))) {
		errno = ENOMEM;
		return NULL;
	}
	if (READY(realloc) && unlikely(earlier.realloc))
		return earlier.realloc(p, bytes);
	return likely(fast_path) ? fast_path(p, bytes) : realloc_slow(p, bytes);
}

const struct fast_path phase_fast_paths[] = {
#define VARIANT(variant, single, glibc)                                                       \
	[2 * !(single) + !(glibc)] = { malloc_##variant, calloc_##variant, realloc_##variant, \
		free_##variant, allocated_##variant, freed_##variant },
	EACH_VARIANT(VARIANT)
};

/* ---- while recording is stopped: a look whether it still is, and at a free whether the block was recorded before */

static always_inline bool is_stopped(void)
{
	return likely(load_relaxed(&trace.header->enabled) == 0);
}

static always_inline bool is_unknown(const void *p)
{
	const uint32_t *slot = slot_at(p);

	return is_stopped() && (!slot || likely(*slot < 1u << SLOT_SITE_BIT)) &&
	       likely(!boot_owns(p));
}

/* Started, perhaps by somebody outside, or by another thread just while this one found it stopped. */
static cold_path void see_start(void)
{
	if (load_relaxed(&trace.header->enabled) & MT_ENABLED_RECORD)
		phase_stop(false);
}

TIER void *malloc_stopped(size_t size)
{
	if (is_stopped())
		return next.malloc(size);
	see_start();
	return malloc_slow(size);
}

/* The loader has to take the slow path, as when sampling. */
TIER void *calloc_stopped(size_t count, size_t size)
{
	if (is_stopped() && likely(!modules_is_loader((uintptr_t)__builtin_return_address(0))))
		return next.calloc(count, size);
	return calloc_slow(count, size);
}

TIER void *realloc_stopped(void *p, size_t size)
{
	return is_unknown(p) ? next.realloc(p, size) : realloc_slow(p, size);
}

TIER void free_stopped(void *p)
{
	if (is_unknown(p))
		next.free(p);
	else
		free_slow(p);
}

TIER void *allocated_stopped(void *p, size_t size, void *last, uint32_t calls)
{
	return is_stopped() ? p : allocated_slow(p, size, last, calls);
}

TIER bool freed_stopped(void *p, uintptr_t sp)
{
	(void)sp;
	return is_unknown(p);
}

const struct fast_path phase_fast_path_stopped = { malloc_stopped, calloc_stopped, realloc_stopped,
	free_stopped, allocated_stopped, freed_stopped };

/* ---- in a process that is never traced, only blocks from before the next definitions were known differ */

TIER void *malloc_passing(size_t size)
{
	return next.malloc(size);
}

TIER void *calloc_passing(size_t count, size_t size)
{
	return next.calloc(count, size);
}

TIER void *realloc_passing(void *p, size_t size)
{
	return likely(!boot_owns(p)) ? next.realloc(p, size) : realloc_slow(p, size);
}

TIER void free_passing(void *p)
{
	if (likely(!boot_owns(p)))
		next.free(p);
}

TIER void *allocated_passing(void *p, size_t size, void *last, uint32_t calls)
{
	(void)size;
	(void)last;
	(void)calls;
	return p;
}

TIER bool freed_passing(void *p, uintptr_t sp)
{
	(void)sp;
	return !boot_owns(p);
}

const struct fast_path phase_fast_path_passing = { malloc_passing, calloc_passing, realloc_passing,
	free_passing, allocated_passing, freed_passing };

HOOK void *memalign(size_t alignment, size_t size)
{
	struct call c;
	void *p;

	if (unlikely(!READY(memalign)))
		return boot_alloc(size, alignment);
	c = call_begin(CPU_CALLER(), next.glibc);
	p = next.memalign(alignment, size);
	call_allocated(p, size, CPU_CALLER(), c, MT_MEMALIGN);
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
	c = call_begin(CPU_CALLER(), next.glibc);
	error = next.posix_memalign(to, alignment, size);
	/* By which some C++ libraries get what has an alignment. */
	call_allocated(error == 0 ? *to : NULL, take_asked(alignment, size), CPU_CALLER(), c,
		MT_POSIX_MEMALIGN);
	return error;
}

/* What operator new was asked for, if it is what calls: the size of the call is that, rounded
 * up. */
static cold_path size_t take_asked(size_t alignment, size_t size)
{
	size_t asked = thread_mine()->asked;
	bool rounded, nothing;

	if (likely(!asked))
		return size;
	thread_self->asked = 0;
	asked--;
	rounded = alignment && size % alignment == 0 && size - asked < alignment;
	/* it asks for a byte, or for as many as it aligns to */
	nothing = asked == 0 && size <= alignment;
	return rounded || nothing ? asked : size;
}

HOOK void *aligned_alloc(size_t alignment, size_t size)
{
	struct call c;
	void *p;

	if (unlikely(!READY(aligned_alloc)))
		return boot_alloc(size, alignment);
	c = call_begin(CPU_CALLER(), next.glibc);
	p = next.aligned_alloc(alignment, size);
	call_allocated(p, take_asked(alignment, size), CPU_CALLER(), c, MT_ALIGNED_ALLOC);
	return p;
}

HOOK void *valloc(size_t size)
{
	struct call c;
	void *p;

	if (unlikely(!READY(valloc)))
		return boot_alloc(size, os_page_size());
	c = call_begin(CPU_CALLER(), next.glibc);
	p = next.valloc(size);
	call_allocated(p, size, CPU_CALLER(), c, MT_VALLOC);
	return p;
}

HOOK void *pvalloc(size_t size)
{
	struct call c;
	void *p;

	if (unlikely(!READY(pvalloc)))
		return boot_alloc(size, os_page_size());
	c = call_begin(CPU_CALLER(), next.glibc);
	p = next.pvalloc(size);
	call_allocated(p, size, CPU_CALLER(), c, MT_PVALLOC);
	return p;
}

/* ---- copies of texts. The C library's ask the hook of malloc; an allocator may have its own, which don't. */

static cold_path char *copy_text_early(const char *text, size_t most)
{
	size_t size = 0;
	char *copy;

	while (size < most && text[size])
		size++;
	copy = boot_alloc(size + 1, 16); /* zeroed, so it ends */
	if (copy)
		copy_early(copy, text, size);
	return copy;
}

TIER char *strdup_by_allocator(const char *text)
{
	struct call c = call_begin(CPU_CALLER(), false);
	char *copy = next.strdup(text);

	call_allocated(copy, copy ? strlen(copy) + 1 : 0, CPU_CALLER(), c, MT_MALLOC);
	return copy;
}

TIER char *strndup_by_allocator(const char *text, size_t most)
{
	struct call c = call_begin(CPU_CALLER(), false);
	char *copy = next.strndup(text, most);

	call_allocated(copy, copy ? strlen(copy) + 1 : 0, CPU_CALLER(), c, MT_MALLOC);
	return copy;
}

HOOK char *strdup(const char *text)
{
	if (unlikely(!READY(strdup)))
		return copy_text_early(text, SIZE_MAX);
	return unlikely(next_is_allocator((uintptr_t)next.strdup)) ? strdup_by_allocator(text)
								   : next.strdup(text);
}

HOOK char *strndup(const char *text, size_t most)
{
	if (unlikely(!READY(strndup)))
		return copy_text_early(text, most);
	return unlikely(next_is_allocator((uintptr_t)next.strndup))
		       ? strndup_by_allocator(text, most)
		       : next.strndup(text, most);
}

HOOK size_t malloc_usable_size(void *p)
{
	if (unlikely(boot_owns(p)))
		return boot_size(p);
	return READY(malloc_usable_size) ? next.malloc_usable_size(p) : 0;
}
