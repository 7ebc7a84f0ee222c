/* SPDX-License-Identifier: MIT */
/* companion.c - the library's side of companion.h. */
#include "preload/hooks/companion.h"
#include "preload/hooks/record.h"

#include <string.h>

_Static_assert(sizeof(struct block) <= sizeof(struct companion_taken), "it holds a block");

static bool object_of(const void *function, uintptr_t *start, uintptr_t *end)
{
	struct object o;

	if (!object_find((uintptr_t)function, &o))
		return false;
	*start = o.start;
	*end = o.end;
	return true;
}

static void *last_block(void)
{
	return record_last();
}

static void allocated(void *p, size_t size, struct cpu_frame at, void *last)
{
	if (!record_was_nested(p, last))
		record_new(p, size, at, 0);
}

static void freeing(void *p, struct cpu_frame at)
{
	record_freed(p, at);
}

static struct companion_taken take(void *p)
{
	struct companion_taken taken = { 0 };
	struct block b = record_take(p);

	memcpy(&taken, &b, sizeof(b));
	return taken;
}

static struct block block_of(const struct companion_taken *taken)
{
	struct block b;

	memcpy(&b, taken, sizeof(b));
	return b;
}

static void kept(void *p, struct companion_taken taken)
{
	record_put_back(p, block_of(&taken));
}

static void moved(void *p, struct companion_taken taken, void *to, size_t size, struct cpu_frame at,
	void *last)
{
	record_moved(p, block_of(&taken), record_was_nested(to, last) ? NULL : to, size, at, 0);
}

const struct companion *mtrace_companion_1(void)
{
	static const struct companion companion = {
		.object_of = object_of,
		.last = last_block,
		.allocated = allocated,
		.freeing = freeing,
		.take = take,
		.kept = kept,
		.moved = moved,
	};

	return &companion;
}
