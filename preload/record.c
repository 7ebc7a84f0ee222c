/* record.c - the rare cases of recording. */
#include "preload/record.h"
#include "preload/scan.h"
#include "preload/stacks.h"

cold_path bool record_look(void)
{
	struct mt_header *h = trace.header;

	if (load_relaxed(&h->enabled) & MT_ENABLED_LOOK) {
		__atomic_fetch_and(&h->enabled, ~(uint64_t)MT_ENABLED_LOOK, __ATOMIC_RELAXED);
		snapshot_answer();
	}
	return load_relaxed(&h->enabled) & MT_ENABLED_RECORD;
}

cold_path bool record_new_site(struct thread *t, struct leaf *leaf)
{
	struct kept *top = t->top;

	top->site = site_of_path(top->hash, top->node);
	leaf->site = top->site;
	if (!top->site) {
		count_lost(MT_LOST_SITE);
		return false;
	}
	leaf->sp = top->sp;
	return true;
}

cold_path void record_unslotted(struct thread *t, void *p, struct block b)
{
	uint32_t *slot = slot_at(p);

	if (!slot && slot_leaf_new((uintptr_t)p))
		slot = slot_at(p);
	if (!slot) {
		count_lost(MT_LOST_SLOT);
		return;
	}
	if (*slot) {
		/* The address was given out again, so the block there was freed without our
		 * knowing. */
		struct block missed = slot_take(p);

		ledger_subtract(t, record_weighed(p, missed), false);
		if (config.slack)
			slack_subtract(record_weighed(p, missed), slack_of(p, missed));
		__atomic_fetch_add(&trace.header->missed_frees, 1, __ATOMIC_RELAXED);
	}
	slot_write(slot, p, b);
	ledger_add(t, record_weighed(p, b));
}

cold_path void record_foreign(struct thread *t, uintptr_t sp, uintptr_t pc, uintptr_t bp)
{
	struct cpu_frame at = { sp, pc, bp };
	uint32_t index = foreign_for(capture_node(t, at));

	if (index)
		__atomic_fetch_add(&trace.foreign[index - 1].frees, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&trace.header->foreign_frees, 1, __ATOMIC_RELAXED);
}
