/* SPDX-License-Identifier: MIT */
/*
 * stacks.c - additions to the stack tree, and the sites and call instructions that hang on it.
 */
#include "preload/unwind/stacks.h"
#include "preload/store/tracefile.h"
#include "preload/sys/array.h"
#include "preload/sys/cpu.h"
#include "preload/sys/env.h"
#include "preload/sys/os.h"
#include "preload/unwind/code.h"
#include "preload/unwind/rules.h"

#include <string.h>

struct pc_table *pcs;
struct path_table *paths;
struct rule_table *rules;
const struct rule_table rules_none = { .table.shift = 63, .entries = { 0 } };
static struct index *nodes, *sites, *calls, *foreign;

#define FIRST_BITS 9 /* log2 of a new hash table's size */

static struct {
	uintptr_t start, end;
} wrappers[64];
static unsigned wrapper_count;

/* ---- all hash tables; under tables_lock */

static size_t table_size(uint32_t mask, size_t entry)
{
	return sizeof(struct table) + (mask + 1ul) * entry;
}

static void *table_begin(struct table *t, unsigned bits)
{
	t->shift = 64 - bits;
	t->mask = (1u << bits) - 1;
	return t;
}

/* One of twice the size, of `entry` bytes each; NULL: no memory. */
static void *table_bigger(const struct table *t, size_t entry)
{
	struct table *bigger = os_map(table_size(2 * t->mask + 1, entry));

	return bigger ? table_begin(bigger, 64 - t->shift + 1) : NULL;
}

/* Readers that are still at it find nothing. */
static void table_forget(struct table *t, size_t entry)
{
	if ((uintptr_t)t % CPU_PAGE == 0)
		os_forget(t, table_size(t->mask, entry));
	else /* the first ones share pages */
		memset(t + 1, 0, (t->mask + 1ul) * entry);
}

/* For one more after so many? */
static bool table_has_room(const struct table *t, uint32_t before)
{
	return t->used + before < t->mask / 4 * 3;
}

/* There is no memory for a bigger one. One entry stays free: searches must end. */
static bool table_has_last_room(const struct table *t)
{
	return t->used < t->mask;
}

/* ---- rules; under tables_lock */

/* The entry that a look-up of pc ends at: that with its tag, or a free one. */
static uint32_t *rule_slot(const struct rule_table *t, uintptr_t pc)
{
	uint64_t hash = (uint64_t)pc * HASH_FACTOR, i = hash >> t->table.shift;

	while (t->entries[i & t->table.mask] &&
		((t->entries[i & t->table.mask] ^ rule_tag(hash)) & ~RULE_SHORT) != 0)
		i++;
	return (uint32_t *)&t->entries[i & t->table.mask];
}

static void rule_insert(struct rule_table *t, uintptr_t pc, rule_t rule)
{
	uint32_t *e = rule_slot(t, pc);

	if (rule & ~RULE_SHORT)
		rule = RULE_ASK;
	if (*e == 0 && table_has_last_room(&t->table)) {
		store_release(e, rule_tag((uint64_t)pc * HASH_FACTOR) | rule);
		t->table.used++;
	} else if (*e && (*e & RULE_SHORT) != rule) {
		store_release(e, (*e & ~RULE_SHORT) | RULE_ASK);
	}
}

static bool is_taken(const struct known_pc *e)
{
	return e->pc && e->frame != FRAME_RETIRED;
}

/* All of pcs, into a table that stays half empty, so that most look-ups end at the first entry.
 * Without memory the old one stays, and what it lacks is looked up by whole addresses. */
static void rules_rebuild(void)
{
	struct rule_table *old = rules, *new = table_bigger(&pcs->table, sizeof(new->entries[0]));

	if (!new)
		return;
	for (uint64_t i = 0; i <= pcs->table.mask; i++)
		if (is_taken(&pcs->entries[i]))
			rule_insert(new, pcs->entries[i].pc, pcs->entries[i].rule);
	store_release(&rules, new);
	table_forget(&old->table, sizeof(old->entries[0]));
}

/* ---- return addresses; under tables_lock */

