/* SPDX-License-Identifier: MIT */
/* leaks.c - collects the live blocks of a trace by site and kind, and takes out what is
 * suppressed. */
#include "analyzer/views/leaks.h"
#include "analyzer/base/compare.h"
#include "analyzer/base/hashmap.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/trace/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

const char *const leak_kind_names[LEAK_KINDS] = { "lost", "indirect", "possible", "reachable",
	"unclassified" };
const char *const leaks_by_names[] = { "line", "site", NULL };

/* ---- why nothing is classified */

static void say_how_it_died(const struct trace *t, struct strbuf *why)
{
	uint32_t status = t->header.wait_status;

	if ((t->header.flags & MT_HAS_WAIT_STATUS) && WIFSIGNALED(status))
		strbuf_addf(why, "the program was killed by signal %d (%s) before the leak check",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		strbuf_add(why, "the program ended unseen before the leak check");
	strbuf_add(why, "; let it exit, or use 'mtracer leaks PID' while it runs");
}

static void say_how_it_failed(const struct trace *t, struct strbuf *why)
{
	switch (t->header.scan_error) {
	case 0:
		strbuf_add(why, "the leak check ran out of memory or time");
		break;
	case EAGAIN:
		strbuf_add(why, "the leak check needs to create a process, but the limit is "
				"reached ('ulimit -u', RLIMIT_NPROC, or pids.max of the cgroup)");
		break;
	default:
		strbuf_addf(why, "the leak check could not create a process: %s",
			strerror((int)(t->header.scan_error & 0xffff)));
	}
}

/* The library was there, but no block of the program's went through it. */
static bool saw_nothing(const struct trace *t)
{
	bool blind = t->header.flags & (MT_NOTE_OWN_MALLOC | MT_NOTE_UNSTARTED);

	return blind && !(t->header.flags & MT_NOTE_MERGED) && t->site_count <= 1;
}

static char *why_unclassified(const struct trace *t)
{
	struct strbuf why = { 0 };

	if (t->header.flags & MT_NOTE_MERGED)
		strbuf_add(&why, "no process completed its leak check");
	else if (t->header.sample_bytes)
		strbuf_add(&why,
			"the trace is sampled, but a leak check needs every block; run without "
			"MTRACE_SAMPLE");
	else if (t->header.flags & MT_NOTE_OWN_MALLOC)
		strbuf_add(&why, "the program's malloc bypasses the library, which does not see "
				 "its blocks (see 'mtracer info')");
	else if (saw_nothing(t))
		strbuf_add(&why, "nothing was recorded: the program was started with "
				 "MTRACE_START=0 (--no-start) and never called mtrace_start()");
	else if (t->header.scan_state == MT_SCAN_FAILED)
		say_how_it_failed(t, &why);
	else if (t->header.scan_state == MT_SCAN_RUNNING && t->state == TRACE_RUNNING)
		strbuf_add(&why, "the leak check is still running; try again");
	else if (t->header.scan_state == MT_SCAN_RUNNING)
		strbuf_add(&why, "the leak check was interrupted; run the program again");
	else if (t->state == TRACE_RUNNING)
		strbuf_addf(&why,
			"the program is still running; use 'mtracer leaks %u' to check "
			"it",
			t->header.pid);
	else if (t->state == TRACE_DIED)
		say_how_it_died(t, &why);
	else if (t->successor)
		strbuf_addf(&why,
			"the program was replaced by another one (exec), whose trace is "
			"%s",
			t->successor);
	else if (trace_went_on(t))
		strbuf_addf(&why,
			"the program was replaced by %s (exec), which left no trace beside this "
			"one",
			t->went_on_as ? t->went_on_as : "another one");
	else if (t->header.forked_from)
		strbuf_add(&why,
			"a forked child that ends with _exit() is not checked, nor is one with "
			"MTRACE_REACHABLE=0; let it call exit()");
	else
		strbuf_add(&why,
			"the program ended with _exit() on a signal handler's stack or by a system "
			"call (as daemon() does), or MTRACE_REACHABLE=0 was set; let it call "
			"exit() or return from main");
	return why.text;
}

/* ---- stacks */

struct frames {
	struct suppress_frame *items;
	size_t count, room;
};

static void add_frame(void *context, const struct frame_function *fn)
{
	struct frames *frames = context;
	const struct symbol *s = fn->symbol;
	struct suppress_frame frame = { s->function, s->linkage, s->file, s->line,
		fn->frame->module, fn->frame->offset,
		s == fn->frame->symbols ? fn->frame->calls : 0, s->inlined };

	VEC_PUSH(frames->items, frames->count, frames->room, frame);
}

struct suppress_frame *leak_frames(
	const struct trace *t, struct resolver *resolver, uint32_t site, size_t *count)
{
	struct frames frames = { 0 };

	stack_walk(t, resolver, site, add_frame, &frames);
	*count = frames.count;
	return frames.items;
}

/* ---- rows */

/* Where the blocks of one site and kind are booked. */
struct booking {
	bool known;
	struct suppression *by;	   /* leaves them out; NULL: */
	uint32_t leak, stack;	   /* has them */
	struct leak_size measured; /* of them so far */
};

struct collector {
	const struct trace *trace;
	struct resolver *resolver;
	const struct suppressions *suppressions;
	const struct leaks_options *options;
	struct measures *sites; /* by site */
	struct leaks *leaks;
	struct booking (*bookings)[LEAK_KINDS]; /* by site */
	size_t leak_room, stack_room, part_room;
	struct hashmap leak_index, stack_index, part_index;
};

/* What is looked for in an index. 64 bits of a hash stand for a line or for a stack. */
struct key {
	uint32_t number; /* a leak's kind; of a stack or part, its leak */
	uint64_t hash;
};

static bool same_leak(const void *context, uint32_t index, const void *key)
{
	const struct leak *leak = &((const struct leaks *)context)->items[index];
	const struct key *wanted = key;

	return leak->kind == wanted->number && leak->hash == wanted->hash;
}

static bool same_stack(const void *context, uint32_t index, const void *key)
{
	const struct leak_stack *stack = &((const struct leaks *)context)->stacks[index];
	const struct key *wanted = key;

	return stack->leak == wanted->number && stack->hash == wanted->hash;
}

static bool same_part(const void *context, uint32_t index, const void *key)
{
	const struct leak_part *part = &((const struct leaks *)context)->parts[index];
	const struct key *wanted = key;

	return part->leak == wanted->number && part->hash == wanted->hash;
}

static uint32_t find(const struct collector *c, struct hashmap *index, hashmap_same *same,
	uint32_t number, uint64_t hash, size_t next)
{
	struct key key = { number, hash };

	return hashmap_find(index, hash_number(hash, number), same, c->leaks, &key, (uint32_t)next);
}

static uint32_t find_leak(
	struct collector *c, enum leak_kind kind, uint64_t hash, const struct frame_function *owner)
{
	struct leaks *leaks = c->leaks;
	struct leak leak = { .kind = kind, .hash = hash, .owner = *owner };
	uint32_t at = find(c, &c->leak_index, same_leak, kind, hash, leaks->count);

	if (at == leaks->count)
		VEC_PUSH(leaks->items, leaks->count, c->leak_room, leak);
	return at;
}

static uint32_t find_stack(struct collector *c, uint32_t leak, uint64_t hash, uint32_t site)
{
	struct leaks *leaks = c->leaks;
	struct leak_stack stack = { .leak = leak, .site = site, .hash = hash };
	uint32_t at = find(c, &c->stack_index, same_stack, leak, hash, leaks->stack_count);

	if (at == leaks->stack_count)
		VEC_PUSH(leaks->stacks, leaks->stack_count, c->stack_room, stack);
	return at;
}

static struct leak_part *find_part(
	struct collector *c, uint32_t leak, uint64_t hash, const struct frame_function *owner)
{
	struct leaks *leaks = c->leaks;
	struct leak_part part = { .leak = leak, .hash = hash, .owner = *owner };
	uint32_t at = find(c, &c->part_index, same_part, leak, hash, leaks->part_count);

	if (at == leaks->part_count)
		VEC_PUSH(leaks->parts, leaks->part_count, c->part_room, part);
	return &leaks->parts[at];
}

/* Texts of one resolver that are equal are the same pointer. */
static uint64_t hash_frames(const struct suppress_frame *frames, size_t count)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < count; i++) {
		const struct suppress_frame *f = &frames[i];
		bool has_line = f->file && f->line;

		hash = hash_number(hash, (uintptr_t)f->function);
		hash = hash_number(hash, (uintptr_t)(has_line ? f->file : f->module));
		hash = hash_number(hash, has_line ? f->line : f->offset);
	}
	return hash;
}

