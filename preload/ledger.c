/*
 * ledger.c - lanes, and the published state that the peaks follow once there are several threads.
 */
#include "preload/ledger.h"
#include "preload/phase.h"

#include <string.h>

bool ledger_multi;
int64_t ledger_slack;
struct lock ledger_lock;

#define BUDGET (64 << 10) /* bytes that all lanes together may keep back, at least */
#define BUDGET_PART 1024  /* or this part of the live bytes */
#define ENTRY_BATCH 64	  /* entries that a lane takes at a time: 3 KiB, no shared cache line */
#define FIRST_SITES 64	  /* size of a lane's first hash table */

/* ---- the published state; under ledger_lock */

/* Lanes that are counted come in powers of two, so the slack rarely changes. Half the budget is for
 * lanes that still keep back what an earlier, larger slack allowed them. */
void ledger_set_slack(void)
{
	/* Negative while one lane's frees are published before the other's allocations. */
	int64_t part = (int64_t)trace.header->live_bytes / BUDGET_PART;
	int64_t budget = part > BUDGET ? part : BUDGET;
	uint64_t lanes = 2;

	while (lanes < trace.header->tables[MT_LANES].count)
		lanes *= 2;
	store_relaxed(&ledger_slack, budget / 2 / (int64_t)lanes);
}

static uint64_t at_least_zero(uint64_t n)
{
	return (int64_t)n > 0 ? n : 0;
}

static void publish_site(struct lane_site *ls)
{
	struct mt_site *s = &trace.sites[ls->site];
	struct mt_published *p = &trace.published[ls->site];
	int64_t live;

	ledger_save_at_peak(s, at_least_zero(s->current_bytes + p->bytes),
		at_least_zero(s->current_blocks + p->blocks));
	p->bytes += (uint64_t)ls->unpublished;
	p->blocks += (uint64_t)(int64_t)ls->unpublished_blocks;
	live = (int64_t)(s->current_bytes + p->bytes);
	if (live > (int64_t)s->peak_bytes)
		s->peak_bytes = (uint64_t)live;
	ls->unpublished = 0;
	ls->unpublished_blocks = 0;
	ls->dirty = false;
}

static void publish_line(struct lane_line *ll)
{
	struct mt_line *l = &trace.lines[ll->line];

	if (ll->unpublished == 0)
		return;
	l->live_bytes += (uint64_t)ll->unpublished;
	if ((int64_t)l->live_bytes > (int64_t)l->peak_bytes)
		l->peak_bytes = l->live_bytes;
	ll->unpublished = 0;
}

static void publish_locked(struct thread *t)
{
	struct mt_header *h = trace.header;

	for (uint32_t i = 0; i < t->dirty_used; i++) {
		struct lane_site *ls = &t->sites[t->dirty[i]];

		publish_line(&t->lines[ls->line_index]);
		publish_site(ls);
	}
	t->dirty_used = 0;
	h->live_bytes += (uint64_t)t->unpublished;
	t->unpublished = 0;
	if ((int64_t)h->live_bytes > (int64_t)h->peak_bytes) {
		h->peak_bytes = h->live_bytes;
		h->epoch++;
	}
	ledger_set_slack();
}

cold_path void ledger_publish(struct thread *t)
{
	lock_take(&ledger_lock);
	publish_locked(t);
	lock_drop(&ledger_lock);
}

/* ---- a lane's own tables */

static struct lane_site *find_site(const struct thread *t, uint32_t site)
{
	uint32_t i = (uint32_t)(ledger_first_place(t, site) - t->sites);

	for (;; i++) {
		struct lane_site *ls = &t->sites[i & t->sites_mask];

		if (ls->site == site || ls->site == 0)
			return ls;
	}
}

/* Doubles the hash table; publishes first, since the list of the dirty holds places in the old one.
 */
static bool grow_sites(struct thread *t)
{
	uint32_t size = t->sites ? 2 * (t->sites_mask + 1) : FIRST_SITES;
	struct lane_site *old = t->sites, *new = heap_alloc(size * sizeof(*new));
	uint32_t *dirty = heap_alloc(size * sizeof(*dirty));
	uint32_t old_size = old ? t->sites_mask + 1 : 0;

	if (!new || !dirty) {
		heap_free(new);
		heap_free(dirty);
		return false;
	}
	ledger_publish(t);
	t->sites = new;
	t->sites_mask = size - 1;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i].site)
			*find_site(t, old[i].site) = old[i];
	heap_free(old);
	heap_free(t->dirty);
	t->dirty = dirty;
	return true;
}

/* The index of the lane's share of a line; -1: no memory. A lane has few lines next to its sites'
 * events: searched only when a site is new to the lane. */
