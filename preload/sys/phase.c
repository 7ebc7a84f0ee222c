/* SPDX-License-Identifier: MIT */
/* phase.c - the page of the state, and its generations. */
#include "preload/sys/phase.h"
#include "preload/sys/next.h"

union phase_page phase_page __attribute__((aligned(CPU_PAGE)));
bool phase_multi, phase_stopped, phase_was_stopped;
uint32_t phase_clearings, phase_cleared;

static uint32_t generations; /* how many there were; 0: nothing ever began */

void phase_set(enum phase phase)
{
	phase_page.phase = phase;
	phase_advance();
}

static void set_fast_path(const struct fast_path *fast_path)
{
	store_release(&phase_page.fast_path.malloc, fast_path->malloc);
	store_release(&phase_page.fast_path.calloc, fast_path->calloc);
	store_release(&phase_page.fast_path.realloc, fast_path->realloc);
	store_release(&phase_page.fast_path.free, fast_path->free);
	store_release(&phase_page.fast_path.allocated, fast_path->allocated);
	store_release(&phase_page.fast_path.freed, fast_path->freed);
}

static void open_generation(uint32_t generation)
{
	bool several = phase_multi;

	store_release(&phase_page.generation, generation);
	if (phase_page.phase == PHASE_NEVER && next.malloc && next.calloc && next.realloc &&
		next.free)
		set_fast_path(&phase_fast_path_passing);
	if (!generation || !next.plain)
		return;
	if (load_relaxed(&phase_stopped)) {
		set_fast_path(&phase_fast_path_stopped);
		return;
	}
	store_release(
		several ? &phase_page.lane_generation : &phase_page.single_generation, generation);
	set_fast_path(&phase_fast_paths[2 * several + !next.glibc]);
}

/* Several threads may do it at once: who isn't the last does it again with the last number. */
uint32_t phase_advance(void)
{
	static const struct fast_path slow_path;
	uint32_t own = add_fetch_seq_cst(&generations, 1), number = own, last;

	for (;;) {
		set_fast_path(&slow_path);
		store_release(&phase_page.single_generation, 0);
		store_release(&phase_page.lane_generation, 0);
		/* 0 means off */
		open_generation(phase_page.phase == PHASE_ON ? number | (number == 0) : 0);
		full_fence();
		last = load_relaxed(&generations);
		if (last == number)
			return own;
		number = last;
	}
}

void phase_stop(bool stop)
{
	if (load_relaxed(&phase_stopped) == stop)
		return;
	store_relaxed(&phase_stopped, stop);
	if (stop)
		store_relaxed(&phase_was_stopped, true);
	phase_advance();
}

bool phase_was_set(void)
{
	return generations != 0;
}