/* Of the line, as in the rows of 'mtracer report', or of the call where none is known. */
static uint64_t hash_owner(const struct frame_function *owner)
{
	const struct symbol *s = owner->symbol;

	if (!s)
		return 0;
	if (s->file && s->line)
		return hash_number(hash_number(1, (uintptr_t)s->file), s->line);
	return hash_number(hash_number((uintptr_t)s->function, (uintptr_t)owner->frame->module),
		owner->frame->offset);
}

/* ---- collecting */

static struct booking *booking_of(struct collector *c, uint32_t site, enum leak_kind kind)
{
	struct booking *b = &c->bookings[site][kind];
	struct suppress_frame *frames;
	struct frame_function owner;
	uint64_t hash;
	size_t count;

	if (b->known)
		return b;
	b->known = true;
	frames = leak_frames(c->trace, c->resolver, site, &count);
	b->by = suppressions_match(c->suppressions, kind, frames, count);
	if (!b->by) {
		hash = hash_frames(frames, count);
		owner = resolve_owner(c->resolver, c->trace->site_info[site].node);
		b->leak = find_leak(c, kind,
			c->options->by == LEAKS_BY_SITE ? hash : hash_owner(&owner), &owner);
		b->stack = find_stack(c, b->leak, hash, site);
	}
	free(frames);
	return b;
}

