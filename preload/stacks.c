/*
 * stacks.c - additions to the stack tree, and the sites and lines that hang on it.
 */
#include "preload/stacks.h"

#include <string.h>

struct lock tables_lock;
struct pc_table *pcs;
struct edge_table *edges;
struct edge_table *paths;

#define FIRST_BITS 9 /* log2 of a new hash table's size */

static struct {
	uintptr_t start, end;
} wrappers[64];
static unsigned wrapper_count;

/* ---- the two hash tables; under tables_lock */

static struct pc_table *pc_table_new(unsigned bits)
{
	struct pc_table *t = os_map(sizeof(*t) + (sizeof(t->entries[0]) << bits));

	if (t) {
		t->shift = 64 - bits;
		t->mask = (1u << bits) - 1;
	}
	return t;
}

static void pc_insert(struct pc_table *t, struct known_pc new)
{
	struct known_pc *e = (struct known_pc *)pc_find(t, new.pc);

	e->frame = new.frame;
	e->rule = new.rule;
	store_release(&e->pc, new.pc);
	t->used++;
}

static bool pc_room(void)
{
	struct pc_table *bigger;

	if (pcs->used < pcs->mask / 2)
		return true;
	bigger = pc_table_new(64 - pcs->shift + 1);
	if (!bigger)
		return pcs->used < pcs->mask; /* one stays free: searches must end */
	for (uint64_t i = 0; i <= pcs->mask; i++)
		if (pcs->entries[i].pc > 1)
			pc_insert(bigger, pcs->entries[i]);
	store_release(&pcs, bigger);
	return true;
}

static struct edge_table *edge_table_new(unsigned bits)
{
	struct edge_table *t = os_map(sizeof(*t) + (sizeof(t->entries[0]) << bits));

	if (t) {
		t->shift = 64 - bits;
		t->mask = (1u << bits) - 1;
	}
	return t;
}

static void edge_insert(struct edge_table *t, struct edge new)
{
	struct edge *e = edge_find(t, new.key);

	e->node = new.node;
	e->site = new.site;
	store_release(&e->key, new.key);
	t->used++;
}

static bool table_room(struct edge_table **table)
{
	struct edge_table *old = *table, *bigger;

	if (old->used < old->mask / 2)
		return true;
	bigger = edge_table_new(64 - old->shift + 1);
	if (!bigger)
		return old->used < old->mask;
	for (uint64_t i = 0; i <= old->mask; i++)
		if (old->entries[i].key)
			edge_insert(bigger, old->entries[i]);
	store_release(table, bigger);
	return true;
}

static bool edge_room(void)
{
	return table_room(&edges);
}

/* Without room the path is looked up by its edges each time. */
cold_path void path_add(uint64_t hash, uint32_t node, uint32_t site)
{
	struct edge *e;

	if (node < MT_NODE_FIRST)
		return;
	lock_take(&tables_lock);
	e = edge_find(paths, hash);
	if (e->key == hash) {
		if (e->node == node) /* else two paths have the same hash: the first has it */
			store_release(&e->site, site);
	} else if (table_room(&paths)) {
		edge_insert(paths, (struct edge){ hash, node, site });
	}
	lock_drop(&tables_lock);
}

static void count_up(enum mt_table_id table, uint64_t count)
{
	store_release(&trace.header->tables[table].count, count);
}

static uint64_t count_of(enum mt_table_id table)
{
	return trace.header->tables[table].count;
}

/* ---- frames */

static bool is_wrapper(uintptr_t call)
{
	for (unsigned i = 0; i < load_acquire(&wrapper_count); i++)
		if (call >= wrappers[i].start && call < wrappers[i].end)
			return true;
	return false;
}

void stacks_add_wrapper(uintptr_t start, uintptr_t end)
{
	lock_take(&tables_lock);
	if (wrapper_count < sizeof(wrappers) / sizeof(wrappers[0])) {
		wrappers[wrapper_count].start = start;
		wrappers[wrapper_count].end = end;
		store_release(&wrapper_count, wrapper_count + 1);
	}
	lock_drop(&tables_lock);
}

/* 0 = no room. */
static uint32_t frame_new(uintptr_t pc, rule_t rule, const struct object *o)
{
	uint64_t id = count_of(MT_FRAMES);
	struct mt_frame *f = &trace.frames[id];

	if (!tracefile_room(MT_FRAMES, id + 1))
		return 0;
	f->address = pc;
	f->module = o->end ? module_for(o) : 0;
	f->flags = (is_wrapper(pc - 1) || trace.modules[f->module].flags & MT_MODULE_SELF ? MT_FRAME_WRAPPER : 0) |
		   (rule_kind(rule) == RULE_NONE ? MT_FRAME_NO_RULE : 0);
	count_up(MT_FRAMES, id + 1);
	return (uint32_t)id;
}

cold_path struct known_pc pc_add(uintptr_t pc)
{
	struct known_pc new = { .pc = pc, .rule = rule_derive(pc) };
	const struct known_pc *e;
	struct object o;

	if (!object_find(pc - 1, &o))
		o.end = 0;
	lock_take(&tables_lock);
	e = pc_find(pcs, pc);
	if (e->pc == pc) {
		new = *e;
	} else if (pc_room()) {
		new.frame = frame_new(pc, new.rule, &o);
		pc_insert(pcs, new);
	}
	lock_drop(&tables_lock);
	return new;
}

/* The addresses get new frames when they are met again. */
void stacks_forget_code(uintptr_t start, uintptr_t end)
{
	for (uint64_t i = 0; i <= pcs->mask; i++)
		if (pcs->entries[i].pc > start && pcs->entries[i].pc <= end)
			store_release(&pcs->entries[i].pc, 1);
}

/* ---- nodes */

