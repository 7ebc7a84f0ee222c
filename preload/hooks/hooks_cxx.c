/* SPDX-License-Identifier: MIT */
/*
 * hooks_cxx.c - operator new and delete.
 *
 * The C++ library's own call malloc and free, where they are recorded; then these hooks only jump
 * on, and leave no frame. An allocator library that defines them goes past malloc inside; then the
 * hook records, unless it sees that a nested hook did. The real ones may throw or run a new_handler
 * through our frame, so nothing is held across the call.
 *
 * A C++ library that comes after our start (a C program's plug-in needs it) isn't looked for at the
 * first call: that would wait for the loader's lock, whose holder may wait for the caller. Its
 * operator new is malloc, so malloc it is, until that fails and a handler or an exception is
 * wanted.
 */
#include "preload/hooks/record.h"
#include "preload/life/cxx.h"
#include "preload/sys/message.h"
#include "preload/sys/next.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

typedef const void *nothrow; /* std::nothrow_t const & */

/* No C++ library was there at the start. */
static cold_path void *late_new(size_t size, size_t alignment)
{
	if (thread_mine() != &thread_nobody)
		thread_self->asked = 0;
	if (unlikely(!next.malloc))
		next_resolve();
	if (unlikely(!next.malloc))
		return boot_alloc(size, alignment);
	return alignment ? next.memalign(alignment, size) : next.malloc(size);
}

/* There was no memory: the real one throws, or asks the program's handler for some. NULL: there is
 * none, and the caller expects an exception that nobody can throw. */
static cold_path void *resolve_or_end(enum cxx_function f, bool may_fail)
{
	void *found = cxx_resolve(f);

	if (!found && !may_fail) {
		message("operator new of ", "a program without a C++ library failed", NULL);
		abort();
	}
	return found;
}

#define CALLS(f) MT_FRAME_CALLS(MT_NEW + (f))

/* The C++ library's operator new[] jumps to operator new, so no frame tells which it was. */
static always_inline void note_array(enum cxx_function f)
{
	bool is_array = f == NEW_ARRAY || f == NEW_ARRAY_NOTHROW || f == NEW_ARRAY_ALIGNED ||
			f == NEW_ARRAY_ALIGNED_NOTHROW;

	if (is_array && likely(thread_self))
		record_array_call = (struct array_call){ CPU_CALLER().pc, CALLS(f) };
}

#define CALL_NEW(f, type, alignment_, may_fail, ...)                               \
	do {                                                                       \
		type *call_ = next_of(f);                                          \
		void *last_, *p_;                                                  \
		if (unlikely(!call_)) {                                            \
			last_ = record_last();                                     \
			p_ = late_new(size ? size : 1, alignment_);                \
			if (likely(p_) && unlikely(boot_owns(p_)))                 \
				return p_;                                         \
			if (likely(p_))                                            \
				return record_new_tail(p_, size, last_, CALLS(f)); \
			call_ = resolve_or_end(f, may_fail);                       \
			if (!call_)                                                \
				return NULL;                                       \
		}                                                                  \
		if (likely(!cxx_beside_malloc)) {                                  \
			note_array(f);                                             \
			return call_(__VA_ARGS__);                                 \
		}                                                                  \
		last_ = record_last();                                             \
		p_ = call_(__VA_ARGS__);                                           \
		return record_new_tail(p_, size, last_, CALLS(f));                 \
	} while (0)

static always_inline void record_deleted(void *p, struct cpu_frame at)
{
	if (!record_freed_if_fast(p, at.sp))
		record_freed(p, at);
}

#define CALL_DELETE(f, type, ...)                        \
	do {                                             \
		type *call_ = next_of(f);                \
		if (unlikely(!p))                        \
			return;                          \
		if (unlikely(!call_)) {                  \
			free(p);                         \
			return;                          \
		}                                        \
		if (unlikely(cxx_beside_malloc))         \
			record_deleted(p, CPU_CALLER()); \
		call_(__VA_ARGS__);                      \
	} while (0)

typedef void *new_fn(size_t);
typedef void *new_nothrow_fn(size_t, nothrow);
typedef void *new_aligned_fn(size_t, size_t);
typedef void *new_aligned_nothrow_fn(size_t, size_t, nothrow);
typedef void delete_fn(void *);
typedef void delete_nothrow_fn(void *, nothrow);
typedef void delete_sized_fn(void *, size_t);
typedef void delete_aligned_nothrow_fn(void *, size_t, nothrow);
typedef void delete_sized_aligned_fn(void *, size_t, size_t);

/* The C++ library asks malloc for a byte. On the slow path, which looks what was asked for. */
static cold_path void note_nothing_asked(void)
{
	struct thread *t = thread_self;

	if (t == &thread_nobody || thread_is_busy(t))
		return;
	t->asked = 1;
	t->state = THREAD_UNSETTLED;
}

#define NEW_HOOK(name, f)                            \
	HOOK void *name(size_t size);                \
	HOOK void *name(size_t size)                 \
	{                                            \
		if (unlikely(size == 0))             \
			note_nothing_asked();        \
		CALL_NEW(f, new_fn, 0, false, size); \
	}
