/* SPDX-License-Identifier: MIT */
/* threads.c - lists threads, stops them, and lets them go as if nothing had been. */
#include "preload/leakscan/threads.h"
#include "preload/store/thread.h"
#include "preload/sys/cpu.h"
#include "preload/sys/os.h"
#include "preload/sys/text.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_THREADS 4096
#define MAP_SIZE (MOST_THREADS * (sizeof(struct scan_stack) + sizeof(int)))
/* An allocator leaves the block's address in registers that it need not keep, where a thread still has
 * it that makes no calls any more. Our hooks leave it in their frames. */
#define LEFT_BY_HOOK 1024u
#define PTRACE_STOPPED(status) ((status) >> 16 == PTRACE_EVENT_STOP)

/* ---- what /proc tells */

/* A file of the thread's, in the directory of all. */
static size_t read_of(const struct threads *t, int tid, const char *file, char *buffer, size_t size)
{
	char path[64];
	struct text name;
	long fd, got;

	text_init(&name, path, sizeof(path));
	text_add_number(&name, (uint64_t)tid);
	text_add(&name, file);
	*buffer = '\0';
	fd = os_call(SYS_openat, t->tasks, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	got = os_call(SYS_read, fd, buffer, size - 1);
	(void)os_call(SYS_close, fd);
	buffer[got > 0 ? got : 0] = '\0';
	return got > 0 ? (size_t)got : 0;
}

/* Reads "nr a0 ... a5 sp pc", or "running", or "-1 sp pc". */
static void read_syscall(const struct threads *t, int tid, struct scan_stack *s)
{
	char line[256];
	uintptr_t words[9] = { 0 };
	char *p = line;
	int count = 0;

	read_of(t, tid, "/syscall", line, sizeof(line));
	while (*p && count < 9) {
		char *end;
		uintptr_t n = strtoull(p, &end, 0);

		if (end == p)
			break;
		words[count++] = n;
		p = end;
	}
	if (count == 9) {
		s->register_size = 6 * sizeof(*words); /* the arguments */
		memcpy(s->registers, &words[1], s->register_size);
		s->sp = words[7] - CPU_RED_ZONE;
	} else if (count == 3) {
		s->sp = words[1] - CPU_RED_ZONE;
	}
	s->running = count != 9 && count != 3;
}

/* 'X': there is none. */
static char state_of(const struct threads *t, int tid)
{
	char stat[512], state;

	read_of(t, tid, "/stat", stat, sizeof(stat));
	state = *os_stat_field(stat, 3);
	return state ? state : 'X';
}

/* The thread has ended, though others haven't. */
static bool is_gone(const struct threads *t, int tid)
{
	char state = state_of(t, tid);

	return state == 'Z' || state == 'X';
}

/* A mask of signals from /proc/.../status. */
static uint64_t mask_of(const char *status, const char *name)
{
	const char *p = strstr(status, name);

	return p ? strtoull(p + strlen(name), NULL, 16) : 0;
}

static bool has_signal(const struct threads *t, int tid)
{
	char status[4096];
	uint64_t pending;

	if (read_of(t, tid, "/status", status, sizeof(status)) == 0)
		return true;
	pending = mask_of(status, "\nSigPnd:") | mask_of(status, "\nShdPnd:");
	return (pending & ~mask_of(status, "\nSigBlk:")) != 0;
}

struct directory_entry {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

/* Its place; t->count: it isn't known. */
static size_t find(const struct threads *t, int tid)
{
	size_t i = 0;

	while (i < t->count && t->tids[i] != tid)
		i++;
	return i;
}

/* Calls `met` with each thread that isn't known yet, as far as there is room. */
static bool list(struct threads *t, bool (*met)(struct threads *t, int tid))
{
	static char buffer[4096]; /* one snapshot at a time, and stacks may be small */
	bool any = false;
	long got;

	t->unlisted = 0;
	(void)os_call(SYS_lseek, t->tasks, 0, SEEK_SET);
	while ((got = os_call(SYS_getdents64, t->tasks, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < got;) {
			const struct directory_entry *e = (const void *)(buffer + at);
			uint64_t tid;

			at += e->size;
			if (!text_to_number(e->name, &tid) || find(t, (int)tid) < t->count)
				continue;
			if (t->count < MOST_THREADS)
				any |= met(t, (int)tid);
			else
				t->unlisted++;
		}
	}
	return any;
}

bool threads_open(struct threads *t, uintptr_t sp)
{
	memset(t, 0, sizeof(*t));
	t->stacks = os_map(MAP_SIZE);
	t->tasks = os_open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (t->stacks) {
		t->tids = (int *)(t->stacks + MOST_THREADS);
		t->stacks[0].sp = sp;
		t->tids[0] = t->stacks[0].tid = os_tid();
		t->count = 1;
	}
	return t->stacks != NULL;
}

void threads_close(struct threads *t)
{
	if (t->tasks >= 0)
		os_close(t->tasks);
	if (t->stacks)
		os_unmap(t->stacks, MAP_SIZE);
}

static bool look(struct threads *t, int tid)
{
	struct scan_stack *s = &t->stacks[t->count];

	if (is_gone(t, tid))
		return false;
	t->tids[t->count++] = s->tid = tid;
	read_syscall(t, tid, s);
	t->blind++;
	return true;
}

void threads_look(struct threads *t)
{
	t->count = 1;
	t->blind = 0;
	(void)list(t, look);
	t->blind += t->unlisted;
}

/* ---- stopping */

static long trace_call(long request, int tid, uintptr_t address, uintptr_t data)
{
	return os_call(SYS_ptrace, request, tid, address, data);
}

static bool refused; /* to trace one */

/* Its stop comes later. */
static bool interrupt(struct threads *t, int tid)
{
	struct scan_stack *s = &t->stacks[t->count];
	long error = trace_call(PTRACE_SEIZE, tid, 0, 0);

	if (error < 0) {
		refused |= error != -ESRCH && !is_gone(t, tid);
		return false;
	}
	if (trace_call(PTRACE_INTERRUPT, tid, 0, 0) < 0)
		return false; /* it has ended since */
	*s = (struct scan_stack){ .tid = tid, .running = true };
	t->tids[t->count++] = tid;
	return true;
}

/* The system call that it was waiting in failed because of us alone. */
static void restart_call(struct threads *t, int tid, struct scan_stack *s)
{
	struct cpu_registers r;
	struct iovec io = { &r, sizeof(r) };

	memcpy(&r, s->registers, sizeof(r));
	if (cpu_restarts(&r) && !has_signal(t, tid)) {
		cpu_restart(&r);
		(void)trace_call(PTRACE_SETREGSET, tid, NT_PRSTATUS, (uintptr_t)&io);
	}
}

static void read_registers(int tid, struct scan_stack *s)
{
	struct cpu_registers *r = (void *)s->registers;
	struct iovec io = { r, sizeof(*r) };
	size_t used;

	if (trace_call(PTRACE_GETREGSET, tid, NT_PRSTATUS, (uintptr_t)&io) < 0)
		return;
	used = sizeof(*r) / sizeof(uintptr_t);
	io = (struct iovec){ &s->registers[used], sizeof(s->registers) - sizeof(*r) };
	if (trace_call(PTRACE_GETREGSET, tid, CPU_VECTOR_SET, (uintptr_t)&io) < 0)
		io.iov_len = 0;
	s->register_size = sizeof(*r) + io.iov_len;
	s->sp = cpu_stack_pointer(r) - (cpu_in_call(r) ? CPU_RED_ZONE : LEFT_BY_HOOK);
	s->running = false;
}

/* One has stopped, or ended. */
static void take_stop(struct threads *t, int tid, int status)
{
	size_t i = find(t, tid);
	struct scan_stack *s = &t->stacks[i];

	if (i == t->count)
		return;
	t->stopped += WIFSTOPPED(status) - s->stopped;
	if (!WIFSTOPPED(status)) {
		*s = t->stacks[--t->count];
		t->tids[i] = t->tids[t->count];
		return;
	}
	s->signal = PTRACE_STOPPED(status) ? 0 : WSTOPSIG(status);
	s->stopped = true;
	read_registers(tid, s);
	if (s->register_size > 0 && PTRACE_STOPPED(status))
		restart_call(t, tid, s);
}

static size_t awaited(const struct threads *t)
{
	return t->count - 1 - t->stopped; /* the first sleeps */
}

/* Those that don't stop wait for a device, in a call that isn't interrupted. */
static bool only_devices(const struct threads *t)
{
	for (size_t i = 1; i < t->count; i++)
		if (!t->stacks[i].stopped && state_of(t, t->tids[i]) != 'D')
			return false;
	return true;
}

static void await_stops(struct threads *t, uint64_t until)
{
	struct timespec pause = { 0, 20000 };

	while (awaited(t) > 0) {
		int status;
		long tid = os_call(SYS_wait4, -1, &status, __WALL | WNOHANG, NULL);

		if (tid > 0)
			take_stop(t, (int)tid, status);
		else if (tid < 0 || (os_time() > until && only_devices(t)))
			return; /* from all others a stop comes, and has to be seen */
		else
			(void)os_call(SYS_nanosleep, &pause, NULL);
	}
}

bool threads_stop(struct threads *t, unsigned wait_ms)
{
	uint64_t until = os_time() + wait_ms * 1000000ull;
	bool any;

	t->count = 1;
	t->stopped = 0;
	refused = false;
	/* Those that run may start others meanwhile. */
	do {
		any = list(t, interrupt);
		await_stops(t, until);
	} while (any && !refused);
	refused |= t->unlisted > 0; /* these run on */
	t->blind = (unsigned)awaited(t);
	if (refused)
		threads_go(t);
	return !refused;
}

void threads_go(const struct threads *t)
{
	for (size_t i = 1; i < t->count; i++)
		if (t->stacks[i].stopped)
			(void)trace_call(
				PTRACE_DETACH, t->tids[i], 0, (uintptr_t)t->stacks[i].signal);
}
