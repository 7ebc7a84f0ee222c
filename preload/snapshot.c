/*
 * snapshot.c - the child process in which a scan runs, and what the parent does meanwhile: wait a
 * little.
 *
 * The child is made by a raw clone without an exit signal, so neither SIGCHLD nor wait() tells the
 * program of it. It closes all descriptors but the trace's at once: whoever reads the other end of
 * a pipe must not wait for it. Whatever goes wrong in it costs the verdict and nothing else.
 */
#include "preload/phase.h"
#include "preload/sandbox.h"
#include "preload/scan.h"
#include "preload/thread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_THREADS 4096
#define ANSWER_WAIT_MS 20
#define MOST_NS 10000000000ull /* of a scan */

/* Reads "nr a0 ... a5 sp pc", or "running", or "-1 sp pc". */
static void read_syscall(int tid, struct scan_stack *s)
{
	char path[64], line[256];
	uintptr_t words[9] = { 0 };
	char *p = line;
	int count = 0;
	struct text t;

	text_init(&t, path, sizeof(path));
	text_add(&t, "/proc/self/task/");
	text_add_number(&t, (uint64_t)tid);
	text_add(&t, "/syscall");
	memset(s, 0, sizeof(*s));
	os_read_file(path, line, sizeof(line));
	while (*p && count < 9) {
		char *end;
		uintptr_t n = strtoull(p, &end, 0);

		if (end == p)
			break;
		words[count++] = n;
		p = end;
	}
	if (count == 9) {
		memcpy(s->arguments, &words[1], sizeof(s->arguments));
		s->sp = words[7];
	} else if (count == 3) {
		s->sp = words[1];
	}
	s->running = s->sp == 0;
}

struct directory_entry {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

/* The stacks of all threads but the calling one, which has its own stack pointer in place 0. */
static size_t find_stacks(struct scan_stack *stacks, uintptr_t sp)
{
	static char buffer[4096]; /* one snapshot at a time, and stacks may be small */
	size_t count = 1;
	int fd = os_open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long got;

	stacks[0].sp = sp;
	while (fd >= 0 && (got = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < got;) {
			const struct directory_entry *e = (const void *)(buffer + at);
			uint64_t tid;

			if (text_to_number(e->name, &tid) && (int)tid != os_tid() &&
				count < MOST_THREADS)
				read_syscall((int)tid, &stacks[count++]);
			at += e->size;
		}
	}
	if (fd >= 0)
		os_close(fd);
	return count;
}

/* As many records as there may be: of each site's live blocks, whose number the lanes have part of,
 * four kinds. */
static bool make_room(void)
{
	bool lanes = trace.header->tables[MT_ENTRIES].count > 0;
	uint64_t records = 0;
	bool ok;

	lock_take(&tables_lock);
	for (uint64_t i = 1; i < trace.header->tables[MT_SITES].count; i++)
		records += lanes || trace.sites[i].current_blocks > 4
				   ? 4
				   : trace.sites[i].current_blocks;
	ok = tracefile_room(MT_LEAKS, records);
	lock_drop(&tables_lock);
	return ok;
}

static void close_all(void)
{
	if (syscall(SYS_close_range, 0u, ~0u, 0u) == 0)
		return;
	for (int fd = 0; fd < 65536; fd++)
		syscall(SYS_close, fd);
}

/* The program's handlers must not run in the child: all signals were blocked before it was made,
 * and what can't be blocked, a fault of the scan's own, ends it. */
static void forget_handlers(void)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} by_default = { 0 };

	for (int number = 1; number <= 64; number++)
		syscall(SYS_rt_sigaction, number, &by_default, NULL, sizeof(by_default.mask));
}

static void run_child(const struct scan_stack *stacks, size_t count)
{
	struct mt_header *h = trace.header;
	uint64_t begun = os_time();
	bool ok;

	forget_handlers();
	close_all();
	ok = scan(stacks, count, begun + MOST_NS);
	h->scan_ns = os_time() - begun;
	store_release(&h->scan_state, ok ? MT_SCAN_DONE : MT_SCAN_FAILED);
	syscall(SYS_exit_group, 0);
}

static int busy;    /* a snapshot is being made */
static int running; /* a child that was not waited for to its end */

/* The child may go on when the time is over; then whoever reads the trace waits for it, and a later
 * call here takes what is left of it away. */
static void wait_for(int child, unsigned wait_ms)
{
	struct timespec pause = { 0, 100000 };
	uint64_t until = os_time() + wait_ms * 1000000ull;

	for (;;) {
		long got = syscall(SYS_wait4, child, NULL, __WCLONE | WNOHANG, NULL);

		if (got == child) {
			if (load_acquire(&trace.header->scan_state) == MT_SCAN_RUNNING)
				trace.header->scan_state = MT_SCAN_FAILED;
			return;
		}
		if (got < 0)
			return;
		if (os_time() > until) {
			running = child;
			return;
		}
		syscall(SYS_nanosleep, &pause, NULL);
		if (pause.tv_nsec < 2000000)
			pause.tv_nsec *= 2;
	}
}

void snapshot_answer(void)
{
	struct mt_header *h = trace.header;
	uint64_t request = load_acquire(&h->scan_request), answer = load_relaxed(&h->scan_answer);

	if (request != answer && __atomic_compare_exchange_n(&h->scan_answer, &answer, request,
					 false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		snapshot_scan(ANSWER_WAIT_MS);
}

/* Makes the child, which inherits no handler of the program's that could run. */
static long make_child(const struct scan_stack *stacks, size_t count)
{
	const uint64_t all = ~0ull;
	uint64_t mask = 0;
	long child;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof(mask));
	child = syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
	if (child == 0)
		run_child(stacks, count);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
	return child;
}

void snapshot_scan(unsigned wait_ms)
{
	struct scan_stack *stacks;
	struct mt_header *h = trace.header;
	int saved = errno;
	size_t count;
	long child;

	if (!sandbox_allows_scan() || __atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE))
		return;
	stacks = os_map(MOST_THREADS * sizeof(*stacks));
	if (!stacks) {
		store_release(&busy, 0);
		return;
	}
	if (running && syscall(SYS_wait4, running, NULL, __WCLONE | WNOHANG, NULL) != 0)
		running = 0;
	__builtin_unwind_init(); /* the caller's registers go to the stack */
	count = find_stacks(stacks, (uintptr_t)__builtin_frame_address(0));
	h->tables[MT_LEAKS].count = 0;
	h->scan_bytes = 0;
	h->scan_at_ns = os_time() - h->start_ns;
	h->scan_state = !config.sample.mean && make_room() ? MT_SCAN_RUNNING : MT_SCAN_FAILED;
	if (h->scan_state == MT_SCAN_RUNNING) {
		child = make_child(stacks, count);
		if (child < 0)
			h->scan_state = MT_SCAN_FAILED;
		else
			wait_for((int)child, wait_ms);
	}
	os_unmap(stacks, MOST_THREADS * sizeof(*stacks));
	store_release(&busy, 0);
	errno = saved;
}
