/* SPDX-License-Identifier: MIT */
/* companion_jemalloc.c - jemalloc's extended interface; its malloc family comes by libmtrace.so. */
#define FUNCTIONS(X) X(mallocx) X(rallocx) X(xallocx) X(dallocx) X(sdallocx)

#include "preload/hooks/companion_hooks.h"

/* MALLOCX_LG_ALIGN(n), in the low bits of the flags. */
#define ALIGNMENT(flags) ((size_t)1 << ((flags)&63))

/* clang-format off */
ALLOCATES(void *, mallocx, (size_t size, int flags), (size, flags), size, ALIGNMENT(flags))
RESIZES(rallocx, (void *p, size_t size, int flags), (p, size, flags), size, false)
FREES(dallocx, (void *p, int flags), (p, flags))
FREES(sdallocx, (void *p, size_t size, int flags), (p, size, flags))
/* clang-format on */

/* In place: to `size` bytes and as many of `extra` as there are. Gives the block's real size, which
 * is less than `size` where it stayed as it was. */
HOOK size_t xallocx(void *p, size_t size, size_t extra, int flags);
HOOK size_t xallocx(void *p, size_t size, size_t extra, int flags)
{
	struct event e = event_begin(CPU_CALLER());
	struct companion_taken taken = event_take(e, p);
	size_t real = NEXT(xallocx) ? NEXT(xallocx)(p, size, extra, flags) : malloc_usable_size(p);
	size_t wanted = extra < SIZE_MAX - size ? size + extra : SIZE_MAX;

	event_resized(e, p, taken, real >= size ? p : NULL, real < wanted ? real : wanted, false);
	return real;
}