static void add_size(struct leak_size *sum, struct leak_size size)
{
	sum->bytes += size.bytes;
	sum->blocks += size.blocks;
}

static void add_sum(struct leak_sum *sum, struct leak_size size, size_t rows, size_t stacks)
{
	sum->bytes += size.bytes;
	sum->blocks += size.blocks;
	sum->rows += (uint32_t)rows;
	sum->stacks += (uint32_t)stacks;
}

static void suppress(
	struct collector *c, struct suppression *by, enum leak_kind kind, struct leak_size size)
{
	by->bytes += size.bytes;
	by->blocks += size.blocks;
	add_sum(&c->leaks->suppressed[kind], size, 0, 0);
}

/* A site's measures count once, in however many pieces its blocks come. */
static void add_measures(struct collector *c, struct leak *leak, struct leak_stack *stack,
	uint32_t site, struct booking *b)
{
	const struct measures *m = &c->sites[site];

	if (b->measured.blocks)
		return;
	stack->allocations += m->allocations;
	leak->m.peak_bytes += m->peak_bytes;
	leak->m.peak_is_bound |= m->peak_is_bound || leak->m.allocations > 0;
	measures_add(&leak->m, m);
}

static void add(struct collector *c, uint32_t site, enum leak_kind kind, struct leak_size size)
{
	struct booking *b = booking_of(c, site, kind);
	struct leak_stack *stack;
	struct leak *leak;

	if (b->by) {
		suppress(c, b->by, kind, size);
		return;
	}
	leak = &c->leaks->items[b->leak];
	stack = &c->leaks->stacks[b->stack];
	add_measures(c, leak, stack, site, b);
	add_size(&b->measured, size);
	add_size(&leak->own, size);
	add_size(&leak->all, size);
	add_size(&stack->own, size);
	add_size(&stack->all, size);
}

/* ---- what lost blocks hold */

/* The lost row that a record is of; NULL: it is left out, or there is none. */
static struct booking *owner_of(struct collector *c, const struct mt_held *h)
{
	struct booking *b = h->owner ? &c->bookings[h->owner][LEAK_LOST] : NULL;

	return b && b->known ? b : NULL;
}

/* Adds to the owner what it holds, but for blocks that are left out by themselves. */
static void hold(struct collector *c, const struct mt_held *h)
{
	struct booking *owner = owner_of(c, h);
	struct booking *b = h->site ? booking_of(c, h->site, LEAK_INDIRECT) : NULL;
	struct leak_size size = { h->bytes, h->blocks };
	struct frame_function fn = { NULL, NULL };

	if (owner->by || (b && b->by)) {
		suppress(c, owner->by ? owner->by : b->by, LEAK_INDIRECT, size);
		return;
	}
	if (h->site)
		fn = resolve_owner(c->resolver, c->trace->site_info[h->site].node);
	add_size(&c->leaks->items[owner->leak].all, size);
	add_size(&c->leaks->stacks[owner->stack].all, size);
	add_size(&find_part(c, owner->leak, hash_owner(&fn), &fn)->size, size);
}

static bool is_small(const struct collector *c, const struct leak *leak)
{
	return leak->all.bytes < c->options->min_bytes;
}

