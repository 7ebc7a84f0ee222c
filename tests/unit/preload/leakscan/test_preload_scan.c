/* SPDX-License-Identifier: MIT */
/* test_preload_scan.c - random graphs of blocks: who is lost, and what that holds, by the scan and
 * by a slow twin that asks of each two blocks whether one leads to the other. */
#include "fixture.h"

#include "preload/leakscan/scan.h"
#include "preload/leakscan/scanmem.h"

#include <string.h>
#include <sys/mman.h>

#define BLOCKS 300
#define SITES 40
#define WORDS 6 /* of a block, at the least; its pointers lie in the first of them */
#define AREA (1ul << 20)

enum kind { LOST, INDIRECT, POSSIBLE, REACHABLE, KINDS };

/* Nothing here is an address of a block: those are in `area` and in `roots` alone. */
static struct {
	uint32_t place; /* bytes from the area's beginning */
	uint32_t size, site;
	bool leads[BLOCKS]; /* to a start */
	bool leads_inside[BLOCKS];
	bool reaches[BLOCKS]; /* by ways of any length, but through blocks that aren't unseen */
	enum kind kind;
	unsigned owner;
} twins[BLOCKS];
static unsigned count;
static bool root[BLOCKS], root_inside[BLOCKS];
static char *area;
static uintptr_t roots[2 * BLOCKS];

/* In place of the process's own memory. */
static bool roots_of_test(const struct scan_stack *stacks, size_t stack_count)
{
	(void)stacks;
	(void)stack_count;
	scan_root((uintptr_t)roots, (uintptr_t)(roots + 2 * BLOCKS), false);
	return true;
}

static uint64_t held_room = SITES * SITES;

bool __wrap_tracefile_has_room(enum mt_table_id table, uint64_t records);

/* Tables grow by more than such graphs have. */
bool __wrap_tracefile_has_room(enum mt_table_id table, uint64_t records)
{
	return table != MT_HELD || records <= held_room;
}

static unsigned below(unsigned n)
{
	return (unsigned)rand() % n;
}

/* ---- making a graph */

static uintptr_t address(unsigned block, bool inside)
{
	return (uintptr_t)area + twins[block].place + (inside ? 16 : 0);
}

static void put_block(unsigned i, unsigned sites)
{
	uintptr_t start;
	uint32_t *slot;

	twins[i].size = 8 * (WORDS + below(20));
	twins[i].site = 1 + below(sites);
	start = address(i, false);
	memset((void *)start, 0, twins[i].size);
	if (!slot_at((void *)start))
		ck_assert_ptr_nonnull(slot_leaf_new(start));
	slot = slot_at((void *)start);
	slot_write(slot, (void *)start, twins[i].site, twins[i].size);
}

static void put_pointers(unsigned i, unsigned most)
{
	uintptr_t *words = (void *)address(i, false);
	unsigned pointers = below(most + 1);

	for (unsigned k = 0; k < pointers; k++) {
		unsigned to = below(count);
		bool inside = below(4) == 0;

		words[k] = address(to, inside);
		*(inside ? &twins[i].leads_inside[to] : &twins[i].leads[to]) = true;
	}
}

static void make_graph(unsigned sites, unsigned pointers, unsigned root_of)
{
	uint32_t at = 64;

	memset(twins, 0, sizeof(twins));
	memset(root, 0, sizeof(root));
	memset(root_inside, 0, sizeof(root_inside));
	memset(roots, 0, sizeof(roots));
	for (unsigned i = 0; i < count; i++) {
		twins[i].place = at;
		put_block(i, sites);
		at += (twins[i].size + 32 + 31) / 32 * 32;
	}
	for (unsigned i = 0; i < count; i++)
		put_pointers(i, pointers);
	for (unsigned i = 0; i < count; i++) {
		root[i] = below(root_of) == 0;
		root_inside[i] = below(root_of) == 0;
		roots[2 * i] = root[i] ? address(i, false) : 0;
		roots[2 * i + 1] = root_inside[i] ? address(i, true) : 0;
	}
}

