/*
 * snapshot.c - the child process in which a scan runs, and what the parent does meanwhile: wait a
 * little.
 *
 * The child is made by a clone without an exit signal, so neither SIGCHLD nor wait() tells the
 * program of it. It closes all descriptors at once: whoever reads the other end of a pipe must not
 * wait for it. Whatever goes wrong in it costs the verdict and nothing else.
 *
 * At the end of a process with one thread the child runs in the very memory of its parent, which
 * sleeps meanwhile, as after a vfork. A copy of a process of 140 MB costs as much as half of the
 * scan, and makes that three times slower: the CPU has to mark each page as used anew.
 */
#include "preload/cpu.h"
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
#define ANSWER_WAIT_MS 20      /* that a running program may be held up */
#define EXIT_WAIT_MS 1000      /* and the end of one */
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
 * `each` kinds. */
static uint64_t most_records(uint64_t each)
{
	bool lanes = trace.header->tables[MT_ENTRIES].count > 0;
	uint64_t records = 0;

	for (uint64_t i = 1; i < trace.header->tables[MT_SITES].count; i++)
		records += lanes || trace.sites[i].current_blocks > each
				   ? each
				   : trace.sites[i].current_blocks;
	return records;
}

/* Pairs of sites for which there is room: of each, one at the least (scan.c). */
#define HELD_EACH 2
#define HELD_SPARE 100 /* fills a page */

/* How the scan has to go on. */
static enum mt_scan prepare(void)
{
	struct mt_header *h = trace.header;
	enum mt_scan state = MT_SCAN_FAILED;
	uint64_t records;

	h->tables[MT_LEAKS].count = h->tables[MT_HELD].count = 0;
	h->scan_ns = h->scan_bytes = h->scan_error = 0;
	h->scan_at_ns = os_time() - h->start_ns;
	if (config.sample.mean) /* the way to a block leads through others */
		return state;
	lock_take(&tables_lock);
	records = most_records(4);
	if (records == 0)
		state = MT_SCAN_DONE;
	else if (tracefile_room(MT_LEAKS, records) &&
		 tracefile_room(MT_HELD, HELD_SPARE + most_records(HELD_EACH)))
		state = MT_SCAN_RUNNING;
	lock_drop(&tables_lock);
	return state;
}

static void close_all(void)
{
	if (syscall(SYS_close_range, 0u, ~0u, 0u) == 0)
		return;
	for (int fd = 0; fd < 65536; fd++)
		syscall(SYS_close, fd);
}

/* What the child is told. */
struct job {
	struct scan_stack *stacks;
	size_t count;
	uint64_t until; /* when it has to be done */
	char *stack;	/* for itself */
};

#define STACK_SIZE (256u << 10)

/* No handler of the program's runs in the child: all signals were blocked before it was made. */
static bool run(const struct job *job)
{
	struct mt_header *h = trace.header;
	uint64_t begun = os_time();
	bool ok;

	close_all();
	h->scan_bytes = 0;
	ok = scan(job->stacks, job->count, job->until);
	h->scan_ns = os_time() - begun;
	return ok;
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

/* A read may hang (a file system without its server), and so may a lock that another thread had at
 * the fork: a timer kills the child. */
static void limit_own_time(uint64_t ms)
{
	struct sigevent kill = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	struct itimerspec when = { .it_value = {
					   (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 } };
	int timer;

	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &kill, &timer) == 0)
		syscall(SYS_timer_settime, timer, 0, &when, NULL);
}

static void run_in_copy(void *job)
{
	bool ok;

	if (!sandbox_is_on())
		limit_own_time(MOST_NS / 1000000 + 1000);
	ok = run(job);
	store_release(&trace.header->scan_state, ok ? MT_SCAN_DONE : MT_SCAN_FAILED);
	syscall(SYS_exit_group, 0);
}

static void scan_copy(struct job *job, unsigned wait_ms)
{
	struct signals before = signals_block();
	long child;

	job->until = os_time() + MOST_NS;
	child = syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
	if (child == 0)
		cpu_call_on(job->stack + STACK_SIZE, run_in_copy, job);
	signals_restore(before);
	if (child < 0) {
		trace.header->scan_error = (uint64_t)errno;
		store_release(&trace.header->scan_state, MT_SCAN_FAILED);
	} else {
		wait_for((int)child, wait_ms);
	}
}

static int run_in_place(void *job)
{
	limit_own_time(EXIT_WAIT_MS + EXIT_WAIT_MS / 5);
	if (run(job))
		store_release(&trace.header->scan_state, MT_SCAN_DONE);
	syscall(SYS_exit_group, 0);
	return 0;
}

/* In the memory of the process itself, in which nothing else runs. False: not done. */
static bool scan_in_place(struct job *job)
{
	struct signals before = signals_block();
	int child;

	job->until = os_time() + EXIT_WAIT_MS * 1000000ull;
	child = clone(run_in_place, job->stack + STACK_SIZE, CLONE_VM | CLONE_VFORK, job);
	if (child > 0)
		syscall(SYS_wait4, child, NULL, __WCLONE, NULL);
	os_forked(); /* it may have been ended with the lock */
	scan_release();
	signals_restore(before);
	return trace.header->scan_state == MT_SCAN_DONE;
}

/* The calling thread's stack begins at `sp`. */
static void scan_from(uintptr_t sp, bool last)
{
	struct job job = {
		.stacks = os_map(MOST_THREADS * sizeof(*job.stacks)),
		.stack = os_map(STACK_SIZE),
	};

	if (!job.stacks || !job.stack) {
		trace.header->scan_state = MT_SCAN_FAILED;
	} else {
		job.count = find_stacks(job.stacks, sp);
		if (!last)
			scan_copy(&job, ANSWER_WAIT_MS);
		else if (job.count > 1 || sandbox_is_on())
			scan_copy(&job, EXIT_WAIT_MS);
		else if (!scan_in_place(&job))
			scan_copy(&job, 0); /* may take longer than the process's end */
	}
	if (job.stacks)
		os_unmap(job.stacks, MOST_THREADS * sizeof(*job.stacks));
	if (job.stack)
		os_unmap(job.stack, STACK_SIZE);
}

static void snapshot(bool last)
{
	struct mt_header *h = trace.header;
	int saved = errno;

	if (!sandbox_allows_scan() || __atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE))
		return;
	if (running && syscall(SYS_wait4, running, NULL, __WCLONE | WNOHANG, NULL) != 0)
		running = 0;
	h->scan_state = prepare();
	if (h->scan_state == MT_SCAN_RUNNING) {
		__builtin_unwind_init(); /* the caller's registers go to the stack */
		scan_from((uintptr_t)__builtin_frame_address(0), last);
	}
	store_release(&busy, 0);
	errno = saved;
}

void snapshot_at_exit(void)
{
	snapshot(true);
}

void snapshot_answer(void)
{
	struct mt_header *h = trace.header;
	uint64_t request = load_acquire(&h->scan_request), answer = load_relaxed(&h->scan_answer);

	if (request != answer && __atomic_compare_exchange_n(&h->scan_answer, &answer, request,
					 false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		snapshot(false);
}