#define NEW_NOTHROW_HOOK(name, f)                                \
	HOOK void *name(size_t size, nothrow tag);               \
	HOOK void *name(size_t size, nothrow tag)                \
	{                                                        \
		if (unlikely(size == 0))                         \
			note_nothing_asked();                    \
		CALL_NEW(f, new_nothrow_fn, 0, true, size, tag); \
	}
/* The C++ library rounds the size up before it calls aligned_alloc: that is told what was asked
 * for. */
static inline void note_asked(size_t size)
{
	if (thread_mine() != &thread_nobody)
		thread_self->asked = size + 1;
}

#define NEW_ALIGNED_HOOK(name, f)                                               \
	HOOK void *name(size_t size, size_t alignment);                         \
	HOOK void *name(size_t size, size_t alignment)                          \
	{                                                                       \
		note_asked(size);                                               \
		CALL_NEW(f, new_aligned_fn, alignment, false, size, alignment); \
	}
#define NEW_ALIGNED_NOTHROW_HOOK(name, f)                                                   \
	HOOK void *name(size_t size, size_t alignment, nothrow tag);                        \
	HOOK void *name(size_t size, size_t alignment, nothrow tag)                         \
	{                                                                                   \
		note_asked(size);                                                           \
		CALL_NEW(f, new_aligned_nothrow_fn, alignment, true, size, alignment, tag); \
	}
#define DELETE_HOOK(name, f)                  \
	HOOK void name(void *p);              \
	HOOK void name(void *p)               \
	{                                     \
		CALL_DELETE(f, delete_fn, p); \
	}
#define DELETE_NOTHROW_HOOK(name, f)                       \
	HOOK void name(void *p, nothrow tag);              \
	HOOK void name(void *p, nothrow tag)               \
	{                                                  \
		CALL_DELETE(f, delete_nothrow_fn, p, tag); \
	}
/* The number is a size or an alignment. */
#define DELETE_NUMBER_HOOK(name, f)                         \
	HOOK void name(void *p, size_t number);             \
	HOOK void name(void *p, size_t number)              \
	{                                                   \
		CALL_DELETE(f, delete_sized_fn, p, number); \
	}
#define DELETE_ALIGNED_NOTHROW_HOOK(name, f)                                  \
	HOOK void name(void *p, size_t alignment, nothrow tag);               \
	HOOK void name(void *p, size_t alignment, nothrow tag)                \
	{                                                                     \
		CALL_DELETE(f, delete_aligned_nothrow_fn, p, alignment, tag); \
	}
#define DELETE_SIZED_ALIGNED_HOOK(name, f)                                   \
	HOOK void name(void *p, size_t size, size_t alignment);              \
	HOOK void name(void *p, size_t size, size_t alignment)               \
	{                                                                    \
		CALL_DELETE(f, delete_sized_aligned_fn, p, size, alignment); \
	}

NEW_HOOK(_Znwm, NEW)
NEW_HOOK(_Znam, NEW_ARRAY)
NEW_NOTHROW_HOOK(_ZnwmRKSt9nothrow_t, NEW_NOTHROW)
NEW_NOTHROW_HOOK(_ZnamRKSt9nothrow_t, NEW_ARRAY_NOTHROW)
NEW_ALIGNED_HOOK(_ZnwmSt11align_val_t, NEW_ALIGNED)
NEW_ALIGNED_HOOK(_ZnamSt11align_val_t, NEW_ARRAY_ALIGNED)
NEW_ALIGNED_NOTHROW_HOOK(_ZnwmSt11align_val_tRKSt9nothrow_t, NEW_ALIGNED_NOTHROW)
NEW_ALIGNED_NOTHROW_HOOK(_ZnamSt11align_val_tRKSt9nothrow_t, NEW_ARRAY_ALIGNED_NOTHROW)
DELETE_HOOK(_ZdlPv, DELETE)
DELETE_HOOK(_ZdaPv, DELETE_ARRAY)
DELETE_NOTHROW_HOOK(_ZdlPvRKSt9nothrow_t, DELETE_NOTHROW)
DELETE_NOTHROW_HOOK(_ZdaPvRKSt9nothrow_t, DELETE_ARRAY_NOTHROW)
DELETE_NUMBER_HOOK(_ZdlPvm, DELETE_SIZED)
DELETE_NUMBER_HOOK(_ZdaPvm, DELETE_ARRAY_SIZED)
DELETE_NUMBER_HOOK(_ZdlPvSt11align_val_t, DELETE_ALIGNED)
DELETE_NUMBER_HOOK(_ZdaPvSt11align_val_t, DELETE_ARRAY_ALIGNED)
DELETE_ALIGNED_NOTHROW_HOOK(_ZdlPvSt11align_val_tRKSt9nothrow_t, DELETE_ALIGNED_NOTHROW)
DELETE_ALIGNED_NOTHROW_HOOK(_ZdaPvSt11align_val_tRKSt9nothrow_t, DELETE_ARRAY_ALIGNED_NOTHROW)
DELETE_SIZED_ALIGNED_HOOK(_ZdlPvmSt11align_val_t, DELETE_SIZED_ALIGNED)
DELETE_SIZED_ALIGNED_HOOK(_ZdaPvmSt11align_val_t, DELETE_ARRAY_SIZED_ALIGNED)
