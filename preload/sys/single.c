/* SPDX-License-Identifier: MIT */
/* single.c - the hooks by which single.h knows of a second thread where the C library doesn't tell. */
#include "preload/sys/single.h"
#include "preload/sys/atomic.h"

#ifdef SINGLE_BY_HOOK

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <threads.h>

bool process_is_single = true;

/* Before the thread is made: it may be the first to allocate. */
HOOK int pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *arg)
{
	static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	process_is_single = false;
	if (!real)
		real = dlsym(RTLD_NEXT, "pthread_create");
	return real ? real(thread, attributes, start, arg) : ENOSYS;
}

HOOK int thrd_create(thrd_t *thread, thrd_start_t start, void *arg)
{
	static int (*real)(thrd_t *, thrd_start_t, void *);

	process_is_single = false;
	if (!real)
		real = dlsym(RTLD_NEXT, "thrd_create");
	return real ? real(thread, start, arg) : thrd_error;
}

#endif
