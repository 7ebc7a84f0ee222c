/* SPDX-License-Identifier: MIT */
/*
 * empty_block.c - children that share the memory and have a thread block of zeros, or none, as Chromium's sandbox
 * makes one. Each does one thing that the library hooks.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

/* From WITHOUT_BLOCK on the C library itself needs a block. */
enum { NOTHING, SYSCALL, MAP, PROTECT, FIX, IMMEDIATE, WITHOUT_BLOCK, PRCTL = WITHOUT_BLOCK, REMAP, DUPLICATE, ALLOCATE, RESIZE, EXEC,
	ALL };

static _Alignas(64) char block[16384], stack[65536];
static char name[] = "true";
static char *const arguments[] = { name, NULL };
static void *volatile p;

/* No other way to end: exit_group itself. */
static void end(void)
{
	__asm__ volatile("syscall" : : "a"((long)SYS_exit_group), "D"(0L) : "rcx", "r11", "memory");
}

static void *map(size_t size)
{
	return mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int child(void *what)
{
	switch (*(int *)what) {
	case PRCTL:
		prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
		break;
	case SYSCALL:
		syscall(SYS_getppid);
		break;
	case MAP:
		p = map(4096);
		munmap(p, 4096);
		break;
	case PROTECT:
		mprotect(map(8192), 4096, PROT_NONE);
		break;
	case REMAP:
		mremap(map(8192), 8192, 4096, MREMAP_MAYMOVE);
		break;
	case FIX:
		p = map(8192);
		mmap(p, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	case IMMEDIATE:
		_exit(0);
	case DUPLICATE:
		close(dup(2));
		break;
	case ALLOCATE:
		free(malloc(10));
		break;
	case RESIZE:
		free(realloc(calloc(10, 10), 5000));
		break;
	case EXEC:
		execve("/bin/true", arguments, arguments + 1);
	}
	end();
	return 0;
}

int main(void)
{
	for (int i = 0; i < ALL + WITHOUT_BLOCK; i++) {
		int what = i < ALL ? i : i - ALL, status;
		void *tls = i < ALL ? block + sizeof(block) / 2 : NULL;
		pid_t pid = clone(child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_SETTLS | SIGCHLD, &what, NULL,
			tls, NULL);

		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
		printf("%d: %x\n", i, status);
	}
	return 0;
}
