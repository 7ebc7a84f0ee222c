/* SPDX-License-Identifier: MIT */
/* blocks.c - reads the slots once, and lists the live blocks. */
#include "preload/leakscan/blocks.h"
#include "preload/leakscan/pagemap.h"
#include "preload/leakscan/scanmem.h"
#include "preload/store/slots.h"
#include "preload/sys/check.h"

#include <string.h>

#define SLOTS_IN_PAGE (PAGEMAP_PAGE / sizeof(uint32_t))
#define SPAN (1ul << SPAN_BITS)
#define CELL (1ul << CELL_BITS)
#define MOST_SPANS (1u << 22) /* more is no sum of sizes */
#define LARGE 4096u	      /* bytes: of such a block that others overlap, all of it is known */

uint64_t *blocks;
uint32_t *block_sites;
uint64_t *block_pages;
uint32_t block_count;
bool blocks_overlap;
struct sift_range block_ranges[2];
struct block_map block_maps[2];

/* ---- the slots' pages */

/* What has a leaf, in the order of the addresses. */
struct region {
	uintptr_t number; /* its address >> SLOT_REGION_BITS */
	const uint32_t *leaf;
};
static struct region *regions;
static uint32_t region_count;
static uint64_t *pages; /* of the leaves, as pagemap has them */

static size_t pages_in_leaf(void)
{
	return slots_in_leaf() / SLOTS_IN_PAGE;
}

static void list_branch(uintptr_t branch)
{
	for (uintptr_t i = 0; i < SLOT_BRANCH && region_count < slot_leaf_count; i++)
		if (slot_root[branch][i])
			regions[region_count++] = (struct region){ branch << SLOT_BRANCH_BITS | i,
				slot_root[branch][i] };
}

static bool list_regions(void)
{
	regions = scan_map((slot_leaf_count + 1ul) * sizeof(*regions));
	region_count = 0;
	for (uintptr_t branch = 0; regions && branch < SLOT_BRANCHES; branch++)
		if (slot_root[branch])
			list_branch(branch);
	return regions != NULL;
}

/* A leaf is mostly pages that were never written: reading them all would cost more than the rest.
 * Where nobody tells, all are taken to be touched. */
static bool find_touched_pages(void)
{
	size_t count = pages_in_leaf();
	int fd = pagemap_open();

	pages = scan_map(region_count * count * sizeof(*pages));
	for (uint32_t i = 0; pages && i < region_count; i++) {
		uint64_t *of_leaf = pages + i * count;

		if (pagemap_read(fd, (uintptr_t)regions[i].leaf, of_leaf, count) < count)
			memset(of_leaf, 0xff, count * sizeof(*of_leaf));
	}
	if (fd >= 0)
		os_close(fd);
	return pages != NULL;
}

static size_t count_touched_pages(void)
{
	size_t count = 0;

	for (size_t i = 0; i < region_count * pages_in_leaf(); i++)
		count += (pages[i] & PAGEMAP_TOUCHED) != 0;
	return count;
}

/* ---- the list */

/* What is known of the blocks so far. */
static struct {
	uintptr_t end;	 /* behind the last one */
	uint64_t widest; /* gap between two */
	uint32_t split;	 /* the block behind that; 0: none yet */
	size_t regions, spans;
} listed;

static uintptr_t block_end(uint32_t block)
{
	uint64_t size = block_size(block);

	return block_start(block) + (size ? size : 1);
}

/* Of the addresses that lead to a block. */
static uintptr_t mapped_end(uintptr_t start, uint64_t size)
{
	return start + (size == BLOCK_COUNT ? 2 * BLOCK_COUNT : size ? size : 1);
}

/* How many pieces of 1 << bits bytes the block is in that none before it was in. */
static size_t new_pieces(uintptr_t start, uintptr_t end, unsigned bits)
{
	uintptr_t first = start >> bits, last = (end - 1) >> bits;

	if (listed.end > 0 && first <= (listed.end - 1) >> bits)
		first = ((listed.end - 1) >> bits) + 1;
	return last >= first ? last - first + 1 : 0;
}

