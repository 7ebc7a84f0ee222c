/* SPDX-License-Identifier: MIT */
/*
 * cases.h - what the programs with known leaks share.
 *
 * A case is a function whose comment says what becomes of the blocks that it allocates, as memcheck has it:
 *
 *	CASE lost_plain(void) // lost 100/1
 *
 * for 100 bytes in 1 block; `freed` where nothing is left of it. Pointers pass through volatile variables and are overwritten, and scrub() clears the stack that was used,
 * so that none stays behind by accident.
 */
#ifndef TESTS_LEAKS_CASES_H
#define TESTS_LEAKS_CASES_H

#include <stdlib.h>
#include <string.h>

#ifdef __clang__ /* which makes no clones */
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE __attribute__((noinline, noclone))
#endif
#define CASE NOINLINE static void

NOINLINE static void scrub(void)
{
	volatile char stack[32768];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = 0;
}

/* Words that were never written may be an address that was there before. */
__attribute__((unused)) NOINLINE static void *zeroed(size_t size)
{
	return memset(malloc(size), 0, size);
}

/* What was stored where p points is really there, though nothing in the program reads it. */
#define STORED(p) __asm__ volatile("" : : "r"(p) : "memory")

/* An allocator moves addresses by vector registers, which nobody may use for long afterwards. */
NOINLINE static void forget_vectors(void)
{
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vzeroall");
	if (__builtin_cpu_supports("avx512f"))
		__asm__ volatile(".irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
				 "vpxorq %zmm\\n, %zmm\\n, %zmm\\n\n.endr");
}

/* Registers may hold a case's pointer after it returned: callee-saved ones, and others that nobody has used since. */
#define FORGET_REGISTERS()                                                                       \
	forget_vectors();                                                                        \
	__asm__ volatile("xor %%eax, %%eax; xor %%ebx, %%ebx; xor %%ecx, %%ecx; xor %%edx, %%edx;" \
			 "xor %%esi, %%esi; xor %%edi, %%edi; xor %%r8d, %%r8d; xor %%r9d, %%r9d;" \
			 "xor %%r10d, %%r10d; xor %%r11d, %%r11d; xor %%r12d, %%r12d;"             \
			 "xor %%r13d, %%r13d; xor %%r14d, %%r14d; xor %%r15d, %%r15d"              \
			 : : : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",  \
			 "r12", "r13", "r14", "r15", "cc", "memory")

#define RUN(name)                    \
	do {                         \
		name();              \
		scrub();             \
		FORGET_REGISTERS();  \
	} while (0)

#endif
