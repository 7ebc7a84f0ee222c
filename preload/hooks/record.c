/* SPDX-License-Identifier: MIT */
/* record.c - the rare cases of recording. */
#include "preload/hooks/record.h"
#include "preload/leakscan/snapshot.h"
#include "preload/store/request.h"
#include "preload/unwind/stacks.h"

/* mtrace_stop(), or somebody outside, has asked for something. */
cold_path bool record_look(void)
{
	struct mt_header *h = trace.header;

	if (load_acquire(&phase_page.clearing))
		return false;
	if (load_relaxed(&h->enabled) & MT_ENABLED_LOOK) {
		and_relaxed(&h->enabled, ~(uint64_t)MT_ENABLED_LOOK);
		request_take();
		snapshot_answer();
	}
	phase_stop(!(load_relaxed(&h->enabled) & MT_ENABLED_RECORD));
	return load_relaxed(&h->enabled) & MT_ENABLED_RECORD;
}

__thread struct array_call record_array_call __attribute__((tls_model("initial-exec")));

/* The innermost frame has called this function. An operator new[] that jumps to another one has no
 * frame, so its caller is known by its address, behind one or two of operators. */
static void note_function(uint32_t site, uint32_t calls)
{
	uint32_t node = trace.site_info[site].node;
	struct array_call array = record_array_call;

	if (calls && node >= MT_NODE_FIRST)
		or_relaxed(&trace.frames[trace.nodes[node].frame].flags, calls);
	for (int i = 0; i < 4 && node >= MT_NODE_FIRST; i++) {
		struct mt_frame *f = &trace.frames[trace.nodes[node].frame];

		if (f->address == array.pc)
			or_relaxed(&f->flags, array.calls);
		if (!(f->flags & MT_FRAME_WRAPPER))
			break;
		node = trace.nodes[node].parent;
	}
}

cold_path bool record_new_site(struct thread *t, struct cached_stack *stack, uint32_t calls)
{
	if (capture_new_site(t, stack)) {
		note_function(stack->site, calls);
		return true;
	}
	count_lost(site_loss());
	return false;
}

/* p was given out, with this address in it: blocks that are recorded there were freed without our
 * knowing. */
static void record_unseen_frees(struct thread *t, const void *p, uintptr_t address)
{
	struct mt_header *h = trace.header;
	struct block left;
	uintptr_t at;

	while ((left = slot_take_left(address, &at)).site) {
		bool again = at == (uintptr_t)p;

		record_subtract(t, (const void *)at, left, false);
		if (config.slack && again)
			slack_subtract(left, slack_of(p, left));
		add_relaxed(again ? &h->missed_frees : &h->overlaid_frees, 1);
	}
}

#define PIECES_END ((SLOT_PIECES << SLOT_GRANULE_BITS) + 1) /* behind a large block's address */

cold_path void record_unslotted(struct thread *t, void *p, struct block b)
{
	uintptr_t address = (uintptr_t)p;
	uint32_t *slot = slot_at(p);

	if (!slot && slot_leaf_new((uintptr_t)p))
		slot = slot_at(p);
	if (!slot) {
		count_lost(MT_LOST_SLOT);
		return;
	}
	for (uintptr_t end = address + (b.size < SLOT_LARGE ? 1 : PIECES_END); address < end;
		address += 1u << SLOT_GRANULE_BITS)
		record_unseen_frees(t, p, address);
	slot_write(slot, p, b.site, b.size);
	record_add(t, p, b);
	if (phase_multi)
		record_keep_last(t, slot);
}

/* Samples count for others, whose ends aren't known: then it is only counted where the thread itself
 * frees its last. */
cold_path void record_last_freed(struct thread *t)
{
	struct lane_site *ls = ledger_find(t, t->last_value >> SLOT_SITE_BIT);

	t->last_slot = NULL;
	if (ls && !config.sample.mean)
		ls->entry->temporary++;
}

/* ---- sampling */

/*
 * What is left until the next sample stands in sample_left, where the hooks' fast path counts it
 * down. Right after a sample it stands in the thread's state, so that the next allocation comes
 * here and tells that the last block isn't the last any more.
 */
cold_path bool record_draws(struct thread *t, size_t size)
{
	uint64_t left = sample_left + (uint64_t)t->distance;

	t->last = NULL;
	sample_left = 0;
	if (left <= (size | SAMPLE_LEAST)) {
		t->distance = sample_distance(&t->random);
		return true;
	}
	left -= size | SAMPLE_LEAST;
	t->distance = next.glibc ? 0 : (int64_t)left;
	sample_left = next.glibc ? left : 0;
	return false;
}

/* NULL: no room. */
static struct mt_estimate *estimate_of(uint32_t site)
{
	uint64_t *count = &trace.header->tables[MT_ESTIMATES].count;

	if (site >= load_acquire(count)) {
		lock_take(&tables_lock);
		if (site >= *count && tracefile_room(MT_ESTIMATES, site + 1))
			store_release(count, site + 1);
		lock_drop(&tables_lock);
	}
	return site < load_relaxed(count) ? &trace.estimates[site] : NULL;
}

static struct block vary(struct block b, enum sample_event event)
{
	struct mt_estimate *e = estimate_of(b.site);
	struct weight w = sample_weight(b.size);

	if (e) {
		if (trace.sites[b.site].epoch != (uint32_t)trace.header->epoch)
			sample_save_at_peak(e);
		sample_vary(e, b.size, event);
	}
	b.size = w.bytes;
	b.count = w.blocks;
	return b;
}

cold_path uint32_t record_add_sampled(struct thread *t, const void *p, struct block b)
{
	sample_filter_add(p);
	return ledger_add(t, vary(b, SAMPLE_NEW));
}

cold_path void record_subtract_sampled(
	struct thread *t, const void *p, struct block b, bool temporary)
{
	sample_filter_remove(p);
	ledger_subtract(t, vary(b, temporary ? SAMPLE_TEMPORARY : SAMPLE_FREED), temporary);
}

cold_path void record_foreign(struct thread *t, uintptr_t sp, uintptr_t pc, uintptr_t bp)
{
	struct cpu_frame at = { sp, pc, bp };
	uint32_t index = foreign_for(capture_node(t, at));

	if (index)
		add_relaxed(&trace.foreign[index - 1].frees, 1);
	add_relaxed(&trace.header->foreign_frees, 1);
}
