/* SPDX-License-Identifier: MIT */
/*
 * page_tree.c - the call tree: its largest nodes, and what each allocated itself.
 *
 * A node is kept with its callers, since these have at least what it has. What the others allocated
 * is added up in a node without a frame below the innermost that is kept, so sums stay what they are.
 */
#include "analyzer/html/page_data.h"
#include "analyzer/base/mem.h"

#include <stdlib.h>

#define NODES_KEPT 8000

struct tree {
	struct page_data *d;
	const struct stacks *stacks;
	struct page_values *own;  /* by node */
	struct page_values *rest; /* by kept node, of those below that aren't */
	uint32_t *rest_stacks;
	uint32_t *groups; /* by node: stacks that end there */
	uint32_t *number; /* by node: in the page; 0 = not kept */
	uint32_t *kept;
	size_t kept_count;
};

static void sum_sites(struct tree *t)
{
	const struct tally *tally = &t->d->tally;

	for (uint32_t i = 0; i < tally->count; i++) {
		uint32_t site = tally->order[i];
		uint32_t node = t->stacks->groups[t->stacks->group_of_site[site]].node;

		t->own[node].v[PAGE_LOST] += (int64_t)t->d->lost[site];
	}
	for (size_t i = 0; i < t->stacks->group_count; i++) {
		const struct stack_group *group = &t->stacks->groups[i];

		page_values_add(&t->own[group->node], &group->sum.m, 0);
		t->groups[group->node]++;
	}
}

/* Callers come before those they call. The outermost of all, which is no function, is always kept. */
static void choose_nodes(struct tree *t)
{
	size_t count = t->stacks->node_count;
	struct page_values *all = mem_zalloc(count, sizeof(*all));
	double *shares = mem_zalloc(count, sizeof(*shares));

	for (size_t i = count; i-- > 1;) {
		page_values_sum(&all[i], &t->own[i]);
		page_values_sum(&all[t->stacks->nodes[i].parent], &all[i]);
		shares[i] = page_share(t->d, &all[i]);
	}
	shares[0] = 1e300;
	/* Rounding and negative sums must not put a node before its caller. */
	for (size_t i = count; i-- > 1;)
		if (shares[t->stacks->nodes[i].parent] < shares[i])
			shares[t->stacks->nodes[i].parent] = shares[i];
	t->kept = page_largest(shares, count, NODES_KEPT, &t->kept_count);
	for (size_t i = 1; i < t->kept_count; i++)
		t->number[t->kept[i]] = (uint32_t)i;
	free(all);
	free(shares);
}

static void add_up_rest(struct tree *t)
{
	for (uint32_t i = 1; i < t->stacks->node_count; i++) {
		uint32_t node = i;

		if (t->number[i] || !t->groups[i])
			continue;
		while (node && !t->number[node])
			node = t->stacks->nodes[node].parent;
		page_values_sum(&t->rest[t->number[node]], &t->own[i]);
		t->rest_stacks[t->number[node]] += t->groups[i];
	}
}

/* Two numbers a node: how far before it its caller is, and its frame. */
static void write_nodes(struct tree *t)
{
	struct json *j = &t->d->json;

	json_array(j, "nodes", true);
	for (size_t i = 1; i < t->kept_count; i++) {
		uint32_t parent = t->stacks->nodes[t->kept[i]].parent;
		const struct stack_frame *f = stacks_frame(t->stacks, t->kept[i]);

		json_unsigned(j, NULL, i - t->number[parent]);
		json_unsigned(j, NULL, page_frame(t->d, f->function, f->file, f->line, f->module));
	}
	json_close(j);
}

static void write_values(struct tree *t)
{
	struct json *j = &t->d->json;

	json_array(j, "own", true);
	for (size_t i = 0; i < t->kept_count; i++) {
		if (!t->groups[t->kept[i]])
			continue;
		json_unsigned(j, NULL, i);
		page_values_write(&t->own[t->kept[i]], j);
	}
	json_close(j);
	json_array(j, "rest", true);
	for (size_t i = 0; i < t->kept_count; i++) {
		if (!t->rest_stacks[i])
			continue;
		json_unsigned(j, NULL, i);
		json_unsigned(j, NULL, t->rest_stacks[i]);
		page_values_write(&t->rest[i], j);
	}
	json_close(j);
}

void page_write_tree(struct page_data *d)
{
	size_t count = d->stacks->node_count;
	struct tree t = { .d = d, .stacks = d->stacks };

	t.own = mem_zalloc(count, sizeof(*t.own));
	t.groups = mem_zalloc(count, sizeof(*t.groups));
	t.number = mem_zalloc(count, sizeof(*t.number));
	sum_sites(&t);
	choose_nodes(&t);
	t.rest = mem_zalloc(t.kept_count, sizeof(*t.rest));
	t.rest_stacks = mem_zalloc(t.kept_count, sizeof(*t.rest_stacks));
	add_up_rest(&t);
	json_object(&d->json, "tree", true);
	json_unsigned(&d->json, "stacks", d->stacks->group_count);
	write_nodes(&t);
	write_values(&t);
	json_close(&d->json);
	free(t.own);
	free(t.groups);
	free(t.number);
	free(t.kept);
	free(t.rest);
	free(t.rest_stacks);
}
