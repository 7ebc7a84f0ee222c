/* SPDX-License-Identifier: MIT */
/*
 * thread_life.c - the state of threads: made at a thread's first event, handed on after its end.
 *
 * A thread's last events may come after all destructors that it can register. So its state is only
 * marked as ending by the last of these, and a new thread takes it over once the kernel no longer
 * knows the old one.
 */
#include "preload/life/thread_life.h"
#include "preload/store/ledger.h"
#include "preload/store/sample.h"
#include "preload/store/thread.h"
#include "preload/sys/cpu.h"
#include "preload/sys/env.h"
#include "preload/sys/os.h"
#include "preload/sys/phase.h"
#include "preload/unwind/frames.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

static __thread bool making __attribute__((tls_model("initial-exec")));
static pthread_key_t key;
static struct thread *ending; /* list; under tables_lock */

static const uintptr_t sentinel; /* a word that is never 1 */

static void read_name(struct mt_lane *lane)
{
	char name[sizeof(lane->name)] = "";

	os_thread_name(name);
	memcpy(lane->name, name, sizeof(name));
}

/* ---- the end of a thread */

/* Runs in each round of destructors; in the last one the thread has, as far as anybody can tell,
 * ended. */
static void end_thread(void *arg)
{
	struct thread *t = arg;
	struct mt_lane *lane = &trace.lanes[t->lane];

	if (++t->rounds < PTHREAD_DESTRUCTOR_ITERATIONS && pthread_setspecific(key, t) == 0)
		return;
	t->state = THREAD_HELD;
	read_name(lane);
	store_relaxed(&lane->end_ns, os_time() - trace.header->start_ns);
	if (phase_multi)
		ledger_fold(t);
	lock_take(&tables_lock);
	t->next = ending;
	ending = t;
	lock_drop(&tables_lock);
	t->state = t->phase_generation;
}

#define LANES_APART 8 /* that threads of different names get before they have to share */
#define GONE_LOOKED 8 /* ended threads that are asked after, each a system call */
#define NAMES_LOOKED 64

/* One of the first few that is gone for good, of this name if there is one; under tables_lock. */
static struct thread *find_gone(const char *name)
{
	struct thread **link = &ending, *t;
	int asked = 0;

	for (int looked = 0; *link && looked < NAMES_LOOKED; link = &(*link)->next, looked++) {
		const struct mt_lane *lane = &trace.lanes[(*link)->lane];

		if (name && strncmp(lane->name, name, sizeof(lane->name)) != 0)
			continue;
		if (asked++ == GONE_LOOKED)
			break;
		if (!os_thread_is_gone((int)lane->tid))
			continue;
		t = *link;
		*link = t->next;
		return t;
	}
	return NULL;
}

/* The one that ended first, if that is gone: those that were looked at may be many that still end. */
static struct thread *take_oldest(void)
{
	struct thread **link = &ending, *t;

	while (*link && (*link)->next)
		link = &(*link)->next;
	t = *link;
	if (!t || !os_thread_is_gone((int)trace.lanes[t->lane].tid))
		return NULL;
	*link = NULL;
	return t;
}

/* The state of a thread that is gone, or NULL. Of those that ended last, whose memory is warm, if
 * possible. */
static struct thread *take_over(void)
{
	char name[sizeof(trace.lanes->name)] = "";
	struct thread *t;

	os_thread_name(name);
	lock_take(&tables_lock);
	t = find_gone(name);
	if (!t && trace.header->tables[MT_LANES].count >= LANES_APART) {
		t = find_gone(NULL);
		if (!t)
			t = take_oldest();
	}
	lock_drop(&tables_lock);
	return t;
}

/* ---- the start of one */

static void begin_anew(struct thread *t)
{
	t->state = THREAD_UNSETTLED;
	t->last = NULL;
	t->last_slot = NULL;
	t->rounds = 0;
	t->phase_generation = UINT32_MAX; /* of no phase */
	if (config.sample.mean) {
		if (!t->random)
			t->random = sample_state(config.sample.seed, t->lane);
		t->distance = sample_distance(&t->random);
	}
	t->stack_start = t->stack_end = 0;
	frames_forget(t);
	t->cached[0] = (struct cached_frame){ .sp = UINTPTR_MAX, .last = t->guard_words };
	t->guard_words[0] = (struct guard_word){ &sentinel, 1 };
}

/* Of the thread that had it before: this one's stack may end earlier. */
static void forget(struct thread *t)
{
	frames_forget_own_stack(t);
	for (uint32_t i = 0; i < 1u << RECENT_BITS; i++)
		t->recent[i].sp = 0;
}

