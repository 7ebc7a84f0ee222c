/* SPDX-License-Identifier: MIT */
/*
 * regions.c - pieces of mappings in an array sorted by address. Mappings are few and rarely change,
 * so a plain array under a lock does; it is searched by halves and moved on insertion.
 */
#include "preload/store/regions.h"
#include "preload/store/ledger.h"
#include "preload/store/sample.h"
#include "preload/sys/check.h"
#include "preload/sys/env.h"
#include "preload/sys/heap.h"
#include "preload/sys/ranges.h"

#include <string.h>

struct lock regions_lock;

/* One mapping as it was made; pieces share it. */
struct mapping {
	uint32_t site;
	uint32_t pieces;
};

struct piece {
	uintptr_t start, end;
	struct mapping *mapping;
};

static struct piece *pieces;
static size_t used, room;

static uint32_t count_pieces(const struct mapping *m)
{
	uint32_t count = 0;

	for (size_t i = 0; i < used; i++)
		count += pieces[i].mapping == m;
	return count;
}

bool regions_are_valid(void)
{
	for (size_t i = 0; i < used; i++) {
		const struct piece *p = &pieces[i];

		if (p->start >= p->end || (i && p[-1].end > p->start) ||
			count_pieces(p->mapping) != p->mapping->pieces)
			return false;
	}
	return used <= room;
}

static bool make_room(void)
{
	size_t size = room ? 2 * room : 64;
	struct piece *bigger;

	if (used + 2 <= room) /* an operation adds two at most */
		return true;
	bigger = heap_alloc(size * sizeof(*bigger));
	if (!bigger)
		return false;
	if (pieces)
		memcpy(bigger, pieces, used * sizeof(*bigger));
	heap_free(pieces);
	pieces = bigger;
	room = size;
	return true;
}

/* The first piece that ends behind the address. */
static size_t first_behind(uintptr_t address)
{
	return RANGES_FIRST_BEHIND(pieces, used, address);
}

static void insert(size_t at, struct piece p)
{
	memmove(&pieces[at + 1], &pieces[at], (used - at) * sizeof(*pieces));
	pieces[at] = p;
	used++;
	p.mapping->pieces++;
}

static void erase(size_t at)
{
	used--;
	memmove(&pieces[at], &pieces[at + 1], (used - at) * sizeof(*pieces));
}

/* Mappings are never sampled, but counted as what is. */
static uint32_t one(void)
{
	return config.sample.mean ? SAMPLE_UNIT : 1;
}

/* `size` bytes of the mapping went, and a piece of it with them if `whole`. */
static void count_unmapped(struct thread *t, struct mapping *m, size_t size, bool whole)
{
	bool last = whole && --m->pieces == 0;

	ledger_subtract(t, (struct block){ m->site, size, last ? one() : 0, 0, 0 }, false);
	if (last)
		heap_free(m);
}

/* Cuts [start, end) out of piece `at`; returns the number of the piece to look at next. There is
 * room for one more. */
static size_t cut(struct thread *t, size_t at, uintptr_t start, uintptr_t end)
{
	struct piece *p = &pieces[at];
	struct piece behind = { end, p->end, p->mapping };
	size_t unmapped = (end < p->end ? end : p->end) - (start > p->start ? start : p->start);
	bool keeps_front = p->start < start, keeps_back = end < p->end;

	if (keeps_front && keeps_back) {
		p->end = start;
		insert(at + 1, behind);
		count_unmapped(t, behind.mapping, unmapped, false);
		return at + 2;
	}
	if (keeps_front)
		p->end = start;
	else if (keeps_back)
		p->start = end;
	else
		erase(at);
	count_unmapped(t, behind.mapping, unmapped, !keeps_front && !keeps_back);
	return at + (keeps_front || keeps_back);
}

static void remove_locked(struct thread *t, uintptr_t start, uintptr_t end)
{
	size_t at = first_behind(start);

	while (at < used && pieces[at].start < end)
		at = cut(t, at, start, end);
}

bool regions_known(uintptr_t address)
{
	bool known;
	size_t at;

	lock_take(&regions_lock);
	at = first_behind(address);
	known = at < used && pieces[at].start <= address;
	lock_drop(&regions_lock);
	return known;
}

void regions_remove(struct thread *t, uintptr_t start, size_t size)
{
	lock_take(&regions_lock);
	if (used > 0 && make_room())
		remove_locked(t, start, start + size);
	check(regions_are_valid());
	lock_drop(&regions_lock);
}

void regions_add(struct thread *t, uintptr_t start, size_t size, uint32_t site)
{
	struct mapping *m = heap_alloc(sizeof(*m));

	lock_take(&regions_lock);
	if (make_room())
		remove_locked(t, start, start + size);
	if (m && make_room()) {
		m->site = site;
		insert(first_behind(start), (struct piece){ start, start + size, m });
		ledger_add(t, (struct block){ site, size, one(), 0, 0 });
	} else {
		heap_free(m);
		count_lost(MT_LOST_SLOT);
	}
	check(regions_are_valid());
	lock_drop(&regions_lock);
}

void regions_clear(void)
{
	for (size_t i = 0; i < used; i++)
		if (--pieces[i].mapping->pieces == 0)
			heap_free(pieces[i].mapping);
	used = 0;
}
