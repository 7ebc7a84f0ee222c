/* phase.c - the page of the state, and the gates that are shut when it changes. */
#include "preload/sys/phase.h"
#include "preload/sys/next.h"

union phase_page phase_page __attribute__((aligned(4096)));
bool phase_multi, phase_stopped, phase_was_stopped;

static uint32_t gates; /* how often they were shut; 0: nothing ever began */

void phase_set(enum phase phase)
{
	phase_page.phase = phase;
	phase_shut_gates();
}

static void take_way(const struct way *way)
{
	store_release(&phase_page.way.malloc, way->malloc);
	store_release(&phase_page.way.calloc, way->calloc);
	store_release(&phase_page.way.realloc, way->realloc);
	store_release(&phase_page.way.free, way->free);
	store_release(&phase_page.way.made, way->made);
	store_release(&phase_page.way.gone, way->gone);
}

static void open_gates(uint32_t gate)
{
	bool several = phase_multi;

	store_release(&phase_page.gate, gate);
	if (phase_page.phase == PHASE_NEVER && next.malloc && next.calloc && next.realloc && next.free)
		take_way(&phase_way_passing);
	if (!gate || !next.plain)
		return;
	if (load_relaxed(&phase_stopped)) {
		take_way(&phase_way_stopped);
		return;
	}
	store_release(several ? &phase_page.lane_gate : &phase_page.single_gate, gate);
	take_way(&phase_ways[2 * several + !next.glibc]);
}

/* Several threads may do it at once: who isn't the last does it again with the last number. */
void phase_shut_gates(void)
{
	static const struct way long_way;
	uint32_t number = __atomic_add_fetch(&gates, 1, __ATOMIC_SEQ_CST), last;

	for (;;) {
		take_way(&long_way);
		store_release(&phase_page.single_gate, 0);
		store_release(&phase_page.lane_gate, 0);
		/* 0 means closed */
		open_gates(phase_page.phase == PHASE_ON ? number | (number == 0) : 0);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		last = load_relaxed(&gates);
		if (last == number)
			return;
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
	phase_shut_gates();
}

bool phase_was_set(void)
{
	return gates != 0;
}
