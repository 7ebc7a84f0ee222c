/* SPDX-License-Identifier: MIT */
/* registers.c - a block whose only pointer is in a register when the program calls exit(). */
#include "cases.h"

NOINLINE static void *in_register(void) // reachable 77/1
{
	return malloc(77);
}

CASE dropped(void) // lost 78/1
{
	void *volatile p = malloc(78);

	p = NULL;
	(void)p;
}

int main(void)
{
	RUN(dropped);
	__asm__ volatile("mov %0, %%r15; xor %%eax, %%eax; xor %%edi, %%edi; and $-16, %%rsp; call exit"
			 :
			 : "a"(in_register())
			 : "r15", "rdi", "memory");
	return 1;
}
