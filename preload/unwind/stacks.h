/* SPDX-License-Identifier: MIT */
/*
 * stacks.h - the stack tree: return address -> frame, (parent node, frame) -> node, node -> site.
 *
 * Hash tables in the process's memory index the tables in the trace: by return address, by (parent,
 * frame), by (node, kind). A node that follows its parent in the trace needs no entry: the stack
 * was new from the parent on, as most are. Two more are for speed alone, and small, since a walk
 * waits for each of its look-ups in them:
 *
 *   rules   return address -> unwind rule, without the address: 11 bits of its hash tell whose rule
 *           it is. An address that is known gets its own rule (one with the same bits as another is
 *           marked, and looked up among the whole addresses); one that was never met may get
 *           another's. That is found out when the stack that was walked by it is interned, for no
 *           path with such an address is known.
 *   paths   the hash of a whole path -> its site. Paths with the same 64 bits are taken for one;
 *           for a million different stacks there is a chance of 1 in 37 million that two are.
 *
 * Look-ups take no lock: an entry is stored whole or its key last, entries never move, and a table
 * that is full is replaced by a larger copy. Readers that are still at the old one find nothing
 * there and look again under tables_lock, as all additions do.
 */
#ifndef MTRACE_STACKS_H
#define MTRACE_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/store/thread.h"
#include "preload/sys/hash.h"
#include "preload/unwind/modules.h"
#include "preload/unwind/rule.h"

struct known_pc {
	uintptr_t pc;	/* return address; 0 = free */
	uint32_t frame; /* FRAME_RETIRED: its code has gone */
	rule_t rule;
};
#define FRAME_RETIRED UINT32_MAX

/* What the hash tables below begin with. */
struct table {
	_Alignas(8) unsigned shift; /* 64 - log2(size) */
	uint32_t mask;		    /* size - 1 */
	uint32_t used;
};

struct pc_table {
	struct table table;
	struct known_pc entries[];
};

/* Numbers of records in a table of the trace, which has the keys; 0 = free. */
struct index {
	struct table table;
	uint32_t entries[];
};

struct known_path {
	uint64_t hash; /* 0 = free */
	uint32_t site;
	uint32_t call; /* of the site */
};

struct path_table {
	struct table table;
	struct known_path entries[];
};

/* Rules in the bits RULE_SHORT, and bits of the address's hash above these; 0 = free. */
struct rule_table {
	struct table table;
	uint32_t entries[];
};

#pragma GCC visibility push(hidden)

bool stacks_init(void);
#ifndef MT_SITES_MOST		       /* a test has fewer */
#define MT_SITES_MOST ((1u << 21) - 1) /* what a slot can name */
#endif
enum mt_loss site_loss(void);				 /* why there was no room */
uint32_t site_for(uint32_t node, uint32_t kind);	 /* 0 = no room; the rare path */
void stacks_forget_code(uintptr_t start, uintptr_t end); /* under tables_lock */
/* if there was any code in no module */
bool stacks_forget_generated(uintptr_t start, uintptr_t end);

extern struct pc_table *pcs;
extern struct path_table *paths;
extern struct rule_table *rules;
extern const struct rule_table rules_none; /* one free entry */

struct known_pc pc_add(uintptr_t pc);		    /* the rare path of pc_get */
struct known_pc pc_get_anew(uintptr_t pc);	    /* while a dlclose is under way */
rule_t rule_ask(uintptr_t pc);			    /* the rare path of rule_find */
uint32_t node_get(uint32_t parent, uint32_t frame); /* finds or adds it; under tables_lock */
uint32_t node_add(
	uint32_t parent, uint32_t frame); /* that isn't there yet; under tables_lock; 0 = no room */
uint32_t site_of_path(
	uint64_t hash, uint32_t node); /* finds or makes it; under tables_lock; 0 = no room */
