/* SPDX-License-Identifier: MIT */
/*
 * by_hand.h - for stacks that a program makes by hand: the switch to one, functions whose frames need no rbp, and an
 * address to return to that no call has left there.
 */
#ifndef TEST_BY_HAND_H
#define TEST_BY_HAND_H

#include <string.h>

#include "program.h"

#ifdef __clang__
#define without_frame_pointer __attribute__((noinline, optnone))
#else
#define without_frame_pointer __attribute__((noinline, optimize("omit-frame-pointer")))
#endif

/* Saves the registers on this stack, and takes those that were saved on the other. */
void switch_stacks(void ***from, void **to);
__asm__(".pushsection .text\n\t.globl switch_stacks\n\t.type switch_stacks, @function\n"
	"switch_stacks:\n\t"
	"push %rbp\n\tpush %rbx\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
	"mov %rsp, (%rdi)\n\tmov %rsi, %rsp\n\t"
	"pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbx\n\tpop %rbp\n\tret\n"
	".size switch_stacks, .-switch_stacks\n\t.popsection");

static without_frame_pointer __attribute__((unused)) void never_runs(void)
{
	volatile char room[3000];

	memset((char *)room, 1, sizeof(room));
	puts("never runs");
	CHECK(room[0] == 2);
}

/* In a function whose frame is larger than what is left of the stack above; as if it stood behind a call. */
#define ADDRESS_OF_NO_CALL ((void *)((char *)never_runs + 64))

#endif
