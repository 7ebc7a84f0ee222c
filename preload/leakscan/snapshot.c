/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c - the child process in which a scan runs, and what the parent does meanwhile: wait a
 * little.
 *
 * The child is made by a clone without an exit signal, so neither SIGCHLD nor wait() tells the
 * program of it; who asks for children of all kinds (__WALL) doesn't see it because the hooks of
 * waitpid() and the like (hooks_wait.c) know it. It closes all descriptors at once: whoever reads
 * the other end of a pipe must not wait for it. Whatever goes wrong in it costs the verdict and
 * nothing else.
 *
 * At the end of a process the child runs in the very memory of its parent, which sleeps meanwhile, as
 * after a vfork. A copy of a process of 140 MB costs as much as half of the scan, and makes that three
 * times slower: the CPU has to mark each page as used anew. Other threads are stopped (threads.h). In a
 * process that goes on such a child makes the copy, and lets the threads go.
 */
#include "preload/leakscan/snapshot.h"
#include "preload/leakscan/keptback.h"
#include "preload/leakscan/roots.h"
#include "preload/leakscan/scan.h"
#include "preload/leakscan/scanmem.h"
#include "preload/leakscan/threads.h"
#include "preload/store/thread.h"
#include "preload/store/tracefile.h"
#include "preload/sys/cpu.h"
#include "preload/sys/env.h"
#include "preload/sys/seccomp.h"
#include "preload/sys/text.h"
#include "preload/unwind/imports.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_WAIT_MS 20      /* that a running program may be held up */
#define EXIT_WAIT_MS 1000      /* and the end of one */
#define STOP_WAIT_MS 100       /* until all threads have stopped */
#define COPY_WAIT_MS 500       /* that they are stopped at the most, in a process that goes on */
#define MOST_NS 10000000000ull /* of a scan */

/* ---- may other threads be stopped? */

static unsigned long tracer; /* that the program has allowed, by PR_SET_PTRACER */

void snapshot_note_tracer(unsigned long pid)
{
	tracer = pid;
}

/* Where the system allows only its parents to trace a process (Yama), it says for this moment that
 * others may. */
static bool tracing_allow(void)
{
	char scope[8] = "";

	if (os_read_at_once("/proc/sys/kernel/yama/ptrace_scope", scope, sizeof(scope)) == 0 ||
		*scope != '1')
		return false;
	return os_call(SYS_prctl, PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0) == 0;
}

static void tracing_forbid(void)
{
	(void)os_call(SYS_prctl, PR_SET_PTRACER, tracer, 0, 0, 0);
}

/* Behind a filter that isn't known, a copy of the process tries it first. */
static bool tracing_is_survived(void)
{
	struct signals before = signals_block();
	int status = -1;
	long child = syscall(SYS_clone, 0, NULL, NULL, NULL, 0);

	if (child == 0) {
		syscall(SYS_prctl, PR_SET_DUMPABLE, 0);
		syscall(SYS_ptrace, PTRACE_SEIZE, 0, NULL, NULL);
		syscall(SYS_exit_group, 0);
	}
	if (child > 0)
		syscall(SYS_wait4, child, &status, __WCLONE, NULL);
	signals_restore(before);
	return status == 0;
}

