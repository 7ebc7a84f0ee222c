/* SPDX-License-Identifier: MIT */
/*
 * ledger.c - lanes, and the published state that the peaks follow once there are several threads.
 */
#include "preload/store/ledger.h"
#include "preload/sys/heap.h"
#include "preload/sys/os.h"
#include "preload/sys/phase.h"

#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>

#define BUDGET (64 << 10) /* bytes that all lanes together may keep back, at least */
#define BUDGET_PART 1024  /* or this part of the live bytes */
#define GRANT_PART 2	  /* of what is left of it that one lane may have */
#define LARGE_PART 4	  /* blocks that are larger than this part of it ask for no grant */
#define SCARCE_PART 8	  /* who could have less than this part takes back what others have */
#define FIRST_GRANT 64	  /* bytes */
#define FOLD_EVERY 64	  /* publications, and as many more as there are threads */
#define DIRTY_MOST 128	  /* sites that each look goes through */
#define ENTRY_BATCH 64	  /* entries that a lane takes at a time: 3 KiB, no shared cache line */
#define FIRST_SITES 64	  /* size of a lane's first hash table */

/* The lock, and what it is over beside the trace: one cache line. */
static struct {
	struct brief_lock lock;
	uint32_t fold_wait;    /* publications to come before grants may be taken back */
	int64_t granted;       /* bytes, to all lanes */
	bool knows_membarrier; /* grants may be taken back at all */
} ledger __attribute__((aligned(64)));

/* ---- the published state; under ledger_lock */

uint32_t ledger_hold(void)
{
	uint32_t tid = thread_self->tid ? thread_self->tid : (uint32_t)os_tid();

	lock_take_briefly(&ledger.lock, tid);
	return tid;
}

void ledger_release(uint32_t holder)
{
	lock_drop_briefly(&ledger.lock, holder);
}

static uint64_t at_least_zero(uint64_t n)
{
	return (int64_t)n > 0 ? n : 0;
}

static inline int64_t bytes_kept_back(const struct lane_site *ls)
{
	return (int64_t)(ls->entry->allocated_bytes - ls->entry->freed_bytes) - ls->published_bytes;
}

static inline int32_t blocks_kept_back(const struct lane_site *ls)
{
	return (int32_t)((uint32_t)(ls->entry->allocations - ls->entry->frees) -
			 ls->published_blocks);
}

static void publish_site(struct lane_site *ls)
{
	struct mt_site *s = &trace.sites[ls->site];
	struct mt_published *p = &trace.published[ls->site];
	int64_t bytes = bytes_kept_back(ls), live;
	int32_t blocks = blocks_kept_back(ls);

	ledger_save_at_peak(s, at_least_zero(s->current_bytes + p->bytes),
		at_least_zero(s->current_blocks + p->blocks));
	p->bytes += (uint64_t)bytes;
	p->blocks += (uint64_t)(int64_t)blocks;
	live = (int64_t)(s->current_bytes + p->bytes);
	if (live > (int64_t)s->peak_bytes)
		s->peak_bytes = (uint64_t)live;
	ls->published_bytes += bytes;
	ls->published_blocks += (uint32_t)blocks;
	ls->dirty = false;
}

static void publish_call(uint32_t call, int64_t bytes)
{
	struct mt_call *l = &trace.calls[call];

	l->live_bytes += (uint64_t)bytes;
	if ((int64_t)l->live_bytes > (int64_t)l->peak_bytes)
		l->peak_bytes = l->live_bytes;
}

/* Of a lane, which went on to change this site last. */
static void publish_all(int64_t bytes, uint32_t site, uint32_t lane)
{
	struct mt_header *h = trace.header;

	h->live_bytes += (uint64_t)bytes;
	if ((int64_t)h->live_bytes > (int64_t)h->peak_bytes) {
		h->peak_bytes = h->live_bytes;
		h->epoch++;
		h->peak_site = site;
		h->peak_lane = lane;
		if (timeline_is_peak(h->live_bytes))
			store_relaxed(&timeline_peak_is_new, true);
	}
}

static inline int64_t larger(int64_t most, int64_t bytes)
{
	bytes = bytes < 0 ? -bytes : bytes;
	return bytes > most ? bytes : most;
}

/* What the lane keeps back. */
struct kept_back {
	int64_t all;
	int64_t most; /* the largest amount there is: of a site, of a call instruction, of all */
};

