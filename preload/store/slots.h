/* SPDX-License-Identifier: MIT */
/*
 * slots.h - from a block's address to its site and requested size.
 *
 * Three levels over the address space: a root entry for each 16 GiB, branches with an entry for
 * each 2 MiB, and leaves of 32-bit slots. Three loads, no hash, no lock: the thread that owns a
 * block owns its slot. All of it counts as the program's address space, so no level is large. There
 * is one for each granule of 32 bytes, the least distance of two blocks under glibc. Other
 * allocators have size classes of 8 and of 16: with them a leaf has four planes, one for each of a
 * granule's eighths that blocks start at. So blocks of 32, 64, 96 bytes take as few cache lines and
 * pages as under glibc. A slot costs an eighth of the heap where blocks are multiples of 32, a
 * quarter of 16, half of 8.
 *
 *   slot        bits 0-9 size | 10 the block starts in the granule's upper half | 11-31 site;
 *               0 = no block starts here
 *   size 1023   the size stands in the next six slots, 10 bits each and one that is set, which the
 *               block itself covers; their site is 0, so no look-up takes them for a block's. None
 *               of them is 0, so whoever is given memory there finds the block, which then was
 *               freed unseen
 */
#ifndef MTRACE_SLOTS_H
#define MTRACE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "preload/sys/atomic.h"
#include "preload/sys/cpu.h"

#define SLOT_REGION_BITS 21 /* a leaf covers 2 MiB */
#define SLOT_ADDRESS_BITS 47
#define SLOT_BRANCH_BITS 13 /* log2 of the leaves in a branch */
#define SLOT_BRANCH (1u << SLOT_BRANCH_BITS)
#define SLOT_BRANCHES (1u << (SLOT_ADDRESS_BITS - SLOT_REGION_BITS - SLOT_BRANCH_BITS))
#define SLOT_GRANULE_BITS 5
#define SLOT_GRANULES (1u << (SLOT_REGION_BITS - SLOT_GRANULE_BITS))
#define SLOT_EIGHTHS 24u /* the bits of an address that choose its plane */
#define SLOT_PLANES 4u
/* Slots of a plane: a page more than it has granules. A large block at its very end has its size in
 * the slots behind. */
#define SLOT_PLANE (SLOT_GRANULES + CPU_PAGE / sizeof(uint32_t))
#define SLOT_SIZE_BITS 10
#define SLOT_HALF (1u << SLOT_SIZE_BITS)
#define SLOT_SITE_BIT 11
#define SLOT_LARGE ((1u << SLOT_SIZE_BITS) - 1)
#define SLOT_PIECES 6 /* slots behind a large block's own that hold its size */

struct block {
	uint32_t site;	/* 0: none is known at that address */
	uint64_t size;	/* as requested */
	uint32_t count; /* 1; when sampling, the blocks it stands for, and size their bytes */
	uint32_t slack; /* bytes, MTRACE_SLACK=1: known of a block that was taken out */
	uint32_t era;	/* phase_clearings when it was taken out for a realloc */
};

#pragma GCC visibility push(hidden)

extern uint32_t **slot_root[SLOT_BRANCHES]; /* branches, by the first bits of an address */
extern uintptr_t slot_eighths;		    /* SLOT_EIGHTHS; 0: there is one plane */
extern uint32_t slot_leaf_count;	    /* at the least as many as there are */

void slots_init(bool glibc);		    /* glibc: no two blocks are closer than 32 bytes */
uint32_t *slot_leaf_new(uintptr_t address); /* NULL: no memory */

/* A block that is recorded already: at the address, or a large one with a piece of its size in the
 * address's slot. Whoever has been given the address knows that it was freed unseen. It is taken
 * out; `at`: where it was. Site 0: there is none, and nothing is left in the slot. */
struct block slot_take_left(uintptr_t address, uintptr_t *at);

/* The block that the address lies in, and where it starts; site 0: none is known. Other threads' blocks
 * may come and go meanwhile: nothing is taken, and nothing waited for. */
struct block slot_find(uintptr_t address, uintptr_t *start);

void slots_clear(void); /* forgets all blocks, while nobody else writes a slot */

#pragma GCC visibility pop

/* NULL: nothing was ever recorded in that region. */
static always_inline uint32_t *slot_in(const void *block, uintptr_t eighths)
{
	uintptr_t address = (uintptr_t)block;
	uintptr_t branch = address >> (SLOT_REGION_BITS + SLOT_BRANCH_BITS);
	uint32_t **leaves;
	char *leaf;

	if (unlikely(branch >= SLOT_BRANCHES))
		return NULL;
	leaves = load_acquire(&slot_root[branch]);
	if (unlikely(!leaves))
		return NULL;
	leaf = (char *)load_acquire(&leaves[address >> SLOT_REGION_BITS & (SLOT_BRANCH - 1)]);
	if (unlikely(!leaf))
		return NULL;
	return (uint32_t *)(leaf + (address >> 3 & (SLOT_GRANULES - 1) << 2) +
			    (address & eighths) / 8 * (SLOT_PLANE * sizeof(uint32_t)));
}

