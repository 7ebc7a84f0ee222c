/* SPDX-License-Identifier: MIT */
/*
 * next.h - the definitions that our hooks stand in front of, and the memory for the time before
 * they are known.
 */
#ifndef MTRACE_NEXT_H
#define MTRACE_NEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

struct rusage;

#define COMPANION_MARK "mtrace_companion" /* each object of companion.h defines this function */

#pragma GCC visibility push(hidden)

struct next {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	void (*free_sized)(void *, size_t);		    /* NULL before C23 */
	void (*free_aligned_sized)(void *, size_t, size_t); /* NULL before C23 */
	void *(*memalign)(size_t, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	void *(*valloc)(size_t);
	void *(*pvalloc)(size_t);
	size_t (*malloc_usable_size)(void *);
	char *(*strdup)(const char *);
	char *(*strndup)(const char *, size_t);
	int (*dlclose)(void *);
	void (*exit)(int) __attribute__((noreturn));
	void (*quick_exit)(int) __attribute__((noreturn));
	int (*execve)(const char *, char *const[], char *const[]);
	int (*execv)(const char *, char *const[]);
	int (*execvp)(const char *, char *const[]);
	int (*execvpe)(const char *, char *const[], char *const[]);
	int (*fexecve)(int, char *const[], char *const[]);
	/* NULL before glibc 2.34 */
	int (*execveat)(int, const char *, char *const[], char *const[], int);
	int (*prctl)(int, ...);
	int (*mlockall)(int);
	void *(*mmap)(void *, size_t, int, int, int, int64_t);
	int (*munmap)(void *, size_t);
	void *(*mremap)(void *, size_t, size_t, int, ...);
	int (*mprotect)(void *, size_t, int);
	int (*madvise)(void *, size_t, int);
	void *(*sbrk)(intptr_t);
	int (*brk)(void *);
	int (*waitpid)(int, int *, int);
	int (*wait4)(int, int *, int, struct rusage *);
	int (*waitid)(idtype_t, id_t, siginfo_t *, int);
	uintptr_t allocator, allocator_size; /* another allocator's code; 0: glibc's */
	uintptr_t self, self_size;	     /* libmtrace.so */
	bool plain; /* every block is recorded, and no more asked of it: the hooks' fast path will
		       do */
	bool glibc; /* the C library's own: all are known, no hook is called inside them, and blocks
		       are 32 bytes apart */
};

extern struct next next;
extern long (*next_syscall)(long, ...); /* apart, since it is called by name */

void next_resolve(void);

/* The library was loaded behind the C library: by dlopen(), or as one of the program's last. Whoever
 * asks for malloc finds that one's, whatever a caller that was loaded in the same way
 * (RTLD_DEEPBIND) finds. */
bool next_is_late(void);

/* A sanitizer's run-time system is in the process: it has an allocator of its own and checks all
 * that is done to it, so the library stays out. Its name; NULL: there is none. */
const char *next_sanitizer(void);

/*
 * The definition that the program uses, where ours isn't it: its own one, or an allocator's that is
 * preloaded before us. NULL: it is ours. Asks the loader.
 */
void *next_before(const char *name);

/* What the program's blocks come from where malloc isn't ours: then ours must not mix them with the
 * C library's. NULL: ours is the first. */
struct earlier {
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
};
extern struct earlier earlier;

/* While dlsym runs inside next_resolve(), it may allocate. Such blocks are never given back. */
void *boot_alloc(size_t size, size_t alignment);

/* Between these, what the only thread allocates by malloc and calloc comes from there too, as long as there is room:
 * what the library itself needs for good shall not be between the program's blocks. */
void boot_serve(void);
void boot_serve_no_more(void);
size_t boot_size(const void *block); /* usable bytes of a block of boot_alloc */
extern size_t boot_used;	     /* bytes of boot_memory */
extern unsigned char boot_memory[1 << 16];

#pragma GCC visibility pop

static inline bool boot_owns(const void *block)
{
	return (uintptr_t)block - (uintptr_t)boot_memory < sizeof(boot_memory);
}

/* Does that code belong to another allocator? Or to us: a function of its that ends in a call of
 * another jumps there, and the caller is the hook that called the first. */
static inline bool next_is_allocator(uintptr_t pc)
{
	return pc - next.allocator < next.allocator_size || pc - next.self < next.self_size;
}

#endif
