/* SPDX-License-Identifier: MIT */
/*
 * cpu_x86_64.h - all that the library knows of the CPU: registers, the frame of a hook, and where
 * the kernel puts the interrupted registers when it delivers a signal.
 */
#ifndef MTRACE_CPU_H
#define MTRACE_CPU_H

#include "preload/sys/array.h"

#include <stdbool.h>
#include <stdint.h>

/* A frame as its callee leaves it: the stack pointer right after the return, the return address,
 * and the frame-pointer register, which may hold anything. */
struct cpu_frame {
	uintptr_t sp;
	uintptr_t pc;
	uintptr_t bp;
};

/* The frame that called the function in which this macro stands. */
#define CPU_CALLER()                                                        \
	({                                                                  \
		const uintptr_t *fa_ = __builtin_frame_address(0);          \
		(struct cpu_frame){ (uintptr_t)(fa_ + 2), fa_[1], fa_[0] }; \
	})

/* The return address is the word below the caller's stack pointer. */
#define CPU_RETURN_SLOT (-8)

/* The longest instruction that calls, bytes. */
#define CPU_CALL_MOST 8

/* Do these bytes end with a call? The opcodes are E8 with four bytes behind it, and FF with 2 in the
 * middle bits of the byte behind it, which also tells how many follow. */
static inline int cpu_ends_with_call(const unsigned char code[CPU_CALL_MOST])
{
	const unsigned char *end = code + CPU_CALL_MOST;

	if (end[-5] == 0xe8)
		return 1;
	for (int size = 2; size <= 7; size++) {
		const unsigned char *at = end - size;
		unsigned mod = at[1] >> 6, rm = at[1] & 7;
		int operand = mod == 1 ? 1 : mod == 2 || (mod == 0 && rm == 5) ? 4 : 0;

		if (at[0] != 0xff || (at[1] >> 3 & 7) != 2)
			continue;
		if (mod != 3 && rm == 4)
			operand += size > 2 && mod == 0 && (at[2] & 7) == 5 ? 5 : 1;
		if (size == 2 + operand)
			return 1;
	}
	return 0;
}

/* Offsets from the stack pointer on entry to the signal trampoline (rt_sigframe: siginfo is behind
 * ucontext). */
#define CPU_SIGNAL_BP 120
#define CPU_SIGNAL_SP 160
#define CPU_SIGNAL_PC 168

/* There too: the number of the last fault, its error code and its address, if it was one in a
 * page. */
#define CPU_SIGNAL_ERROR 192
#define CPU_SIGNAL_FAULT 200
#define CPU_SIGNAL_ADDRESS 216
#define CPU_FAULT_PAGE 14
#define CPU_ERROR_FETCH 16 /* of an instruction */

/* As the kernel takes it. A handler that returns needs a restorer, and every one the flag. */
struct cpu_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};
#define CPU_SA_RESTORER 0x04000000ul

/* Relocations of words that hold a function's address: one that is taken, and one for calls. */
#define CPU_RELOCATION_ADDRESS 6 /* R_X86_64_GLOB_DAT */
#define CPU_RELOCATION_CALL 7	 /* R_X86_64_JUMP_SLOT */

/* libunwind's names for this CPU. */
#define CPU_UNWIND_LIBRARY "libunwind-x86_64.so.8"
#define CPU_UNWIND(name) "_Ux86_64_" name

/* Of a function's caller: the registers that are its own during the call, and its stack pointer. */
struct cpu_caller {
	uintptr_t registers[6];
	uintptr_t sp;
};

