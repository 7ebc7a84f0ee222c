/* SPDX-License-Identifier: MIT */
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

/* Of stacks with a frame that was found by its frame pointer, or that broke off, there may be any
 * number, each met once: it is some stale word that tells them apart. Beyond a number of them these
 * are cut. */
enum cut {
	CUT_NOT,
	CUT_FRAME_POINTERS, /* before the first frame found by its frame pointer */
	CUT_ALL,	    /* to one frame */
};

/*
 * A cached stack: a whole one that an allocation was made on, as the guard words of its inner
 * frames and a base, the cached frame outside of these. So stacks that take turns in their inner
 * frames are all at hand, while the cached frames hold what they share. Each is in two caches:
 *
 *   successors   by the site, in a large table. Found from the stack of the event before, which
 *                names the two that came after it the last times: programs repeat long sequences of
 *                allocations. By then the entry has been fetched into the CPU's cache. Only for the
 *                thread's own stack.
 *   recent       by the innermost frame, in a small table; for stacks that come back soon
 *
 * A successor may have many guard words, and a base that is far out. In both, a slot is taken by
 * the next stack that belongs there.
 */
struct cached_stack {
	uint32_t site;	      /* not 0 in one that a look-up finds */
	uint32_t call;	      /* of the site */
	uint32_t next, other; /* sites of the stacks that came after this one the last times */
	uint32_t lane_slot;   /* of the site in the lane's table, plus 1; 0 = not looked up yet */
};

/* This lane's share of a call instruction, for its own peak. */
struct lane_call {
	uint32_t call;
	int64_t unpublished; /* bytes; only while the lane is looked through */
};

/* This lane's share of a site. What it keeps back is what the entry has beyond what is
 * published. */
struct lane_site {
	uint32_t site;	     /* 0 = free */
	uint32_t call_index; /* in calls */
	struct mt_entry *entry;
	int64_t published_bytes;
	uint32_t published_blocks; /* modulo 2^32 */
	bool dirty;		   /* in the list of the dirty */
};

/* After 3, 6, 12 and 24 frames of a walk the prefix hints are asked (frames.h). */
#define PREFIX_LEVELS 4
#define PREFIX_FRAMES 3

struct thread {
	/* First what each event needs, in few cache lines. */

	/* A state generation: the thread is not in the library, and takes the fast path while this
	 * is phase_generation(). A stack pointer: its caller's, of the hook that is running.
	 * THREAD_UNSETTLED: it has yet to come by. */
	uintptr_t state;
	void *last;	     /* the block that the last allocation returned, until it is freed */
	uint32_t *last_slot; /* its slot and what that held, with several threads; NULL: none */
	struct cached_frame *top;	/* the innermost cached frame; = cached: none */
	struct cached_frame *cached;	/* config.depth + 1 */
	struct guard_word *guard_words; /* 3 a frame and the sentinel */
	struct cached_stack *latest;	/* the last event's, in any of the next three */
	struct successor *successors;	/* 1 << SUCCESSOR_BITS */
	uint32_t last_value;
	uint32_t phase_generation; /* the last one seen; the state after a hook */
	bool uses_successors;	   /* there are more sites than the recent stacks can hold */
	bool counting;		   /* an event in the lane, which nobody else may touch then */
	uint32_t sites_mask;
	struct lane_site *sites; /* hash table by site; never NULL */
	int64_t room; /* bytes that may come and go before the lane looks what it keeps back;
			 ROOM_TAKEN: another thread takes the grant back */
	struct successor_tail *tails;  /* as many as successors; NULL: no entry has one yet */
	struct cached_stack top_stack; /* of the cached frames; site 0: none */
	struct recent_stack *recent;   /* 1 << RECENT_BITS */

	/* 1 << PREFIX_BITS numbers of entries in the successor cache; and those that the last walk
	 * came by. */
	uint16_t *prefix_hints;
	uint16_t *met_hints[PREFIX_LEVELS];
	uint32_t met;
	struct walked_frame *walked; /* config.depth + 1: frames of a walk, innermost first */
	size_t asked;	  /* of operator new with an alignment that is running: its size plus 1 */
	int64_t distance; /* when sampling: bytes to the next sample */
	uint64_t random;
	uint32_t code_generation; /* the one that the cached frames belong to */
	uint32_t cuts;		  /* cuts_count that it has seen */
	uint64_t era;	  /* part of all identities: stacks cached in an earlier one are void */
	enum cut doubt;	  /* how the last stack that was walked would be cut */
	bool tails_asked; /* for memory; there may have been none */
	uint32_t walked_again; /* walks of stacks that had a site */
	uint32_t lane;
	uintptr_t safe_start, safe_end; /* stack memory known to be readable */
	uintptr_t own_start,
		own_end; /* of that, the stack that the thread was made with; 0: not found */
	uintptr_t stack_start, stack_end; /* what the stack of the last walks seems to cover */
	bool on_own_stack;		  /* at the last walk: the safe range is the stack's */

	/* The lane, once there is more than one thread. */
	int64_t grant; /* bytes that the lane may keep back; under ledger_lock */
	struct lane_call *calls;
	uint32_t sites_used;
	uint32_t calls_used, calls_room;
	uint32_t *dirty; /* numbers of entries in `sites`; room for all */
	uint32_t dirty_used;
	bool in_doubt; /* a handler has jumped out of a hook: the list of the dirty may be wrong */
	uint32_t next_entry, last_entry; /* entries taken from MT_ENTRIES and not used yet */

	unsigned rounds; /* of thread-exit destructors */
	uint32_t tid;
	struct thread *next;	    /* in the list of free ones */
	struct thread *next_of_all; /* in the list of all */
};

#pragma GCC visibility push(hidden)

/* The calling thread's; a stand-in that is never settled, before its first event. NULL in a child that
 * shares our memory and has a thread block of zeros: thread_mine() is the stand-in there, too. */
extern __thread struct thread *thread_self __attribute__((tls_model("initial-exec")));
extern struct thread thread_nobody;
extern struct thread *threads_all; /* list of all, with those of ended threads; only grows */

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
	store_release(&t->state, t->phase_generation);
}

#endif