static void take_blocks_away(void)
{
	for (unsigned i = 0; i < count; i++)
		*slot_at((void *)address(i, false)) = 0;
}

/* ---- the slow way */

#define UNSEEN KINDS

static void twin_mark(void)
{
	bool again = true;

	for (unsigned i = 0; i < count; i++)
		twins[i].kind = root[i] ? REACHABLE : UNSEEN;
	for (; again;) {
		again = false;
		for (unsigned i = 0; i < count; i++)
			for (unsigned k = 0; k < count; k++)
				if (twins[i].kind == REACHABLE && twins[i].leads[k] &&
					twins[k].kind != REACHABLE) {
					twins[k].kind = REACHABLE;
					again = true;
				}
	}
	for (unsigned i = 0; i < count; i++)
		if (root_inside[i] && twins[i].kind == UNSEEN)
			twins[i].kind = POSSIBLE;
	for (again = true; again;) {
		again = false;
		for (unsigned i = 0; i < count; i++)
			for (unsigned k = 0; k < count; k++) {
				bool inside = twins[i].leads_inside[k];
				bool leads = twins[i].kind == POSSIBLE
						     ? inside || twins[i].leads[k]
						     : twins[i].kind == REACHABLE && inside;

				if (leads && twins[k].kind == UNSEEN) {
					twins[k].kind = POSSIBLE;
					again = true;
				}
			}
	}
}

static void twin_reach(void)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned k = 0; k < count; k++)
			twins[i].reaches[k] = twins[i].kind == UNSEEN && twins[k].kind == UNSEEN &&
					      (twins[i].leads[k] || twins[i].leads_inside[k]);
	for (unsigned by = 0; by < count; by++)
		for (unsigned i = 0; i < count; i++)
			for (unsigned k = 0; twins[i].reaches[by] && k < count; k++)
				twins[i].reaches[k] |= twins[by].reaches[k];
}

static bool comes_first(unsigned a, unsigned b)
{
	return twins[a].site != twins[b].site ? twins[a].site < twins[b].site : a < b;
}

/* Lost is what only those reach that it reaches too, if it is the first of them. */
static bool is_lost(unsigned block)
{
	for (unsigned i = 0; i < count; i++)
		if (i != block && twins[i].reaches[block] &&
			(!twins[block].reaches[i] || comes_first(i, block)))
			return false;
	return true;
}

static bool circles(unsigned block)
{
	for (unsigned i = 0; i < count; i++)
		if (i != block && twins[i].reaches[block] && twins[block].reaches[i])
			return true;
	return false;
}

/* The first of the lost ones that reach it, and of these one that is in no circle, if there is
 * any. */
static bool owns_before(unsigned a, unsigned b)
{
	bool a_circles = circles(a), b_circles = circles(b);

	return a_circles != b_circles ? b_circles : comes_first(a, b);
}

static void twin_own(void)
{
	for (unsigned i = 0; i < count; i++)
		if (twins[i].kind == UNSEEN)
			twins[i].kind = is_lost(i) ? LOST : INDIRECT;
	for (unsigned i = 0; i < count; i++) {
		twins[i].owner = BLOCKS;
		for (unsigned k = 0; twins[i].kind == INDIRECT && k < count; k++)
			if (twins[k].kind == LOST && twins[k].reaches[i] &&
				(twins[i].owner == BLOCKS || owns_before(k, twins[i].owner)))
				twins[i].owner = k;
	}
}

/* ---- comparing */

struct sum {
	uint64_t bytes, blocks;
};

static void add(struct sum *sum, uint64_t bytes, uint64_t blocks)
{
	sum->bytes += bytes;
	sum->blocks += blocks;
}

static void check_leaks(void)
{
	struct sum found[SITES + 1][KINDS] = { 0 }, wanted[SITES + 1][KINDS] = { 0 };

	for (unsigned i = 0; i < count; i++)
		add(&wanted[twins[i].site][twins[i].kind], twins[i].size, 1);
	for (uint64_t i = 0; i < trace.header->tables[MT_LEAKS].count; i++)
		add(&found[trace.leaks[i].site][trace.leaks[i].kind - MT_LEAK_LOST],
			trace.leaks[i].bytes, trace.leaks[i].blocks);
	ck_assert_mem_eq(found, wanted, sizeof(found));
}

