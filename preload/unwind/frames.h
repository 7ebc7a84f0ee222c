/* SPDX-License-Identifier: MIT */
/* frames.h - what a thread caches of the stacks that were captured on it (capture.h). */
#ifndef MTRACE_FRAMES_H
#define MTRACE_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/store/thread.h"
#include "preload/unwind/rule.h"

/* A frame of the thread's last stack. Frames are kept outermost first; number 0 stands for the
 * root. */
struct cached_frame {
	uintptr_t sp, pc, bp; /* bp is only up to date where needs_bp */
	uint64_t hash;	      /* of the path, with its root */
	uint64_t identity;    /* of hash, sp and, where needed, bp: what cached stacks know it by */
	/* Guard words of this frame and all further out: from the sentinel to this one. */
	struct guard_word *last;
	rule_t rule;
	uint32_t node; /* of the stack from the root to here; 0 = not looked up yet */
	bool needs_bp; /* the way out from here depends on bp */
};
_Static_assert(sizeof(struct cached_frame) == 64, "a cache line");

/* A frame that a walk met. */
struct walked_frame {
	uintptr_t sp, pc, bp;
	rule_t rule;
};

/* A word of the stack that cached frames were read from: while it is the same, so are they. */
struct guard_word {
	const uintptr_t *address;
	uintptr_t value;
};

/* An entry of the successor cache. Its words are read all at once, which they may since they lie on
 * the thread's own stack: `proof` is a sum of them, and of the innermost frame's pc and bp and the
 * base's identity, each times a number of 64 random bits. */
#define SUCCESSOR_BITS 12 /* log2 of the table's size */
#define SUCCESSOR_WORDS 12
#define SUCCESSOR_FEW 6
struct successor {
	struct cached_stack stack;
	uint16_t base;	 /* number of a cached frame, which is the same one while its identity is */
	uint8_t uses_bp; /* 1 or 0: as needs_bp in struct cached_frame */
	uint8_t read;	 /* words: SUCCESSOR_FEW, SUCCESSOR_WORDS, or more, by fours */
	uintptr_t sp;	 /* of the innermost frame; 0: none */
	uint64_t proof;
	uint16_t words[SUCCESSOR_WORDS]; /* how many words above sp; the first is repeated */
};
_Static_assert(sizeof(struct successor) == 64, "a cache line");

/* The further words of such an entry, if its base lies farther out: that of a stack which differs
 * from those around it in more frames than the first words tell. */
#define SUCCESSOR_MORE 64
#define SUCCESSOR_MOST (SUCCESSOR_WORDS + SUCCESSOR_MORE)
struct successor_tail {
	uint16_t words[SUCCESSOR_MORE];
};

/* Prefix hints: by the first frames of a walk, the number of the successor that they last led to.
 * With them a sequence of stacks is found again where it was left, and stacks in random order are
 * found at all. Where several stacks begin with these frames, the hint is marked, and there are
 * others by twice as many frames, and so on. */
#define PREFIX_BITS 14
#define PREFIX_HINTS_SIZE (sizeof(uint16_t) << PREFIX_BITS) /* bytes */
#define PREFIX_GO_ON 0x8000u				    /* the mark */

#define RECENT_BITS 8
#define RECENT_HOPS 3 /* from one stack to another with the same innermost frame */
#define RECENT_WORDS 6
struct recent_stack {
	struct cached_stack stack;
	uint16_t base;
	bool usable; /* it has a guard word */
	bool needs_bp;
	uint64_t base_identity;
	uintptr_t sp, pc, bp;		/* bp is up to date where needs_bp */
	uint32_t words[RECENT_WORDS];	/* bytes above sp, innermost first; the first is repeated */
	uintptr_t values[RECENT_WORDS]; /* what they held */
};
_Static_assert(sizeof(struct recent_stack) == 128, "two cache lines");

#pragma GCC visibility push(hidden)

void frames_forget(struct thread *t);

/* The successor cache isn't even read, since the stack may be unmapped. */
void frames_forget_own_stack(struct thread *t);

/* Those whose guard words lie there. */
void frames_drop(struct thread *t, uintptr_t start, uintptr_t end);

#pragma GCC visibility pop

#endif
