/* SPDX-License-Identifier: MIT */
/*
 * sandbox.c - sees seccomp filters come, and prepares for them.
 *
 * They come by prctl and syscall (hooks_process.c). A filter that no copy can be made of counts as one
 * that allows nothing.
 */
#include "preload/life/sandbox.h"
#include "preload/life/begin.h"
#include "preload/life/enter.h"
#include "preload/sys/cpu.h"
#include "preload/sys/heap.h"
#include "preload/sys/os.h"
#include "preload/sys/seccomp.h"
#include "preload/unwind/capture.h"

#include <errno.h>
#include <linux/filter.h>

#define MOST_STACK (256u << 10) /* bytes below the present frame that later ones may be in */

/* A copy, since the program's may be gone afterwards. */
static struct seccomp_filter copy_filter(const struct sock_fprog *program)
{
	struct seccomp_filter f = { 0 };
	struct sock_filter *code;
	uintptr_t first, last;

	if (!program || !os_readable((uintptr_t)program) || !os_readable((uintptr_t)program + 8))
		return f;
	first = (uintptr_t)program->filter;
	last = first + program->len * sizeof(*code) - 8;
	for (uintptr_t p = first; program->len > 0 && p < last; p += CPU_PAGE)
		if (!os_readable(p))
			return f;
	if (program->len == 0 || program->len > BPF_MAXINSNS || !os_readable(last))
		return f;
	code = os_map(program->len * sizeof(*code));
	if (!code)
		return f;
	for (unsigned i = 0; i < program->len; i++)
		code[i] = program->filter[i];
	f.code = code;
	f.count = program->len;
	return f;
}

static bool is_ours(void)
{
	/* A vfork child prepares itself for another program, in this memory. */
	return phase_ready() && trace.header->pid == (uint32_t)os_pid();
}

/* What all later stacks of the thread have in common is walked as long as it may be. */
static void walk_ahead(struct cpu_frame at)
{
	struct thread *t = thread_enter(at.sp);

	if (!t)
		return;
	(void)capture_node(t, at);
	capture_widen(t, at.sp - MOST_STACK);
	thread_leave(t);
}

bool sandbox_enter(const void *program, struct cpu_frame at)
{
	int saved = errno;
	struct seccomp_filter new;

	if (!is_ours()) {
		seccomp_of_child |= phase_page.phase == PHASE_ON;
		return false;
	}
	walk_ahead(at);
	new = copy_filter(program);
	lock_take(&tables_lock);
	seccomp_keep(new);
	if (seccomp_forbids_growth(&new)) {
		tracefile_grow_ahead();
		(void)heap_init();
	}
	lock_drop(&tables_lock);
	seccomp_change(1);
	errno = saved;
	return true;
}

void sandbox_leave(void)
{
	seccomp_change(-1);
}
