/* SPDX-License-Identifier: MIT */
/* control.c - the functions of libmtrace.h, and the last words in the header. */
#include "preload/life/control.h"
#include "preload/libmtrace.h"
#include "preload/life/begin.h"
#include "preload/life/enter.h"
#include "preload/life/thread_life.h"
#include "preload/store/ledger.h"
#include "preload/store/snapshots.h"
#include "preload/store/timeline.h"
#include "preload/sys/cpu.h"
#include "preload/sys/os.h"
#include "preload/sys/phase.h"
#include "preload/sys/seccomp.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

MTRACE_EXPORT void mtrace_start(void)
{
	if (!phase_ready())
		return;
	or_relaxed(&trace.header->enabled, MT_ENABLED_RECORD);
	phase_stop(false);
}

MTRACE_EXPORT void mtrace_stop(void)
{
	if (!phase_ready())
		return;
	and_relaxed(&trace.header->enabled, ~(uint64_t)MT_ENABLED_RECORD);
	phase_stop(true);
}

MTRACE_EXPORT int mtrace_is_tracing(void)
{
	return phase_ready() && (trace.header->enabled & MT_ENABLED_RECORD);
}

MTRACE_EXPORT void mtrace_get_traced_memory(size_t *current, size_t *peak)
{
	bool ready = phase_ready();

	if (current)
		*current = ready ? trace.header->live_bytes : 0;
	if (peak)
		*peak = ready ? trace.header->peak_bytes : 0;
}

struct thread *control_enter(uintptr_t sp)
{
	return phase_ready() && thread_may_enter(sp) ? thread_enter(sp) : NULL;
}

MTRACE_EXPORT void mtrace_reset_peak(void)
{
	struct thread *t;

	if (!(t = control_enter((uintptr_t)__builtin_frame_address(0))))
		return;
	ledger_reset_peaks();
	timeline_peaks_reset();
	thread_leave(t);
}

MTRACE_EXPORT void mtrace_mark(const char *label)
{
	struct thread *t;

	if (!(t = control_enter((uintptr_t)__builtin_frame_address(0))))
		return;
	timeline_mark(label);
	thread_leave(t);
}

MTRACE_EXPORT int mtrace_snapshot(const char *label)
{
	struct thread *t = control_enter((uintptr_t)__builtin_frame_address(0));
	bool kept;

	if (!t) { /* a handler that interrupts a hook */
		if (phase_ready())
			add_relaxed(&trace.header->lost_snapshots, 1);
		return 0;
	}
	kept = snapshots_take(label);
	thread_leave(t);
	return kept;
}

bool control_is_process(void)
{
	return phase_page.phase == PHASE_ON && trace.header->pid == (uint32_t)os_pid();
}

/* Called on every way out that is one. */
void control_exit(void)
{
	struct mt_header *h = trace.header;

	if (!control_is_process() || h->state == MT_STATE_EXITED)
		return;
	threads_name_last();
	h->end_ns = os_time() - h->start_ns;
	store_release(&h->state, MT_STATE_EXITED);
}

/* ---- exec */

/* Cut off where there is no more room, or no more to read: to exec a bad address is an error. */
static void note_program(const char *program)
{
	char *to = trace.header->went_on_as;
	size_t size = 0;

	while (program && size < MT_PROGRAM_SIZE - 1) {
		uintptr_t at = (uintptr_t)program + size;

		if ((size == 0 || at % CPU_PAGE == 0) && !os_readable(cpu_page_down(at)))
			break;
		if (!program[size])
			break;
		to[size] = program[size];
		size++;
	}
	to[size] = '\0';
}

static void note_leaving(void)
{
	struct mt_header *h = trace.header;

	h->end_ns = os_time() - h->start_ns;
	store_seq_cst(&h->went_on, 1);
}

/* Not if a filter forbids the call itself, or to ask for the pid, which tells a vfork child from
 * its parent; nor if such a child has a filter of its own. */
static bool may_note(long call)
{
	static const unsigned long none[6];

	if (load_relaxed(&seccomp_of_child))
		return false;
	return !seccomp_is_on() || (seccomp_asks(call, none) && seccomp_asks(SYS_getpid, none));
}

/* Of two at a time, by threads or in a handler, one fails, or both: no program is named then. */
bool control_goes_on(long call, const char *program)
{
	bool alone;

	if (phase_page.phase != PHASE_ON || !may_note(call) || !control_is_process() ||
		trace.header->state == MT_STATE_EXITED)
		return false;
	alone = add_seq_cst(&phase_page.leaving, 1) == 0;
	note_program(alone ? program : NULL);
	note_leaving();
	return true;
}

void control_stays(void)
{
	struct mt_header *h = trace.header;

	if (subtract_fetch_seq_cst(&phase_page.leaving, 1))
		return;
	store_seq_cst(&h->went_on, 0);
	if (h->state == MT_STATE_RUNNING)
		h->end_ns = 0;
	h->went_on_as[0] = '\0';
	if (load_seq_cst(&phase_page.leaving))
		note_leaving(); /* another has come since */
}