static bool new_lane(struct thread *t)
{
	uint64_t count;
	bool ok;

	lock_take(&tables_lock);
	count = trace.header->tables[MT_LANES].count;
	ok = tracefile_room(MT_LANES, count + 1);
	if (ok) {
		t->lane = (uint32_t)count;
		t->next_of_all = threads_all;
		store_release(&threads_all, t);
		store_release(&trace.header->tables[MT_LANES].count, count + 1);
	}
	lock_drop(&tables_lock);
	return ok;
}

/* What a thread has lies in one mapping; this is where the arrays are in it, each in pairs of cache
 * lines of its own. First the successor cache, which is forgotten by whole pages. */
struct layout {
	size_t recent, thread, cached, walked, guard_words, prefix_hints, end;
};

static size_t behind(size_t at, size_t size)
{
	return (at + size + 127) & ~(size_t)127;
}

static struct layout lay_out(void)
{
	size_t depth = config.depth;
	struct layout l;

	l.recent = sizeof(struct successor) << SUCCESSOR_BITS;
	l.thread = behind(l.recent, sizeof(struct recent_stack) << RECENT_BITS);
	l.cached = behind(l.thread, sizeof(struct thread));
	l.walked = behind(l.cached, (depth + 1) * sizeof(struct cached_frame));
	l.guard_words = behind(l.walked, (depth + 1) * sizeof(struct walked_frame));
	l.prefix_hints = behind(l.guard_words, (3 * depth + 2) * sizeof(struct guard_word));
	l.end = behind(l.prefix_hints, PREFIX_HINTS_SIZE);
	return l;
}

static struct thread *make(void)
{
	struct layout l = lay_out();
	char *memory = os_map(l.end);
	struct thread *t;

	if (!memory)
		return NULL;
	t = (void *)(memory + l.thread);
	t->successors = (void *)memory;
	t->recent = (void *)(memory + l.recent);
	t->cached = (void *)(memory + l.cached);
	t->walked = (void *)(memory + l.walked);
	t->guard_words = (void *)(memory + l.guard_words);
	t->prefix_hints = (void *)(memory + l.prefix_hints);
	t->sites = ledger_no_sites;
	if (new_lane(t))
		return t;
	os_unmap(memory, l.end);
	return NULL;
}

static void start_lane(struct thread *t)
{
	struct mt_lane *lane = &trace.lanes[t->lane];

	if (lane->threads == 1)
		memcpy(lane->earlier, lane->name, sizeof(lane->earlier));
	else if (memcmp(lane->earlier, lane->name, sizeof(lane->earlier)) != 0)
		memset(lane->earlier, 0, sizeof(lane->earlier));
	t->tid = lane->tid = (uint32_t)os_tid();
	lane->threads++;
	lane->start_ns = os_time() - trace.header->start_ns;
	lane->end_ns = 0;
	read_name(lane);
}

cold_path struct thread *thread_new(void)
{
	struct thread *t;
	struct signals signals;

	/* Without a whole control block neither we nor our allocator may set a key. */
	if (making || !cpu_thread_is_whole())
		return NULL;
	signals = signals_block(); /* a handler might never come back */
	making = true;
	t = take_over();
	if (t)
		forget(t);
	else
		t = make();
	if (t) {
		begin_anew(t);
		start_lane(t);
		thread_self = t;
		pthread_setspecific(key, t);
	}
	making = false;
	signals_restore(signals);
	return t;
}

/* The thread that ends the process has no end of its own. */
void threads_name_last(void)
{
	if (thread_mine() != &thread_nobody)
		read_name(&trace.lanes[thread_self->lane]);
}

bool threads_init(void)
{
	return pthread_key_create(&key, end_thread) == 0 && thread_new() != NULL;
}

/* Only the calling thread is left, and its lane is the first. */
void threads_forked(struct thread *self)
{
	ending = NULL;
	threads_all = NULL;
	memset(trace.lanes, 0, trace.header->tables[MT_LANES].count * sizeof(*trace.lanes));
	trace.header->tables[MT_LANES].count = 1;
	if (self == &thread_nobody)
		return;
	self->lane = 0;
	self->room = self->grant = 0;
	self->last_slot = NULL;
	self->next_of_all = NULL;
	threads_all = self;
	self->sites_used = self->calls_used = self->dirty_used = 0;
	self->next_entry = self->last_entry = 0;
	frames_forget(self); /* the slots in the lane are gone */
	if (self->sites != ledger_no_sites)
		memset(self->sites, 0, (self->sites_mask + 1) * sizeof(*self->sites));
	start_lane(self);
}