/* In the entry of one that has been retired, or a free one. */
static void pc_insert(struct pc_table *t, struct known_pc new)
{
	uint64_t i = HASH_FACTOR * new.pc >> t->table.shift;
	struct known_pc *e;

	for (;; i++) {
		e = &t->entries[i & t->table.mask];
		if (e->pc == new.pc || e->pc == 0)
			break;
	}
	t->table.used += e->pc == 0;
	store_relaxed(&e->rule, new.rule);
	store_release(&e->frame, new.frame);
	store_release(&e->pc, new.pc);
}

static bool pc_room(void)
{
	struct pc_table *bigger;

	if (table_has_room(&pcs->table, 0))
		return true;
	bigger = table_bigger(&pcs->table, sizeof(bigger->entries[0]));
	if (!bigger)
		return table_has_last_room(&pcs->table);
	for (uint64_t i = 0; i <= pcs->table.mask; i++)
		if (is_taken(&pcs->entries[i]))
			pc_insert(bigger, pcs->entries[i]);
	store_release(&pcs, bigger);
	rules_rebuild();
	return true;
}

/* ---- the hash tables of numbers; under tables_lock */

/* Not known yet. */
static void index_insert(struct index *t, uint64_t hash, uint32_t id)
{
	uint64_t i = hash >> t->table.shift;

	while (t->entries[i & t->table.mask])
		i++;
	store_release(&t->entries[i & t->table.mask], id);
	t->table.used++;
}

/* Room for one more; hash_of tells a record's hash. */
static bool index_room(struct index **table, uint64_t (*hash_of)(uint32_t id))
{
	struct index *old = *table, *bigger;

	if (table_has_room(&old->table, 0))
		return true;
	bigger = table_bigger(&old->table, sizeof(bigger->entries[0]));
	if (!bigger)
		return table_has_last_room(&old->table);
	for (uint64_t i = 0; i <= old->table.mask; i++)
		if (old->entries[i])
			index_insert(bigger, hash_of(old->entries[i]), old->entries[i]);
	store_release(table, bigger);
	table_forget(&old->table, sizeof(old->entries[0]));
	return true;
}

/* The record with this key, 0 = none. */
static uint32_t index_find(const struct index *t, uint64_t hash,
	bool (*is)(uint32_t id, uint32_t a, uint32_t b), uint32_t a, uint32_t b)
{
	for (uint64_t i = hash >> t->table.shift;; i++) {
		uint32_t id = t->entries[i & t->table.mask];

		if (id == 0 || is(id, a, b))
			return id;
	}
}

/* ---- paths; under tables_lock */

static void path_insert(struct path_table *t, struct known_path new)
{
	uint64_t i = new.hash >> t->table.shift;
	struct known_path *e;

	while (t->entries[i & t->table.mask].hash)
		i++;
	e = &t->entries[i & t->table.mask];
	store_release(&e->site, new.site);
	store_release(&e->call, new.call);
	store_release(&e->hash, new.hash);
	t->table.used++;
}

static bool path_room(void)
{
	struct path_table *old = paths, *bigger;

	if (table_has_room(&old->table, 0))
		return true;
	bigger = table_bigger(&old->table, sizeof(bigger->entries[0]));
	if (!bigger)
		return table_has_last_room(&old->table);
	for (uint64_t i = 0; i <= old->table.mask; i++)
		if (old->entries[i].hash)
			path_insert(bigger, old->entries[i]);
	store_release(&paths, bigger);
	table_forget(&old->table, sizeof(old->entries[0]));
	return true;
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
	if (wrapper_count < ARRAY_SIZE(wrappers)) {
		wrappers[wrapper_count].start = start;
		wrappers[wrapper_count].end = end;
		store_release(&wrapper_count, wrapper_count + 1);
	}
	lock_drop(&tables_lock);
}

/* A call of what is no code at all needs none. */
static bool lacks_rule(uintptr_t pc, rule_t rule)
{
	if (rule == RULE_GENERATED)
		return rule_kind(code_rule(pc, true)) == RULE_NONE;
	return rule_kind(rule) == RULE_NONE || (rule == RULE_NOWHERE && os_readable(pc - 1));
}