/* Books held blocks at the lines that allocated them, where their owner is listed. */
static void add_indirect(struct collector *c, const struct mt_held *h)
{
	struct booking *owner = owner_of(c, h);

	if (owner->by || c->bookings[h->site][LEAK_INDIRECT].by ||
		is_small(c, &c->leaks->items[owner->leak]))
		return;
	add(c, h->site, LEAK_INDIRECT, (struct leak_size){ h->bytes, h->blocks });
}

/* Takes from a site's indirect blocks those that are known to be held by a row. */
static void take(struct leak_size *left, const struct mt_held *h)
{
	left->bytes -= h->bytes < left->bytes ? h->bytes : left->bytes;
	left->blocks -= h->blocks < left->blocks ? h->blocks : left->blocks;
}

static void add_held(struct collector *c, struct leak_size *indirect)
{
	const struct trace *t = c->trace;

	for (uint32_t i = 0; i < t->held_count; i++)
		if (owner_of(c, &t->held[i]))
			hold(c, &t->held[i]);
	for (uint32_t i = 0; i < t->held_count; i++) {
		const struct mt_held *h = &t->held[i];

		if (!h->site || !owner_of(c, h))
			continue;
		add_indirect(c, h);
		take(&indirect[h->site], h);
	}
}

/* ---- the records */

static void add_kind(struct collector *c, uint32_t record_kind, enum leak_kind kind)
{
	for (uint32_t i = 0; i < c->trace->leak_count; i++) {
		const struct mt_leak *l = &c->trace->leaks[i];

		if (l->site && l->blocks && l->kind == record_kind)
			add(c, l->site, kind, (struct leak_size){ l->bytes, l->blocks });
	}
}

/* Lost ones come first, as the others may be held by them. */
static void add_classified(struct collector *c)
{
	const struct trace *t = c->trace;
	struct leak_size *indirect = mem_zalloc(t->site_count, sizeof(*indirect));

	add_kind(c, MT_LEAK_LOST, LEAK_LOST);
	for (uint32_t i = 0; i < t->leak_count; i++)
		if (t->leaks[i].kind == MT_LEAK_INDIRECT)
			add_size(&indirect[t->leaks[i].site],
				(struct leak_size){ t->leaks[i].bytes, t->leaks[i].blocks });
	add_held(c, indirect);
	for (uint32_t i = 1; i < t->site_count; i++)
		if (indirect[i].blocks)
			add(c, i, LEAK_INDIRECT, indirect[i]);
	add_kind(c, MT_LEAK_POSSIBLE, LEAK_POSSIBLE);
	add_kind(c, MT_LEAK_REACHABLE, LEAK_REACHABLE);
	add_kind(c, MT_LEAK_UNCLASSIFIED, LEAK_UNCLASSIFIED);
	free(indirect);
}

static void add_live(struct collector *c)
{
	for (uint32_t i = 1; i < c->trace->site_count; i++) {
		const struct measures *m = &c->sites[i];

		if (m->current_blocks > 0)
			add(c, i, LEAK_UNCLASSIFIED,
				(struct leak_size){
					(uint64_t)m->current_bytes, (uint64_t)m->current_blocks });
	}
}

/* ---- order */

/* The larger first. */
static int compare_sizes(struct leak_size a, struct leak_size b)
{
	int order = compare_numbers(b.bytes, a.bytes);

	return order ? order : compare_numbers(b.blocks, a.blocks);
}

static int compare_owners(const struct symbol *a, const struct symbol *b)
{
	int order;

	if (!a || !b)
		return (a == NULL) - (b == NULL);
	order = compare_texts(a->file, b->file);
	if (order == 0)
		order = compare_numbers(a->line, b->line);
	return order ? order : compare_texts(a->function, b->function);
}

static int compare_leaks(const void *left, const void *right)
{
	const struct leak *a = left, *b = right;
	int order = compare_numbers(a->kind, b->kind);

	if (order == 0)
		order = compare_sizes(a->all, b->all);
	if (order == 0)
		order = compare_sizes(a->own, b->own);
	if (order == 0)
		order = compare_owners(a->owner.symbol, b->owner.symbol);
	return order ? order : compare_numbers(a->stacks->site, b->stacks->site);
}

static int compare_stacks(const void *left, const void *right)
{
	const struct leak_stack *a = left, *b = right;
	int order = compare_numbers(a->leak, b->leak);

	if (order == 0)
		order = compare_sizes(a->all, b->all);
	return order ? order : compare_numbers(a->site, b->site);
}

