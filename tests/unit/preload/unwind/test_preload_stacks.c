/* SPDX-License-Identifier: MIT */
/* test_preload_stacks.c - random stacks in the stack tree and in a plain list of paths. */
#include "fixture.h"

#include <string.h>

#define STACKS 3000
#define DEEPEST 12
#define FRAMES 40

struct path {
	uint32_t frames[DEEPEST]; /* outermost first */
	uint32_t depth;
	uint32_t node;
	uint32_t site;
};

static struct path stacks_made[STACKS];

static uint32_t intern(const struct path *p)
{
	uint32_t node = MT_NODE_ROOT;

	for (uint32_t i = 0; i < p->depth; i++)
		node = node_get(node, p->frames[i]);
	return node;
}

static void make(struct path *p)
{
	p->depth = 1 + (uint32_t)rand() % DEEPEST;
	for (uint32_t i = 0; i < p->depth; i++)
		p->frames[i] = fixture_frame(1 + (uint32_t)rand() % (i < 3 ? 3 : FRAMES));
	p->node = intern(p);
}

static bool same_path(const struct path *a, const struct path *b)
{
	return a->depth == b->depth &&
	       memcmp(a->frames, b->frames, a->depth * sizeof(a->frames[0])) == 0;
}

static void check_node(const struct path *p)
{
	uint32_t node = p->node;

	for (uint32_t i = p->depth; i-- > 0;) {
		ck_assert_uint_ge(node, MT_NODE_FIRST);
		ck_assert_uint_eq(trace.nodes[node].frame, p->frames[i]);
		ck_assert_uint_lt(trace.nodes[node].parent, node);
		node = trace.nodes[node].parent;
	}
	ck_assert_uint_eq(node, MT_NODE_ROOT);
}

START_TEST(equal_paths_share_a_node_and_others_do_not)
{
	fixture_start();
	srand(1);
	for (int i = 0; i < STACKS; i++)
		make(&stacks_made[i]);
	for (int i = 0; i < STACKS; i++) {
		check_node(&stacks_made[i]);
		ck_assert_uint_eq(intern(&stacks_made[i]), stacks_made[i].node);
		for (int j = 0; j < i; j++)
			ck_assert(same_path(&stacks_made[i], &stacks_made[j]) ==
				  (stacks_made[i].node == stacks_made[j].node));
	}
}
END_TEST

START_TEST(each_node_has_one_site_and_its_frame_one_line)
{
	fixture_start();
	srand(2);
	for (int i = 0; i < STACKS; i++) {
		make(&stacks_made[i]);
		stacks_made[i].site = site_for(stacks_made[i].node, MT_KIND_HEAP);
		ck_assert_uint_ne(stacks_made[i].site, 0);
		ck_assert_uint_eq(trace.site_info[stacks_made[i].site].node, stacks_made[i].node);
	}
	for (int i = 0; i < STACKS; i++) {
		uint32_t call = trace.site_info[stacks_made[i].site].call;

		ck_assert_uint_eq(site_for(stacks_made[i].node, MT_KIND_HEAP), stacks_made[i].site);
		ck_assert_uint_eq(trace.calls[call].frame, trace.nodes[stacks_made[i].node].frame);
		for (int j = 0; j < i; j += 37)
			ck_assert((trace.nodes[stacks_made[i].node].frame ==
					  trace.nodes[stacks_made[j].node].frame) ==
				  (call == trace.site_info[stacks_made[j].site].call));
	}
}
END_TEST

START_TEST(a_mapping_has_a_site_of_its_own)
{
	struct path p;

	fixture_start();
	make(&p);
	ck_assert_uint_ne(site_for(p.node, MT_KIND_HEAP), site_for(p.node, MT_KIND_MMAP));
	ck_assert_uint_eq(site_for(p.node, MT_KIND_MMAP), site_for(p.node, MT_KIND_MMAP));
}
END_TEST

static uint64_t hash_of(const struct path *p)
{
	uint64_t hash = path_hash(0, MT_NODE_ROOT);

	for (uint32_t i = 0; i < p->depth; i++)
		hash = path_hash(hash, p->frames[i]);
	return hash;
}