static void list_block(uintptr_t start, struct block b)
{
	uintptr_t end = start + (b.size ? b.size : 1);

	blocks[++block_count] =
		start << BLOCK_START_BIT | (b.size < BLOCK_LARGE ? b.size : BLOCK_LARGE);
	block_sites[block_count] = b.site;
	listed.regions += new_pieces(start, mapped_end(start, b.size), MAP_REGION_BITS);
	listed.spans += new_pieces(start, mapped_end(start, b.size), SPAN_BITS);
	if (listed.end > start)
		blocks_overlap = true;
	else if (listed.end > 0 && start - listed.end > listed.widest) {
		listed.widest = start - listed.end;
		listed.split = block_count;
	}
	if (end > listed.end)
		listed.end = end;
}

/* A page of slots of each plane: those of the same granules, in the order of the addresses. */
static always_inline void list_pages(
	const struct region *region, const size_t *starts, size_t planes)
{
	const uint32_t *leaf = region->leaf;

	for (size_t first = 0; first < SLOTS_IN_PAGE; first += 4) {
		uint64_t any = 0, two[2];

		for (size_t plane = 0; plane < planes; plane++) {
			memcpy(two, &leaf[starts[plane] + first], sizeof(two));
			any |= two[0] | two[1];
		}
		for (size_t k = first; any && k < first + 4; k++)
			for (size_t plane = 0; plane < planes; plane++) {
				size_t i = starts[plane] + k;

				if (leaf[i] >> SLOT_SITE_BIT)
					list_block(slot_block(region->number, i, leaf[i]),
						slot_read(&leaf[i]));
			}
	}
}

static void list_leaf(const struct region *region, const uint64_t *leaf_pages)
{
	for (size_t first = 0; first < SLOT_GRANULES; first += SLOTS_IN_PAGE) {
		size_t starts[SLOT_PLANES], count = 0;

		for (size_t i = first; i < slots_in_leaf(); i += SLOT_PLANE)
			if (leaf_pages[i / SLOTS_IN_PAGE] & PAGEMAP_TOUCHED)
				starts[count++] = i;
		if (count == 1)
			list_pages(region, starts, 1);
		else if (count > 1)
			list_pages(region, starts, count);
	}
}

static bool list_blocks(void)
{
	size_t room = count_touched_pages() * SLOTS_IN_PAGE;

	/* One in front, which is none, and one that ends them. */
	blocks = scan_map((room + 2) * sizeof(*blocks));
	block_sites = scan_map((room + 2) * sizeof(*block_sites));
	if (!blocks || !block_sites || room >= UINT32_MAX)
		return false;
	block_count = 0;
	blocks_overlap = false;
	memset(&listed, 0, sizeof(listed));
	for (uint32_t i = 0; i < region_count; i++)
		list_leaf(&regions[i], pages + i * pages_in_leaf());
	blocks[block_count + 1] = UINT64_MAX;
	return true;
}

/* ---- the map */

static char *map_memory, *map_end; /* what is left of it */

static void *take(size_t size)
{
	void *p = map_memory;

	map_memory += size;
	check(map_memory <= map_end);
	return p;
}

/* Blocks `first` to `last` are in the range. */
static size_t set_range(unsigned range, uint32_t first, uint32_t last, uintptr_t end)
{
	struct sift_range *r = &block_ranges[range];

	*r = (struct sift_range){ UINTPTR_MAX, 0 };
	if (first > last)
		return 0;
	end += BLOCK_COUNT;
	*r = (struct sift_range){ block_start(first), end - block_start(first) };
	block_maps[range].first_region = r->start >> MAP_REGION_BITS;
	return ((end - 1) >> MAP_REGION_BITS) - block_maps[range].first_region + 1;
}

static union span *span_at(struct block_map *map, uintptr_t address)
{
	union span **spans = &map->regions[(address >> MAP_REGION_BITS) - map->first_region];

	if (!*spans)
		*spans = take(SPANS_IN_REGION * sizeof(**spans));
	return &(*spans)[address >> SPAN_BITS & (SPANS_IN_REGION - 1)];
}

static bool has_cells(const union span *span)
{
	return span->number && !(span->number & 1);
}

static uint32_t *cells_of(union span *span)
{
	uintptr_t number = span->number;

	if (has_cells(span))
		return span->cells;
	span->cells = take(CELLS_IN_SPAN * sizeof(*span->cells));
	for (unsigned i = 0; number && i < CELLS_IN_SPAN; i++)
		span->cells[i] = (uint32_t)(number >> 1); /* others overlap this one */
	return span->cells;
}

