/*
 * cuts.c - the watched pages, as bits by the hash of a page's number, and the last few cuts.
 *
 * Bits are never cleared, as nobody knows who else needs them: a cut that concerns nobody costs each
 * thread a look at what it keeps.
 */
#include "preload/cuts.h"

#define PAGE 4096u
#define PAGES (1u << 18) /* bits */
#define LAST 16u	 /* cuts that are remembered one by one */

static uint64_t watched[PAGES / 64];
static struct {
	uintptr_t start, end;
} last[LAST];
uint32_t cuts_made;

void cuts_watch(uintptr_t address)
{
	uint64_t page = address / PAGE % PAGES, bit = 1ull << page % 64;

	if (!(load_relaxed(&watched[page / 64]) & bit))
		__atomic_fetch_or(&watched[page / 64], bit, __ATOMIC_RELAXED);
}

static bool are_watched(uint64_t page, uint64_t count)
{
	if (count > PAGES)
		count = PAGES;
	for (uint64_t i = 0, step; i < count; i += step) {
		uint64_t at = (page + i) % PAGES, word = load_relaxed(&watched[at / 64]);

		step = at % 64 == 0 && count - i >= 64 ? 64 : 1;
		if (step == 64 ? word != 0 : word >> at % 64 & 1)
			return true;
	}
	return false;
}

void cuts_make(const void *start, size_t size)
{
	uintptr_t from = (uintptr_t)start, to = from + size;

	if (phase_page.phase != PHASE_ON || to <= from ||
		likely(!are_watched(from / PAGE, (to - 1) / PAGE - from / PAGE + 1)))
		return;
	lock_take(&tables_lock);
	last[cuts_made % LAST].start = from;
	last[cuts_made % LAST].end = to;
	store_release(&cuts_made, cuts_made + 1);
	lock_drop(&tables_lock);
	phase_shut_gates();
}

void cuts_see(struct thread *t)
{
	lock_take(&tables_lock);
	if (cuts_made - t->cuts > LAST)
		thread_drop_stacks(t, 0, UINTPTR_MAX);
	else
		for (uint32_t i = t->cuts; i != cuts_made; i++)
			thread_drop_stacks(t, last[i % LAST].start, last[i % LAST].end);
	t->cuts = cuts_made;
	lock_drop(&tables_lock);
}
