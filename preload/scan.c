/*
 * scan.c - marks live blocks, starting from the roots, and adds them up by site and kind.
 *
 * Blocks to look into stand on a stack, in memory of its own; a block is pushed at most twice
 * (possible, then reachable) and once as lost. Kinds follow memcheck:
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
#include "preload/blocks.h"
#include "preload/words.h"

#include <string.h>

enum mark { UNSEEN, LOST, INDIRECT, POSSIBLE, REACHABLE };

static uint32_t *stack; /* blocks to look into */
static size_t stack_used, stack_room;
static uint64_t *pending; /* a bit for each block */
static uint64_t deadline;
static uint32_t clock_divider;
static bool failed;
static enum mark reached; /* what a pointer to a start makes of a block at present */

bool scan_out_of_time(void)
{
	if ((++clock_divider & 1023) == 0 && os_time() > deadline)
		failed = true;
	return failed;
}

/* ---- memory */

#define MOST_MAPS 16

static struct {
	void *address;
	size_t size;
} maps[MOST_MAPS];
static unsigned map_count;

void *scan_map(size_t size)
{
	void *p;

	size += !size;
	p = map_count < MOST_MAPS ? os_map(size) : NULL;
	if (p) {
		maps[map_count].address = p;
		maps[map_count++].size = size;
	}
	return p;
}

