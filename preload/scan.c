/*
 * scan.c - marks live blocks, starting from the roots, and adds them up by site and kind.
 *
 * A mark is a byte for each slot. Blocks to look into stand on a stack, in memory of its own; a
 * block is pushed at most twice (possible, then reachable) and once as lost. Kinds follow memcheck:
 *
 *   1. from the roots by pointers to starts: reachable; where a pointer to an inside was on the
 * way: possible
 *   2. of the rest, in order of address: lost; what it leads to: indirect, even if that was taken
 * for lost before
 *
 * Four layouts count as pointed to at their start although they aren't: arrays with a count in
 * front (new[]), objects with several vtables, strings with their header in front, and blocks that
 * begin with their own length.
 */
#include "preload/scan.h"
#include "preload/slots.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MOST_NS 10000000000ull /* of a scan */
#define LARGE_BLOCK 4096u      /* bytes: inside of these, the start is found by halving */

enum mark { UNSEEN, LOST, INDIRECT, POSSIBLE, REACHABLE };

struct found {
	uintptr_t start; /* 0: no block there */
	uint64_t size;
	uint32_t site;
	uint8_t *mark;
	bool inside; /* the address is not its start */
};

static uint8_t **marks; /* as slot_root */
static uint64_t
	*page_entries;	 /* of the leaf that is being walked, as /proc/self/pagemap has them */
static uintptr_t *stack; /* starts of blocks to look into */
static size_t stack_used, stack_room;
static struct large {
	uintptr_t start;
	uint64_t size;
} * large; /* sorted by start */
static size_t large_used;
static uintptr_t lowest = UINTPTR_MAX, highest; /* of all blocks */
static uint64_t live_blocks, deadline;
static uint32_t clock_divider;
static bool failed;
static enum mark reached; /* what a pointer to a start makes of a block at present */

bool scan_out_of_time(void)
{
	if ((++clock_divider & 1023) == 0 && os_time() > deadline)
		failed = true;
	return failed;
}

/* ---- blocks */

#define PAGE 4096u
#define SLOTS_IN_PAGE (PAGE / sizeof(uint32_t))
#define PAGE_TOUCHED (3ull << 62) /* present, or swapped out */

typedef void visit_fn(uintptr_t start, struct block b, uint8_t *mark);

/* A leaf is mostly pages that were never written: reading them all would cost more than the rest.
 */
static bool find_touched_pages(const uint32_t *leaf)
{
	size_t pages = slots_in_leaf() / SLOTS_IN_PAGE;
	int fd = os_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
	ssize_t got = -1;

	if (fd >= 0) {
		got = os_pread(fd, page_entries, pages * sizeof(*page_entries),
			(off_t)((uintptr_t)leaf / PAGE * 8));
		os_close(fd);
	}
	return got == (ssize_t)(pages * sizeof(*page_entries));
}

/* A page of slots in each plane, in the order of the addresses. */
static always_inline void each_block_in_pages(
	uintptr_t region, const size_t *starts, size_t planes, visit_fn *visit)
{
	const uint32_t *leaf = slot_root[region];
	uint8_t *leaf_marks = marks ? marks[region] : NULL;

	for (size_t granule = 0; granule < SLOTS_IN_PAGE; granule++)
		for (size_t plane = 0; plane < planes; plane++) {
			size_t i = starts[plane] + granule;

			if (leaf[i] >> SLOT_SITE_BIT)
				visit(slot_block(region, i, leaf[i]), slot_read(&leaf[i]),
					leaf_marks ? leaf_marks + i : NULL);
		}
}

static void each_block_in(uintptr_t region, visit_fn *visit)
{
	bool known = find_touched_pages(slot_root[region]);

	for (size_t first = 0; first < SLOT_GRANULES; first += SLOTS_IN_PAGE) {
		size_t starts[SLOT_PLANES], count = 0;

		for (size_t i = first; i < slots_in_leaf(); i += SLOT_PLANE)
			if (!known || (page_entries[i / SLOTS_IN_PAGE] & PAGE_TOUCHED))
				starts[count++] = i;
		if (count == 1)
			each_block_in_pages(region, starts, 1, visit);
		else if (count > 1)
			each_block_in_pages(region, starts, count, visit);
	}
}

