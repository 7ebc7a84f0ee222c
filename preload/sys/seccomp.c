/* SPDX-License-Identifier: MIT */
/*
 * seccomp.c - keeps the filters that the program has installed (sandbox.c), and answers for them.
 *
 * Beyond MOST_FILTERS one counts as one that allows nothing. A filter that was there before the program
 * was executed isn't known.
 */
#include "preload/sys/seccomp.h"
#include "preload/sys/array.h"
#include "preload/sys/cpu.h"
#include "preload/sys/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST_FILTERS 16

int seccomp_depth;
bool seccomp_of_child;
bool lock_masks = true;

static struct seccomp_filter filters[MOST_FILTERS];

/* ---- one filter's answer */

/* A loaded word of the data, or the 0 that a valid filter never comes to. */
static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word = 0;

	if (offset <= sizeof(*data) - sizeof(word))
		memcpy(&word, (const char *)data + offset, sizeof(word));
	return word;
}

static uint32_t compute(uint16_t code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return a / b;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & 31);
	case BPF_RSH:
		return a >> (b & 31);
	default: /* BPF_NEG */
		return -a;
	}
}

static bool jumps(uint16_t code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	default: /* BPF_JSET */
		return a & b;
	}
}

/* The kernel has checked the program, or will refuse it: jumps go forward, memory has 16 words. */
static uint32_t answer(const struct seccomp_filter *f, const struct seccomp_data *data)
{
	uint32_t a = 0, x = 0, memory[BPF_MEMWORDS] = { 0 };

	for (unsigned i = 0; i < f->count; i++) {
		const struct sock_filter *s = &f->code[i];
		uint32_t operand = BPF_SRC(s->code) == BPF_X ? x : s->k;
		uint32_t loaded = BPF_MODE(s->code) == BPF_ABS	 ? load(data, s->k)
				  : BPF_MODE(s->code) == BPF_MEM ? memory[s->k % BPF_MEMWORDS]
				  : BPF_MODE(s->code) == BPF_LEN ? sizeof(*data)
								 : s->k;

		switch (BPF_CLASS(s->code)) {
		case BPF_LD:
			a = loaded;
			break;
		case BPF_LDX:
			x = loaded;
			break;
		case BPF_ST:
			memory[s->k % BPF_MEMWORDS] = a;
			break;
		case BPF_STX:
			memory[s->k % BPF_MEMWORDS] = x;
			break;
		case BPF_ALU:
			if (BPF_OP(s->code) == BPF_DIV && operand == 0)
				return SECCOMP_RET_KILL_THREAD; /* as the kernel has it */
			a = compute(s->code, a, operand);
			break;
		case BPF_JMP:
			i += BPF_OP(s->code) == BPF_JA	  ? s->k
			     : jumps(s->code, a, operand) ? s->jt
							  : s->jf;
			break;
		case BPF_RET:
			return BPF_RVAL(s->code) == BPF_A ? a : s->k;
		default: /* BPF_MISC */
			if (BPF_MISCOP(s->code) == BPF_TAX)
				x = a;
			else
				a = x;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

static bool permits(const struct seccomp_filter *f, long number, const unsigned long *arguments)
{
	struct seccomp_data data = { .nr = (int)number, .arch = AUDIT_ARCH_X86_64 };
	uint32_t action;

	for (int i = 0; i < 6; i++)
		data.args[i] = arguments[i];
	action = answer(f, &data) & SECCOMP_RET_ACTION_FULL;
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

bool seccomp_asks(long number, const unsigned long *arguments)
{
	int depth = load_acquire(&seccomp_depth);

	for (int i = 0; i < depth; i++)
		if (i >= MOST_FILTERS || !permits(&filters[i], number, arguments))
			return false;
	return true;
}

/* ---- what a piece of work takes */

struct call {
	long number;
	unsigned long arguments[6];
};

static bool allows(const struct call *calls, size_t count)
{
	for (size_t i = 0; i < count && seccomp_is_on(); i++)
		if (!seccomp_asks(calls[i].number, calls[i].arguments))
			return false;
	return true;
}

#define ALLOWS(calls) allows(calls, ARRAY_SIZE(calls))

static const struct call growth[] = {
	{ SYS_newfstatat, { 900, 0, 0, AT_EMPTY_PATH } },
	{ SYS_fstat, { 900 } },
	{ SYS_openat, { AT_FDCWD, 0, O_RDWR | O_NOFOLLOW | O_CLOEXEC } },
	{ SYS_close, { 900 } },
	{ SYS_fcntl, { 900, F_DUPFD_CLOEXEC } },
	{ SYS_prlimit64, { 0 } },
	{ SYS_fallocate, { 900 } },
	{ SYS_mmap, { CPU_PAGE, CPU_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, 900 } },
};

static const struct call child[] = {
	{ SYS_openat, { AT_FDCWD, 0, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600 } },
	{ SYS_openat, { AT_FDCWD, 0, O_RDONLY | O_CLOEXEC } },
	{ SYS_read, { 900 } },
	{ SYS_pread64, { 900 } },
	{ SYS_pwrite64, { 900 } },
	{ SYS_unlink, { 0 } },
	{ SYS_mkdir, { 0 } },
	{ SYS_uname, { 0 } },
	{ SYS_getpid, { 0 } },
	{ SYS_getppid, { 0 } },
	{ SYS_memfd_create, { 0 } },
	{ SYS_fchmod, { 900 } },
	{ SYS_munmap, { CPU_PAGE } },
	{ SYS_mmap, { CPU_PAGE, CPU_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, ~0ul } },
};

static const struct call scan[] = {
	{ SYS_clone, { 0 } },
	{ SYS_wait4, { 0 } },
	{ SYS_nanosleep, { 0 } },
	{ SYS_exit_group, { 0 } },
	{ SYS_openat, { AT_FDCWD, 0, O_RDONLY | O_CLOEXEC } },
	{ SYS_openat, { AT_FDCWD, 0, O_RDONLY | O_DIRECTORY | O_CLOEXEC } },
	{ SYS_getdents64, { 900 } },
	{ SYS_read, { 900 } },
	{ SYS_pread64, { 900 } },
	{ SYS_close, { 900 } },
	{ SYS_close_range, { 0, ~0u } },
	{ SYS_rt_sigaction, { SIGSEGV } },
	{ SYS_rt_sigaction, { SIGBUS } },
	{ SYS_rt_sigprocmask, { SIG_UNBLOCK, 0, 0, 8 } },
	{ SYS_gettid, { 0 } },
	{ SYS_munmap, { CPU_PAGE } },
};

static const struct call stopping[] = {
	{ SYS_clone, { CLONE_VM | CLONE_VFORK | CLONE_UNTRACED } },
	{ SYS_clone, { CLONE_PARENT } },
	{ SYS_ptrace, { PTRACE_SEIZE } },
	{ SYS_ptrace, { PTRACE_INTERRUPT } },
	{ SYS_ptrace, { PTRACE_GETREGSET } },
	{ SYS_ptrace, { PTRACE_SETREGSET } },
	{ SYS_ptrace, { PTRACE_DETACH } },
	{ SYS_prctl, { PR_SET_PDEATHSIG, SIGKILL } },
	{ SYS_lseek, { 900 } },
	{ SYS_openat, { 900, 0, O_RDONLY | O_CLOEXEC } },
	{ SYS_timer_create, { CLOCK_MONOTONIC } },
	{ SYS_timer_settime, { 0 } },
};

bool seccomp_forbids_growth(const struct seccomp_filter *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(growth); i++)
		if (!permits(f, growth[i].number, growth[i].arguments))
			return true;
	return false;
}

bool seccomp_allows_growth(void)
{
	return ALLOWS(growth);
}

bool seccomp_allows_masks(void)
{
	static const struct call masks[] = { { SYS_rt_sigprocmask, { SIG_SETMASK, 0, 0, 8 } } };

	return ALLOWS(masks);
}

bool seccomp_allows_child(void)
{
	return ALLOWS(growth) && ALLOWS(child);
}

bool seccomp_allows_messages(void)
{
	static const struct call messages[] = {
		{ SYS_newfstatat, { STDERR_FILENO, 0, 0, AT_EMPTY_PATH } },
		{ SYS_fstat, { STDERR_FILENO } },
		{ SYS_rt_sigpending, { 0, 8 } },
		{ SYS_rt_sigprocmask, { SIG_BLOCK, 0, 0, 8 } },
		{ SYS_rt_sigtimedwait, { 0 } },
		{ SYS_write, { STDERR_FILENO } },
	};

	return ALLOWS(messages);
}

bool seccomp_allows_scan(void)
{
	return ALLOWS(scan) && seccomp_allows_masks();
}

bool seccomp_allows_stopping(void)
{
	return ALLOWS(stopping);
}

/* ---- filters that come and go */

void seccomp_keep(struct seccomp_filter f)
{
	if (seccomp_depth < MOST_FILTERS)
		filters[seccomp_depth] = f;
}

void seccomp_change(int by)
{
	store_release(&seccomp_depth, seccomp_depth + by);
	store_relaxed(&lock_masks, seccomp_allows_masks());
}