static inline uint32_t *slot_at(const void *block)
{
	return slot_in(block, slot_eighths);
}

/* Of an address, the number of its slot in the leaf; and the reverse. */
static inline size_t slot_number(uintptr_t address)
{
	return (address >> SLOT_GRANULE_BITS & (SLOT_GRANULES - 1)) +
	       (address & slot_eighths) / 8 * SLOT_PLANE;
}

static inline uintptr_t slot_block(uintptr_t region, size_t number, uint32_t value)
{
	return (region << SLOT_REGION_BITS) + (number % SLOT_PLANE << SLOT_GRANULE_BITS) +
	       (value & SLOT_HALF ? 16 : 0) + (number / SLOT_PLANE & 1) * 8;
}

static inline size_t slots_in_leaf(void)
{
	return SLOT_PLANE * (slot_eighths ? SLOT_PLANES : 1);
}

/* A large size in the slots behind, two at a time: a piece in the low half of a word and one in its
 * high half. */
#define SLOT_PIECE_BITS 10
#define SLOT_PIECE ((1ul << SLOT_PIECE_BITS) - 1)
#define SLOT_PIECE_MARKS ((1ul << 32 | 1ul) << SLOT_PIECE_BITS)

static always_inline void slot_write_word(uint32_t *slots, uint64_t word)
{
	memcpy(slots, &word, sizeof(word));
}

static always_inline uint64_t slot_pieces(uint64_t size)
{
	return SLOT_PIECE_MARKS | (size & SLOT_PIECE) |
	       (size & SLOT_PIECE << SLOT_PIECE_BITS) << (32 - SLOT_PIECE_BITS);
}

static always_inline uint64_t slot_read_pieces(const uint32_t *slots)
{
	uint64_t word;

	memcpy(&word, slots, sizeof(word));
	return (word & SLOT_PIECE) |
	       (word >> (32 - SLOT_PIECE_BITS) & SLOT_PIECE << SLOT_PIECE_BITS);
}

static always_inline void slot_write_large(uint32_t *slot, uint64_t size)
{
	slot_write_word(slot + 1, slot_pieces(size));
	slot_write_word(slot + 3, slot_pieces(size >> 2 * SLOT_PIECE_BITS));
	slot_write_word(slot + 5, slot_pieces(size >> 4 * SLOT_PIECE_BITS));
}

static always_inline void slot_clear_large(uint32_t *slot)
{
	slot_write_word(slot + 1, 0);
	slot_write_word(slot + 3, 0);
	slot_write_word(slot + 5, 0);
}

static always_inline uint64_t slot_read_large(const uint32_t *slot)
{
	return slot_read_pieces(slot + 1) | slot_read_pieces(slot + 3) << 2 * SLOT_PIECE_BITS |
	       slot_read_pieces(slot + 5) << 4 * SLOT_PIECE_BITS;
}

/* Are there leftovers where a large block's size belongs? */
static always_inline bool slot_is_littered(const uint32_t *slot)
{
	uint64_t words[SLOT_PIECES / 2];

	memcpy(words, slot + 1, sizeof(words));
	return words[0] | words[1] | words[2];
}

static inline struct block slot_read(const uint32_t *slot)
{
	uint32_t value = *slot;
	struct block b = { value >> SLOT_SITE_BIT, value & SLOT_LARGE, 1, 0, 0 };

	if (unlikely(b.size == SLOT_LARGE))
		b.size = slot_read_large(slot);
	return b;
}

/* `size` is what it has. */
static always_inline void slot_clear(uint32_t *slot, uint64_t size)
{
	if (unlikely(size >= SLOT_LARGE))
		slot_clear_large(slot);
	*slot = 0;
}

/* Which half of its granule the address is in, as a slot has it. */
static inline uint32_t slot_half(const void *address)
{
	return ((uint32_t)(uintptr_t)address & 16) << (SLOT_SIZE_BITS - 4);
}

static inline void slot_write(uint32_t *slot, const void *address, uint32_t site, uint64_t size)
{
	if (unlikely(size >= SLOT_LARGE)) {
		slot_write_large(slot, size);
		size = SLOT_LARGE;
	}
	*slot = site << SLOT_SITE_BIT | slot_half(address) | (uint32_t)size;
}

static inline bool slot_is_taken(const void *block)
{
	const uint32_t *slot = slot_at(block);

	return slot && *slot >> SLOT_SITE_BIT;
}

/* Takes the block out: its site is 0 when none is known. */
static inline struct block slot_take(const void *block)
{
	uint32_t *slot = slot_at(block);
	struct block b = { 0 };

	if (likely(slot) && likely(*slot >> SLOT_SITE_BIT)) {
		b = slot_read(slot);
		slot_clear(slot, b.size);
	}
	return b;
}

#endif
