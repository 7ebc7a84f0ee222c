/*
 * stacks.h - the stack tree: return address -> frame, (parent node, frame) -> node, node -> site.
 *
 * Hash tables in the process's memory index the tables in the trace: by return address, by (parent,
 * frame), by (node, kind), and by the hash of a whole path. The last is only for speed: its answer
 * is checked frame by frame, but the reads of that check don't wait for each other's cache misses,
 * as those of a walk down the tree do. Look-ups take no lock: an entry is stored whole or its key
 * last, entries never move, and a table that is full is replaced by a larger copy. Readers that are
 * still at the old one find nothing there and look again under tables_lock, as all additions do.
 */
#ifndef MTRACE_STACKS_H
#define MTRACE_STACKS_H

#include "preload/internal.h"
#include "preload/rules.h"

struct known_pc {
	uintptr_t pc; /* return address; 0 = free, 1 = was unloaded */
	uint32_t frame;
	rule_t rule;
};

struct pc_table {
	unsigned shift; /* 64 - log2(size) */
	uint32_t mask;
	uint32_t used;
	struct known_pc entries[];
};

/* Numbers of records in a table of the trace, which has the keys; 0 = free. */
struct index {
	unsigned shift; /* 64 - log2(size) */
	uint32_t mask;
	uint32_t used;
	uint32_t entries[];
};

/* From the hash of a path to its site. An entry is the hash with its low bits replaced by the site;
 * 0 = free. */
struct path_table {
	unsigned shift;
	uint32_t mask;
	uint32_t used;
	uint64_t entries[];
};
#define PATH_SITE ((uint64_t)MT_SITES_MOST) /* the bits of the site */

#pragma GCC visibility push(hidden)

extern struct pc_table *pcs;
extern struct index *nodes;
extern struct path_table *paths;

struct known_pc pc_add(uintptr_t pc);	   /* the rare path of pc_get */
struct known_pc pc_get_anew(uintptr_t pc); /* while a dlclose is under way */
uint32_t node_get(
	uint32_t parent, uint32_t frame); /* finds or makes it; under tables_lock; 0 = no room */
uint32_t site_find(uint32_t node);	  /* on the heap; 0 = it has none yet; under tables_lock */
uint32_t site_of_path(uint64_t hash, uint32_t node); /* finds or makes it; 0 = no room */
void path_add(uint64_t hash, uint32_t site);	     /* under tables_lock */
uint32_t foreign_for(uint32_t node);		     /* index + 1 in MT_FOREIGN; 0 = no room */
void stacks_add_wrapper(uintptr_t start,
	uintptr_t end); /* code of an allocation function that is no hook of ours */

#pragma GCC visibility pop

#define HASH_FACTOR 0x9e3779b97f4a7c15ull /* 2^64 / golden ratio */

/* 0-pc entry: not known. */
static inline const struct known_pc *pc_find(const struct pc_table *t, uintptr_t pc)
{
	uint64_t i = (uint64_t)pc * HASH_FACTOR >> t->shift;
	const struct known_pc *e;
	uintptr_t found;

	for (;; i++) {
		e = &t->entries[i & t->mask];
		found = load_acquire(&e->pc);
		if (likely(found == pc) || found == 0)
			return e;
	}
}

static inline struct known_pc pc_get(uintptr_t pc)
{
	const struct known_pc *e;

	if (unlikely(load_relaxed(&modules_closing)))
		return pc_get_anew(pc);
	e = pc_find(load_acquire(&pcs), pc);
	return likely(e->pc == pc) ? *e : pc_add(pc);
}

static inline uint64_t node_hash(uint32_t parent, uint32_t frame)
{
	return ((uint64_t)parent << 32 | frame) * HASH_FACTOR;
}

/* 0 = not known. */
static inline uint32_t node_find(uint32_t parent, uint32_t frame)
{
	const struct index *t = load_acquire(&nodes);
	uint64_t i = node_hash(parent, frame) >> t->shift;

	for (;; i++) {
		uint32_t node = load_acquire(&t->entries[i & t->mask]);

		if (node == 0 ||
			(trace.nodes[node].parent == parent && trace.nodes[node].frame == frame))
			return node;
	}
}

/* The hash of a path that goes one frame further in. Never 0. */
static inline uint64_t path_hash(uint64_t outer, uint32_t frame)
{
	uint64_t h = (outer ^ frame) * HASH_FACTOR;

	return (h ^ h >> 29) | 1;
}

/* The site of the path with this hash, or (once in a great while) of another; 0 = not known. */
static inline uint32_t path_find(uint64_t hash)
{
	const struct path_table *t = load_acquire(&paths);
	uint64_t i = hash >> t->shift;

	for (;; i++) {
		uint64_t e = load_acquire(&t->entries[i & t->mask]);

		if (e == 0 || ((e ^ hash) & ~PATH_SITE) == 0)
			return e & PATH_SITE;
	}
}

#endif
