/* SPDX-License-Identifier: MIT */
/*
 * single.h - whether the process has had one thread so far. The C library says so before it starts
 * a second one; below glibc 2.32 a hook of pthread_create sees that.
 */
#ifndef MTRACE_SINGLE_H
#define MTRACE_SINGLE_H

#if __has_include(<sys/single_threaded.h>)

#include <sys/single_threaded.h>

#include "preload/sys/glibc.h"

#define process_is_single __libc_single_threaded

#else

#define SINGLE_BY_HOOK
extern __attribute__((visibility("hidden"))) _Bool process_is_single;

#endif

#endif