/* A function `name` that notes its caller in the variable `caller` and goes on as `hook`. */
#define CPU_NOTING_HOOK(name, caller, hook)                  \
	__asm__(".text\n"                                    \
		".globl " #name "\n"                         \
		".type " #name ", @function\n" #name ":\n\t" \
		".cfi_startproc\n\t"                         \
		"endbr64\n\t"                                \
		"movq %rbx, " #caller "(%rip)\n\t"           \
		"movq %rbp, " #caller "+8(%rip)\n\t"         \
		"movq %r12, " #caller "+16(%rip)\n\t"        \
		"movq %r13, " #caller "+24(%rip)\n\t"        \
		"movq %r14, " #caller "+32(%rip)\n\t"        \
		"movq %r15, " #caller "+40(%rip)\n\t"        \
		"leaq 8(%rsp), %rax\n\t"                     \
		"movq %rax, " #caller "+48(%rip)\n\t"        \
		"jmp " #hook "\n\t"                          \
		".cfi_endproc\n\t"                           \
		".size " #name ", . - " #name)

/* A stopped thread's, as ptrace has them. */
struct cpu_registers {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, call, ip,
		cs, flags, sp, ss, fs_base, gs_base, ds, es, fs, gs;
};
#define CPU_VECTOR_SET NT_X86_XSTATE

#define CPU_PAGE 4096ul /* bytes of the smallest page; all larger ones are multiples of it */

/* Where the page of an address begins; and the first page that begins there or behind. */
static inline uintptr_t cpu_page_down(uintptr_t address)
{
	return address & ~(CPU_PAGE - 1);
}

static inline uintptr_t cpu_page_up(uintptr_t address)
{
	return cpu_page_down(address + CPU_PAGE - 1);
}

#define CPU_RED_ZONE 128u /* bytes below the stack pointer that a leaf function may use */

static inline uintptr_t cpu_stack_pointer(const struct cpu_registers *r)
{
	return r->sp;
}

static inline int cpu_in_call(const struct cpu_registers *r)
{
	return (long)r->call >= 0;
}

/*
 * Was it in a system call that fails with EINTR when the thread is stopped, though no signal has come?
 * Such a call has done nothing and may be made again: its number and its arguments are still in
 * their registers. (Not so close(), which fails with that and has closed.)
 */
static inline int cpu_restarts(const struct cpu_registers *r)
{
	static const short calls[] = {
		0, 1, 17, 18, 19, 20, /* read, write, pread64, pwrite64, readv, writev */
		43, 44, 45, 46, 47,   /* accept, sendto, recvfrom, sendmsg, recvmsg */
		65, 69, 70, 220,      /* semop, msgsnd, msgrcv, semtimedop */
		128,		      /* rt_sigtimedwait */
		208, 333,	      /* io_getevents, io_pgetevents */
		232, 281, 441,	      /* epoll_wait, epoll_pwait, epoll_pwait2 */
		288, 299, 307,	      /* accept4, recvmmsg, sendmmsg */
		426,		      /* io_uring_enter */
	};

	for (unsigned i = 0; r->ax == -4ul && i < ARRAY_SIZE(calls); i++)
		if ((long)r->call == calls[i])
			return 1;
	return 0;
}

static inline void cpu_restart(struct cpu_registers *r)
{
	r->ax = r->call;
	r->ip -= 2; /* the instruction's length */
}

/* Calls f(arg) with its stack below `top`, a multiple of 16. */
static inline void cpu_call_on(void *top, void (*f)(void *), void *arg)
{
	__asm__ volatile(
		"movq %%rsp, %%rbx\n\t"
		"movq %[top], %%rsp\n\t"
		"call *%[f]\n\t"
		"movq %%rbx, %%rsp"
		: "+D"(arg)
		: [top] "r"(top), [f] "r"(f)
		: "rbx", "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc", "memory");
}

/* The C library's thread descriptor begins where the thread pointer points, with its own address, and
 * has that here once more. */
#define CPU_THREAD_SELF 16u

static inline uintptr_t cpu_thread_pointer(void)
{
#if defined(__clang__) || __GNUC__ >= 11
	return (uintptr_t)__builtin_thread_pointer();
#else
	uintptr_t block;

	__asm__("movq %%fs:0, %0" : "=r"(block));
	return block;
#endif
}

/* May the base of the thread block be read by an instruction? */
#define CPU_READS_BASE 2ul /* in AT_HWCAP2 */
extern bool cpu_reads_base __attribute__((visibility("hidden")));

/* Is there a thread block? A child that a raw clone made may have none, and nothing of a thread's may
 * be looked at there, not even errno. Where that can't be told there is one. */
static inline bool cpu_has_thread(void)
{
	uintptr_t base = 1;

	if (cpu_reads_base)
		__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base != 0;
}

/* Does the C library's thread control block say of itself where it is? In a thread that a raw clone
 * made it may not, and nothing that needs it may be called. */
static inline int cpu_thread_is_whole(void)
{
	uintptr_t self;

	if (!cpu_has_thread())
		return 0;
	__asm__("movq %%fs:16, %0" : "=r"(self));
	return self != 0 && self == cpu_thread_pointer();
}

#endif
