/* SPDX-License-Identifier: MIT */
/*
 * queries.c - the functions of libmtrace.h that only look.
 *
 * They take no lock, allocate nothing and don't enter a thread: so they answer in a signal handler that
 * interrupted a hook, and to a debugger that stopped the process anywhere, whatever its other threads
 * hold.
 */
#include "preload/libmtrace.h"
#include "preload/life/begin.h"
#include "preload/life/control.h"
#include "preload/store/slots.h"
#include "preload/store/tracefile.h"
#include "preload/sys/env.h"
#include "preload/sys/heap.h"

#define DEPTH_MOST 1024 /* of MTRACE_DEPTH */

/* Nothing begins here but a fork child's own trace, which has what it inherited: a debugger may stop
 * before the start, inside the loader. */
static bool is_on(void)
{
	int phase = load_relaxed(&phase_page.phase);

	return phase == PHASE_ON || (phase == PHASE_FORKED && phase_begin());
}

static struct block find(const void *p, uintptr_t *start)
{
	struct block none = { 0 };

	return is_on() ? slot_find((uintptr_t)p, start) : none;
}

/* How many frames the site's stack has; the first `most` of them are stored. */
static size_t read_stack(uint32_t site, uintptr_t *frames, size_t most)
{
	uint32_t node = trace.site_info[site].node;
	size_t count = 0;

	for (; node >= MT_NODE_FIRST; node = trace.nodes[node].parent, count++)
		if (count < most)
			frames[count] = trace.frames[trace.nodes[node].frame].address;
	return count;
}

MTRACE_EXPORT void *mtrace_get_block(const void *p, size_t *size)
{
	uintptr_t start;
	struct block b = find(p, &start);

	if (!b.site)
		return NULL;
	if (size)
		*size = b.size;
	return (void *)start;
}

MTRACE_EXPORT size_t mtrace_get_traceback(const void *p, void **frames, size_t n)
{
	uintptr_t start;
	struct block b = find(p, &start);
	size_t count;

	if (!b.site)
		return 0;
	count = read_stack(b.site, (uintptr_t *)frames, frames ? n : 0);
	return frames && n && count > n ? n : count;
}

MTRACE_EXPORT int mtrace_get_traceback_limit(void)
{
	return is_on() ? (int)config.depth : 0;
}

MTRACE_EXPORT size_t mtrace_get_overhead(void)
{
	return is_on() ? heap_used() + tracefile_bytes() : 0;
}

MTRACE_EXPORT size_t mtrace_overhead(void)
{
	return mtrace_get_overhead();
}

/* ---- for mtrace-gdb.py, which has no memory of the process to be answered in */

struct where {
	uint64_t start, size;
	uint64_t count;
	uintptr_t frames[DEPTH_MOST];
};

const struct where *mtrace_where_1(const void *p);

MTRACE_EXPORT const struct where *mtrace_where_1(const void *p)
{
	static struct where where;
	struct block b = find(p, &where.start);

	if (!b.site)
		return NULL;
	where.size = b.size;
	where.count = read_stack(b.site, where.frames, DEPTH_MOST);
	return &where;
}