/* 0 = no room. */
static uint32_t frame_new(uintptr_t pc, rule_t rule, const struct object *o)
{
	uint64_t id = count_of(MT_FRAMES);
	struct mt_frame *f;

	if (!tracefile_room(MT_FRAMES, id + 1))
		return 0;
	f = &trace.frames[id];
	f->address = rule == RULE_START ? pc + 1 : pc;
	f->module = o->end ? module_for(o) : 0;
	f->flags = (is_wrapper(pc - 1) || trace.modules[f->module].flags & MT_MODULE_SELF
				   ? MT_FRAME_WRAPPER
				   : 0) |
		   (lacks_rule(pc, rule) ? MT_FRAME_NO_RULE : 0);
	count_up(MT_FRAMES, id + 1);
	return (uint32_t)id;
}

/* Between these are all that lie in no module; 0: there are none. */
static uintptr_t generated_first, generated_last;

static void note_generated(uintptr_t pc)
{
	if (!generated_last || pc < generated_first)
		store_relaxed(&generated_first, pc);
	if (pc > generated_last)
		store_relaxed(&generated_last, pc);
}

/* A return address that is to be known. */
struct lesson {
	bool nowhere; /* also where it is none of code */
	struct known_pc known;
#ifndef HAVE_DL_FIND_OBJECT
	struct object object;
#endif
};

/* Finds the object that the address is in; its end is 0 where the loader knows none. */
static void find_object(const struct lesson *l, struct object *o)
{
#ifdef HAVE_DL_FIND_OBJECT
	if (!object_find(l->known.pc - 1, o))
		o->end = 0;
#else
	*o = l->object;
#endif
}

/* Under tables_lock, on a stack with room. */
static void learn(void *arg)
{
	struct lesson *l = arg;
	uintptr_t pc = l->known.pc;
	struct known_pc new = { .pc = pc }, known = pc_find(pcs, pc);
	struct object o;

	if (pc_is_known(known)) {
		l->known = known;
		return;
	}
	find_object(l, &o);
	new.rule = rule_derive(pc, o.end ? &o : NULL);
	if ((new.rule != RULE_NOWHERE || l->nowhere) && pc_room()) {
		new.frame = frame_new(pc, new.rule, &o);
		if (o.end == 0 && new.rule != RULE_NOWHERE)
			note_generated(pc);
		pc_insert(pcs, new);
		rule_insert(rules, pc, new.rule);
	}
	l->known = new;
}

static inline struct known_pc take_lesson(struct lesson l)
{
#ifndef HAVE_DL_FIND_OBJECT
	/* It takes the loader's lock, and so none of ours before. */
	if (!object_find(l.known.pc - 1, &l.object))
		l.object.end = 0;
#endif
	lock_take(&tables_lock);
	rules_with_room(learn, &l);
	lock_drop(&tables_lock);
	return l.known;
}

cold_path struct known_pc pc_add(uintptr_t pc)
{
	return take_lesson((struct lesson){ .nowhere = true, .known.pc = pc });
}

/* While a dlclose is under way, no frame is believed without a look. */
static struct known_pc find_now(uintptr_t pc)
{
	struct known_pc known = pc_find(load_acquire(&pcs), pc);

	if (unlikely(load_relaxed(&modules_closing)) && pc_is_known(known) &&
		module_is_stale(trace.frames[known.frame].module, pc - 1))
		known.frame = FRAME_RETIRED;
	return known;
}

cold_path struct known_pc pc_get_anew(uintptr_t pc)
{
	struct known_pc known = find_now(pc);

	return pc_is_known(known) ? known : pc_add(pc);
}

/* What is no address of code isn't noted: there may be any number. */
static cold_path rule_t rule_learn(uintptr_t pc)
{
	return take_lesson((struct lesson){ .known.pc = pc }).rule;
}

/* Of an address that is known. */
static cold_path rule_t rule_note(uintptr_t pc, rule_t rule)
{
	struct known_pc known;

	if (rule != RULE_NOWHERE && *rule_slot(load_acquire(&rules), pc) == 0) {
		lock_take(&tables_lock);
		known = pc_find(pcs, pc);
		if (pc_is_known(known)) /* it may have been unloaded meanwhile */
			rule_insert(rules, pc, known.rule);
		lock_drop(&tables_lock);
	}
	return rule;
}