/* After a handler has jumped out of a hook. */
static cold_path void find_dirty_anew(struct thread *t)
{
	t->dirty_used = 0;
	for (uint32_t i = 0; i < t->calls_used; i++)
		t->calls[i].unpublished = 0;
	for (uint32_t i = 0; t->sites_used && i <= t->sites_mask; i++) {
		struct lane_site *ls = &t->sites[i];

		ls->dirty = false;
		if (ls->site && (bytes_kept_back(ls) != 0 || blocks_kept_back(ls) != 0))
			ledger_make_dirty(t, ls);
	}
	t->in_doubt = false;
}

/* Adds it up, also for the call instructions, which have to be cleared again. Sites that keep
 * nothing back leave the list. */
static struct kept_back add_up(struct thread *t)
{
	struct kept_back k = { 0, 0 };
	uint32_t count = 0;

	if (unlikely(t->in_doubt))
		find_dirty_anew(t);
	for (uint32_t i = 0; i < t->dirty_used; i++) {
		struct lane_site *ls = &t->sites[t->dirty[i]];
		int64_t bytes = bytes_kept_back(ls);

		if (bytes == 0 && blocks_kept_back(ls) == 0) {
			ls->dirty = false;
			continue;
		}
		t->dirty[count++] = t->dirty[i];
		t->calls[ls->call_index].unpublished += bytes;
		k.all += bytes;
		k.most = larger(k.most, bytes);
	}
	t->dirty_used = count;
	k.most = larger(k.most, k.all);
	for (uint32_t i = 0; i < count; i++)
		k.most = larger(k.most, t->calls[t->sites[t->dirty[i]].call_index].unpublished);
	return k;
}

static void clear_calls(struct thread *t)
{
	for (uint32_t i = 0; i < t->dirty_used; i++)
		t->calls[t->sites[t->dirty[i]].call_index].unpublished = 0;
}

/* What add_up() has found. */
static void publish(struct thread *t, int64_t all)
{
	uint32_t site = 0;

	for (uint32_t i = 0; i < t->dirty_used; i++) {
		struct lane_site *ls = &t->sites[t->dirty[i]];
		struct lane_call *ll = &t->calls[ls->call_index];

		publish_call(ll->call, ll->unpublished);
		ll->unpublished = 0;
		publish_site(ls);
		site = ls->site;
	}
	t->dirty_used = 0;
	publish_all(all, site, t->lane);
}

/* ---- grants */

/* For all lanes. Live bytes may be negative while one lane's frees are published before the other's
 * allocations. */
static int64_t budget(void)
{
	int64_t part = (int64_t)load_relaxed(&trace.header->live_bytes) / BUDGET_PART;

	return part > BUDGET ? part : BUDGET;
}

/* The most that the lane may have; without the lock, an estimate. */
static int64_t share_of(const struct thread *t)
{
	int64_t left = budget() - (load_relaxed(&ledger.granted) - t->grant);

	return left > 0 ? left / GRANT_PART : 0;
}

static void set_grant(struct thread *t, int64_t grant)
{
	store_relaxed(&ledger.granted, ledger.granted + grant - t->grant);
	t->grant = grant;
	if (ledger.granted > (int64_t)trace.header->max_unpublished)
		store_relaxed(&trace.header->max_unpublished, (uint64_t)ledger.granted);
}

/* A thread that isn't counting touches nothing of its lane before it has seen the mark and had the
 * lock. */
static bool may_take(const struct thread *of)
{
	return of->grant && !load_acquire(&of->counting);
}

static cold_path void take_grants_back(const struct thread *by)
{
	struct thread *all = load_acquire(&threads_all), *of;

	ledger.fold_wait = FOLD_EVERY;
	for (of = all; of; of = of->next_of_all, ledger.fold_wait++)
		if (of != by && may_take(of))
			store_relaxed(&of->room, ROOM_TAKEN);
	if (os_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) != 0) {
		ledger.knows_membarrier = false;
		return;
	}
	for (of = all; of; of = of->next_of_all) {
		if (of == by || !may_take(of) || load_relaxed(&of->room) != ROOM_TAKEN)
			continue;
		publish(of, add_up(of).all);
		set_grant(of, 0);
	}
}

/* In steps, since the bound that readers state rises with it; but a block that is larger than the
 * grant needs one of its size, or none. */
static void ask_for_grant(struct thread *t, int64_t size)
{
	int64_t share = share_of(t), more = 2 * t->grant + FIRST_GRANT;

	if (ledger.fold_wait)
		ledger.fold_wait--;
	else if (ledger.knows_membarrier && (share < size || share < budget() / SCARCE_PART)) {
		take_grants_back(t);
		share = share_of(t);
	}
	if (size > more)
		more = size <= share ? size : t->grant;
	set_grant(t, more < share ? more : share);
}

