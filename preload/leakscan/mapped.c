/* SPDX-License-Identifier: MIT */
/*
 * mapped.c - pieces in an array sorted by address, in plain memory: an allocator maps while it is called, so nothing may be allocated.
 *
 * Before the allocator is known, every mapping is noted, with who made it. Who finds the array taken for
 * long, since the holder was interrupted by a handler or forked, or finds it full, gives all up: then nothing is known.
 */
#include "preload/leakscan/mapped.h"
#include "preload/sys/atomic.h"
#include "preload/sys/cpu.h"
#include "preload/sys/next.h"
#include "preload/sys/ranges.h"

#include <string.h>

#define MOST_PIECES 4096u
#define TRIES 10000

static struct piece {
	uintptr_t start, end;
	uintptr_t caller;
} pieces[MOST_PIECES];
static size_t used;
static bool taken, given_up;

static bool take(void)
{
	for (int i = 0; i < TRIES && !load_relaxed(&given_up); i++)
		if (!exchange_acquire(&taken, true))
			return true;
	store_relaxed(&given_up, true);
	return false;
}

static void drop(void)
{
	store_release(&taken, false);
}

static size_t first_behind(uintptr_t address)
{
	return RANGES_FIRST_BEHIND(pieces, used, address);
}

static void insert(size_t at, struct piece p)
{
	if (used == MOST_PIECES) {
		store_relaxed(&given_up, true);
		return;
	}
	memmove(&pieces[at + 1], &pieces[at], (used - at) * sizeof(*pieces));
	pieces[at] = p;
	used++;
}

static void cut(uintptr_t start, uintptr_t end)
{
	size_t at = first_behind(start), last;

	if (at < used && pieces[at].start < start) {
		struct piece behind = { end, pieces[at].end, pieces[at].caller };

		pieces[at++].end = start;
		if (behind.end > end) {
			insert(at, behind);
			return;
		}
	}
	for (last = at; last < used && pieces[last].end <= end; last++)
		;
	memmove(&pieces[at], &pieces[last], (used - last) * sizeof(*pieces));
	used -= last - at;
	if (at < used && pieces[at].start < end)
		pieces[at].start = end;
}

/* One with its neighbours, where these are the same one's. */
static void add(uintptr_t start, uintptr_t end, uintptr_t caller)
{
	size_t at = first_behind(start);
	bool known = next_is_allocator(caller);
	bool before = at > 0 && pieces[at - 1].end == start && known &&
		      next_is_allocator(pieces[at - 1].caller);
	bool behind = at < used && pieces[at].start == end && known &&
		      next_is_allocator(pieces[at].caller);

	if (before && behind) {
		end = pieces[at].end;
		cut(start, end);
	}
	if (before)
		pieces[at - 1].end = end;
	else if (behind)
		pieces[at].start = start;
	else
		insert(at, (struct piece){ start, end, caller });
}

static uintptr_t page_behind(uintptr_t address)
{
	return cpu_page_up(address);
}

void mapped_note(uintptr_t start, size_t size, uintptr_t caller)
{
	if (likely(next.glibc) || !take())
		return;
	cut(start, page_behind(start + size));
	if (!next.malloc || next_is_allocator(caller))
		add(start, page_behind(start + size), caller);
	drop();
}

void mapped_forget(uintptr_t start, size_t size)
{
	if (likely(next.glibc) || !take())
		return;
	cut(start, page_behind(start + size));
	drop();
}

/* Nobody changes the array while it is looked at: it is a copy, or all threads are stopped. */
bool mapped_next(size_t *i, struct os_range *range)
{
	for (; !given_up && !taken && *i < used; ++*i)
		if (next_is_allocator(pieces[*i].caller)) {
			*range = (struct os_range){ pieces[*i].start, pieces[*i].end };
			++*i;
			return true;
		}
	return false;
}

bool mapped_around(uintptr_t address, struct os_range *range)
{
	size_t i = first_behind(address);

	return !given_up && !taken && i < used && pieces[i].start <= address &&
	       mapped_next(&i, range) && range->start <= address;
}
