/* SPDX-License-Identifier: MIT */
/* preloading.h - what `mtracer run` preloads into a program: ours, an allocator, what was there. */
#ifndef MTRACER_PRELOADING_H
#define MTRACER_PRELOADING_H

/* The path of libmtrace.so; NULL = it isn't there. The caller frees it. */
char *preloading_library(void);

struct preloading {
	char *list;	       /* for LD_PRELOAD; owned */
	const char *sanitizer; /* a run-time system that lets nobody before it is loaded: then the
				  library isn't in the list */
	unsigned pools; /* that the program has (pools.h), where our library is in the list */
};

/* `library` NULL: without ours; `allocator` NULL: none in particular; `program` NULL: isn't known;
 * `loader` as for libraries_of().
 */
struct loader;
struct preloading preloading_choose(const char *library, const char *allocator, const char *program,
	const struct loader *loader);

#endif