/* The grant was taken back, or may be about to be: who does it has the lock. */
static cold_path void see_grant_taken(struct thread *t)
{
	ledger_release(ledger_hold());
	t->room = 0;
}

cold_path void ledger_fold(struct thread *t)
{
	uint32_t holder = ledger_hold();

	publish(t, add_up(t).all);
	set_grant(t, 0);
	t->room = 0;
	ledger_release(holder);
}

/* Not yet, but it is time to. */
static bool should_publish(const struct thread *t, int64_t kept_back)
{
	return kept_back > t->grant / 2 || t->dirty_used > DIRTY_MOST || 2 * t->grant < share_of(t);
}

/* Looks what the lane keeps back. False: it has to be published, or there is somebody for whom this
 * is no wait. */
static bool find_room(struct thread *t)
{
	struct kept_back k = add_up(t);

	clear_calls(t);
	if (k.most > t->grant ||
		(should_publish(t, k.most) && load_relaxed(&ledger.lock.word) == 0))
		return false;
	t->room = t->grant - k.most;
	return true;
}

/* ---- a lane's own tables */

struct lane_site ledger_no_sites[1];

/* The site isn't there yet, and there is room. */
static struct lane_site *insert_site(struct thread *t, struct lane_site new)
{
	struct lane_site *ls;

	for (uint32_t choice = 0;; choice++) {
		ls = ledger_slot(t, new.site, choice);
		if (ls->site == 0)
			break;
	}
	*ls = new;
	return ls;
}

/* Doubles the hash table; publishes first, since the list of the dirty holds slots of the old
 * one. */
static bool grow_sites(struct thread *t)
{
	struct lane_site *old = t->sites, *new;
	uint32_t old_size = old == ledger_no_sites ? 0 : t->sites_mask + 1;
	uint32_t size = old_size ? 2 * old_size : FIRST_SITES;
	uint32_t *dirty = heap_alloc(size * sizeof(*dirty));

	new = heap_alloc(size * sizeof(*new));
	if (!new || !dirty) {
		heap_free(new);
		heap_free(dirty);
		return false;
	}
	ledger_fold(t);
	t->sites = new;
	t->sites_mask = size - 1;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i].site)
			insert_site(t, old[i]);
	if (old_size)
		heap_free(old);
	heap_free(t->dirty);
	t->dirty = dirty;
	return true;
}

/* The index of the lane's share of a call instruction; -1: no memory. A lane has few of these next
 * to its sites' events: searched only when a site is new to the lane. */
static int64_t call_index(struct thread *t, uint32_t call)
{
	for (uint32_t i = 0; i < t->calls_used; i++)
		if (t->calls[i].call == call)
			return i;
	if (t->calls_used == t->calls_room) {
		uint32_t room = t->calls_room ? 2 * t->calls_room : 32;
		struct lane_call *new = heap_alloc(room * sizeof(*new));

		if (!new)
			return -1;
		memcpy(new, t->calls, t->calls_used * sizeof(*new));
		heap_free(t->calls);
		t->calls = new;
		t->calls_room = room;
	}
	t->calls[t->calls_used] = (struct lane_call){ .call = call };
	return t->calls_used++;
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
	struct mt_entry *entry;
	int64_t call;

	if (t->sites_used >= t->sites_mask / 2 && !grow_sites(t) && t->sites_used >= t->sites_mask)
		return NULL;
	call = call_index(t, trace.site_info[site].call);
	entry = call >= 0 ? take_entry(t) : NULL;
	if (!entry)
		return NULL;
	entry->lane = t->lane;
	store_release(&entry->site, site);
	t->sites_used++;
	return insert_site(t, (struct lane_site){ site, (uint32_t)call, entry, 0, 0, false });
}

/* As a whole: a signal handler may jump out of the middle. */
static cold_path struct lane_site *add_site(struct thread *t, uint32_t site)
{
	struct signals signals = signals_block();
	struct lane_site *ls = make_site(t, site);

	signals_restore(signals);
	return ls;
}

/* For a lane that has no room to count for the site: in the site's own counters, under the lock. */
static cold_path void count_directly(
	uint32_t lane, uint32_t site, int64_t bytes, int blocks, bool temporary)
{
	struct mt_site *s = &trace.sites[site];
	struct mt_published *p = &trace.published[site];
	uint32_t holder = ledger_hold();

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
	publish_call(trace.site_info[site].call, bytes);
	publish_all(bytes, site, lane);
	ledger_release(holder);
}

