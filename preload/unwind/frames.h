/* frames.h - what a thread keeps of the stacks that were captured on it (capture.h). */
#ifndef MTRACE_FRAMES_H
#define MTRACE_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/store/thread.h"
#include "preload/unwind/rule.h"

/* A frame of the thread's last stack. Frames are kept outermost first; number 0 is the root's
 * stand-in. */
struct kept {
	uintptr_t sp, pc, bp; /* bp is only up to date where needs_bp */
	uint64_t hash;	      /* of the path, with its root */
	uint64_t identity;    /* of hash, sp and, where needed, bp: what leaves know it by */
	struct check
		*last; /* checks of this frame and all further out: from the guard to this one */
	rule_t rule;
	uint32_t node; /* of the stack from the root to here; 0 = not looked up yet */
	bool needs_bp; /* the way out from here depends on bp */
};
_Static_assert(sizeof(struct kept) == 64, "a cache line");

/* A frame that a walk met. */
struct fresh {
	uintptr_t sp, pc, bp;
	rule_t rule;
};

/* A word of the stack that the kept frames were read from: while it is the same, so are they. */
struct check {
	const uintptr_t *address;
	uintptr_t value;
};

/* Its words are read all at once, which they may since they lie on the thread's own stack: `proof`
 * is a sum of them, and of the innermost frame's pc and bp and the base's identity, each times a
 * number of 64 random bits. */
#define TRAIL_BITS 12 /* log2 of the table's size */
#define TRAIL_WORDS 12
#define TRAIL_FEW 6
struct trail_leaf {
	struct leaf leaf;
	uint16_t base;	 /* number of a kept frame, which is the same one while its identity is */
	uint8_t uses_bp; /* 1 or 0: as needs_bp in struct kept */
	bool few;	 /* only the first TRAIL_FEW words are read */
	uintptr_t sp;	 /* of the innermost frame; 0: none */
	uint64_t proof;
	uint16_t words[TRAIL_WORDS]; /* how many words above sp; the first is repeated */
};
_Static_assert(sizeof(struct trail_leaf) == 64, "a cache line");

/* Where the trail is left, the walk finds back to it: by its first frames, the leaf that they last
 * led to. */
#define SIGN_BITS 12
#define SIGN_FRAMES 3
#define SIGNS_SIZE (sizeof(uint16_t) * ((1u << SIGN_BITS) + 1)) /* bytes */

#define NEAR_BITS 8
#define NEAR_HOPS 3 /* from one leaf to another with the same innermost frame */
#define NEAR_WORDS 6
struct near_leaf {
	struct leaf leaf;
	uint16_t base;
	bool usable; /* it has a word */
	bool needs_bp;
	uint64_t base_identity;
	uintptr_t sp, pc, bp;	      /* bp is up to date where needs_bp */
	uint32_t words[NEAR_WORDS];   /* bytes above sp, innermost first; the first is repeated */
	uintptr_t values[NEAR_WORDS]; /* what they held */
};
_Static_assert(sizeof(struct near_leaf) == 128, "two cache lines");

#pragma GCC visibility push(hidden)

void frames_forget(struct thread *t);
void frames_forget_own_stack(struct thread *t); /* what the trail has isn't even read, where it may be gone */

/* Those whose words lie there. */
void frames_drop(struct thread *t, uintptr_t start, uintptr_t end);

#pragma GCC visibility pop

#endif
