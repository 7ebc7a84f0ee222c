/* SPDX-License-Identifier: MIT */
/*
 * hooks_process.c - what changes the process around the allocations: dlclose, seccomp, and the ways
 * to exit that run no destructors. The real call is the last thing that each does.
 */
#include "preload/leakscan/snapshot.h"
#include "preload/life/control.h"
#include "preload/life/leave.h"
#include "preload/life/sandbox.h"
#include "preload/sys/next.h"
#include "preload/sys/os.h"
#include "preload/sys/phase.h"
#include "preload/unwind/cuts.h"
#include "preload/unwind/modules.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

HOOK int dlclose(void *handle)
{
	int result;

	if (phase_page.phase != PHASE_ON)
		return next.dlclose(handle);
	modules_close(1);
	result = next.dlclose(handle);
	modules_sweep();
	modules_close(-1);
	return result;
}

/* Our mappings are no part of what the program means, nor of what it has reckoned with. */
HOOK int mlockall(int flags)
{
	int result = next.mlockall ? next.mlockall(flags) : (int)syscall(SYS_mlockall, flags);

	if (result == 0)
		os_unlock_own(flags & MCL_FUTURE);
	return result;
}

HOOK int prctl(int option, ...)
{
	unsigned long a[4];
	bool entered = false;
	va_list list;
	int result;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(list, unsigned long);
	va_end(list);
	if (unlikely(option == PR_SET_SECCOMP))
		entered = sandbox_enter(
			a[0] == SECCOMP_MODE_FILTER ? (const void *)a[1] : NULL, CPU_CALLER());
	result = next.prctl ? next.prctl(option, a[0], a[1], a[2], a[3])
			    : (int)syscall(SYS_prctl, option, a[0], a[1], a[2], a[3]);
	if (entered && result != 0)
		sandbox_leave();
	if (option == PR_SET_PTRACER && result == 0)
		snapshot_note_tracer(a[0]);
	return result;
}

/*
 * syscall(2), which libseccomp takes: all but seccomp's, wait4's, exec's and what changes mappings
 * goes on as it came, to the next definition, by a jump. syscall_watched finds the arguments where
 * syscall has them.
 */
__asm__(".text\n"
	".globl syscall\n"
	".type syscall, @function\n"
	"syscall:\n\t"
	".cfi_startproc\n\t"
	"endbr64\n\t"
	"movq next_syscall(%rip), %rax\n\t"
	"cmpq $317, %rdi\n\t" /* SYS_seccomp */
	"je syscall_watched\n\t"
	"leaq -9(%rdi), %r11\n\t" /* SYS_mmap, SYS_mprotect, SYS_munmap */
	"cmpq $2, %r11\n\t"
	"jbe syscall_watched\n\t"
	"cmpq $25, %rdi\n\t" /* SYS_mremap */
	"je syscall_watched\n\t"
	"cmpq $61, %rdi\n\t" /* SYS_wait4 */
	"je syscall_watched\n\t"
	"cmpq $59, %rdi\n\t" /* SYS_execve */
	"je syscall_watched\n\t"
	"cmpq $322, %rdi\n\t" /* SYS_execveat */
	"je syscall_watched\n\t"
	"testq %rax, %rax\n\t"
	"je syscall_watched\n\t"
	"jmp *%rax\n\t"
	".cfi_endproc\n\t"
	".size syscall, . - syscall");
_Static_assert(SYS_seccomp == 317 && SYS_mmap == 9 && SYS_mprotect == 10 && SYS_munmap == 11 &&
		       SYS_mremap == 25 && SYS_wait4 == 61 && SYS_execve == 59 &&
		       SYS_execveat == 322,
	"as in syscall");

/* Before the next definition is known. */
static long call_kernel(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	if (result >= 0 || result < -4095)
		return result;
	errno = (int)-result;
	return -1;
}

/* Before the call. */
static void watch_mappings(long number, long a, long b, long c, long d, long e)
{
	bool goes = number == SYS_munmap || number == SYS_mremap ||
		    (number == SYS_mprotect && !(c & PROT_READ)) ||
		    (number == SYS_mmap && (d & MAP_FIXED));

	if (goes)
		cuts_make((void *)a, (size_t)b);
	if (number == SYS_mremap && (d & MREMAP_FIXED))
		cuts_make((void *)e, (size_t)c);
	if ((goes && number != SYS_mprotect) || (number == SYS_mprotect && (c & PROT_EXEC)))
		modules_change((uintptr_t)a, (size_t)b);
}

__attribute__((used)) long syscall_watched(
	long number, long a, long b, long c, long d, long e, long f);
long syscall_watched(long number, long a, long b, long c, long d, long e, long f)
{
	unsigned gone = load_acquire(&snapshot_gone);
	bool entered = false, noted = false;
	long result;

	if (number == SYS_execve || number == SYS_execveat)
		noted = control_goes_on(number, (const char *)(number == SYS_execve ? a : b));
	if (number == SYS_seccomp && (a == SECCOMP_SET_MODE_FILTER || a == SECCOMP_SET_MODE_STRICT))
		entered = sandbox_enter(
			a == SECCOMP_SET_MODE_FILTER ? (const void *)c : NULL, CPU_CALLER());
	/* those are made under locks */
	if (!modules_is_self((uintptr_t)__builtin_return_address(0)))
		watch_mappings(number, a, b, c, d, e);
	do
		result = next_syscall ? next_syscall(number, a, b, c, d, e, f)
				      : call_kernel(number, a, b, c, d, e, f);
	while (number == SYS_wait4 && (c & (__WALL | __WCLONE)) &&
		snapshot_is_child((int)result, gone));
	if (entered && result != 0)
		sandbox_leave();
	if (noted)
		control_stays();
	return result;
}

/* ---- ways out. Each notes where it was called from: what is further in on the stack is no more. */

#define EXIT_HOOK(name)                                         \
	__attribute__((noreturn, used)) void name##_noted(int); \
	CPU_NOTING_HOOK(name, exit_caller, name##_noted)

EXIT_HOOK(exit);
EXIT_HOOK(_exit);
EXIT_HOOK(_Exit);
EXIT_HOOK(quick_exit);

/* The library's destructor does the rest. */
void exit_noted(int status)
{
	if (next.exit)
		next.exit(status);
	_exit_noted(status);
}

/* May be called in a signal handler, by a vfork child, and while the loader's lock is held: asks
 * nobody. */
void _exit_noted(int status)
{
	leave(&exit_caller);
	for (;;) {
		syscall(SYS_exit_group, status);
		__builtin_trap(); /* a seccomp filter that says no: as the C library does */
	}
}

void _Exit_noted(int status)
{
	_exit_noted(status);
}

void quick_exit_noted(int status)
{
	leave_quickly();
	next.quick_exit(status);
}