/* The time, if there are more than that now. Apart, as the clock takes a part of the stack that who makes a site needs, too. */
void note_new_sites(uint64_t count);
uint32_t foreign_for(uint32_t node);	/* index + 1 in MT_FOREIGN; 0 = no room */
bool stacks_have_room(uint32_t frames); /* for a path with this many, as things are */
void stacks_add_wrapper(uintptr_t start,
	uintptr_t end); /* code of an allocation function that is no hook of ours */

#pragma GCC visibility pop

/* Frame FRAME_RETIRED: not known. */
static inline struct known_pc pc_find(const struct pc_table *t, uintptr_t pc)
{
	uint64_t i = (uint64_t)pc * HASH_FACTOR >> t->table.shift;
	struct known_pc known = { .pc = pc, .frame = FRAME_RETIRED };

	for (;; i++) {
		const struct known_pc *e = &t->entries[i & t->table.mask];
		uintptr_t found = load_acquire(&e->pc);

		if (found == 0)
			return known;
		if (likely(found == pc)) {
			known.frame = load_acquire(&e->frame);
			known.rule = load_relaxed(&e->rule);
			return known;
		}
	}
}

static inline bool pc_is_known(struct known_pc known)
{
	return likely(known.frame != FRAME_RETIRED);
}

static inline struct known_pc pc_get(uintptr_t pc)
{
	struct known_pc known;

	if (unlikely(load_relaxed(&modules_closing)))
		return pc_get_anew(pc);
	known = pc_find(load_acquire(&pcs), pc);
	return pc_is_known(known) ? known : pc_add(pc);
}

#ifndef RULE_TAG
#define RULE_TAG ~RULE_SHORT /* fewer bits in a test of what happens when they don't suffice */
#endif

static inline uint32_t rule_tag(uint64_t hash)
{
	return ((uint32_t)(hash >> 8) & RULE_TAG) | (RULE_SHORT + 1); /* never 0 */
}

/* The table to walk by: one without any rule while a dlclose is under way. */
static inline const struct rule_table *rules_now(void)
{
	return likely(!load_relaxed(&modules_closing)) ? load_acquire(&rules) : &rules_none;
}

/* RULE_ASK: rule_ask() knows. */
static inline rule_t rule_find(const struct rule_table *t, uintptr_t pc)
{
	uint64_t hash = (uint64_t)pc * HASH_FACTOR, i = hash >> t->table.shift;
	uint32_t tag = rule_tag(hash), e;

	for (;; i++) {
		e = load_relaxed(&t->entries[i & t->table.mask]);
		if (likely(((e ^ tag) & ~RULE_SHORT) == 0))
			return e & RULE_SHORT;
		if (e == 0)
			return RULE_ASK;
	}
}

static inline uint64_t node_hash(uint32_t parent, uint32_t frame)
{
	return ((uint64_t)parent << 32 | frame) * HASH_FACTOR;
}

/* The hash of a path that goes one frame further in, to this return address (or, for the first, to
 * this root). Never 0. */
static inline uint64_t path_hash(uint64_t outer, uintptr_t pc)
{
	uint64_t h = (outer ^ pc) * HASH_FACTOR;

	return (h ^ h >> 32) | 1;
}

static inline void path_prefetch(uint64_t hash)
{
	const struct path_table *t = load_acquire(&paths);

	__builtin_prefetch(&t->entries[hash >> t->table.shift]);
}

/* Site 0: not known. */
static inline struct known_path path_find(uint64_t hash)
{
	const struct path_table *t = load_acquire(&paths);
	struct known_path found;

	for (uint64_t i = hash >> t->table.shift;; i++) {
		const struct known_path *e = &t->entries[i & t->table.mask];

		found.hash = load_acquire(&e->hash);
		if (unlikely(found.hash == 0))
			return (struct known_path){ 0 };
		if (likely(found.hash == hash)) {
			found.site = load_acquire(&e->site);
			found.call = load_acquire(&e->call);
			/* All paths may have been dropped meanwhile, and others be there. */
			return likely(load_relaxed(&e->hash) == hash) ? found
								      : (struct known_path){ 0 };
		}
	}
}

#endif
