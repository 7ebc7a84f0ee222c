/* SPDX-License-Identifier: MIT */
/* snapshots.c - copies the sites, and adds what has changed to the table. */
#include "preload/store/snapshots.h"
#include "preload/store/ledger.h"
#include "preload/store/timeline.h"
#include "preload/store/tracefile.h"
#include "preload/sys/env.h"
#include "preload/sys/os.h"
#include "preload/sys/phase.h"

#include <stddef.h>
#include <string.h>

#define FIRST_ROOM 42	/* snapshots: a page */
#define SPARE_SITES 256 /* that may come while room is found for the others */

/* By site: where its last row is, plus 1. Under timeline_lock, as all of this. */
static uint32_t *latest;
static size_t latest_size; /* bytes */

struct taking {
	const char *label;
	bool kept;
	uint64_t sites, room;
	struct mt_snapshot_row *rows; /* by site */
	struct mt_snapshot snapshot;
};

/* ---- the state */

static uint64_t at_least_zero(uint64_t n)
{
	return (int64_t)n > 0 ? n : 0;
}

static void copy_site(struct mt_snapshot_row *r, uint32_t site)
{
	const struct mt_site *s = &trace.sites[site];
	struct mt_published p = phase_multi ? trace.published[site] : (struct mt_published){ 0 };
	bool saved = s->epoch == (uint32_t)trace.header->epoch;

	*r = (struct mt_snapshot_row){
		.site = site,
		.current_bytes = s->current_bytes,
		.current_blocks = s->current_blocks,
		.allocated_bytes = s->allocated_bytes,
		.allocations = s->allocations,
		.temporary = s->temporary,
		.peak_bytes = s->peak_bytes,
		.at_peak_bytes =
			at_least_zero(saved ? s->at_peak_bytes : s->current_bytes + p.bytes),
		.at_peak_blocks =
			saved ? s->at_peak_blocks
			      : ledger_saturate(at_least_zero(s->current_blocks + p.blocks)),
		.call_peak_bytes = trace.calls[trace.site_info[site].call].peak_bytes,
	};
}

/* A site that was made this moment may not have its info yet. */
static uint64_t count_sites(void)
{
	const struct mt_table *tables = trace.header->tables;
	uint64_t sites = load_acquire(&tables[MT_SITES].count);
	uint64_t infos = load_acquire(&tables[MT_SITE_INFO].count);

	return infos < sites ? infos : sites;
}

/* Under the lock of the published state: so what the sites had at the peak is the peak. False: there
 * is no room for the sites that came meanwhile, and the peak may have some of theirs. */
static bool copy_sites(struct taking *t)
{
	const struct mt_header *h = trace.header;
	uint32_t holder = ledger_hold();

	if (count_sites() > t->room) {
		ledger_release(holder);
		return false;
	}
	t->sites = count_sites();
	t->snapshot.peak_bytes = h->peak_bytes;
	t->snapshot.peak_ns = h->peak_ns;
	t->snapshot.peak_site = h->peak_site;
	t->snapshot.peak_lane = h->peak_lane;
	t->snapshot.max_unpublished = h->max_unpublished;
	t->snapshot.flags = h->flags & (MT_NOTE_MULTI | MT_NOTE_RESET | MT_NOTE_CLEARED);
	for (uint64_t i = 1; i < t->sites; i++)
		copy_site(&t->rows[i], (uint32_t)i);
	ledger_release(holder);
	return true;
}

static void add_lanes(struct taking *t)
{
	uint64_t count = load_acquire(&trace.header->tables[MT_ENTRIES].count);

	for (uint64_t i = 0; i < count; i++) {
		const struct mt_entry *e = &trace.entries[i];
		uint32_t site = load_acquire(&e->site);
		struct mt_snapshot_row *r;

		if (site == 0 || site >= t->sites)
			continue;
		r = &t->rows[site];
		r->current_bytes += e->allocated_bytes - e->freed_bytes;
		r->current_blocks += e->allocations - e->frees;
		r->allocated_bytes += e->allocated_bytes;
		r->allocations += e->allocations;
		r->temporary += e->temporary;
	}
}