void scan_release(void)
{
	while (map_count > 0) {
		map_count--;
		os_unmap(maps[map_count].address, maps[map_count].size);
	}
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

static bool counts_as_start(uint32_t block, uintptr_t address)
{
	uintptr_t start = block_start(block), first, second, word;
	uint64_t offset = address - start, size = block_size(block);

	if (size < 16 || offset % 8 != 0 || offset + 8 > size || !word_read(start, &first))
		return false;
	/* A length in front, or the count of an array's elements. */
	if (offset == 8 && first > 0 && first <= size - 8 && (size - 8) % first == 0)
		return true;
	/* A string behind its length, capacity and references. */
	if (offset == 24 && size > 24 && word_read(start + 8, &second) && first <= second &&
		second == size - 25)
		return true;
	return in_module(first) && word_read(address, &word) && in_module(word); /* two vtables */
}

/* ---- marking */

static void push(uint32_t block)
{
	if (stack_used < stack_room)
		stack[stack_used++] = block;
	else
		failed = true;
}

/* What a pointer makes of its block, if it is one. */
static void mark_block(uintptr_t word, uint32_t first, enum mark mark)
{
	uint32_t block = blocks_at(word, first);

	if (!block || mark <= block_mark(block))
		return;
	if (mark == REACHABLE && word != block_start(block) && !counts_as_start(block, word))
		mark = POSSIBLE;
	if (mark <= block_mark(block))
		return;
	block_set_mark(block, mark);
	__builtin_prefetch((const void *)block_start(block));
	push(block);
}

/* Words wait here for their blocks, which are all over the memory, to come into the cache. */
#define QUEUE 64
static struct {
	uintptr_t word;
	uint32_t first; /* block in its cell */
	enum mark mark;
} queue[QUEUE];
static unsigned queued;

static void flush_queue(void)
{
	for (unsigned i = 0; i < queued; i++)
		mark_block(queue[i].word, queue[i].first, queue[i].mark);
	queued = 0;
}

static inline void take_word(uintptr_t word)
{
	uint32_t first = blocks_in_cell(word);

	if (!first)
		return;
	__builtin_prefetch(&blocks[first]);
	queue[queued].word = word;
	queue[queued].first = first;
	queue[queued].mark = reached;
	if (++queued == QUEUE)
		flush_queue();
}

static bool in_range(uintptr_t word)
{
	return word - block_ranges[0].start < block_ranges[0].size ||
	       word - block_ranges[1].start < block_ranges[1].size;
}

void scan_word(uintptr_t word)
{
	if (in_range(word))
		take_word(word);
}

static uintptr_t found[WORDS_MOST + SIFT_SPARE];

/* Calls `take` on the words in the stretch that may be addresses of blocks. */
static always_inline void each_word(struct stretch s, void (*take)(uintptr_t word))
{
	while (s.at < s.end && !scan_out_of_time()) {
		size_t count = words_read(&s, block_ranges, found);

		for (size_t i = 0; i < count; i++)
			take(found[i]);
	}
}

void scan_root(uintptr_t start, uintptr_t end, bool private)
{
	trace.header->scan_bytes += end > start ? end - start : 0;
	each_word((struct stretch){ .at = start, .end = end, .private = private }, take_word);
}

uintptr_t scan_first_block(uintptr_t start, uintptr_t end)
{
	uint32_t block = blocks_from(start);

	return block && block_start(block) < end ? block_start(block) : 0;
}

static void follow_block(uint32_t block)
{
	reached = block_mark(block);
	scan_root(block_start(block), block_start(block) + block_size(block), true);
}

/* Those on the stack in the order of their addresses, which is the memory's own. */
static void follow_in_order(void)
{
	size_t words = block_count / 64 + 1;

	while (stack_used > 0) {
		uint32_t block = stack[--stack_used];

		pending[block / 64] |= 1ull << block % 64;
	}
	for (size_t i = 0; i < words && !failed; i++) {
		uint64_t bits = pending[i];

		pending[i] = 0;
		for (; bits && !failed; bits &= bits - 1)
			follow_block((uint32_t)(64 * i) + (uint32_t)__builtin_ctzll(bits));
	}
}

/* Until nothing is left to look into. What a possible block points to is possible too. */
static void follow(void)
{
	while (!failed) {
		if (stack_used == 0)
			flush_queue();
		if (stack_used == 0)
			return;
		if (stack_used > block_count / 64)
			follow_in_order();
		else
			follow_block(stack[--stack_used]);
	}
}

/* ---- lost blocks */

static uint32_t leader;

static void lead_to(uintptr_t word)
{
	uint32_t first = blocks_in_cell(word), block = first ? blocks_at(word, first) : 0;

	if (!block || block == leader)
		return;
	if (block_mark(block) == UNSEEN)
		push(block);
	if (block_mark(block) == UNSEEN || block_mark(block) == LOST)
		block_set_mark(block, INDIRECT);
}

static void follow_lost(void)
{
	push(leader);
	while (stack_used > 0 && !failed) {
		uint32_t block = stack[--stack_used];

		each_word((struct stretch){ .at = block_start(block),
				  .end = block_start(block) + block_size(block),
				  .private = true },
			lead_to);
	}
}

static void find_lost(void)
{
	for (leader = 1; leader <= block_count && !failed; leader++) {
		if (block_mark(leader) != UNSEEN)
			continue;
		block_set_mark(leader, LOST);
		follow_lost();
	}
}

/* ---- the result */

/* Of a site that has live blocks, by kind. */
struct sums {
	struct mt_leak of[4];
};

static void add_up(uint32_t *numbers, struct sums *sums)
{
	uint32_t count = 0;

	for (uint32_t i = 1; i <= block_count; i++) {
		uint32_t *number = &numbers[block_sites[i]];
		struct mt_leak *sum;

		if (!*number)
			*number = ++count;
		sum = &sums[*number].of[block_mark(i) - LOST];
		sum->bytes += block_size(i);
		sum->blocks++;
	}
}

static const uint32_t kinds[] = { MT_LEAK_LOST, MT_LEAK_INDIRECT, MT_LEAK_POSSIBLE,
	MT_LEAK_REACHABLE };

static bool write_sums(uint32_t site, struct sums *sums, uint64_t *used)
{
	for (unsigned i = 0; i < 4; i++) {
		struct mt_leak *sum = &sums->of[i];

		if (!sum->blocks)
			continue;
		sum->site = site;
		sum->kind = kinds[i];
		if (!tracefile_has_room(MT_LEAKS, *used + 1))
			return false;
		trace.leaks[(*used)++] = *sum;
	}
	return true;
}

static bool write_result(void)
{
	uint32_t sites = (uint32_t)trace.header->tables[MT_SITES].count;
	size_t most = sites < block_count ? sites : block_count;
	uint32_t *numbers = scan_map(sites * sizeof(*numbers)); /* of the site's sums; 0: none */
	struct sums *sums = scan_map((most + 1) * sizeof(*sums));
	uint64_t used = 0;

	if (!numbers || !sums)
		return false;
	add_up(numbers, sums);
	for (uint32_t i = 1; i < sites; i++)
		if (numbers[i] && !write_sums(i, &sums[numbers[i]], &used))
			return false;
	store_release(&trace.header->tables[MT_LEAKS].count, used);
	return true;
}

bool scan(const struct scan_stack *stacks, size_t count, uint64_t until)
{
	deadline = until;
	failed = false;
	stack_used = queued = 0;
	words_init();
	if (!blocks_find())
		return false;
	stack_room = 3ul * block_count + 1;
	stack = scan_map(stack_room * sizeof(*stack));
	pending = scan_map((block_count / 64 + 1) * sizeof(*pending));
	reached = REACHABLE;
	if (!stack || !pending || !roots_scan(stacks, count))
		return false;
	follow();
	find_lost();
	return !failed && write_result();
}