/* The only site that has anything. */
static void publish_alone(struct thread *t)
{
	struct lane_site *ls = &t->sites[t->dirty[0]];
	int64_t bytes = bytes_kept_back(ls);

	publish_call(t->calls[ls->call_index].call, bytes);
	publish_site(ls);
	t->dirty_used = 0;
	publish_all(bytes, ls->site, t->lane);
}

/* Publishes all, with an event that was just counted; or whoever takes the grant back before has
 * done so. */
static cold_path void publish_event(struct thread *t, int64_t size)
{
	uint32_t holder = ledger_hold();

	if (likely(t->dirty_used == 1 && !t->in_doubt))
		publish_alone(t);
	else
		publish(t, add_up(t).all);
	if (size <= budget() / LARGE_PART)
		ask_for_grant(t, size);
	t->room = t->grant;
	ledger_release(holder);
}

/* The event was counted. False: it has to be published. */
static bool fits(struct thread *t, int64_t size)
{
	if (size > t->grant)
		return false;
	if (size > t->room)
		return find_room(t);
	t->room -= size;
	return true;
}

/* The slow path of a lane, which comes by when it may have used its grant up: threads count down together,
 * and lose a count now and then. */
static void count_for_timeline(struct thread *t)
{
	store_relaxed(&timeline_left, load_relaxed(&timeline_left) - TIMELINE_LANE_EVENTS);
	if (unlikely(load_relaxed(&timeline_left) <= 0) || load_relaxed(&timeline_peak_is_new))
		timeline_take(t, 0);
}

uint32_t ledger_count_lane(
	struct thread *t, uint32_t site, int64_t bytes, int blocks, bool temporary)
{
	int64_t size = bytes < 0 ? -bytes : bytes;
	struct lane_site *ls;
	bool is_new, looked, done;

	ledger_begin(t);
	if (unlikely(t->room < 0))
		see_grant_taken(t);
	ls = ledger_find(t, site);
	is_new = !ls;
	if (unlikely(is_new))
		ls = add_site(t, site);
	if (unlikely(!ls)) {
		ledger_end(t);
		count_directly(t->lane, site, bytes, blocks, temporary);
		return 0;
	}
	ledger_count_in_entry(ls->entry, bytes, blocks, temporary);
	ledger_make_dirty(t, ls);
	looked = is_new || size > t->room;
	done = !is_new && fits(t, size);
	ledger_end(t);
	if (!done)
		publish_event(t, size);
	if (looked)
		count_for_timeline(t);
	return (uint32_t)(ls - t->sites) + 1;
}

/* ---- from one thread to several, and back in a fork child */

cold_path bool ledger_go_multi(void)
{
	uint64_t sites;

	lock_take(&tables_lock);
	sites = trace.header->tables[MT_SITES].count;
	if (!phase_multi && (tracefile_room(MT_PUBLISHED, sites + 1) ||
				    tracefile_in_memory(MT_PUBLISHED, sites + 1))) {
		if (!tracefile_is_in_memory(MT_PUBLISHED))
			store_release(&trace.header->tables[MT_PUBLISHED].count, sites);
		trace.header->flags |= MT_NOTE_MULTI;
		ledger.granted = 0;
		ledger.knows_membarrier =
			os_call(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0) == 0;
		store_release(&phase_multi, true);
		phase_advance();
	}
	lock_drop(&tables_lock);
	return phase_multi;
}

/* What call instructions and the whole have, from what the sites have. That may be more than any
 * published state was. */
static void recount_live(void)
{
	struct mt_header *h = trace.header;

	for (uint64_t i = 0; i < h->tables[MT_CALLS].count; i++)
		trace.calls[i].live_bytes = 0;
	h->live_bytes = 0;
	for (uint64_t i = 1; i < h->tables[MT_SITES].count; i++) {
		struct mt_site *s = &trace.sites[i];

		if (s->current_bytes > s->peak_bytes)
			s->peak_bytes = s->current_bytes;
		publish_call(trace.site_info[i].call, (int64_t)s->current_bytes);
		h->live_bytes += s->current_bytes;
	}
	publish_all(0, 0, 0);
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
	ledger.granted = 0;
	phase_multi = false;
	ledger.lock.word = 0;
}

static int64_t published_bytes(uint64_t site)
{
	uint64_t further =
		site < trace.header->tables[MT_PUBLISHED].count ? trace.published[site].bytes : 0;

	return (int64_t)(trace.sites[site].current_bytes + further);
}

