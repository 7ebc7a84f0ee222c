/*
 * thread.h - what the library keeps for each thread: its last stack, its lane, and whether it is
 * inside the library.
 *
 * A thread that ends leaves its state to the next one that starts, counters and all: they are
 * cumulative, so nothing has to be folded.
 */
#ifndef MTRACE_THREAD_H
#define MTRACE_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/sys/atomic.h"
#include "preload/trace_format.h"

/* Of stacks that a guess led through, or that broke off, there may be any number, each met once: it
 * is some stale word that tells them apart. Beyond a number of them these are cut. */
enum cut {
	CUT_NOT,
	CUT_GUESSES, /* where the guess would be */
	CUT_ALL,     /* to one frame */
};

/*
 * A leaf: a whole stack that an allocation was made on, as the words that its inner frames were
 * read from and the kept frame that these hang on. So stacks that take turns in their inner frames
 * are all at hand, while the kept frames hold what they share. Each stack has two:
 *
 *   trail   by the site, in a large table. Found from the leaf of the event before, which names the
 *           two that came after it the last times: programs repeat long sequences of allocations.
 * By then it has been fetched into the cache. Only for the thread's own stack. near    by the
 * innermost frame, in a small table; for stacks that come back soon
 *
 * In both, a place is taken by the next stack that belongs there.
 */
struct leaf {
	uint32_t site;	      /* not 0 in a leaf that a look-up finds */
	uint32_t line;	      /* of the site */
	uint32_t next, other; /* sites of the stacks that came after this one the last times */
	uint32_t lane_place;  /* of the site in the lane's table, plus 1; 0 = not looked up yet */
};

/* This lane's share of a line, for the line's own peak. */
struct lane_line {
	uint32_t line;
	int64_t unpublished; /* bytes; only while the lane is looked through */
};

/* This lane's share of a site. What it keeps back is what the entry has beyond what is published.
 */
struct lane_site {
	uint32_t site;	     /* 0 = free */
	uint32_t line_index; /* in lines */
	struct mt_entry *entry;
	int64_t published_bytes;
	uint32_t published_blocks; /* modulo 2^32 */
	bool dirty;		   /* in the list of the dirty */
};

struct thread {
	/* First what each event needs, in few cache lines. */

	/* A gate's number: the thread is not in the library, and passes while this is phase_gate().
	 * A stack pointer: its caller's, of the hook that is running. THREAD_UNSETTLED: it has yet
	 * to come by. */
	uintptr_t state;
	void *last;	      /* the block that the last allocation returned, until it is freed */
	uint32_t *last_slot;  /* its slot and what that held, with several threads; NULL: none */
	struct kept *top;     /* the innermost kept frame; = kept: none */
	struct kept *kept;    /* config.depth + 1 */
	struct check *checks; /* 3 a frame and the guard */
	struct leaf *latest;  /* of the last event, in any of the next three */
	struct trail_leaf *trail; /* 1 << TRAIL_BITS */
	uint32_t last_value;
	uint32_t gate;		  /* that it passes; the state after a hook */
	bool follows;		  /* the trail: there are more stacks than near leaves */
	uint32_t sites_mask;
	struct lane_site *sites; /* hash table by site; never NULL */
	int64_t room; /* bytes that may come and go before the lane looks what it keeps back;
			 ROOM_TAKEN: another thread takes the grant back */
	struct leaf top_leaf;	/* of the kept stack; site 0: none */
	struct near_leaf *near; /* 1 << NEAR_BITS */

	/* 1 << SIGN_BITS numbers of leaves in the trail, and one that nobody asks. */
	uint16_t *signs;
	uint16_t *sign;	     /* of the last walk */
	struct fresh *fresh; /* config.depth + 1: frames of a walk, innermost first */
	size_t asked;	  /* of operator new with an alignment that is running: its size plus 1 */
	int64_t distance; /* when sampling: bytes to the next sample */
	uint64_t random;
	uint32_t generation; /* code_generation that the kept frames belong to */
	uint32_t cuts;	     /* cuts_made that it has seen */
	uint64_t era;	     /* part of all identities: leaves of an earlier one are void */
	enum cut doubt;	     /* how the last stack that was walked would be cut */
	uint32_t lane;
	uintptr_t safe_start, safe_end; /* stack memory known to be readable */
	uintptr_t own_start,
		own_end; /* of that, the stack that the thread was made with; 0: not found */
	uintptr_t stack_start, stack_end; /* what the stack of the last walks seems to cover */
	bool on_own_stack;		  /* at the last walk: the safe range is the stack's */

	/* The lane, once there is more than one thread. */
	int64_t grant; /* bytes that the lane may keep back; under ledger_lock */
	struct lane_line *lines;
	uint32_t sites_used;
	uint32_t lines_used, lines_room;
	uint32_t *dirty; /* numbers of entries in `sites`; room for all */
	uint32_t dirty_used;
	bool in_doubt; /* a handler has jumped out of a hook: the list of the dirty may be wrong */
	uint32_t next_entry, last_entry; /* entries taken from MT_ENTRIES and not used yet */

	unsigned rounds;     /* of thread-exit destructors */
	uint32_t tid;
	struct thread *next; /* in the list of free ones */
	struct thread *made_before; /* in the list of all */
};

#pragma GCC visibility push(hidden)

/* The calling thread's; a stand-in that is never settled, before its first event. NULL in a child that
 * shares our memory and has a thread block of zeros: thread_mine() is the stand-in there, too. */
extern __thread struct thread *thread_self __attribute__((tls_model("initial-exec")));
extern struct thread thread_nobody;
extern struct thread *threads_made; /* list of all, with those of ended threads; only grows */

#pragma GCC visibility pop

#define THREAD_UNSETTLED UINTPTR_MAX
#define ROOM_TAKEN (-1)
#define THREAD_HELD ((uintptr_t)1 << 62) /* busy, with something else than a hook */

static inline bool thread_state_is_busy(uintptr_t state)
{
	return state > UINT32_MAX && state != THREAD_UNSETTLED;
}

static inline bool thread_is_busy(const struct thread *t)
{
	return thread_state_is_busy(t->state);
}

static inline struct thread *thread_mine(void)
{
	struct thread *t = thread_self;

	return likely(t) ? t : &thread_nobody;
}

static inline void thread_leave(struct thread *t)
{
	/* What the hook wrote is there for whoever finds the thread outside of it (ledger.c). */
	store_release(&t->state, t->gate);
}

#endif
