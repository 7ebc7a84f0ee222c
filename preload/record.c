/* record.c - the rare cases of recording. */
#include "preload/record.h"
#include "preload/stacks.h"

noinline void record_lost(enum mt_loss why)
{
	__atomic_fetch_add(&trace.header->lost[why], 1, __ATOMIC_RELAXED);
}

/* The innermost kept frame's node has no site yet. 0: there is no room for one. */
noinline uint32_t record_new_site(struct thread *t)
{
	struct kept *top = &t->kept[t->depth];

	top->site = site_for(top->node, MT_KIND_HEAP);
	if (!top->site)
		record_lost(MT_LOST_SITE);
	return top->site;
}

noinline void record_unslotted(struct thread *t, void *p, struct block b)
{
	uint32_t *slot = slot_at(p);

	if (!slot && slot_leaf_new((uintptr_t)p))
		slot = slot_at(p);
	if (!slot) {
		record_lost(MT_LOST_SLOT);
		return;
	}
	if (*slot) {
		/* The address was given out again, so the block there was freed without our knowing. */
		struct block missed = slot_take(p);

		ledger_subtract(t, missed, false);
		__atomic_fetch_add(&trace.header->missed_frees, 1, __ATOMIC_RELAXED);
	}
	slot_write(slot, b);
	ledger_add(t, b);
}

noinline void record_foreign(struct thread *t, struct cpu_frame at)
{
	uint32_t index;

	capture_site(t, at);
	index = foreign_for(t->kept[t->depth].node);
	if (index)
		__atomic_fetch_add(&trace.foreign[index - 1].frees, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&trace.header->foreign_frees, 1, __ATOMIC_RELAXED);
}
