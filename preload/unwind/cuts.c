/* SPDX-License-Identifier: MIT */
/*
 * cuts.c - the watched pages, as bits by two hashes of a page's number, and the last few cuts.
 *
 * Bits are never cleared, as nobody knows who else needs them: a cut that concerns nobody costs
 * each thread a look at what it has cached. By the first hash pages that lie side by side have bits
 * that do, so a large block is looked up 64 pages at a time; but it is of pages modulo 1 GiB, and
 * with a thousand stacks watched a block of 1 MiB meets several. The second hash is asked about
 * these.
 */
#include "preload/unwind/cuts.h"
#include "preload/store/tracefile.h"
#include "preload/sys/cpu.h"
#include "preload/sys/phase.h"
#include "preload/unwind/frames.h"

#define PAGE CPU_PAGE
#define PAGE_BITS 18
#define PAGES (1u << PAGE_BITS) /* bits by each hash */
#define LAST 16u		/* cuts that are remembered one by one */

static uint64_t watched[PAGES / 64], confirmed[PAGES / 64];
static struct {
	uintptr_t start, end;
} last[LAST];
uint32_t cuts_count;

static uint64_t scattered(uint64_t page)
{
	return page * 0x9e3779b97f4a7c15u >> (64 - PAGE_BITS);
}

static bool is_marked(const uint64_t *marks, uint64_t bit)
{
	return load_relaxed(&marks[bit / 64]) >> bit % 64 & 1;
}

static void mark(uint64_t *marks, uint64_t bit)
{
	if (!is_marked(marks, bit))
		or_relaxed(&marks[bit / 64], 1ull << bit % 64);
}

void cuts_watch(uintptr_t address)
{
	uint64_t page = address / PAGE;

	mark(watched, page % PAGES);
	mark(confirmed, scattered(page));
}

/* More pages than there are bits are taken for watched: some are. */
static bool are_watched(uint64_t page, uint64_t end)
{
	if (end - page > PAGES)
		return true;
	for (uint64_t next; page < end; page = next) {
		uint64_t marks = load_relaxed(&watched[page % PAGES / 64]) >> page % 64;

		next = (page | 63) + 1;
		if (next > end)
			marks &= (1ull << (end - page)) - 1;
		for (; marks; marks &= marks - 1)
			if (is_marked(
				    confirmed, scattered(page + (uint64_t)__builtin_ctzll(marks))))
				return true;
	}
	return false;
}

void cuts_make(const void *start, size_t size)
{
	uintptr_t from = (uintptr_t)start, to = from + size;

	if (phase_page.phase != PHASE_ON || to <= from ||
		likely(!are_watched(from / PAGE, (to - 1) / PAGE + 1)))
		return;
	lock_take(&tables_lock);
	last[cuts_count % LAST].start = from;
	last[cuts_count % LAST].end = to;
	store_release(&cuts_count, cuts_count + 1);
	lock_drop(&tables_lock);
	phase_advance();
}

void cuts_see(struct thread *t)
{
	lock_take(&tables_lock);
	if (cuts_count - t->cuts > LAST)
		frames_drop(t, 0, UINTPTR_MAX);
	else
		for (uint32_t i = t->cuts; i != cuts_count; i++)
			frames_drop(t, last[i % LAST].start, last[i % LAST].end);
	t->cuts = cuts_count;
	lock_drop(&tables_lock);
}
