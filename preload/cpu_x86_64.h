/*
 * cpu_x86_64.h - all that the library knows of the CPU: registers, the frame of a hook, and where
 * the kernel puts the interrupted registers when it delivers a signal.
 */
#ifndef MTRACE_CPU_H
#define MTRACE_CPU_H

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

/* Offsets from the stack pointer on entry to the signal trampoline (rt_sigframe: siginfo is behind
 * ucontext). */
#define CPU_SIGNAL_BP 120
#define CPU_SIGNAL_SP 160
#define CPU_SIGNAL_PC 168

/* As the kernel takes it. A handler that returns needs a restorer, and every one the flag. */
struct cpu_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};
#define CPU_SA_RESTORER 0x04000000ul

/* libunwind's names for this CPU. */
#define CPU_UNWIND_LIBRARY "libunwind-x86_64.so.8"
#define CPU_UNWIND(name) "_Ux86_64_" name

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

/* Does the C library's thread control block say of itself where it is? In a thread that a raw clone
 * made it may not, and nothing that needs it may be called. */
static inline int cpu_thread_is_whole(void)
{
	uintptr_t self;

	__asm__("movq %%fs:16, %0" : "=r"(self));
	return self == cpu_thread_pointer();
}

#endif