/* All of the span is in the block, which starts behind all others that are in it so far. */
static void fill_span(union span *span, uint32_t block)
{
	if (has_cells(span))
		for (unsigned i = 0; i < CELLS_IN_SPAN; i++)
			span->cells[i] = block;
	else
		span->number = (uintptr_t)block << 1 | 1;
}

static void set_pages(uintptr_t start, uintptr_t end)
{
	uintptr_t page = start >> PAGE_BITS, last = (end - 1) >> PAGE_BITS;

	if (last - page >= 64 * BLOCK_PAGE_WORDS)
		last = page + 64 * BLOCK_PAGE_WORDS - 1; /* all of them */
	for (; page <= last; page++)
		*block_page_word(page << PAGE_BITS) |= block_page_bit(page << PAGE_BITS);
}

/* In the cell that it starts in, others may be before it. */
static void map_block(struct block_map *map, uint32_t block)
{
	uintptr_t at = block_start(block), end = mapped_end(at, block_size(block));
	bool starts = true;

	set_pages(at, end);
	while (at < end) {
		union span *span = span_at(map, at);

		if (at % SPAN == 0 && end - at >= SPAN) {
			fill_span(span, block);
			at += SPAN;
		} else {
			uint32_t *cell = &cells_of(span)[at >> CELL_BITS & (CELLS_IN_SPAN - 1)];

			if (!starts || !*cell)
				*cell = block;
			at = (at | (CELL - 1)) + 1;
		}
		starts = false;
	}
}

static bool map_blocks(void)
{
	uint32_t split = listed.split ? listed.split : block_count + 1;
	uintptr_t end = listed.split ? block_start(split) - listed.widest : listed.end;
	size_t in_first = set_range(0, 1, split - 1, end);
	size_t in_second = set_range(1, split, block_count, listed.end), size;

	/* The size of a block whose place was taken anew may be anything. */
	if (listed.end >> SLOT_ADDRESS_BITS || listed.spans > MOST_SPANS)
		return false;
	/* The ranges may share a region, and a span. */
	size = (in_first + in_second) * sizeof(union span *) +
	       (listed.regions + 1) * SPANS_IN_REGION * sizeof(union span) +
	       (listed.spans + 1) * CELLS_IN_SPAN * sizeof(uint32_t);
	map_memory = scan_map(size);
	map_end = map_memory + size;
	block_pages = scan_map(BLOCK_PAGE_WORDS * sizeof(*block_pages));
	if (!map_memory || !block_pages)
		return false;
	block_maps[0].regions = take(in_first * sizeof(union span *));
	block_maps[1].regions = take(in_second * sizeof(union span *));
	for (uint32_t i = 1; i <= block_count; i++)
		map_block(&block_maps[i >= split], i);
	return true;
}

/* ---- blocks that others overlap */

static uint32_t *large;
static uint32_t large_count;

static bool list_large(void)
{
	if (!blocks_overlap)
		return true;
	large = scan_map((block_count + 1ul) * sizeof(*large));
	large_count = 0;
	for (uint32_t i = 1; large && i <= block_count; i++)
		if (block_size(i) >= LARGE)
			large[large_count++] = i;
	return large != NULL;
}

uint32_t blocks_around(uintptr_t address)
{
	uint32_t low = 0, high = large_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (block_start(large[middle]) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && address < block_end(large[low - 1]) ? large[low - 1] : 0;
}

/* ---- look-ups */

bool blocks_find(void)
{
	return list_regions() && find_touched_pages() && list_blocks() && map_blocks() &&
	       list_large();
}

uint64_t block_large_size(uint32_t block)
{
	return slot_read(slot_at((const void *)block_start(block))).size;
}

uint32_t blocks_last_in(uint32_t block, uint64_t behind)
{
	uint32_t low = block, high = block_count;

	while (low < high) {
		uint32_t middle = high - (high - low) / 2;

		if (blocks[middle] < behind)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

uint32_t blocks_from(uintptr_t address)
{
	uint64_t behind = (uint64_t)address << BLOCK_START_BIT;

	if (block_count == 0 || blocks[block_count] < behind)
		return 0;
	return blocks[1] >= behind ? 1 : blocks_last_in(1, behind) + 1;
}