static uint32_t node_new(uint32_t parent, uint32_t frame)
{
	uint64_t id = count_of(MT_NODES);

	if (!tracefile_room(MT_NODES, id + 1))
		return 0;
	trace.nodes[id] = (struct mt_node){ parent, frame };
	count_up(MT_NODES, id + 1);
	if (parent == MT_NODE_BROKEN)
		trace.header->broken_stacks++;
	return (uint32_t)id;
}

cold_path struct edge edge_add(uint32_t parent, uint32_t frame)
{
	struct edge new = { .key = (uint64_t)parent << 32 | frame };
	struct edge *e;

	if (parent == MT_NODE_NONE || frame == 0) /* there was no room for these */
		return new;
	lock_take(&tables_lock);
	e = edge_find(edges, new.key);
	if (e->key == new.key) {
		new = *e;
	} else if (edge_room()) {
		new.node = node_new(parent, frame);
		if (new.node)
			edge_insert(edges, new);
	}
	lock_drop(&tables_lock);
	return new;
}

/* ---- sites and lines; under tables_lock */

static uint32_t line_frame(uint32_t node)
{
	for (; node >= MT_NODE_FIRST; node = trace.nodes[node].parent)
		if (!(trace.frames[trace.nodes[node].frame].flags & MT_FRAME_WRAPPER))
			return trace.nodes[node].frame;
	return 0;
}

/* 0 = no room. */
static uint32_t line_for(uint32_t frame, uint32_t kind)
{
	struct edge new = { .key = (uint64_t)(EDGE_LINES + kind) << 32 | frame };
	struct edge *e = edge_find(edges, new.key);
	uint64_t id = count_of(MT_LINES);

	if (e->key == new.key)
		return e->node;
	if (!edge_room() || !tracefile_room(MT_LINES, id + 1))
		return 0;
	trace.lines[id] = (struct mt_line){ .frame = frame, .kind = kind };
	count_up(MT_LINES, id + 1);
	new.node = (uint32_t)id;
	edge_insert(edges, new);
	return new.node;
}

static uint32_t site_new(uint32_t node, uint32_t kind)
{
	uint64_t id = count_of(MT_SITES);
	bool multi = trace.header->flags & MT_NOTE_MULTI;
	uint32_t line;

	if (id >= MT_SITES_MOST || !tracefile_room(MT_SITES, id + 1) ||
		!tracefile_room(MT_SITE_INFO, id + 1) ||
		(multi && !tracefile_room(MT_PUBLISHED, id + 1)))
		return 0;
	line = line_for(line_frame(node), kind);
	if (!line)
		return 0;
	trace.site_info[id] = (struct mt_site_info){ node, line };
	trace.sites[id].epoch = (uint32_t)trace.header->epoch; /* at the last peak it had nothing */
	count_up(MT_SITE_INFO, id + 1);
	if (multi)
		count_up(MT_PUBLISHED, id + 1);
	count_up(MT_SITES, id + 1);
	trace.header->last_ns = os_time() - trace.header->start_ns;
	return (uint32_t)id;
}

/* The edge whose site field belongs to this node and kind; made when missing. NULL = no room. */
static struct edge *site_edge(uint32_t node, uint32_t kind)
{
	struct mt_node n = trace.nodes[node];
	struct edge new = { 0 };
	struct edge *e;

	new.key = kind == MT_KIND_MMAP ? (uint64_t)node << 32 | EDGE_MMAP_SITE
				       : (uint64_t)n.parent << 32 | n.frame;
	e = edge_find(edges, new.key);
	if (e->key == new.key)
		return e;
	if (!edge_room())
		return NULL;
	edge_insert(edges, new);
	return edge_find(edges, new.key);
}

cold_path uint32_t site_for(uint32_t node, uint32_t kind)
{
	uint32_t site = 0;
	struct edge *e;

	if (node < MT_NODE_FIRST)
		return 0;
	lock_take(&tables_lock);
	e = site_edge(node, kind);
	if (e && !e->site)
		store_release(&e->site, site_new(node, kind));
	if (e)
		site = e->site;
	lock_drop(&tables_lock);
	return site;
}

uint32_t foreign_for(uint32_t node)
{
	struct edge new = { .key = (uint64_t)node << 32 | EDGE_FOREIGN };
	struct edge *e;
	uint64_t count;

	if (node < MT_NODE_FIRST)
		return 0;
	lock_take(&tables_lock);
	e = edge_find(edges, new.key);
	count = count_of(MT_FOREIGN);
	if (e->key == new.key) {
		new.site = e->site;
	} else if (edge_room() && tracefile_room(MT_FOREIGN, count + 1)) {
		trace.foreign[count] = (struct mt_foreign){ .node = node };
		count_up(MT_FOREIGN, count + 1);
		new.site = (uint32_t)count + 1;
		edge_insert(edges, new);
	}
	lock_drop(&tables_lock);
	return new.site;
}

/* ---- life */

/* Index 0 stands for nothing in these, and the first nodes are the roots. */
bool stacks_init(void)
{
	pcs = pc_table_new(FIRST_BITS);
	edges = edge_table_new(FIRST_BITS);
	paths = edge_table_new(FIRST_BITS);
	if (!pcs || !edges || !paths || !tracefile_room(MT_FRAMES, 1) ||
		!tracefile_room(MT_NODES, MT_NODE_FIRST) || !tracefile_room(MT_SITES, 1) ||
		!tracefile_room(MT_SITE_INFO, 1) || !tracefile_room(MT_LINES, 1))
		return false;
	count_up(MT_FRAMES, 1);
	count_up(MT_NODES, MT_NODE_FIRST);
	count_up(MT_SITE_INFO, 1);
	count_up(MT_SITES, 1);
	count_up(MT_LINES, 1);
	return true;
}
