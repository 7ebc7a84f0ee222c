/* SPDX-License-Identifier: MIT */
/*
 * scan.c - marks live blocks, starting from the roots, and adds them up by site and kind.
 *
 * Blocks to look into stand on a stack, in memory of its own; a block is pushed at most twice
 * (possible, then reachable), and later once for each time that unseen blocks are gone through.
 * Kinds:
 *
 *   1. from the roots by pointers to starts: reachable; where a pointer to an inside was on the
 *      way: possible
 *   2. of the rest, the unseen: lost, where no other leads to it; of those that lead to each other
 *      in a circle, and that nothing else leads to, the first is lost
 *   3. what lost blocks lead to: indirect, and held by the first that does, those in circles being
 *      last
 *
 * That is memcheck's way, but that it takes a block of a circle for lost if it comes to it before
 * it comes to the block that leads into the circle. First is by site, and by address in one site:
 * addresses of large blocks, and in threads' arenas, differ from run to run.
 *
 * Four layouts count as pointed to at their start although they aren't: arrays with a count in
 * front (new[]), objects with several vtables, strings with their header in front, and blocks that
 * begin with their own length.
 */
#include "preload/leakscan/scan.h"
#include "preload/leakscan/blocks.h"
#include "preload/leakscan/scanmem.h"
#include "preload/leakscan/words.h"
#include "preload/store/tracefile.h"
#include "preload/sys/next.h"

#include <string.h>

enum mark { UNSEEN, LED_TO, CIRCLING, LOST, INDIRECT, POSSIBLE, REACHABLE };

/* What is done with the words that are pointers to blocks. */
static enum { MARK_REACHED, MARK_LED_TO, TAKE_FOR_LEADER } task;

static uint32_t *stack; /* blocks to look into */
static size_t stack_used, stack_room;
static uint64_t *pending; /* a bit for each block */
static size_t site_count; /* the program may go on and make more */
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

	if (offset == size)
		return true; /* of an array of no elements */
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

static bool in_range(uintptr_t word)
{
	return word - block_ranges[0].start < block_ranges[0].size ||
	       word - block_ranges[1].start < block_ranges[1].size;
}

static void push(uint32_t block)
{
	if (stack_used < stack_room)
		stack[stack_used++] = block;
	else
		failed = true;
}

/* Is the word a pointer to the end of that block, an array of no elements? */
static bool is_empty_array(uint32_t block, uintptr_t word)
{
	uintptr_t count;

	return block && word - block_start(block) == BLOCK_COUNT &&
	       block_size(block) == BLOCK_COUNT && word_read(block_start(block), &count) &&
	       count == 0;
}

/* The block that a word points to, by the first in its cell; 0: none. */
static uint32_t block_of(uintptr_t word, uint32_t first)
{
	uint32_t block = blocks_at(word, first);

	if (likely(block) || !in_range(word - BLOCK_COUNT))
		return block;
	first = blocks_in_cell(word - BLOCK_COUNT);
	block = first ? blocks_at(word - BLOCK_COUNT, first) : 0;
	return is_empty_array(block, word) ? block : 0;
}

/* Where blocks may follow one another without a gap, a pointer to the start of one may be meant for
 * the end of the one before it, which then is possible. */
static uint32_t array_before(uintptr_t word, uint32_t block)
{
	return !next.glibc && block && word == block_start(block) && is_empty_array(block - 1, word)
		       ? block - 1
		       : 0;
}

