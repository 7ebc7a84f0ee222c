/*
 * by_hand.h - for stacks that a program makes by hand: the switch to one, and functions whose frames need no rbp.
 */
#ifndef TEST_BY_HAND_H
#define TEST_BY_HAND_H

#ifdef __clang__
#define without_frame_pointer __attribute__((noinline, optnone))
#else
#define without_frame_pointer __attribute__((noinline, optimize("omit-frame-pointer")))
#endif

/* Saves the registers on this stack, and takes those that were saved on the other. */
void switch_stacks(void ***from, void **to);
__asm__(".globl switch_stacks\n\t.type switch_stacks, @function\n"
	"switch_stacks:\n\t"
	"push %rbp\n\tpush %rbx\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
	"mov %rsp, (%rdi)\n\tmov %rsi, %rsp\n\t"
	"pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbx\n\tpop %rbp\n\tret\n"
	".size switch_stacks, .-switch_stacks");

#endif
