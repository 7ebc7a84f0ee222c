/* control.c - the functions of libmtrace.h, and the last word in the header. */
#include "preload/life/control.h"
#include "preload/libmtrace.h"
#include "preload/life/begin.h"
#include "preload/life/enter.h"
#include "preload/life/thread_life.h"
#include "preload/store/ledger.h"
#include "preload/sys/heap.h"
#include "preload/sys/os.h"
#include "preload/sys/phase.h"

#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT void mtrace_start(void)
{
	if (!phase_ready())
		return;
	__atomic_fetch_or(&trace.header->enabled, MT_ENABLED_RECORD, __ATOMIC_RELAXED);
	phase_stop(false);
}

EXPORT void mtrace_stop(void)
{
	if (!phase_ready())
		return;
	__atomic_fetch_and(&trace.header->enabled, ~(uint64_t)MT_ENABLED_RECORD, __ATOMIC_RELAXED);
	phase_stop(true);
}

EXPORT int mtrace_is_tracing(void)
{
	return phase_ready() && (trace.header->enabled & MT_ENABLED_RECORD);
}

EXPORT void mtrace_get_traced_memory(size_t *current, size_t *peak)
{
	bool ready = phase_ready();

	if (current)
		*current = ready ? trace.header->live_bytes : 0;
	if (peak)
		*peak = ready ? trace.header->peak_bytes : 0;
}

EXPORT void mtrace_reset_peak(void)
{
	struct thread *t;

	if (!phase_ready() || !(t = thread_enter((uintptr_t)__builtin_frame_address(0))))
		return;
	ledger_reset_peaks();
	thread_leave(t);
}

EXPORT size_t mtrace_overhead(void)
{
	return phase_ready() ? heap_used() + tracefile_bytes() : 0;
}

/* Called on every way out that is one. A vfork child shares this memory, but it isn't the process.
 */
void control_exit(void)
{
	struct mt_header *h = trace.header;

	if (phase_page.phase != PHASE_ON || h->pid != (uint32_t)os_pid() ||
		h->state == MT_STATE_EXITED)
		return;
	threads_name_last();
	h->end_ns = os_time() - h->start_ns;
	store_release(&h->state, MT_STATE_EXITED);
}
