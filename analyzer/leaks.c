/* leaks.c - collects the live blocks of a trace by site and kind, and takes out what is suppressed.
 */
#include "leaks.h"
#include "hashmap.h"
#include "mem.h"
#include "row.h"
#include "strbuf.h"
#include "trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

const char *const leak_kind_names[LEAK_KINDS] = { "lost", "indirect", "possible", "reachable",
	"unclassified" };

/* ---- why nothing is classified */

static void say_how_it_died(const struct trace *t, struct strbuf *why)
{
	uint32_t status = t->header.wait_status;

	if ((t->header.flags & MT_HAS_WAIT_STATUS) && WIFSIGNALED(status))
		strbuf_addf(why, "signal %d (%s) killed the program before it could look",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		strbuf_add(why, "the program died before it could look");
	strbuf_add(why, "; let it exit, or ask with 'mtracer leaks PID' while it runs");
}

static char *why_unclassified(const struct trace *t)
{
	struct strbuf why = { 0 };

	if (t->header.flags & MT_NOTE_MERGED)
		strbuf_add(&why, "none of the processes looked, or not to the end");
	else if (t->header.sample_bytes)
		strbuf_add(&why,
			"the trace is sampled, and the way to a block leads through others; "
			"run without MTRACE_SAMPLE");
	else if (t->header.scan_state == MT_SCAN_FAILED)
		strbuf_add(&why, "the search for pointers ran out of memory or time");
	else if (t->header.scan_state == MT_SCAN_RUNNING && t->state == TRACE_RUNNING)
		strbuf_add(&why, "the search for pointers is still going on; try again");
	else if (t->header.scan_state == MT_SCAN_RUNNING)
		strbuf_add(&why, "the search for pointers was cut short; run the program again");
	else if (t->state == TRACE_RUNNING)
		strbuf_addf(&why, "the program still runs; 'mtracer leaks %u' makes it look",
			t->header.pid);
	else if (t->state == TRACE_DIED)
		say_how_it_died(t, &why);
	else
		strbuf_add(&why,
			"the program ended by _exit() or exec(), or with MTRACE_REACHABLE=0; "
			"let it exit without that setting");
	return why.text;
}

/* ---- stacks */

struct frames {
	struct suppress_frame *items;
	size_t count, room;
};

static void add_frame(void *context, const struct spot *spot)
{
	struct frames *frames = context;
	const struct symbol *s = spot->symbol;
	struct suppress_frame frame = { s->function, s->linkage, s->file, s->line,
		spot->place->module, spot->place->offset };

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

/* ---- collecting */

struct collector {
	const struct trace *trace;
	struct resolver *resolver;
	const struct suppressions *suppressions;
	struct measures *sites; /* by site */
	struct leaks *leaks;
	size_t room;
	struct hashmap index; /* of leaks, by stack and kind */
};

/* What is looked for in the index. */
struct key {
	enum leak_kind kind;
	uint64_t hash; /* of the frames: 64 bits of it stand for them */
};

static bool same_key(const void *context, uint32_t index, const void *key)
{
	const struct leak *leak = &((const struct leaks *)context)->items[index];
	const struct key *wanted = key;

	return leak->kind == wanted->kind && leak->hash == wanted->hash;
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

static void add_sum(struct leak_sum *sum, uint64_t bytes, uint64_t blocks)
{
	sum->bytes += bytes;
	sum->blocks += blocks;
	sum->stacks++;
}

/* The leak of this stack and kind, new or known. */
static struct leak *find_leak(
	struct collector *c, uint32_t site, enum leak_kind kind, uint64_t hash)
{
	struct leaks *leaks = c->leaks;
	struct key key = { kind, hash };
	struct leak leak = { .site = site, .kind = kind, .hash = hash };
	uint32_t index = hashmap_find(
		&c->index, hash_number(hash, kind), same_key, leaks, &key, (uint32_t)leaks->count);

	if (index == leaks->count) {
		leak.owner = resolve_owner(c->resolver, c->trace->site_info[site].node);
		VEC_PUSH(leaks->items, leaks->count, c->room, leak);
	}
	return &leaks->items[index];
}

static void add_to_leak(
	struct leak *leak, uint32_t site, const struct measures *m, uint64_t bytes, uint64_t blocks)
{
	leak->bytes += bytes;
	leak->blocks += blocks;
	if (leak->last == site)
		return;
	leak->last = site;
	leak->m.peak_bytes += m->peak_bytes;
	leak->m.peak_is_bound |= m->peak_is_bound || leak->m.allocations > 0;
	measures_add(&leak->m, m);
}

static void add(
	struct collector *c, uint32_t site, enum leak_kind kind, uint64_t bytes, uint64_t blocks)
{
	struct suppression *by;
	size_t count;
	struct suppress_frame *frames = leak_frames(c->trace, c->resolver, site, &count);

	by = suppressions_match(c->suppressions, kind, frames, count);
	if (by) {
		by->bytes += bytes;
		by->blocks += blocks;
		add_sum(&c->leaks->suppressed[kind], bytes, blocks);
	} else {
		add_to_leak(find_leak(c, site, kind, hash_frames(frames, count)), site,
			&c->sites[site], bytes, blocks);
	}
	free(frames);
}

static void add_classified(struct collector *c)
{
	static const enum leak_kind kinds[] = {
		[MT_LEAK_LOST] = LEAK_LOST,
		[MT_LEAK_INDIRECT] = LEAK_INDIRECT,
		[MT_LEAK_POSSIBLE] = LEAK_POSSIBLE,
		[MT_LEAK_REACHABLE] = LEAK_REACHABLE,
		[MT_LEAK_UNCLASSIFIED] = LEAK_UNCLASSIFIED,
	};

	for (uint32_t i = 0; i < c->trace->leak_count; i++) {
		const struct mt_leak *l = &c->trace->leaks[i];

		if (l->site && l->blocks)
			add(c, l->site, kinds[l->kind], l->bytes, l->blocks);
	}
}

static void add_live(struct collector *c)
{
	for (uint32_t i = 1; i < c->trace->site_count; i++) {
		const struct measures *m = &c->sites[i];

		if (m->current_blocks > 0)
			add(c, i, LEAK_UNCLASSIFIED, (uint64_t)m->current_bytes,
				(uint64_t)m->current_blocks);
	}
}

/* ---- order */

static int compare_texts(const char *a, const char *b)
{
	if (!a || !b)
		return (a == NULL) - (b == NULL);
	return strcmp(a, b);
}

static int compare_owners(const struct symbol *a, const struct symbol *b)
{
	int order;

	if (!a || !b)
		return (a == NULL) - (b == NULL);
	order = compare_texts(a->file, b->file);
	if (order == 0)
		order = (a->line > b->line) - (a->line < b->line);
	return order ? order : compare_texts(a->function, b->function);
}

static int compare(const void *left, const void *right)
{
	const struct leak *a = left, *b = right;
	int order = (a->kind > b->kind) - (a->kind < b->kind);

	if (order == 0)
		order = (a->bytes < b->bytes) - (a->bytes > b->bytes);
	if (order == 0)
		order = (a->blocks < b->blocks) - (a->blocks > b->blocks);
	if (order == 0)
		order = compare_owners(a->owner.symbol, b->owner.symbol);
	return order ? order : (a->site > b->site) - (a->site < b->site);
}

/* ---- the whole */

/* Takes out what is too small, and adds the rest up. */
static void add_up(struct leaks *leaks, uint64_t min_bytes)
{
	size_t kept = 0;

	for (size_t i = 0; i < leaks->count; i++) {
		const struct leak *leak = &leaks->items[i];

		if (leak->bytes < min_bytes) {
			add_sum(&leaks->small, leak->bytes, leak->blocks);
			continue;
		}
		add_sum(&leaks->found[leak->kind], leak->bytes, leak->blocks);
		leaks->items[kept++] = *leak;
	}
	leaks->count = kept;
}

struct leaks *leaks_new(const struct trace *trace, struct resolver *resolver,
	const struct suppressions *suppressions, uint64_t min_bytes)
{
	struct leaks *leaks = mem_zalloc(1, sizeof(*leaks));
	struct collector c = { trace, resolver, suppressions, site_measures(trace), leaks, 0,
		{ 0 } };

	leaks->totals = program_totals(trace, c.sites);
	leaks->classified = trace->header.scan_state == MT_SCAN_DONE;
	if (leaks->classified) {
		add_classified(&c);
	} else {
		leaks->why = why_unclassified(trace);
		add_live(&c);
	}
	add_up(leaks, min_bytes);
	if (leaks->classified && leaks->found[LEAK_UNCLASSIFIED].blocks)
		leaks->why = mem_strdup("some of the processes did not look (killed, or left by "
					"_exit() or exec())");
	if (leaks->count)
		qsort(leaks->items, leaks->count, sizeof(*leaks->items), compare);
	hashmap_release(&c.index);
	free(c.sites);
	return leaks;
}

void leaks_free(struct leaks *leaks)
{
	if (!leaks)
		return;
	free(leaks->items);
	free(leaks->why);
	free(leaks);
}

bool leaks_found(const struct leaks *leaks)
{
	return leaks->found[LEAK_LOST].blocks > 0;
}
