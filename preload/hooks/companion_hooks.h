/* SPDX-License-Identifier: MIT */
/*
 * companion_hooks.h - the shapes of a companion's hooks. A companion lists its functions in
 * FUNCTIONS(X) before it includes this, and then writes one line a function.
 *
 * What is missing behind us (the companion was added to a program without that allocator, which
 * only asks whether the function exists) is served by the malloc family.
 */
#ifndef MTRACE_COMPANION_HOOKS_H
#define MTRACE_COMPANION_HOOKS_H

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "preload/sys/atomic.h"
#include "preload/hooks/companion.h"

/* ---- the next definitions */

enum function {
#define X(name) F_##name,
	FUNCTIONS(X)
#undef X
		FUNCTION_COUNT
};

static const char *const names[] = {
#define X(name) #name,
	FUNCTIONS(X)
#undef X
};

static void *next_functions[FUNCTION_COUNT];
static bool resolved;
static const struct companion *tracer; /* NULL: libmtrace.so isn't there */

/* Whose calls don't count, each an object: the allocator, which calls itself by these names, and
 * this one and libmtrace.so, since a function that ends in a call of another jumps there, and the
 * caller is then the hook that called the first. */
static struct range {
	uintptr_t start, end;
} insiders[3];

static void add_insider(int i, const void *function)
{
	if (tracer)
		tracer->object_of(function, &insiders[i].start, &insiders[i].end);
}

static inline bool is_insider(uintptr_t pc)
{
	for (int i = 0; i < 3; i++)
		if (pc - insiders[i].start < insiders[i].end - insiders[i].start)
			return true;
	return false;
}

HOOK void mtrace_companion(void);
HOOK __attribute__((constructor)) void mtrace_companion(void)
{
	if (resolved)
		return;
	tracer = mtrace_companion_1 ? mtrace_companion_1() : NULL;
	for (int i = 0; i < FUNCTION_COUNT; i++) {
		void *function = dlsym(RTLD_NEXT, names[i]);

		if (function && !insiders[0].end)
			add_insider(0, function);
		store_release(&next_functions[i], function);
	}
	add_insider(1, (const void *)mtrace_companion);
	if (tracer)
		add_insider(2, (const void *)tracer->object_of);
	store_release(&resolved, true);
}

static inline void *next_of(enum function f)
{
	if (unlikely(!load_acquire(&resolved)))
		mtrace_companion();
	return load_acquire(&next_functions[f]);
}

#define NEXT(name) ((__typeof__(&name))next_of(F_##name))

/* ---- an event */

struct event {
	const struct companion *to; /* NULL: it isn't recorded */
	struct cpu_frame at;
	void *last;
};

static inline struct event event_begin(struct cpu_frame at)
{
	struct event e = { NULL, at, NULL };

	next_of((enum function)0);
	if (likely(tracer != NULL) && !is_insider(at.pc)) {
		e.to = tracer;
		e.last = tracer->last();
	}
	return e;
}

static inline void *event_allocated(struct event e, void *p, size_t size)
{
	if (likely(p) && likely(e.to))
		e.to->allocated(p, size, e.at, e.last);
	return p;
}

static inline void event_freeing(struct event e, void *p)
{
	if (likely(p) && likely(e.to))
		e.to->freeing(p, e.at);
}

static inline struct companion_taken event_take(struct event e, void *p)
{
	struct companion_taken none = { 0 };

	return p && e.to ? e.to->take(p) : none;
}

/* p, of which `taken` was known, has become q. `freed`: where q is NULL, p was freed. */
static inline void event_resized(
	struct event e, void *p, struct companion_taken taken, void *q, size_t size, bool freed)
{
	if (!e.to)
		return;
	if (!p)
		event_allocated(e, q, size);
	else if (q || freed)
		e.to->moved(p, taken, q, size, e.at, e.last);
	else
		e.to->kept(p, taken);
}

/* As allocators do it: what doesn't fit is more than there is. */
static inline size_t times(size_t count, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(count, size, &bytes) ? PTRDIFF_MAX : bytes;
}

/* Zeroed, as some of the functions promise. */
static inline void *absent(size_t size, size_t alignment)
{
	void *p = alignment > 16 ? memalign(alignment, size) : calloc(1, size);

	if (p && alignment > 16)
		memset(p, 0, size);
	return p;
}

/* ---- the shapes; `bytes` and `alignment` are expressions of the parameters */

#define ALLOCATES(result, name, parameters, arguments, bytes, alignment)                    \
	HOOK result name parameters;                                                        \
	HOOK result name parameters                                                         \
	{                                                                                   \
		struct event e = event_begin(CPU_CALLER());                                 \
		void *block = NEXT(name) ? NEXT(name) arguments : absent(bytes, alignment); \
		return block ? event_allocated(e, block, bytes) : NULL;                     \
	}

/* Into *to; gives an error number. */
#define ALLOCATES_TO(name, parameters, arguments, bytes, alignment) \
	HOOK int name parameters;                                   \
	HOOK int name parameters                                    \
	{                                                           \
		struct event e = event_begin(CPU_CALLER());         \
		int error;                                          \
		if (NEXT(name)) {                                   \
			error = NEXT(name) arguments;               \
		} else {                                            \
			void *block = absent(bytes, alignment);     \
			error = block ? 0 : ENOMEM;                 \
			*to = block ? block : *to;                  \
		}                                                   \
		if (error == 0)                                     \
			event_allocated(e, *to, bytes);             \
		return error;                                       \
	}

/* A block p, to another size. `freed`: p was freed though there is no new block. */
#define RESIZES(name, parameters, arguments, bytes, freed)                       \
	HOOK void *name parameters;                                              \
	HOOK void *name parameters                                               \
	{                                                                        \
		struct event e = event_begin(CPU_CALLER());                      \
		struct companion_taken taken = event_take(e, p);                 \
		void *q = NEXT(name) ? NEXT(name) arguments : realloc(p, bytes); \
		event_resized(e, p, taken, q, bytes, freed);                     \
		return q;                                                        \
	}

#define FREES(name, parameters, arguments)                   \
	HOOK void name parameters;                           \
	HOOK void name parameters                            \
	{                                                    \
		event_freeing(event_begin(CPU_CALLER()), p); \
		if (NEXT(name))                              \
			NEXT(name) arguments;                \
		else                                         \
			free(p);                             \
	}

#endif