/* Calls `visit` for each live block, by address. */
static void each_block(visit_fn *visit)
{
	for (uint32_t i = 0; i < slot_region_count; i++)
		if (slot_root[slot_regions[i]])
			each_block_in(slot_regions[i], visit);
}

/* In the child nobody else has to find them in their order. */
static void sort_regions(void)
{
	for (uint32_t i = 1; i < slot_region_count; i++) {
		uint32_t region = slot_regions[i], at = i;

		for (; at > 0 && slot_regions[at - 1] > region; at--)
			slot_regions[at] = slot_regions[at - 1];
		slot_regions[at] = region;
	}
}

static void measure(uintptr_t start, struct block b, uint8_t *mark)
{
	(void)mark;
	live_blocks++;
	large_used += b.size >= LARGE_BLOCK;
	if (start < lowest)
		lowest = start;
	if (start + b.size >= highest)
		highest = start + b.size + 1;
}

/* ---- chunks: what may be found at all in a stretch of LARGE_BLOCK bytes, so that most words are
 * told apart at once */

#define CHUNK_STARTS 1u /* a block starts in it */
#define CHUNK_LARGE 2u	/* a large block covers some of it */
#define CHUNKS_IN_REGION ((1ul << SLOT_REGION_BITS) / LARGE_BLOCK)

static uint8_t **chunks; /* by region, as slot_root */

static uint8_t chunk_of(uintptr_t address)
{
	const uint8_t *map = chunks[address >> SLOT_REGION_BITS];

	return map ? map[address / LARGE_BLOCK % CHUNKS_IN_REGION] : 0;
}

static void set_chunk(uintptr_t address, uint8_t flag)
{
	uint8_t **map = &chunks[address >> SLOT_REGION_BITS];

	if (!*map)
		*map = os_map(CHUNKS_IN_REGION);
	if (*map)
		(*map)[address / LARGE_BLOCK % CHUNKS_IN_REGION] |= flag;
	else
		failed = true;
}

static void note_block(uintptr_t start, struct block b, uint8_t *mark)
{
	(void)mark;
	set_chunk(start, CHUNK_STARTS);
	if (b.size < LARGE_BLOCK)
		return;
	large[large_used++] = (struct large){ start, b.size };
	for (uintptr_t p = start; p < start + b.size; p += LARGE_BLOCK)
		set_chunk(p, CHUNK_LARGE);
	set_chunk(start + b.size - 1, CHUNK_LARGE);
}

static bool prepare(void)
{
	size_t regions = (size_t)1 << (SLOT_ADDRESS_BITS - SLOT_REGION_BITS);

	page_entries = os_map(slots_in_leaf() / SLOTS_IN_PAGE * sizeof(*page_entries));
	if (!page_entries)
		return false;
	sort_regions();
	each_block(measure);
	marks = os_map(regions * sizeof(*marks));
	stack_room = 3 * live_blocks + 1;
	stack = os_map(stack_room * sizeof(*stack));
	large = os_map((large_used + 1) * sizeof(*large));
	chunks = os_map(regions * sizeof(*chunks));
	if (!marks || !stack || !large || !chunks)
		return false;
	large_used = 0;
	each_block(note_block);
	for (uint32_t i = 0; i < slot_region_count; i++)
		if (!(marks[slot_regions[i]] = os_map(slots_in_leaf())))
			return false;
	return true;
}

static bool read_block(uintptr_t region, size_t index, struct found *f)
{
	const uint32_t *leaf = slot_root[region];
	struct block b;

	if (!leaf || !(leaf[index] >> SLOT_SITE_BIT))
		return false;
	b = slot_read(&leaf[index]);
	f->start = slot_block(region, index, leaf[index]);
	f->size = b.size;
	f->site = b.site;
	f->mark = &marks[region][index];
	return true;
}

static bool block_at(uintptr_t address, struct found *f)
{
	return read_block(address >> SLOT_REGION_BITS, slot_number(address), f);
}

