/*
 * slots.h - from a block's address to its site and requested size.
 *
 * Two levels over the address space: a root entry for each 64 MiB, and leaves of 32-bit slots, one a granule. Two loads, no
 * hash, no lock: the thread that owns a block owns its slot. A granule is the least distance of two blocks: 32 bytes under
 * glibc, 8 under allocators that have size classes of 8, so a slot costs an eighth of the heap, or a half.
 *
 *   slot   bits 0-9 size | 10-31 site; 0 = no block starts here
 *          size 1023: the size stands in the next two slots, which the block itself covers
 */
#ifndef MTRACE_SLOTS_H
#define MTRACE_SLOTS_H

#include "preload/internal.h"

#define SLOT_REGION_BITS 26 /* a leaf covers 64 MiB */
#define SLOT_ADDRESS_BITS 47
#define SLOT_SIZE_BITS 10
#define SLOT_LARGE ((1u << SLOT_SIZE_BITS) - 1)

struct block {
	uint32_t site; /* 0: none is known at that address */
	uint64_t size; /* as requested */
};

#pragma GCC visibility push(hidden)

extern uint32_t **slot_root; /* by address >> SLOT_REGION_BITS */
extern unsigned slot_shift;  /* log2 of the granule */

bool slots_init(bool glibc); /* glibc: no two blocks are closer than 32 bytes */
uint32_t *slot_leaf_new(uintptr_t address); /* NULL: no memory */

#pragma GCC visibility pop

/* NULL: nothing was ever recorded in that region. */
static inline uint32_t *slot_at(const void *block)
{
	uintptr_t address = (uintptr_t)block;
	uint32_t *leaf;

	if (unlikely(address >> SLOT_ADDRESS_BITS))
		return NULL;
	leaf = load_acquire(&slot_root[address >> SLOT_REGION_BITS]);
	if (unlikely(!leaf))
		return NULL;
	return leaf + ((address & ((1ul << SLOT_REGION_BITS) - 1)) >> slot_shift);
}

static inline struct block slot_read(const uint32_t *slot)
{
	uint32_t value = *slot;
	struct block b = { value >> SLOT_SIZE_BITS, value & SLOT_LARGE };

	if (unlikely(b.size == SLOT_LARGE))
		b.size = (uint64_t)slot[2] << 32 | slot[1];
	return b;
}

static inline void slot_clear(uint32_t *slot)
{
	if (unlikely((*slot & SLOT_LARGE) == SLOT_LARGE))
		slot[1] = slot[2] = 0;
	*slot = 0;
}

static inline void slot_write(uint32_t *slot, struct block b)
{
	if (unlikely(b.size >= SLOT_LARGE)) {
		slot[1] = (uint32_t)b.size;
		slot[2] = (uint32_t)(b.size >> 32);
		*slot = b.site << SLOT_SIZE_BITS | SLOT_LARGE;
		return;
	}
	*slot = b.site << SLOT_SIZE_BITS | (uint32_t)b.size;
}

/* Takes the block out: its site is 0 when none is known. */
static inline struct block slot_take(const void *block)
{
	uint32_t *slot = slot_at(block);
	struct block b = { 0, 0 };

	if (likely(slot) && likely(*slot)) {
		b = slot_read(slot);
		slot_clear(slot);
	}
	return b;
}

#endif