static int64_t line_index(struct thread *t, uint32_t line)
{
	for (uint32_t i = 0; i < t->lines_used; i++)
		if (t->lines[i].line == line)
			return i;
	if (t->lines_used == t->lines_room) {
		uint32_t room = t->lines_room ? 2 * t->lines_room : 32;
		struct lane_line *new = heap_alloc(room * sizeof(*new));

		if (!new)
			return -1;
		memcpy(new, t->lines, t->lines_used * sizeof(*new));
		heap_free(t->lines);
		t->lines = new;
		t->lines_room = room;
	}
	t->lines[t->lines_used] = (struct lane_line){ .line = line };
	return t->lines_used++;
}

static struct mt_entry *take_entry(struct thread *t)
{
	uint64_t count;

	if (t->next_entry == t->last_entry) {
		lock_take(&tables_lock);
		count = trace.header->tables[MT_ENTRIES].count;
		if (tracefile_room(MT_ENTRIES, count + ENTRY_BATCH)) {
			store_release(&trace.header->tables[MT_ENTRIES].count, count + ENTRY_BATCH);
			t->next_entry = (uint32_t)count;
			t->last_entry = (uint32_t)count + ENTRY_BATCH;
		}
		lock_drop(&tables_lock);
	}
	return t->next_entry == t->last_entry ? NULL : &trace.entries[t->next_entry++];
}

/* NULL: no room. */
static struct lane_site *make_site(struct thread *t, uint32_t site)
{
	struct lane_site *ls;
	struct mt_entry *entry;
	int64_t line;

	if ((!t->sites || t->sites_used >= t->sites_mask / 2) && !grow_sites(t) &&
		(!t->sites || t->sites_used >= t->sites_mask))
		return NULL;
	line = line_index(t, trace.site_info[site].line);
	entry = line >= 0 ? take_entry(t) : NULL;
	if (!entry)
		return NULL;
	entry->lane = t->lane;
	store_release(&entry->site, site);
	ls = find_site(t, site);
	*ls = (struct lane_site){ .site = site, .line_index = (uint32_t)line, .entry = entry };
	t->sites_used++;
	return ls;
}

/* As a whole: a signal handler may jump out of the middle. */
static cold_path struct lane_site *add_site(struct thread *t, uint32_t site)
{
	struct signals signals = signals_block();
	struct lane_site *ls = make_site(t, site);

	signals_restore(signals);
	return ls;
}

static inline bool passes(int64_t bytes, int64_t slack)
{
	return bytes > slack || bytes < -slack;
}

uint32_t ledger_lane_place(const struct thread *t, uint32_t site)
{
	const struct lane_site *ls = t->sites ? find_site(t, site) : NULL;

	return ls && ls->site ? (uint32_t)(ls - t->sites) + 1 : 0;
}

/* For a lane that has no room to count for the site: in the site's own counters, under the lock. */
static cold_path void count_directly(uint32_t site, int64_t bytes, int blocks, bool temporary)
{
	struct mt_site *s = &trace.sites[site];
	struct mt_published *p = &trace.published[site];
	struct mt_line *l = &trace.lines[trace.site_info[site].line];
	struct mt_header *h = trace.header;

	lock_take(&ledger_lock);
	ledger_save_at_peak(s, at_least_zero(s->current_bytes + p->bytes),
		at_least_zero(s->current_blocks + p->blocks));
	if (blocks > 0) {
		s->allocated_bytes += (uint64_t)bytes;
		s->allocations += (uint64_t)blocks;
	} else if (temporary) {
		s->temporary += (uint64_t)-blocks;
	}
	s->current_bytes += (uint64_t)bytes;
	s->current_blocks += (uint64_t)(int64_t)blocks;
	if ((int64_t)(s->current_bytes + p->bytes) > (int64_t)s->peak_bytes)
		s->peak_bytes = s->current_bytes + p->bytes;
	l->live_bytes += (uint64_t)bytes;
	if ((int64_t)l->live_bytes > (int64_t)l->peak_bytes)
		l->peak_bytes = l->live_bytes;
	h->live_bytes += (uint64_t)bytes;
	if ((int64_t)h->live_bytes > (int64_t)h->peak_bytes) {
		h->peak_bytes = h->live_bytes;
		h->epoch++;
	}
	lock_drop(&ledger_lock);
}