/* By pairs of sites, or for each owner alone. */
static void check_held(bool pairs)
{
	static struct sum found[SITES + 1][SITES + 1], wanted[SITES + 1][SITES + 1];

	memset(found, 0, sizeof(found));
	memset(wanted, 0, sizeof(wanted));
	for (unsigned i = 0; i < count; i++) {
		unsigned owner = twins[i].owner;

		if (twins[i].kind != INDIRECT)
			continue;
		ck_assert_uint_lt(owner, BLOCKS);
		add(&wanted[twins[owner].site][pairs ? twins[i].site : 0], twins[i].size, 1);
	}
	for (uint64_t i = 0; i < trace.header->tables[MT_HELD].count; i++) {
		ck_assert_uint_eq(found[trace.held[i].owner][trace.held[i].site].blocks, 0);
		add(&found[trace.held[i].owner][trace.held[i].site], trace.held[i].bytes,
			trace.held[i].blocks);
	}
	ck_assert_mem_eq(found, wanted, sizeof(found));
}

static void check_graph(bool pairs)
{
	trace.header->tables[MT_LEAKS].count = trace.header->tables[MT_HELD].count = 0;
	ck_assert(scan(roots_of_test, NULL, 0, false, os_time() + 60000000000ull));
	scan_release();
	twin_mark();
	twin_reach();
	twin_own();
	check_leaks();
	check_held(pairs);
}

static void begin(void)
{
	fixture_start();
	ck_assert(tracefile_room(MT_SITES, SITES + 1));
	trace.header->tables[MT_SITES].count = SITES + 1;
	ck_assert(tracefile_room(MT_LEAKS, 4 * SITES));
	ck_assert(tracefile_room(MT_HELD, SITES * SITES));
	area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(area, MAP_FAILED);
}

START_TEST(random_graphs)
{
	begin();
	for (unsigned seed = 0; seed < 400; seed++) {
		srand(seed);
		count = 1 + below(seed % 8 == 0 ? BLOCKS : 40);
		make_graph(1 + below(SITES), 1 + below(3), 2 + below(60));
		check_graph(true);
		take_blocks_away();
	}
}
END_TEST

/* A long chain, begun at either end, and a circle of it: each block is held once. */
START_TEST(chains_and_circles)
{
	begin();
	count = BLOCKS;
	for (unsigned way = 0; way < 3; way++) {
		make_graph(1, 0, BLOCKS * 1000);
		for (unsigned i = 0; i < count; i++) {
			unsigned to = way ? (i + 1) % count : (i + count - 1) % count;

			if (way < 2 && to == (way ? 0 : count - 1))
				continue; /* no circle */
			*(uintptr_t *)address(i, false) = address(to, false);
			twins[i].leads[to] = true;
		}
		check_graph(true);
		ck_assert_uint_eq(trace.header->tables[MT_HELD].count, 1);
		ck_assert_uint_eq(trace.held[0].blocks, BLOCKS - 1);
		take_blocks_away();
	}
}
END_TEST

/* Then what an owner holds is known as a sum. */
START_TEST(no_room_for_all_pairs)
{
	unsigned overflows = 0;

	begin();
	held_room = SITES;
	for (unsigned seed = 0; seed < 20; seed++) {
		bool pairs;

		srand(seed);
		count = BLOCKS;
		make_graph(SITES, 1, 1000);
		trace.header->tables[MT_HELD].count = 0;
		ck_assert(scan(roots_of_test, NULL, 0, false, os_time() + 60000000000ull));
		scan_release();
		pairs = trace.header->tables[MT_HELD].count == 0 || trace.held[0].site != 0;
		overflows += !pairs;
		check_graph(pairs);
		take_blocks_away();
	}
	ck_assert_uint_gt(overflows, 0);
}
END_TEST

UNIT_SUITE("scan", random_graphs, chains_and_circles, no_room_for_all_pairs)
