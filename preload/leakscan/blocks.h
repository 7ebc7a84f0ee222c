/* SPDX-License-Identifier: MIT */
/*
 * blocks.h - the live blocks that a scan finds in the slots, in order of address, and the look-up
 * of any address in them.
 *
 *   block   bits 0-13 size | 14-16 mark | 17-63 start; of a larger size (16383) the slot has it
 *   cell    512 bytes of addresses: the number of the first block that lies in it; 0 = none
 *   span    64 KiB: its cells; or one block's number, which covers all of it; NULL
 *   region  64 MiB, as in slots.h: its spans, or NULL
 *
 * Numbers begin with 1. Around the blocks lie two stretches of addresses, the ranges, apart by the
 * widest gap: most words are told apart by these (sift.h).
 */
#ifndef MTRACE_BLOCKS_H
#define MTRACE_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/leakscan/sift.h"
#include "preload/sys/atomic.h"

#define BLOCK_SIZE_BITS 14
#define BLOCK_LARGE ((1u << BLOCK_SIZE_BITS) - 1)
#define BLOCK_MARK_MASK (7ul << BLOCK_SIZE_BITS)
#define BLOCK_START_BIT 17

/* new T[0] where T has a destructor: a block of a count, which is 0, and the pointer is to its end.
 * The cells have that address, too. */
#define BLOCK_COUNT 8u

#define PAGE_BITS 12
#define BLOCK_PAGE_WORDS (1u << 13) /* of block_pages: pages further apart share bits */
#define CELL_BITS 9
#define SPAN_BITS 16
#define CELLS_IN_SPAN (1u << (SPAN_BITS - CELL_BITS))
#define MAP_REGION_BITS 26
#define SPANS_IN_REGION (1u << (MAP_REGION_BITS - SPAN_BITS))

union span {
	uint32_t *cells;
	uintptr_t number; /* times 2, plus 1 */
};

struct block_map {
	union span **regions; /* of a range */
	uintptr_t first_region;
};

#pragma GCC visibility push(hidden)

extern uint64_t *blocks;      /* by number; 0 is none */
extern uint32_t *block_sites; /* likewise */
extern uint32_t block_count;
extern uint64_t *block_pages; /* a bit for each page that a block lies in, by its last bits */
extern bool blocks_overlap;   /* a free was missed, and its memory given out anew */
extern struct sift_range block_ranges[2];
extern struct block_map block_maps[2];

bool blocks_find(void); /* false: no memory */
uint64_t block_large_size(uint32_t block);
uint32_t blocks_from(uintptr_t address); /* the first that starts there or behind; 0: none */
uint32_t blocks_last_in(uint32_t block, uint64_t behind);
uint32_t blocks_around(uintptr_t address); /* a large one that others overlap */

#pragma GCC visibility pop

static inline uintptr_t block_start(uint32_t block)
{
	return blocks[block] >> BLOCK_START_BIT;
}

static inline uint64_t block_size(uint32_t block)
{
	uint64_t size = blocks[block] & BLOCK_LARGE;

	return likely(size < BLOCK_LARGE) ? size : block_large_size(block);
}

static inline unsigned block_mark(uint32_t block)
{
	return (blocks[block] & BLOCK_MARK_MASK) >> BLOCK_SIZE_BITS;
}

static inline void block_set_mark(uint32_t block, unsigned mark)
{
	blocks[block] = (blocks[block] & ~BLOCK_MARK_MASK) | (uint64_t)mark << BLOCK_SIZE_BITS;
}

/* Which bit of which word of block_pages stands for an address. */
static inline uint64_t block_page_bit(uintptr_t address)
{
	return 1ul << (address >> PAGE_BITS & 63);
}

static inline uint64_t *block_page_word(uintptr_t address)
{
	return &block_pages[address >> PAGE_BITS >> 6 & (BLOCK_PAGE_WORDS - 1)];
}

/* The first block in the cell of an address, which is in one of the ranges. */
static inline uint32_t blocks_in_cell(uintptr_t address)
{
	const struct block_map *map = &block_maps[address >= block_ranges[1].start];
	const union span *spans;
	union span span;

	if (likely(!(*block_page_word(address) & block_page_bit(address))))
		return 0;
	spans = map->regions[(address >> MAP_REGION_BITS) - map->first_region];
	if (!spans)
		return 0;
	span = spans[address >> SPAN_BITS & (SPANS_IN_REGION - 1)];
	if (!span.cells)
		return 0;
	if (span.number & 1)
		return (uint32_t)(span.number >> 1);
	return span.cells[address >> CELL_BITS & (CELLS_IN_SPAN - 1)];
}

/* The block that an address is in, by the first in its cell; 0: none. In an empty block is its
 * start alone. */
static inline uint32_t blocks_at(uintptr_t address, uint32_t first)
{
	uint64_t behind = (uint64_t)(address + 1) << BLOCK_START_BIT; /* what starts further on */
	uint32_t at = first;
	uintptr_t offset;

	if (blocks[at] >= behind)
		return 0;
	for (int i = 0; i < 16 && blocks[at + 1] < behind; i++)
		at++;
	if (unlikely(blocks[at + 1] < behind))
		at = blocks_last_in(at, behind);
	offset = address - block_start(at);
	if (likely(offset < block_size(at)) || offset == 0)
		return at;
	return unlikely(blocks_overlap) ? blocks_around(address) : 0;
}

#endif
