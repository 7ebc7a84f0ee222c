/* SPDX-License-Identifier: MIT */
/* slack.c - see slack.h. */
#include "preload/store/slack.h"
#include "preload/store/sample.h"
#include "preload/store/tracefile.h"
#include "preload/sys/env.h"
#include "preload/sys/message.h"
#include "preload/sys/next.h"

void slack_init(void)
{
	if (!config.slack)
		return;
	/* A companion without its allocator behind malloc: the C library can't tell the size of the
	 * blocks that it tells of. */
	if (!next.malloc_usable_size || (!next.glibc && !next.allocator_size)) {
		if (config.verbose)
			message("MTRACE_SLACK: the allocator cannot report the sizes of all "
				"blocks; not recorded",
				NULL);
		config.slack = false;
		return;
	}
	next.plain = false;
}

cold_path uint32_t slack_of(const void *p, struct block b)
{
	size_t usable = b.site ? next.malloc_usable_size((void *)p) : 0;

	return usable > b.size ? (uint32_t)(usable - b.size) : 0;
}

/* Of all blocks that this one stands for. */
static uint64_t weighed(struct block b, uint32_t bytes)
{
	if (config.sample.mean)
		return (uint64_t)bytes * sample_weight(b.size).blocks / SAMPLE_UNIT;
	return bytes;
}

cold_path void slack_add(struct block b, uint32_t bytes)
{
	struct mt_slack *s = &trace.slack[b.site];

	add_relaxed(&s->current_bytes, weighed(b, bytes));
	add_relaxed(&s->allocated_bytes, weighed(b, bytes));
}

cold_path void slack_subtract(struct block b, uint32_t bytes)
{
	subtract_relaxed(&trace.slack[b.site].current_bytes, weighed(b, bytes));
}