/* The rule is too long for the table, or the table lacks it: since it was never met, or since code
 * was unloaded. It is learnt with no frame of this function on a stack that may be small. */
cold_path rule_t rule_ask(uintptr_t pc)
{
	struct known_pc known = find_now(pc);

	return pc_is_known(known) ? rule_note(pc, known.rule) : rule_learn(pc);
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

static uint64_t hash_of_node(uint32_t id)
{
	return node_hash(trace.nodes[id].parent, trace.nodes[id].frame);
}

static bool is_node(uint32_t id, uint32_t parent, uint32_t frame)
{
	return trace.nodes[id].parent == parent && trace.nodes[id].frame == frame;
}

/* 0 = not known. The root nodes' own parent and frame are 0. */
static uint32_t node_find(uint32_t parent, uint32_t frame)
{
	if (frame == 0)
		return 0;
	if (parent + 1 < count_of(MT_NODES) && is_node(parent + 1, parent, frame))
		return parent + 1;
	return index_find(nodes, node_hash(parent, frame), is_node, parent, frame);
}

uint32_t node_add(uint32_t parent, uint32_t frame)
{
	uint32_t node;

	if (parent == MT_NODE_NONE || frame == 0) /* there was no room for these */
		return MT_NODE_NONE;
	if (!index_room(&nodes, hash_of_node))
		return MT_NODE_NONE;
	node = node_new(parent, frame);
	if (node && node != parent + 1)
		index_insert(nodes, node_hash(parent, frame), node);
	return node;
}

uint32_t node_get(uint32_t parent, uint32_t frame)
{
	uint32_t node = node_find(parent, frame);

	return node ? node : node_add(parent, frame);
}

static bool trace_has_room(enum mt_table_id table, uint32_t more)
{
	return tracefile_has_room(table, count_of(table) + more);
}

bool stacks_have_room(uint32_t frames)
{
	return table_has_room(&nodes->table, frames) && table_has_room(&sites->table, 1) &&
	       table_has_room(&calls->table, 1) && table_has_room(&paths->table, 1) &&
	       trace_has_room(MT_NODES, frames) && trace_has_room(MT_SITES, 2) &&
	       trace_has_room(MT_SITE_INFO, 2) && trace_has_room(MT_CALLS, 2) &&
	       !(trace.header->flags & MT_NOTE_MULTI) && !config.slack;
}

/* ---- sites and call instructions; under tables_lock */

static uint32_t call_frame(uint32_t node)
{
	for (; node >= MT_NODE_FIRST; node = trace.nodes[node].parent)
		if (!(trace.frames[trace.nodes[node].frame].flags & MT_FRAME_WRAPPER))
			return trace.nodes[node].frame;
	return 0;
}

static bool is_call(uint32_t id, uint32_t frame, uint32_t kind)
{
	return trace.calls[id].frame == frame && trace.calls[id].kind == kind;
}

static uint64_t hash_of_call(uint32_t id)
{
	return node_hash(trace.calls[id].frame, trace.calls[id].kind);
}

/* The site of all stacks that there is no room for: without it, their blocks would be missing from
 * the totals, and their frees be foreign. It is made when it is needed; until then a record of each
 * table that it takes is kept free. */
static uint32_t spare_site;
static uint32_t spare_records = 1;

/* 0 = no room. */
static uint32_t call_for(uint32_t frame, uint32_t kind)
{
	uint64_t id = count_of(MT_CALLS), hash = node_hash(frame, kind);
	uint32_t call = index_find(calls, hash, is_call, frame, kind);

	if (call)
		return call;
	if (!index_room(&calls, hash_of_call) || !tracefile_room(MT_CALLS, id + 1 + spare_records))
		return 0;
	trace.calls[id] = (struct mt_call){ .frame = frame, .kind = kind };
	count_up(MT_CALLS, id + 1);
	index_insert(calls, hash, (uint32_t)id);
	return (uint32_t)id;
}

static uint32_t site_new(uint32_t node, uint32_t kind)
{
	uint64_t id = count_of(MT_SITES);
	bool multi = trace.header->flags & MT_NOTE_MULTI;
	uint32_t call;

	if (id + spare_records > MT_SITES_MOST) {
		trace.header->flags |= MT_NOTE_FULL;
		return 0;
	}
	if (!tracefile_room(MT_SITES, id + 1 + spare_records) ||
		!tracefile_room(MT_SITE_INFO, id + 1 + spare_records) ||
		(multi && !tracefile_room(MT_PUBLISHED, id + 1 + spare_records)) ||
		(config.slack && !tracefile_room(MT_SLACK, id + 1 + spare_records)))
		return 0;
	call = call_for(call_frame(node), kind);
	if (!call)
		return 0;
	trace.site_info[id] = (struct mt_site_info){ node, call };
	trace.sites[id].epoch = (uint32_t)trace.header->epoch; /* at the last peak it had nothing */
	count_up(MT_SITE_INFO, id + 1);
	if (multi && count_of(MT_PUBLISHED) == id) /* else it is in memory alone */
		count_up(MT_PUBLISHED, id + 1);
	if (config.slack)
		count_up(MT_SLACK, id + 1);
	count_up(MT_SITES, id + 1);
	return (uint32_t)id;
}

void note_new_sites(uint64_t count)
{
	if (count_of(MT_SITES) > count)
		trace.header->last_ns = os_time() - trace.header->start_ns;
}

static uint32_t kind_of(uint32_t site)
{
	return trace.calls[trace.site_info[site].call].kind;
}

static bool is_site(uint32_t id, uint32_t node, uint32_t kind)
{
	return trace.site_info[id].node == node && kind_of(id) == kind;
}

static uint64_t hash_of_site(uint32_t id)
{
	return node_hash(trace.site_info[id].node, kind_of(id));
}

static uint32_t site_get(uint32_t node, uint32_t kind)
{
	uint64_t hash = node_hash(node, kind);
	uint32_t site;

	if (node < MT_NODE_FIRST)
		return 0;
	site = index_find(sites, hash, is_site, node, kind);
	if (site || !index_room(&sites, hash_of_site))
		return site;
	site = site_new(node, kind);
	if (site)
		index_insert(sites, hash, site);
	return site;
}

/* While each site of an allocation is found by its path, the index has the others alone. */
static bool paths_complete = true;

static void paths_lack_some(void)
{
	uint32_t count = (uint32_t)count_of(MT_SITES);

	if (!paths_complete)
		return;
	for (uint32_t id = 1; id < count; id++)
		if (id != spare_site && kind_of(id) == MT_KIND_HEAP &&
			index_room(&sites, hash_of_site))
			index_insert(sites, hash_of_site(id), id);
	paths_complete = false;
}

/* Of a path that isn't known. */
static uint32_t heap_site(uint32_t node)
{
	if (!paths_complete)
		return site_get(node, MT_KIND_HEAP);
	return node < MT_NODE_FIRST ? 0 : site_new(node, MT_KIND_HEAP);
}

/* The same; 0 where not even the spare one could be made. */
static uint32_t site_or_spare(uint32_t node)
{
	uint32_t site = heap_site(node);

	if (site)
		return site;
	if (!(trace.header->flags & MT_NOTE_FULL))
		trace.header->flags |= MT_NOTE_STORAGE;
	spare_records = 0;
	if (!spare_site)
		spare_site = site_new(MT_NODE_BROKEN, MT_KIND_HEAP);
	return spare_site;
}

enum mt_loss site_loss(void)
{
	return trace.header->flags & MT_NOTE_FULL ? MT_LOST_LIMIT : MT_LOST_SITE;
}

cold_path uint32_t site_for(uint32_t node, uint32_t kind)
{
	uint64_t count = count_of(MT_SITES);
	uint32_t site;

	lock_take(&tables_lock);
	site = site_get(node, kind);
	lock_drop(&tables_lock);
	note_new_sites(count);
	return site;
}

/* Without room the path is looked up node by node each time. */
uint32_t site_of_path(uint64_t hash, uint32_t node)
{
	uint32_t site = path_find(hash).site;
	bool room;

	if (site)
		return site;
	room = path_room();
	if (!room)
		paths_lack_some();
	site = site_or_spare(node);
	if (site != spare_site && room)
		path_insert(paths, (struct known_path){ hash, site, trace.site_info[site].call });
	return site;
}

/* The addresses get new frames when they are met again, and so do all paths: which of them lead
 * there, nobody knows. */
void stacks_forget_code(uintptr_t start, uintptr_t end)
{
	paths_lack_some();
	for (uint64_t i = 0; i <= pcs->table.mask; i++)
		if (pcs->entries[i].pc > start && pcs->entries[i].pc <= end)
			store_release(&pcs->entries[i].frame, FRAME_RETIRED);
	for (uint64_t i = 0; i <= rules->table.mask; i++)
		store_relaxed(&rules->entries[i], 0);
	for (uint64_t i = 0; i <= paths->table.mask; i++)
		store_release(&paths->entries[i].hash, 0);
	rules->table.used = paths->table.used = 0;
}

static bool is_generated(const struct known_pc *e, uintptr_t start, uintptr_t end)
{
	return e->pc > start && e->pc <= end && e->frame != FRAME_RETIRED &&
	       trace.frames[e->frame].module == 0;
}

bool stacks_forget_generated(uintptr_t start, uintptr_t end)
{
	bool found = false;

	if (likely(load_relaxed(&generated_last) <= start || load_relaxed(&generated_first) > end))
		return false;
	lock_take(&tables_lock);
	for (uint64_t i = 0; i <= pcs->table.mask && !found; i++)
		found = is_generated(&pcs->entries[i], start, end);
	if (found)
		stacks_forget_code(start, end);
	lock_drop(&tables_lock);
	return found;
}

static bool is_foreign(uint32_t id, uint32_t node, uint32_t unused)
{
	return trace.foreign[id - 1].node == node;
}

static uint64_t hash_of_foreign(uint32_t id)
{
	return node_hash(trace.foreign[id - 1].node, 0);
}

static uint32_t foreign_get(uint32_t node)
{
	uint64_t count = count_of(MT_FOREIGN), hash = node_hash(node, 0);
	uint32_t id = index_find(foreign, hash, is_foreign, node, 0);

	if (id || !index_room(&foreign, hash_of_foreign) || !tracefile_room(MT_FOREIGN, count + 1))
		return id;
	trace.foreign[count] = (struct mt_foreign){ .node = node };
	count_up(MT_FOREIGN, count + 1);
	index_insert(foreign, hash, (uint32_t)count + 1);
	return (uint32_t)count + 1;
}

uint32_t foreign_for(uint32_t node)
{
	uint32_t id;

	if (node < MT_NODE_FIRST)
		return 0;
	lock_take(&tables_lock);
	id = foreign_get(node);
	lock_drop(&tables_lock);
	return id;
}

/* ---- life */

/* The first tables lie in one mapping. */
static bool begin_tables(void)
{
	const struct {
		void *table;
		unsigned bits;
		size_t entry;
	} first[] = {
		{ &pcs, FIRST_BITS, sizeof(pcs->entries[0]) },
		{ &nodes, FIRST_BITS, sizeof(nodes->entries[0]) },
		{ &sites, FIRST_BITS, sizeof(sites->entries[0]) },
		{ &calls, FIRST_BITS, sizeof(calls->entries[0]) },
		{ &foreign, FIRST_BITS, sizeof(foreign->entries[0]) },
		{ &paths, FIRST_BITS, sizeof(paths->entries[0]) },
		{ &rules, FIRST_BITS + 1, sizeof(rules->entries[0]) },
	};
	const size_t count = sizeof(first) / sizeof(first[0]);
	size_t size = 64;
	char *at;

	for (size_t i = 0; i < count; i++)
		size += table_size((1u << first[i].bits) - 1, first[i].entry);
	at = os_map_touched(size);
	if (!at)
		return false;
	at += 64; /* none of them begins a page */
	for (size_t i = 0; i < count; i++) {
		*(void **)first[i].table = table_begin((void *)at, first[i].bits);
		at += table_size((1u << first[i].bits) - 1, first[i].entry);
	}
	return true;
}

/* One record is spare. */
bool stacks_init(void)
{
	return begin_tables() && tracefile_room(MT_SITES, 2) && tracefile_room(MT_SITE_INFO, 2) &&
	       tracefile_room(MT_CALLS, 2) && (!config.slack || tracefile_room(MT_SLACK, 2));
}
