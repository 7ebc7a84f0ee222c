/*
 * stacks.h - the stack tree: return address -> frame, (parent node, frame) -> node and its site.
 *
 * Three hash tables in the process's memory index the tables in the trace: by return address, by
 * (parent, frame), and by the hash of a whole path. The third is only for speed: its answer is
 * checked frame by frame, but the reads of that check don't wait for each other's cache misses, as
 * those of a walk down the tree do. Look-ups take no lock: an entry's key is stored last, entries
 * never move, and a table that is full is replaced by a larger copy while readers finish with the
 * old one, which stays. Additions go through tables_lock.
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

/* What a pair of numbers leads to. Parent and frame lead to a node and its site (0 = has none yet);
 * the special frames below lead from a node to other things. */
struct edge {
	uint64_t key; /* parent << 32 | frame; 0 = free */
	uint32_t node;
	uint32_t site;
};
#define EDGE_MMAP_SITE 0xffffffffu /* (node, this) -> site for anonymous mappings */
#define EDGE_FOREIGN 0xfffffffeu   /* (node, this) -> index in MT_FOREIGN, as site */
#define EDGE_LINES 0xffffff00u	   /* (this + kind, frame) -> line, as node */

struct edge_table {
	unsigned shift;
	uint32_t mask;
	uint32_t used;
	struct edge entries[];
};

#pragma GCC visibility push(hidden)

extern struct pc_table *pcs;
extern struct edge_table *edges;
extern struct edge_table *paths; /* the key is a path's hash; for nodes that allocated */

struct known_pc pc_add(uintptr_t pc); /* the rare path of pc_get */
struct edge edge_add(
	uint32_t parent, uint32_t frame); /* the rare path of edge_get; node 0 = no room */
void path_add(uint64_t hash, uint32_t node, uint32_t site); /* or changes its site */
uint32_t foreign_for(uint32_t node); /* index + 1 in MT_FOREIGN; 0 = no room */
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
	const struct known_pc *e = pc_find(load_acquire(&pcs), pc);

	return likely(e->pc == pc) ? *e : pc_add(pc);
}

static inline struct edge *edge_find(struct edge_table *t, uint64_t key)
{
	uint64_t i = key * HASH_FACTOR >> t->shift;
	struct edge *e;
	uint64_t found;

	for (;; i++) {
		e = &t->entries[i & t->mask];
		found = load_acquire(&e->key);
		if (likely(found == key) || found == 0)
			return e;
	}
}

/* The hash of a path that goes one frame further in. Never 0. */
static inline uint64_t path_hash(uint64_t outer, uint32_t frame)
{
	uint64_t h = (outer ^ frame) * HASH_FACTOR;

	return (h ^ h >> 29) | 1;
}

static inline const struct edge *path_find(uint64_t hash)
{
	return edge_find(load_acquire(&paths), hash);
}

static inline struct edge edge_get(uint32_t parent, uint32_t frame)
{
	uint64_t key = (uint64_t)parent << 32 | frame;
	struct edge *e = edge_find(load_acquire(&edges), key);

	return likely(e->key == key) ? *e : edge_add(parent, frame);
}

#endif