/* What a pointer makes of a block that it points to. */
static void mark_block(uintptr_t word, uint32_t block, enum mark mark)
{
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

static uint32_t looked_into; /* block that the words are in */

/* Another block that wasn't reached leads there. */
static void mark_led_to(uint32_t block, uint32_t from)
{
	if (block && block != from && block_mark(block) == UNSEEN)
		block_set_mark(block, LED_TO);
}

static uint32_t leader;		    /* block that takes what it leads to, */
static enum mark takes_from, taken; /* with the first mark, and gives it the second */
static uint32_t *owners;	    /* by block: its leader */
static bool overlap;		    /* two lead to the same block */

static void take(uint32_t block)
{
	if (!block || block == leader)
		return;
	if (block_mark(block) == takes_from) {
		block_set_mark(block, taken);
		owners[block] = leader;
		__builtin_prefetch((const void *)block_start(block));
		push(block);
	} else if (block_mark(block) == taken && owners[block] != leader) {
		overlap = true;
	}
}

/* Words wait here for their blocks, which are all over the memory, to come into the cache. */
#define QUEUE 64
static struct {
	uintptr_t word;
	uint32_t first; /* block in its cell */
	enum mark mark;
	uint32_t from; /* block that it is in */
} queue[QUEUE];
static unsigned queued;

static inline void do_task(uint32_t block, unsigned i, enum mark mark)
{
	if (task == MARK_REACHED)
		mark_block(queue[i].word, block, mark);
	else if (task == MARK_LED_TO)
		mark_led_to(block, queue[i].from);
	else
		take(block);
}

static void flush_queue(void)
{
	for (unsigned i = 0; i < queued; i++) {
		uint32_t block = block_of(queue[i].word, queue[i].first);

		do_task(block, i, queue[i].mark);
		block = array_before(queue[i].word, block);
		if (unlikely(block))
			do_task(block, i, POSSIBLE);
	}
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
	queue[queued].from = looked_into;
	if (++queued == QUEUE)
		flush_queue();
}

void scan_word(uintptr_t word)
{
	if (in_range(word))
		take_word(word);
}

static uintptr_t found[WORDS_MOST + SIFT_SPARE];

static always_inline void each_word(
	uintptr_t start, uintptr_t end, bool private, void (*by)(uintptr_t word))
{
	struct stretch s = { .at = start, .end = end, .private = private };

	trace.header->scan_bytes += end > start ? end - start : 0;
	while (s.at < s.end && !scan_out_of_time()) {
		size_t count = words_read(&s, block_ranges, found);

		for (size_t i = 0; i < count; i++)
			by(found[i]);
	}
}

void scan_root(uintptr_t start, uintptr_t end, bool private)
{
	each_word(start, end, private, take_word);
}

void scan_root_by(uintptr_t start, uintptr_t end, bool private, void (*by)(uintptr_t word))
{
	each_word(start, end, private, by);
}

uintptr_t scan_block_at(uintptr_t address)
{
	uint32_t first = in_range(address) ? blocks_in_cell(address) : 0;
	uint32_t block = first ? blocks_at(address, first) : 0;

	return block ? block_start(block) : 0;
}

uintptr_t scan_first_block(uintptr_t start, uintptr_t end)
{
	uint32_t block = blocks_from(start);

	return block && block_start(block) < end ? block_start(block) : 0;
}

static void follow_block(uint32_t block)
{
	reached = block_mark(block);
	looked_into = block;
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

static uint32_t *order;	 /* blocks, those of one site after the other */
static uint32_t *starts; /* by site: where its blocks begin there, while they are put in order */

/* Puts the blocks of one mark in the order of their sites, or of their owners' sites; those of one
 * site are in order of address. Returns how many there are. */
static uint32_t put_in_order(enum mark mark, bool by_owner)
{
	uint32_t count = 0;

	memset(starts, 0, site_count * sizeof(*starts));
	for (uint32_t i = 1; i <= block_count; i++)
		if (block_mark(i) == mark)
			starts[block_sites[by_owner ? owners[i] : i]]++;
	for (size_t i = 0; i < site_count; i++) {
		count += starts[i];
		starts[i] = count - starts[i];
	}
	for (uint32_t i = 1; i <= block_count; i++)
		if (block_mark(i) == mark)
			order[starts[block_sites[by_owner ? owners[i] : i]]++] = i;
	return count;
}

/* From a block to all that it leads to and that has one mark; that becomes another. */
static void take_from(uint32_t block, enum mark mark, enum mark from, enum mark to)
{
	task = TAKE_FOR_LEADER;
	leader = block;
	takes_from = from;
	taken = to;
	block_set_mark(block, mark);
	owners[block] = block;
	push(block);
	follow();
}

/* In order of address, which is the memory's own. */
static void find_led_to(void)
{
	task = MARK_LED_TO;
	for (uint32_t i = 1; i <= block_count && !failed; i++)
		if (block_mark(i) <= LED_TO)
			follow_block(i);
	flush_queue();
}

/*
 * Of blocks that are all led to, those from which one comes to all others. First, each that none
 * before it led to. Ones behind may lead to it, though, by blocks that had been taken: where any
 * had, all is gone through anew, the last first, as none before leads to that. Returns how many are
 * left in `order`, and what mark all have.
 */
static uint32_t find_circles(uint32_t count, enum mark *mark)
{
	uint32_t firsts = 0, kept = 0;

	*mark = CIRCLING;
	overlap = false;
	for (uint32_t i = 0; i < count && !failed; i++) {
		if (block_mark(order[i]) != LED_TO)
			continue;
		order[firsts++] = order[i];
		take_from(order[i], CIRCLING, LED_TO, CIRCLING);
	}
	if (!overlap)
		return firsts;
	*mark = LED_TO;
	for (uint32_t i = firsts; i-- > 0 && !failed;) {
		if (block_mark(order[i]) != CIRCLING)
			continue;
		order[firsts - ++kept] = order[i];
		take_from(order[i], LED_TO, CIRCLING, LED_TO);
	}
	memmove(order, order + firsts - kept, kept * sizeof(*order));
	return kept;
}

static void find_lost(void)
{
	enum mark mark;
	uint32_t count;

	find_led_to();
	count = put_in_order(UNSEEN, false);
	for (uint32_t i = 0; i < count && !failed; i++)
		take_from(order[i], LOST, LED_TO, INDIRECT);
	count = find_circles(put_in_order(LED_TO, false), &mark);
	for (uint32_t i = 0; i < count && !failed; i++)
		take_from(order[i], LOST, mark, INDIRECT);
}

/* A register that isn't known may hold any of them. */
static void doubt_rest(void)
{
	for (uint32_t i = 1; i <= block_count; i++)
		if (block_mark(i) == UNSEEN)
			block_set_mark(i, POSSIBLE);
}

/* ---- the result */

/* Of a site that has live blocks, by kind. */
struct sums {
	struct mt_leak of[4];
};

static uint32_t add_up(uint32_t *numbers, struct sums *sums)
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
	return count;
}

static const uint32_t kinds[] = { MT_LEAK_LOST, MT_LEAK_INDIRECT, MT_LEAK_POSSIBLE,
	MT_LEAK_REACHABLE };

uint64_t scan_grows_to;

static bool has_room(enum mt_table_id table, uint64_t count)
{
	if (scan_grows_to == 0)
		return tracefile_has_room(table, count);
	return (table != MT_HELD || count <= scan_grows_to) && tracefile_room(table, count);
}

static uint64_t count_records(const struct sums *sums, uint32_t sites)
{
	uint64_t records = 0;

	for (uint32_t i = 1; i <= sites; i++)
		for (unsigned k = 0; k < 4; k++)
			records += sums[i].of[k].blocks > 0;
	return records;
}

static void write_sums(uint32_t site, struct sums *sums, uint64_t *used)
{
	for (unsigned i = 0; i < 4; i++) {
		struct mt_leak *sum = &sums->of[i];

		if (!sum->blocks)
			continue;
		sum->site = site;
		sum->kind = kinds[i];
		trace.leaks[(*used)++] = *sum;
	}
}

static bool write_leaks(uint32_t *numbers, struct sums *sums)
{
	uint64_t used = 0;
	uint32_t sites = add_up(numbers, sums);

	if (!has_room(MT_LEAKS, count_records(sums, sites)))
		return false;
	for (uint32_t i = 1; i < site_count; i++)
		if (numbers[i])
			write_sums(i, &sums[numbers[i]], &used);
	store_release(&trace.header->tables[MT_LEAKS].count, used);
	return true;
}

/* The pairs of sites, of indirect blocks in order: those of one owner follow one another.
 * `last_pairs` has a site's last pair, plus 1. With sites left out there is one for each owner.
 * Returns how many; 0: no room. */
static uint64_t write_pairs(uint32_t *last_pairs, uint32_t count, bool leave_out_sites)
{
	uint64_t used = 0, first = 0; /* of the owner's pairs */

	for (uint32_t i = 0; i < count; i++) {
		uint32_t owner = block_sites[owners[order[i]]];
		uint32_t site = leave_out_sites ? 0 : block_sites[order[i]];

		if (used > 0 && trace.held[used - 1].owner != owner)
			first = used;
		if (last_pairs[site] <= first) {
			if (!has_room(MT_HELD, used + 1))
				return 0;
			trace.held[used++] = (struct mt_held){ .owner = owner, .site = site };
			last_pairs[site] = (uint32_t)used;
		}
		trace.held[last_pairs[site] - 1].bytes += block_size(order[i]);
		trace.held[last_pairs[site] - 1].blocks++;
	}
	return used;
}

/* There is room for one record an owner at the least. */
static bool write_held(uint32_t *last_pairs)
{
	size_t size = site_count * sizeof(*last_pairs);
	uint32_t count = put_in_order(INDIRECT, true);
	uint64_t used;

	memset(last_pairs, 0, size);
	used = write_pairs(last_pairs, count, false);
	if (count > 0 && used == 0) {
		memset(last_pairs, 0, size);
		used = write_pairs(last_pairs, count, true);
	}
	store_release(&trace.header->tables[MT_HELD].count, used);
	return count == 0 || used > 0;
}

static bool write_result(void)
{
	size_t most = site_count < block_count ? site_count : block_count;
	uint32_t *numbers =
		scan_map(site_count * sizeof(*numbers)); /* of the site's sums; 0: none */
	struct sums *sums = scan_map((most + 1) * sizeof(*sums));

	return numbers && sums && write_leaks(numbers, sums) && write_held(numbers);
}

/* For marks a block is on the stack three times at the most, for lost blocks once: the rest is free
 * then. */
static bool map_memory(void)
{
	stack_room = 3ul * block_count + 1;
	stack = scan_map(stack_room * sizeof(*stack));
	pending = scan_map((block_count / 64 + 1) * sizeof(*pending));
	starts = scan_map(site_count * sizeof(*starts));
	if (!stack || !pending || !starts)
		return false;
	owners = stack + block_count;
	order = stack + 2ul * block_count + 1;
	return true;
}

bool scan(bool (*find_roots)(const struct scan_stack *stacks, size_t count),
	const struct scan_stack *stacks, size_t count, bool blind, uint64_t until)
{
	deadline = until;
	failed = false;
	stack_used = queued = 0;
	task = MARK_REACHED;
	words_init();
	if (!blocks_find())
		return false;
	site_count = trace.header->tables[MT_SITES].count;
	reached = REACHABLE;
	if (!map_memory() || !find_roots(stacks, count))
		return false;
	follow();
	if (blind)
		doubt_rest();
	find_lost();
	return !failed && write_result();
}