/* Live bytes may be below 0 where another lane's allocations aren't published yet; peaks aren't. */
static bool site_is_valid(uint64_t site)
{
	const struct mt_site *s = &trace.sites[site];

	return published_bytes(site) <= (int64_t)s->peak_bytes && s->epoch <= trace.header->epoch &&
	       (s->epoch < trace.header->epoch || s->at_peak_bytes <= s->peak_bytes);
}

static int64_t grants(void)
{
	int64_t sum = 0;

	for (const struct thread *t = threads_all; t; t = t->next_of_all)
		sum += t->grant;
	return sum;
}

static bool call_is_valid(uint64_t call)
{
	const struct mt_call *l = &trace.calls[call];
	int64_t live = 0;

	for (uint64_t i = 1; i < trace.header->tables[MT_SITES].count; i++)
		if (trace.site_info[i].call == call)
			live += published_bytes(i);
	return (int64_t)l->live_bytes == live && live <= (int64_t)l->peak_bytes;
}

bool ledger_is_valid(void)
{
	const struct mt_header *h = trace.header;
	int64_t live = 0;

	for (uint64_t i = 1; i < h->tables[MT_SITES].count; i++) {
		if (!site_is_valid(i))
			return false;
		live += published_bytes(i);
	}
	for (uint64_t i = 1; i < h->tables[MT_CALLS].count; i++)
		if (!call_is_valid(i))
			return false;
	return (int64_t)h->live_bytes == live && live <= (int64_t)h->peak_bytes &&
	       (grants() == ledger.granted || !phase_multi) &&
	       ledger.granted <= (int64_t)h->max_unpublished;
}

/* From here on the highest state is the present one: of each site, each call instruction and the
 * whole. */
void ledger_reset_peaks(void)
{
	struct mt_header *h = trace.header;
	uint32_t holder = ledger_hold();

	for (uint64_t i = 1; i < h->tables[MT_SITES].count; i++) {
		struct mt_site *s = &trace.sites[i];

		s->peak_bytes = s->current_bytes + (phase_multi ? trace.published[i].bytes : 0);
	}
	for (uint64_t i = 1; i < h->tables[MT_CALLS].count; i++)
		trace.calls[i].peak_bytes = trace.calls[i].live_bytes;
	h->peak_bytes = h->live_bytes;
	h->epoch++;
	h->max_unpublished = (uint64_t)ledger.granted;
	or_relaxed(&h->flags, MT_NOTE_RESET);
	ledger_release(holder);
}

void ledger_halt(void)
{
	for (struct thread *t = load_acquire(&threads_all); t; t = t->next_of_all)
		store_relaxed(&t->room, ROOM_TAKEN);
}

/* Nothing is kept back: the entry begins from zero, too. */
static void clear_lane(struct thread *t)
{
	for (uint32_t i = 0; t->sites_used && i <= t->sites_mask; i++) {
		t->sites[i].published_bytes = 0;
		t->sites[i].published_blocks = 0;
		t->sites[i].dirty = false;
	}
	for (uint32_t i = 0; i < t->calls_used; i++)
		t->calls[i].unpublished = 0;
	t->dirty_used = 0;
	t->in_doubt = false;
}

static void clear_table(enum mt_table_id table, void *records, size_t size)
{
	memset(records, 0, trace.header->tables[table].count * size);
}

static void clear_entries(void)
{
	for (uint64_t i = 0; i < trace.header->tables[MT_ENTRIES].count; i++) {
		struct mt_entry *e = &trace.entries[i];

		*e = (struct mt_entry){ .site = e->site, .lane = e->lane };
	}
}

void ledger_clear(void)
{
	struct mt_header *h = trace.header;
	uint32_t holder = ledger_hold();

	clear_table(MT_SITES, trace.sites, sizeof(*trace.sites));
	clear_table(MT_SLACK, trace.slack, sizeof(*trace.slack));
	clear_table(MT_ESTIMATES, trace.estimates, sizeof(*trace.estimates));
	if (phase_multi)
		memset(trace.published, 0, h->tables[MT_SITES].count * sizeof(*trace.published));
	clear_entries();
	for (struct thread *t = threads_all; t; t = t->next_of_all)
		clear_lane(t);
	for (uint64_t i = 0; i < h->tables[MT_CALLS].count; i++)
		trace.calls[i].live_bytes = trace.calls[i].peak_bytes = 0;
	h->live_bytes = h->peak_bytes = 0;
	h->epoch++;
	h->max_unpublished = phase_multi ? (uint64_t)ledger.granted : 0;
	and_relaxed(&h->flags, ~MT_NOTE_RESET);
	or_relaxed(&h->flags, MT_NOTE_CLEARED);
	ledger_release(holder);
}