static bool tracing_is_possible(const struct threads *t)
{
	static char status[4096];
	const char *filtered;
	char self[32];
	uint64_t pid;
	long size = os_call(SYS_readlink, "/proc/self", self, sizeof(self) - 1);

	self[size > 0 ? size : 0] = '\0';
	if (t->tasks < 0 || !text_to_number(self, &pid) || (int)pid != os_pid())
		return false; /* no /proc, or another namespace's */
	if (seccomp_is_on())
		return seccomp_allows_stopping();
	os_read_at_once("/proc/self/status", status, sizeof(status));
	filtered = strstr(status, "\nSeccomp:");
	return !filtered || strncmp(filtered, "\nSeccomp:\t0", 11) == 0 || tracing_is_survived();
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

bool snapshot_is_due(void)
{
	return most_records(1) > 0;
}

/* Pairs of sites for which there is room: of each, one at the least (scan.c). */
#define HELD_EACH 2
#define HELD_SPARE 100 /* fills a page */

static uint64_t most_pairs(void)
{
	return HELD_SPARE + most_records(HELD_EACH);
}

/* For what the child will write. */
static bool reserve_for(bool growing)
{
	bool ok;

	scan_grows_to = growing ? most_pairs() : 0;
	if (growing)
		return true;
	lock_take(&tables_lock);
	ok = tracefile_room(MT_LEAKS, most_records(4)) && tracefile_room(MT_HELD, most_pairs());
	lock_drop(&tables_lock);
	return ok;
}

/* How the scan has to go on. */
static enum mt_scan prepare(void)
{
	struct mt_header *h = trace.header;

	h->tables[MT_LEAKS].count = h->tables[MT_HELD].count = 0;
	h->scan_ns = h->scan_bytes = h->scan_error = 0;
	h->scan_at_ns = os_time() - h->start_ns;
	if (config.sample.mean) /* the way to a block leads through others */
		return MT_SCAN_FAILED;
	return snapshot_is_due() ? MT_SCAN_RUNNING : MT_SCAN_DONE;
}

static void close_range_of(unsigned first, unsigned last)
{
	if (first > last || syscall(SYS_close_range, first, last, 0u) == 0)
		return;
	for (unsigned fd = first; fd <= last && fd < 65536; fd++)
		syscall(SYS_close, fd);
}

/* But for that of the trace, where that is to grow. */
static void close_all(void)
{
	int kept = scan_grows_to > 0 ? tracefile_descriptor() : -1;

	if (kept > 0)
		close_range_of(0, (unsigned)kept - 1);
	close_range_of((unsigned)kept + 1, ~0u);
}

/* What the child is told, and answers. */
struct job {
	struct threads threads;
	uint64_t until; /* when it has to be done */
	char *stack;	/* for itself */
	bool refused;	/* other threads may not be stopped */
	long copy;	/* the process that the child has made; 0: none */
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
	h->scan_blind = job->threads.blind;
	ok = scan(roots_scan, job->threads.stacks, job->threads.count, job->threads.blind > 0,
		job->until);
	h->scan_ns = os_time() - begun;
	return ok;
}

/* Who frees unseen is named after the verdict: a list that is just being changed may lead anywhere. */
static void finish(void)
{
	struct mt_header *h = trace.header;
	bool names = h->missed_frees + h->overlaid_frees > 0;

	if (names)
		h->freed_by[0] = MT_FREED_BY_SOUGHT;
	store_release(&h->scan_state, MT_SCAN_DONE);
	if (names)
		imports_name_others(h->freed_by, sizeof(h->freed_by));
}

static int busy; /* a snapshot is being made */

unsigned snapshot_gone;
static struct snapshot_child {
	int pid;      /* the kernel writes it, before the child runs */
	bool running; /* it was not waited for to its end */
} copy, helper;	      /* the one that scans a copy, and the one in the memory of the process */

void snapshot_forked(void)
{
	busy = 0;
	copy = helper = (struct snapshot_child){ 0 };
}

static bool is_child(const struct snapshot_child *c, int pid, unsigned gone)
{
	return pid == load_acquire(&c->pid) &&
	       (load_acquire(&c->running) || gone != load_acquire(&snapshot_gone));
}

bool snapshot_is_child(int pid, unsigned gone)
{
	return pid > 0 && (is_child(&copy, pid, gone) || is_child(&helper, pid, gone));
}

void snapshot_child_gone(int pid)
{
	struct snapshot_child *c = pid == load_acquire(&helper.pid) ? &helper : &copy;

	add_acq_rel(&snapshot_gone, 1);
	store_release(&c->running, false);
}

/* Whoever was to find them is gone. */
static void end_search_for_names(void)
{
	if (trace.header->freed_by[0] == MT_FREED_BY_SOUGHT)
		trace.header->freed_by[0] = '\0';
}

/* Takes what is left of the copy away, if it has ended; a hook of the program's may have been
 * faster. False: it runs. */
static bool reap_copy(void)
{
	if (!load_acquire(&copy.running))
		return true;
	if (copy.pid && syscall(SYS_wait4, copy.pid, NULL, __WCLONE | WNOHANG, NULL) == 0)
		return false;
	snapshot_child_gone(copy.pid);
	end_search_for_names();
	return true;
}

static void expect(struct snapshot_child *c)
{
	c->pid = 0;
	store_release(&c->running, true);
}

static bool kill_copy(void)
{
	if (os_call(SYS_kill, copy.pid, SIGKILL) == 0)
		syscall(SYS_wait4, copy.pid, NULL, __WCLONE, NULL);
	return reap_copy();
}

/* The child may go on when the time is over; then whoever reads the trace waits for it, and a later
 * call here takes what is left of it away. */
static void wait_for_copy(unsigned wait_ms)
{
	struct timespec pause = { 0, 100000 };
	uint64_t until = os_time() + wait_ms * 1000000ull;

	while (!reap_copy()) {
		if (os_time() > until)
			return;
		syscall(SYS_nanosleep, &pause, NULL);
		if (pause.tv_nsec < 2000000)
			pause.tv_nsec *= 2;
	}
	if (load_acquire(&trace.header->scan_state) == MT_SCAN_RUNNING)
		trace.header->scan_state = MT_SCAN_FAILED;
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
	if (!seccomp_is_on())
		limit_own_time(MOST_NS / 1000000 + 1000);
	if (run(job))
		finish();
	else
		store_release(&trace.header->scan_state, MT_SCAN_FAILED);
	syscall(SYS_exit_group, 0);
}

/* What the program keeps from its children is given to this one all the same. */
static long copy_process(struct job *job, unsigned long flags, char *stack)
{
	long child;

	job->until = os_time() + MOST_NS;
	kept_back_share(true);
	expect(&copy);
	child = syscall(SYS_clone, flags | CLONE_PARENT_SETTID, NULL, &copy.pid, NULL, 0);
	if (child == 0 && stack)
		cpu_call_on(stack, run_in_copy, job);
	else if (child == 0)
		run_in_copy(job);
	if (child < 0)
		store_release(&copy.running, false);
	kept_back_share(false);
	return child;
}

static void scan_copy(struct job *job, unsigned wait_ms)
{
	struct signals before;
	long child;

	if (!reserve_for(false)) {
		trace.header->scan_state = MT_SCAN_FAILED;
		return;
	}
	before = signals_block();
	threads_look(&job->threads);
	trace.header->scan_state = MT_SCAN_RUNNING; /* one in place may have failed */
	child = copy_process(job, 0, job->stack + STACK_SIZE);
	signals_restore(before);
	if (child < 0) {
		trace.header->scan_error = (uint64_t)errno;
		store_release(&trace.header->scan_state, MT_SCAN_FAILED);
		return;
	}
	wait_for_copy(wait_ms);
}

/* Calls f in a child that shares our memory, while the calling thread sleeps. */
static void call_in_child(int (*f)(void *), struct job *job)
{
	const int flags = CLONE_VM | CLONE_VFORK | CLONE_UNTRACED | CLONE_PARENT_SETTID;
	struct signals before = signals_block();
	bool allowed = tracing_allow();
	int child;

	expect(&helper);
	child = clone(f, job->stack + STACK_SIZE, flags, job, &helper.pid);
	if (child > 0)
		syscall(SYS_wait4, child, NULL, __WCLONE, NULL);
	snapshot_child_gone(helper.pid);
	if (!job->copy)
		end_search_for_names();
	if (allowed)
		tracing_forbid();
	scan_release();
	signals_restore(before);
}

/* Nobody but the child lets the threads go: it ends with the process, and by itself. */
static bool stop_threads(struct job *job, unsigned wait_ms)
{
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	job->refused = !threads_stop(&job->threads, wait_ms);
	return !job->refused;
}

/* In the memory of the process itself, in which nothing else runs. */
static int run_in_place(void *argument)
{
	struct job *job = argument;

	limit_own_time(EXIT_WAIT_MS + EXIT_WAIT_MS / 5);
	if (stop_threads(job, STOP_WAIT_MS) && run(job))
		finish();
	threads_go(&job->threads);
	syscall(SYS_exit_group, 0);
	return 0;
}

/* Its threads are stopped for as long as the copying takes, which is a child of the process, too. */
static int copy_in_child(void *argument)
{
	struct job *job = argument;

	limit_own_time(COPY_WAIT_MS);
	if (stop_threads(job, ANSWER_WAIT_MS))
		job->copy = copy_process(job, CLONE_PARENT, NULL);
	threads_go(&job->threads);
	syscall(SYS_exit_group, 0);
	return 0;
}

/* A child of the only thread makes the trace grow as it needs. Others may have been stopped in the
 * middle of that. */
static bool scan_in_place(struct job *job, bool alone)
{
	if (!reserve_for(alone))
		return false;
	job->until = os_time() + EXIT_WAIT_MS * 1000000ull;
	call_in_child(run_in_place, job);
	scan_grows_to = 0;
	return trace.header->scan_state == MT_SCAN_DONE;
}

static void scan_at_end(struct job *job)
{
	bool alone, in_place;

	threads_look(&job->threads);
	alone = job->threads.count == 1 && !seccomp_is_on();
	in_place = alone || tracing_is_possible(&job->threads);
	if (!in_place)
		scan_copy(job, EXIT_WAIT_MS);
	else if (!scan_in_place(job, alone))
		scan_copy(job, job->refused ? EXIT_WAIT_MS : 0); /* 0: it may take longer */
}

static void scan_now(struct job *job)
{
	threads_look(&job->threads);
	if (job->threads.count > 1 && tracing_is_possible(&job->threads) && reserve_for(false))
		call_in_child(copy_in_child, job);
	if (job->copy > 0)
		wait_for_copy(ANSWER_WAIT_MS);
	else
		scan_copy(job, ANSWER_WAIT_MS);
}

static void scan_from(const struct cpu_caller *at, bool last)
{
	struct job job = { .stack = os_map(STACK_SIZE) };
	bool ok = threads_open(&job.threads, at->sp);

	if (!ok || !job.stack) {
		trace.header->scan_state = MT_SCAN_FAILED;
	} else {
		struct scan_stack *s = &job.threads.stacks[0];

		memcpy(s->registers, at->registers, sizeof(at->registers));
		s->register_size = sizeof(at->registers);
		if (last)
			scan_at_end(&job);
		else
			scan_now(&job);
	}
	threads_close(&job.threads);
	if (job.stack)
		os_unmap(job.stack, STACK_SIZE);
}

static void snapshot(const struct cpu_caller *at, bool last)
{
	struct mt_header *h = trace.header;
	int saved = errno;

	if (!seccomp_allows_scan() || exchange_acquire(&busy, 1))
		return;
	if (reap_copy() || (last && kill_copy())) {
		h->scan_state = prepare();
		if (h->scan_state == MT_SCAN_RUNNING)
			scan_from(at, last);
	} /* else it is the answer to this request too */
	store_release(&busy, 0);
	errno = saved;
}

void snapshot_at_exit(const struct cpu_caller *at)
{
	snapshot(at, true);
}

/* The frames of the hook are looked into as well: they have the caller's registers. */
static void snapshot_from_here(void)
{
	struct cpu_caller at = { 0 };

	__builtin_unwind_init();
	at.sp = (uintptr_t)__builtin_frame_address(0) - sizeof(at.registers);
	snapshot(&at, false);
}

void snapshot_answer(void)
{
	struct mt_header *h = trace.header;
	uint64_t request = load_acquire(&h->scan_request), answer = load_relaxed(&h->scan_answer);

	if (request != answer && compare_exchange_acq_rel(&h->scan_answer, &answer, request))
		snapshot_from_here();
}