/* The large block that covers the address. */
static bool find_large(uintptr_t address, struct found *f)
{
	size_t low = 0, high = large_used;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (large[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && address - large[low - 1].start < large[low - 1].size &&
	       block_at(large[low - 1].start, f);
}

#define GRANULE ((uintptr_t)1 << SLOT_GRANULE_BITS)

/* The nearest block that starts at the address or below it, up to LARGE_BLOCK further down. */
static always_inline bool nearest(uintptr_t address, struct found *f, size_t planes)
{
	uintptr_t granule = address / GRANULE;

	for (uintptr_t end = granule - LARGE_BLOCK / GRANULE - 1; granule != end; granule--) {
		uintptr_t region = granule / SLOT_GRANULES;
		const uint32_t *leaf = slot_root[region];

		if (!leaf)
			return false;
		for (size_t plane = planes; plane > 0; plane--) {
			size_t i = (plane - 1) * SLOT_PLANE + granule % SLOT_GRANULES;

			if (leaf[i] >> SLOT_SITE_BIT && slot_block(region, i, leaf[i]) <= address)
				return read_block(region, i, f);
		}
	}
	return false;
}

static bool nearest_before(uintptr_t address, struct found *f)
{
	return slot_eighths ? nearest(address, f, SLOT_PLANES) : nearest(address, f, 1);
}

/* The block that covers the address; for an empty block, its start alone does. */
static bool find(uintptr_t address, struct found *f)
{
	uint8_t chunk = chunk_of(address);

	if (((chunk | chunk_of(address - LARGE_BLOCK)) & CHUNK_STARTS) &&
		nearest_before(address, f) &&
		(address - f->start < f->size || address == f->start)) {
		f->inside = address != f->start;
		return true;
	}
	f->inside = true;
	return (chunk & CHUNK_LARGE) && find_large(address, f);
}

/* ---- insides that count as starts */

/* Does the word point into a loaded module's image, as a vtable pointer does? */
static bool in_module(uintptr_t word)
{
	for (uint64_t i = 1; i < trace.header->tables[MT_MODULES].count; i++)
		if (word >= trace.modules[i].start && word < trace.modules[i].end &&
			trace.modules[i].unload_ns == 0)
			return true;
	return false;
}

static bool counts_as_start(const struct found *f, uintptr_t address)
{
	const uint64_t *words = (const uint64_t *)f->start;
	uint64_t offset = address - f->start;

	if (f->size < 16 || offset % 8 != 0 || offset + 8 > f->size)
		return false;
	/* A length in front, or the count of an array's elements. */
	if (offset == 8 && words[0] > 0 && words[0] <= f->size - 8 && (f->size - 8) % words[0] == 0)
		return true;
	/* A string behind its length, capacity and references. */
	if (offset == 24 && f->size > 24 && words[0] <= words[1] && words[1] == f->size - 25)
		return true;
	return in_module(words[0]) && in_module(*(const uint64_t *)address); /* two vtables */
}

/* ---- marking */

static void push(uintptr_t start)
{
	if (stack_used < stack_room)
		stack[stack_used++] = start;
	else
		failed = true;
}

/* What a pointer to a word's address makes of its block, if it is one. */
static void mark_block(uintptr_t word, enum mark mark)
{
	struct found f;

	if (!find(word, &f))
		return;
	if (mark == REACHABLE && f.inside && !counts_as_start(&f, word))
		mark = POSSIBLE;
	if (mark > *f.mark) {
		*f.mark = (uint8_t)mark;
		push(f.start);
	}
}

/* Words wait here for their slots and marks, which are all over the memory, to come into the cache.
 */
#define QUEUE 64
static struct {
	uintptr_t word;
	enum mark mark;
} queue[QUEUE];
static unsigned queued;

static void flush_queue(void)
{
	for (unsigned i = 0; i < queued; i++)
		mark_block(queue[i].word, queue[i].mark);
	queued = 0;
}

static inline void take_word(uintptr_t word)
{
	uintptr_t region = word >> SLOT_REGION_BITS;
	size_t index = slot_number(word);

	if (likely(word - lowest >= highest - lowest) || !chunks[region])
		return;
	if (slot_root[region]) {
		__builtin_prefetch(&slot_root[region][index]);
		__builtin_prefetch(&marks[region][index]);
	}
	queue[queued].word = word;
	queue[queued].mark = reached;
	if (++queued == QUEUE)
		flush_queue();
}

void scan_word(uintptr_t word)
{
	take_word(word);
}

/* Calls `take` on the aligned words in [start, end). A program may have protected pages of its
 * heap: those are left out. A stretch within one page is taken to be readable. */
static always_inline void each_word(uintptr_t start, uintptr_t end, void (*take)(uintptr_t word))
{
	bool may_fault = end - start >= PAGE;

	start = (start + 7) & ~(uintptr_t)7;
	for (uintptr_t p = start; p + 8 <= end; p += 8) {
		if (unlikely(p % PAGE == 0 || (p == start && may_fault))) {
			if (scan_out_of_time())
				return;
			if (!os_readable(p)) {
				p = (p | (PAGE - 1)) - 7; /* its last word */
				continue;
			}
		}
		take(*(const uintptr_t *)p);
	}
}

void scan_root(uintptr_t start, uintptr_t end)
{
	trace.header->scan_bytes += end > start ? end - start : 0;
	each_word(start, end, take_word);
}

/* The first block in a granule that starts at the address or above it. */
static inline bool first_in_granule(uintptr_t granule, uintptr_t address, struct found *f)
{
	for (size_t i = slot_number(granule); i < slots_in_leaf(); i += SLOT_PLANE)
		if (read_block(granule >> SLOT_REGION_BITS, i, f) && f->start >= address)
			return true;
	return false;
}

uintptr_t scan_first_block(uintptr_t start, uintptr_t end)
{
	struct found f;

	if (end <= lowest || start >= highest)
		return 0;
	for (uintptr_t p = start & ~(GRANULE - 1); p < end; p += GRANULE) {
		if (!slot_root[p >> SLOT_REGION_BITS]) {
			p = (((p >> SLOT_REGION_BITS) + 1) << SLOT_REGION_BITS) - GRANULE;
			continue;
		}
		if (first_in_granule(p, start, &f))
			return f.start;
	}
	return 0;
}

/* Until nothing is left to look into. What a possible block points to is possible too. */
static void follow(void)
{
	while (!scan_out_of_time()) {
		struct found f;

		if (stack_used == 0)
			flush_queue();
		if (stack_used == 0)
			return;
		if (block_at(stack[--stack_used], &f)) {
			reached = (enum mark) * f.mark;
			scan_root(f.start, f.start + f.size);
		}
	}
}

/* ---- lost blocks */

static uintptr_t leader;

static void lead_to(uintptr_t word)
{
	struct found f;

	if (word < lowest || word >= highest || !find(word, &f) || f.start == leader)
		return;
	if (*f.mark == UNSEEN)
		push(f.start);
	if (*f.mark == UNSEEN || *f.mark == LOST)
		*f.mark = INDIRECT;
}

static void follow_lost(uintptr_t start)
{
	leader = start;
	push(start);
	while (stack_used > 0 && !scan_out_of_time()) {
		struct found f;

		if (!block_at(stack[--stack_used], &f))
			continue;
		each_word(f.start, f.start + f.size, lead_to);
	}
}

static void visit_unseen(uintptr_t start, struct block b, uint8_t *mark)
{
	(void)b;
	if (failed || *mark != UNSEEN)
		return;
	*mark = LOST;
	follow_lost(start);
}

/* ---- the result */

static struct mt_leak *sums; /* 4 a site: by kind */

static void add_up(uintptr_t start, struct block b, uint8_t *mark)
{
	struct mt_leak *sum = &sums[4 * (uint64_t)b.site + (*mark - LOST)];

	(void)start;
	sum->bytes += b.size;
	sum->blocks++;
}

static bool write_result(void)
{
	static const uint32_t kinds[] = { MT_LEAK_LOST, MT_LEAK_INDIRECT, MT_LEAK_POSSIBLE,
		MT_LEAK_REACHABLE };
	uint64_t sites = trace.header->tables[MT_SITES].count, used = 0;

	sums = os_map(4 * sites * sizeof(*sums));
	if (!sums)
		return false;
	each_block(add_up);
	for (uint64_t i = 0; i < 4 * sites; i++) {
		if (!sums[i].blocks)
			continue;
		sums[i].site = (uint32_t)(i / 4);
		sums[i].kind = kinds[i % 4];
		if (!tracefile_has_room(MT_LEAKS, used + 1))
			return false;
		trace.leaks[used++] = sums[i];
	}
	store_release(&trace.header->tables[MT_LEAKS].count, used);
	return true;
}

bool scan(const struct scan_stack *stacks, size_t count)
{
	deadline = os_time() + MOST_NS;
	if (!prepare())
		return false;
	reached = REACHABLE;
	if (!roots_scan(stacks, count))
		return false;
	follow();
	each_block(visit_unseen);
	return !failed && write_result();
}