static int compare_parts(const void *left, const void *right)
{
	const struct leak_part *a = left, *b = right;
	int order = compare_numbers(a->leak, b->leak);

	if (order == 0)
		order = compare_sizes(a->size, b->size);
	return order ? order : compare_owners(a->owner.symbol, b->owner.symbol);
}

/* Gives each row its stacks and parts. A row is never without a stack. */
static void share_out(struct leaks *leaks)
{
	if (leaks->stack_count)
		qsort(leaks->stacks, leaks->stack_count, sizeof(*leaks->stacks), compare_stacks);
	if (leaks->part_count)
		qsort(leaks->parts, leaks->part_count, sizeof(*leaks->parts), compare_parts);
	for (size_t i = leaks->stack_count; i-- > 0;) {
		struct leak *leak = &leaks->items[leaks->stacks[i].leak];

		leak->stacks = &leaks->stacks[i];
		leak->stack_count++;
	}
	for (size_t i = leaks->part_count; i-- > 0;) {
		struct leak *leak = &leaks->items[leaks->parts[i].leak];

		leak->parts = &leaks->parts[i];
		leak->part_count++;
	}
}

/* ---- the whole */

/* Whether a row is listed; counts it. Indirect blocks are part of the rows that hold them. */
static bool count(struct collector *c, const struct leak *leak)
{
	struct leaks *leaks = c->leaks;
	bool small = is_small(c, leak);

	if (leak->own.blocks == 0)
		return false;
	if (small && leak->kind != LEAK_INDIRECT) {
		add_sum(&leaks->small, leak->all, 1, leak->stack_count);
		return false;
	}
	add_sum(&leaks->found[leak->kind], leak->own, 1, leak->stack_count);
	return !small;
}

/* Takes out what is too small, and adds the rest up. */
static void add_up(struct collector *c)
{
	struct leaks *leaks = c->leaks;
	size_t kept = 0;

	for (size_t i = 0; i < leaks->count; i++)
		if (count(c, &leaks->items[i]))
			leaks->items[kept++] = leaks->items[i];
	leaks->count = kept;
}

/* What is inlined in the stacks of live blocks. */
static void show_suppressions(const struct collector *c, struct suppressions *suppressions)
{
	bool any_from_file = false;

	for (size_t i = 0; i < suppressions->count; i++)
		any_from_file |= suppressions->items[i].file != NULL;
	for (uint32_t i = 1; any_from_file && i < c->trace->site_count; i++) {
		struct suppress_frame *frames;
		size_t count;

		if (c->sites[i].current_blocks <= 0)
			continue;
		frames = leak_frames(c->trace, c->resolver, i, &count);
		suppressions_see(suppressions, frames, count);
		free(frames);
	}
}

struct leaks *leaks_new(const struct trace *trace, struct resolver *resolver,
	struct suppressions *suppressions, const struct leaks_options *options)
{
	struct leaks *leaks = mem_zalloc(1, sizeof(*leaks));
	struct collector c = { .trace = trace,
		.resolver = resolver,
		.suppressions = suppressions,
		.options = options,
		.sites = site_measures(trace),
		.leaks = leaks,
		.bookings = mem_zalloc(trace->site_count + 1, sizeof(*c.bookings)) };

	show_suppressions(&c, suppressions);
	leaks->totals = program_totals(trace, c.sites);
	leaks->classified = trace->header.scan_state == MT_SCAN_DONE && !saw_nothing(trace);
	if (leaks->classified) {
		add_classified(&c);
	} else {
		leaks->why = why_unclassified(trace);
		add_live(&c);
	}
	share_out(leaks);
	add_up(&c);
	if (leaks->count)
		qsort(leaks->items, leaks->count, sizeof(*leaks->items), compare_leaks);
	if (leaks->classified && leaks->found[LEAK_UNCLASSIFIED].blocks)
		leaks->why = mem_strdup("some processes were not checked (killed, or ended with "
					"_exit() or exec())");
	hashmap_release(&c.leak_index);
	hashmap_release(&c.stack_index);
	hashmap_release(&c.part_index);
	free(c.bookings);
	free(c.sites);
	return leaks;
}

void leaks_free(struct leaks *leaks)
{
	if (!leaks)
		return;
	free(leaks->items);
	free(leaks->stacks);
	free(leaks->parts);
	free(leaks->why);
	free(leaks);
}

bool leaks_found(const struct leaks *leaks)
{
	return leaks->found[LEAK_LOST].blocks > 0;
}