START_TEST(a_path_leads_to_its_site)
{
	struct path other;

	fixture_start();
	srand(3);
	for (int i = 0; i < STACKS; i++) {
		make(&stacks_made[i]);
		stacks_made[i].site = site_of_path(hash_of(&stacks_made[i]), stacks_made[i].node);
	}
	for (int i = 0; i < STACKS; i++) {
		ck_assert_uint_ne(stacks_made[i].site, 0);
		ck_assert_uint_eq(path_find(hash_of(&stacks_made[i])).site, stacks_made[i].site);
		ck_assert_uint_eq(site_of_path(hash_of(&stacks_made[i]), stacks_made[i].node),
			stacks_made[i].site);
	}
	make(&other);
	other.frames[other.depth - 1] = fixture_frame(FRAMES + 1);
	ck_assert_uint_eq(path_find(hash_of(&other)).site, 0);
}
END_TEST

START_TEST(a_forgotten_path_leads_to_its_site_again)
{
	uint64_t count;

	fixture_start();
	srand(4);
	for (int i = 0; i < STACKS; i++) {
		make(&stacks_made[i]);
		stacks_made[i].site = site_of_path(hash_of(&stacks_made[i]), stacks_made[i].node);
	}
	count = trace.header->tables[MT_SITES].count;
	lock_take(&tables_lock);
	stacks_forget_code(1, 2);
	lock_drop(&tables_lock);
	for (int i = 0; i < STACKS; i++)
		ck_assert_uint_eq(path_find(hash_of(&stacks_made[i])).site, 0);
	for (int i = 0; i < STACKS; i++)
		ck_assert_uint_eq(site_of_path(hash_of(&stacks_made[i]), stacks_made[i].node),
			stacks_made[i].site);
	ck_assert_uint_eq(trace.header->tables[MT_SITES].count, count);
}
END_TEST

START_TEST(unloaded_code_gets_new_frames)
{
	uint32_t before, other;

	fixture_start();
	before = pc_get(0x5010).frame;
	other = pc_get(0x9010).frame;
	lock_take(&tables_lock);
	stacks_forget_code(0x5000, 0x6000);
	lock_drop(&tables_lock);
	ck_assert_uint_ne(pc_get(0x5010).frame, before);
	ck_assert_uint_eq(pc_get(0x5010).frame, pc_get(0x5010).frame);
	ck_assert_uint_eq(pc_get(0x9010).frame, other);
}
END_TEST

/* Any word may be taken for a return address. */
START_TEST(what_was_never_met_is_unknown_also_among_unloaded_code)
{
	fixture_start();
	for (uintptr_t pc = 0x5001; pc < 0x5280; pc++)
		pc_get(pc);
	lock_take(&tables_lock);
	stacks_forget_code(0x5000, 0x6000);
	lock_drop(&tables_lock);
	for (uintptr_t pc = 0; pc < 0x100; pc++) {
		ck_assert(!pc_is_known(pc_find(pcs, pc + 1)));
		ck_assert(!pc_is_known(pc_find(pcs, UINTPTR_MAX - pc)));
	}
}
END_TEST

START_TEST(a_wrapper_is_looked_through)
{
	uint32_t user, wrapper, site;

	fixture_start();
	stacks_add_wrapper(0x5000, 0x5100);
	user = pc_get(0x4000).frame;
	wrapper = pc_get(0x5010).frame;
	site = site_for(node_get(node_get(MT_NODE_ROOT, user), wrapper), MT_KIND_HEAP);
	ck_assert_uint_eq(trace.calls[trace.site_info[site].call].frame, user);
}
END_TEST

/* What had no room in a table is 0, and so are the root nodes' own parent and frame. */
START_TEST(without_a_frame_there_is_no_node)
{
	fixture_start();
	ck_assert_uint_eq(node_get(MT_NODE_ROOT, 0), MT_NODE_NONE);
	ck_assert_uint_eq(node_get(MT_NODE_NONE, 0), MT_NODE_NONE);
	ck_assert_uint_eq(node_get(MT_NODE_NONE, pc_get(0x4000).frame), MT_NODE_NONE);
}
END_TEST

UNIT_SUITE("stacks", equal_paths_share_a_node_and_others_do_not,
	each_node_has_one_site_and_its_frame_one_line, a_mapping_has_a_site_of_its_own,
	a_path_leads_to_its_site, a_forgotten_path_leads_to_its_site_again,
	unloaded_code_gets_new_frames, what_was_never_met_is_unknown_also_among_unloaded_code,
	a_wrapper_is_looked_through, without_a_frame_there_is_no_node)
