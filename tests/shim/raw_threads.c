/* SPDX-License-Identifier: MIT */
/*
 * raw_threads.c - threads that clone() makes and the C library knows nothing of: with the maker's thread-local
 * storage, with zeros instead, and with one of their own that the loader made.
 */
#include <dlfcn.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "program.h"

#define STACK (1 << 16)
#define FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID)

static int alive;

static int allocates(void *size)
{
	free(malloc((size_t)size));  //= count 250, total 8000
	syscall(SYS_exit, 0);
	return 0;
}

static void run(size_t size, int flags, void *storage)
{
	static char *stack;

	if (!stack)
		stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(stack != MAP_FAILED);
	__atomic_store_n(&alive, 1, __ATOMIC_SEQ_CST);
	CHECK(clone(allocates, stack + STACK, FLAGS | flags, (void *)size, NULL, storage, &alive) > 0);
	while (__atomic_load_n(&alive, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &alive, FUTEX_WAIT, 1, NULL, NULL, 0);
}

/* The maker waits, so the two are never in the C library at once. */
static void with_the_makers(void)
{
	for (int i = 0; i < 100; i++)
		run(30, 0, NULL);
}

/* The control block tells where it is, as the C library's does; where it doesn't, nothing can be recorded. */
static void with_their_own(void)
{
	void *(*make)(void *) = (void *(*)(void *))dlsym(RTLD_DEFAULT, "_dl_allocate_tls");
	uintptr_t *block;

	CHECK(make);
	for (int i = 0; i < 100; i++) {
		block = make(NULL);  //= any
		CHECK(block);
		block[0] = (uintptr_t)block;
		block[2] = i % 2 ? (uintptr_t)block : 0;
		run(40, CLONE_SETTLS, block);
	}
}

/* The same one again and again: what was in it is that of a thread which is gone. */
static void with_one_for_all(void)
{
	void *(*make)(void *) = (void *(*)(void *))dlsym(RTLD_DEFAULT, "_dl_allocate_tls");
	uintptr_t *block = make(NULL);  //= any

	CHECK(block);
	block[0] = block[2] = (uintptr_t)block;
	for (int i = 0; i < 100; i++)
		run(30, CLONE_SETTLS, block);
}

int main(void)
{
	with_the_makers();
	with_their_own();
	with_one_for_all();
	free(malloc(5));  //= count 1, total 5
	puts("done");
	return 0;
}