void ledger_count_lane(struct thread *t, uint32_t site, int64_t bytes, int blocks, bool temporary)
{
	int64_t slack = load_relaxed(&ledger_slack);
	struct lane_site *ls = t->sites ? find_site(t, site) : NULL;
	struct lane_line *ll;

	if (unlikely(!ls || ls->site == 0)) {
		ls = add_site(t, site);
		if (!ls) {
			count_directly(site, bytes, blocks, temporary);
			return;
		}
	}
	ledger_count_in_entry(ls->entry, bytes, blocks, temporary);
	if (!ls->dirty) {
		ls->dirty = true;
		t->dirty[t->dirty_used++] = (uint32_t)(ls - t->sites);
	}
	ll = &t->lines[ls->line_index];
	ls->unpublished += bytes;
	ls->unpublished_blocks += blocks;
	ll->unpublished += bytes;
	t->unpublished += bytes;
	if (unlikely(passes(ls->unpublished, slack) || passes(ll->unpublished, slack) ||
		     passes(t->unpublished, slack))) {
		ledger_publish(t);
		return;
	}
	bytes = t->unpublished < 0 ? -t->unpublished : t->unpublished;
	if (unlikely(bytes > t->max_unpublished)) {
		/* In steps, since each takes the long way: half as much again, but no more than
		 * what is allowed. */
		t->max_unpublished = bytes + bytes / 2 < slack ? bytes + bytes / 2 : slack;
		if ((uint64_t)t->max_unpublished > trace.lanes[t->lane].max_unpublished)
			store_relaxed(&trace.lanes[t->lane].max_unpublished,
				(uint64_t)t->max_unpublished);
	}
}

/* ---- from one thread to several, and back in a fork child */

cold_path bool ledger_go_multi(void)
{
	uint64_t sites;

	lock_take(&tables_lock);
	sites = trace.header->tables[MT_SITES].count;
	if (!ledger_multi && (tracefile_room(MT_PUBLISHED, sites + 1) ||
				     tracefile_in_memory(MT_PUBLISHED, sites + 1))) {
		if (!tracefile_is_in_memory(MT_PUBLISHED))
			store_release(&trace.header->tables[MT_PUBLISHED].count, sites);
		trace.header->flags |= MT_NOTE_MULTI;
		ledger_set_slack();
		store_release(&ledger_multi, true);
		phase_shut_gates();
	}
	lock_drop(&tables_lock);
	return ledger_multi;
}

/* What lines and the whole have, from what the sites have. */
static void recount_live(void)
{
	struct mt_header *h = trace.header;

	for (uint64_t i = 0; i < h->tables[MT_LINES].count; i++)
		trace.lines[i].live_bytes = 0;
	h->live_bytes = 0;
	for (uint64_t i = 1; i < h->tables[MT_SITES].count; i++) {
		trace.lines[trace.site_info[i].line].live_bytes += trace.sites[i].current_bytes;
		h->live_bytes += trace.sites[i].current_bytes;
	}
}

void ledger_forked(void)
{
	struct mt_header *h = trace.header;

	for (uint64_t i = 0; i < h->tables[MT_ENTRIES].count; i++) {
		struct mt_entry *e = &trace.entries[i];
		struct mt_site *s = &trace.sites[e->site];

		if (e->site == 0 || e->site >= h->tables[MT_SITES].count)
			continue;
		ledger_save_at_peak(s,
			at_least_zero(s->current_bytes + trace.published[e->site].bytes),
			at_least_zero(s->current_blocks + trace.published[e->site].blocks));
		trace.published[e->site] = (struct mt_published){ 0 };
		s->current_bytes += e->allocated_bytes - e->freed_bytes;
		s->current_blocks += e->allocations - e->frees;
		s->allocated_bytes += e->allocated_bytes;
		s->allocations += e->allocations;
		s->temporary += e->temporary;
	}
	memset(trace.entries, 0, h->tables[MT_ENTRIES].count * sizeof(*trace.entries));
	h->tables[MT_ENTRIES].count = 0;
	h->tables[MT_PUBLISHED].count = 0;
	recount_live();
	ledger_multi = false;
	ledger_lock.word = 0;
}

/* From here on the highest state is the present one: of each site, each line and the whole. */
void ledger_reset_peaks(void)
{
	struct mt_header *h = trace.header;

	lock_take(&ledger_lock);
	for (uint64_t i = 1; i < h->tables[MT_SITES].count; i++) {
		struct mt_site *s = &trace.sites[i];

		s->peak_bytes = s->current_bytes + (ledger_multi ? trace.published[i].bytes : 0);
	}
	for (uint64_t i = 1; i < h->tables[MT_LINES].count; i++)
		trace.lines[i].peak_bytes = trace.lines[i].live_bytes;
	h->peak_bytes = h->live_bytes;
	h->epoch++;
	lock_drop(&ledger_lock);
}