/* Of lanes that go on counting meanwhile one may have freed what another has yet to have allocated. */
static void add_up(struct taking *t)
{
	struct mt_snapshot *s = &t->snapshot;

	for (uint64_t i = 1; i < t->sites; i++) {
		struct mt_snapshot_row *r = &t->rows[i];

		r->current_bytes = at_least_zero(r->current_bytes);
		r->current_blocks = at_least_zero(r->current_blocks);
		s->live_bytes += r->current_bytes;
		s->live_blocks += r->current_blocks;
		s->allocated_bytes += r->allocated_bytes;
		s->allocations += r->allocations;
		s->temporary += r->temporary;
	}
}

/* ---- the table */

/* The peak of the call instruction changes with any of its sites, and is in the last row of these. */
static bool has_changed(const struct mt_snapshot_row *r)
{
	static const struct mt_snapshot_row none;
	uint32_t at = latest[r->site];
	const struct mt_snapshot_row *last = at ? &trace.snapshot_rows[at - 1] : &none;

	return r->at_peak_blocks != last->at_peak_blocks ||
	       memcmp(&r->current_bytes, &last->current_bytes,
		       offsetof(struct mt_snapshot_row, call_peak_bytes) -
			       offsetof(struct mt_snapshot_row, current_bytes)) != 0;
}

static uint64_t count_changed(const struct taking *t)
{
	uint64_t changed = 0;

	for (uint64_t i = 1; i < t->sites; i++)
		changed += has_changed(&t->rows[i]);
	return changed;
}

static bool widen_latest(uint64_t sites)
{
	size_t size = 2 * sites * sizeof(*latest);
	uint32_t *wider;

	if (sites * sizeof(*latest) <= latest_size)
		return true;
	wider = os_map(size);
	if (!wider)
		return false;
	if (latest) {
		memcpy(wider, latest, latest_size);
		os_unmap(latest, latest_size);
	}
	latest = wider;
	latest_size = size;
	return true;
}

static void write_rows(const struct taking *t, uint64_t *count)
{
	for (uint64_t i = 1; i < t->sites; i++) {
		if (!has_changed(&t->rows[i]))
			continue;
		trace.snapshot_rows[*count] = t->rows[i];
		*count += 1;
		latest[i] = (uint32_t)*count;
	}
	store_release(&trace.header->tables[MT_SNAPSHOT_ROWS].count, *count);
}

/* All room first, then the rows, then what makes them a snapshot. */
static bool write_snapshot(struct taking *t)
{
	struct mt_table *tables = trace.header->tables;
	uint64_t count = tables[MT_SNAPSHOTS].count, rows = tables[MT_SNAPSHOT_ROWS].count;
	uint64_t rows_end = rows + count_changed(t);

	if (!tracefile_find_room(MT_SNAPSHOT_ROWS, rows_end, rows_end) ||
		!tracefile_find_room(MT_SNAPSHOTS, count + 1, count ? count + 1 : FIRST_ROOM))
		return false;
	t->snapshot.label = timeline_label(t->label);
	if (!t->snapshot.label)
		return false;
	write_rows(t, &rows);
	t->snapshot.rows_end = (uint32_t)rows;
	trace.snapshots[count] = t->snapshot;
	store_release(&tables[MT_SNAPSHOTS].count, count + 1);
	return true;
}

/* ---- the whole */

static size_t rows_size(const struct taking *t)
{
	return t->room * sizeof(*t->rows);
}

/* Room for those that there are, and for some that may come until they are copied. */
static bool find_room(struct taking *t)
{
	t->room = count_sites() + SPARE_SITES;
	t->rows = widen_latest(t->room) ? os_map(rows_size(t)) : NULL;
	return t->rows;
}

static bool copy_all(struct taking *t)
{
	while (find_room(t)) {
		t->snapshot.ns = timeline_now();
		if (copy_sites(t)) {
			add_lanes(t);
			add_up(t);
			return true;
		}
		os_unmap(t->rows, rows_size(t));
	}
	return false;
}

static void take(void *of)
{
	struct taking *t = of;
	uint64_t count = trace.header->tables[MT_SNAPSHOTS].count;

	if (count < config.snapshots && t->label && *t->label && copy_all(t)) {
		t->kept = write_snapshot(t);
		os_unmap(t->rows, rows_size(t));
	}
	if (!t->kept)
		trace.header->lost_snapshots++;
}

cold_path bool snapshots_take(const char *label)
{
	struct taking taking = { .label = label };

	if (!timeline_call(take, &taking))
		add_relaxed(&trace.header->lost_snapshots, 1);
	return taking.kept;
}

void snapshots_forked(void)
{
	if (latest)
		memset(latest, 0, latest_size);
}
