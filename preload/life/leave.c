/* SPDX-License-Identifier: MIT */
/* leave.c - the end of the process: the scan for leaks, and the last word in the header. */
#include "preload/life/leave.h"
#include "preload/leakscan/snapshot.h"
#include "preload/life/control.h"
#include "preload/life/enter.h"
#include "preload/life/resident.h"
#include "preload/store/timeline.h"
#include "preload/sys/env.h"
#include "preload/sys/message.h"
#include "preload/sys/next.h"
#include "preload/sys/os.h"
#include "preload/sys/seccomp.h"
#include "preload/unwind/capture.h"
#include "preload/unwind/modules.h"
#include "preload/unwind/rules.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

struct cpu_caller exit_caller;

static void look_back(const struct cpu_caller *at)
{
	bool asks = config.reachable && seccomp_allows_scan();

	if (asks)
		resident_note_peak(); /* before the scan takes its memory */
	/* A sample can't tell: the way to a block leads through others. */
	if (config.reachable && !config.sample.mean && !(trace.header->flags & MT_NOTE_OWN_MALLOC))
		snapshot_at_exit(at);
	if (asks)
		resident_note_own();
}

static bool on_alternate_stack(void)
{
	stack_t stack;

	return os_call(SYS_sigaltstack, NULL, &stack) < 0 || (stack.ss_flags & SS_ONSTACK);
}

/* Not in a handler that interrupted the tracer. */
static bool may_look_back(void)
{
	return !trace.header->forked_from && !on_alternate_stack() && !thread_is_busy(thread_self);
}

/* The stack of a handler may be too small for a look, and a forked child leaves what was its
 * parent's. */
void leave(const struct cpu_caller *at)
{
	int saved;

	if (!control_is_process()) /* before errno is looked at, which a child may lack */
		return;
	saved = errno;
	if (trace.header->state != MT_STATE_EXITED) {
		struct thread *t = may_look_back() ? thread_enter(at->sp) : NULL;

		if (t) {
			timeline_end();
			look_back(at);
			thread_leave(t);
		}
		control_exit();
	}
	errno = saved;
}

/* The first of quick_exit's handlers is the last to run: what the program's make, lose or free
 * counts. */
static bool has_handler, quick;

/* What at_quick_exit() is made of. Another C library hasn't got it. */
extern int __cxa_at_quick_exit(void (*handler)(void *), void *dso) __attribute__((weak));
extern void *__dso_handle __attribute__((visibility("hidden")));

static void after_handlers(void *unused)
{
	(void)unused;
	if (quick)
		leave(&exit_caller);
}

__attribute__((constructor)) static void init(void)
{
	has_handler = __cxa_at_quick_exit && __cxa_at_quick_exit(after_handlers, __dso_handle) == 0;
}

void leave_quickly(void)
{
	quick = has_handler;
	if (!has_handler)
		leave(&exit_caller);
}

/*
 * Who ends the process, as seen from our destructor: exit's caller, and that is main's caller where
 * main has returned. What is further in was left, and holds what was there before; and so do the
 * frames around main, which have nothing of the program's, in their gaps. Where it can't be told, or the C library has called exit for somebody (err), everything from here on counts.
 */
#define FRAMES_AROUND_MAIN 3 /* the C library's and the program's first */

static void find_end(struct thread *t, struct cpu_frame here, struct cpu_caller *at)
{
	uintptr_t code = (uintptr_t)next.exit;
	size_t size = rule_function_size(code);
	struct cached_frame *frame;

	(void)capture_node(t, here);
	for (frame = t->top; frame > t->cached && frame->pc - 1 - code >= size; frame--)
		;
	if (frame <= t->cached + 1)
		return;
	frame--;
	/* The hook: a function that doesn't return is called, not jumped to. */
	if (frame > t->cached + 1 && modules_is_self(frame->pc - 1))
		frame--;
	if (frame->sp == exit_caller.sp)
		*at = exit_caller;
	else if (frame - t->cached <= FRAMES_AROUND_MAIN)
		*at = (struct cpu_caller){ .sp = t->cached[1].sp }; /* the outermost frame's */
}

/* Other libraries' destructors come later: what they hold is still held. */
__attribute__((destructor)) static void fini(void)
{
	int saved = errno;

	if (control_is_process()) {
		struct cpu_caller at = { .sp = (uintptr_t)__builtin_frame_address(0) };
		struct thread *t = thread_enter(at.sp);

		__builtin_unwind_init(); /* the caller's registers go to the stack */
		at.sp -= sizeof(at.registers);
		if (t) {
			timeline_end();
			if (config.reachable && snapshot_is_due())
				find_end(t, CPU_CALLER(), &at);
			look_back(&at);
			thread_leave(t);
		}
		control_exit();
		if (config.verbose)
			message("trace in ", tracefile_path(), NULL);
	}
	errno = saved;
}
