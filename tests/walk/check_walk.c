/* SPDX-License-Identifier: MIT */
/*
 * check_walk.c - part of a special build of the library: compares every captured stack with
 * libunwind's own walk.
 *
 * unw_backtrace() walks the real stack, from here; what it finds from the hook's caller outwards
 * must be the frames of the stack's site, or the cached ones where it has none yet. The first
 * differences are printed, and the process ends with a report line on the file that WALK_LOG names:
 * captures compared, captures that differ.
 */
#include "preload/unwind/capture.h"
#include "preload/unwind/frames.h"
#include "preload/unwind/rules.h"
#include "preload/unwind/stacks.h"
#include "preload/sys/message.h"
#include "preload/sys/object.h"
#include "preload/sys/os.h"
#include "preload/sys/text.h"
#include "tests/walk/check_walk.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST_FRAMES 1100

static int (*backtrace_by_libunwind)(void **, int);
static uint64_t compared, different;

static void find_libunwind(void)
{
	void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);

	if (library)
		backtrace_by_libunwind = dlsym(library, "unw_backtrace");
	if (!backtrace_by_libunwind)
		message("no unw_backtrace to compare with", NULL);
}

static void add_hex(struct text *t, uintptr_t n)
{
	char digits[16];
	size_t i = sizeof(digits);

	do
		digits[--i] = "0123456789abcdef"[n & 15];
	while ((n >>= 4) > 0);
	text_add_bytes(t, digits + i, sizeof(digits) - i);
}

/* A captured stack, innermost frame first. */
struct captured {
	uintptr_t frames[MOST_FRAMES];
	int count;
	uint32_t root;
};

static void read_site(struct captured *c, uint32_t site)
{
	uint32_t node = trace.site_info[site].node;

	for (; node >= MT_NODE_FIRST; node = trace.nodes[node].parent)
		c->frames[c->count++] = trace.frames[trace.nodes[node].frame].address;
	c->root = node;
}

static void read_cached(struct captured *c, const struct thread *t)
{
	for (const struct cached_frame *frame = t->top; frame > t->cached; frame--)
		c->frames[c->count++] = frame->pc;
	c->root = t->cached->node;
}

static void show(const struct captured *c, void *const *frames, int count, int at)
{
	char buffer[900];
	struct text text;

	text_init(&text, buffer, sizeof(buffer));
	text_add(&text, "walks differ, ours | libunwind's:");
	for (int i = 0; i < 12; i++) {
		text_add(&text, " ");
		add_hex(&text, i < c->count ? c->frames[i] : 0);
		text_add(&text, "|");
		add_hex(&text, at + i < count ? (uintptr_t)frames[at + i] : 0);
	}
	message(buffer, NULL);
}

static rule_t derive(uintptr_t return_address)
{
	struct object o;

	return rule_derive(return_address, object_find(return_address - 1, &o) ? &o : NULL);
}

/* A walk of ours that ends early where libunwind goes on by guesses is no difference; the reverse
 * is. The interrupted frame below a signal trampoline is kept as its address plus 1. */
static bool same_walk(const struct captured *c, void *const *frames, int count)
{
	bool interrupted = false;

	for (int i = 0; i < c->count; i++, frames++, count--) {
		bool start = i == c->count - 1 && c->root == MT_NODE_ROOT && count > 0 &&
			     derive((uintptr_t)*frames) == RULE_START;

		if (start)
			return c->frames[i] == (uintptr_t)*frames + 1;
		if (count <= 0 || c->frames[i] != (uintptr_t)*frames + interrupted)
			return false;
		interrupted = rule_kind(pc_get(c->frames[i]).rule) == RULE_SIGNAL;
	}
	return c->root != MT_NODE_ROOT || count == 0 || *frames == NULL;
}

void check_walk(const struct thread *t, const struct cached_stack *stack, struct cpu_frame at)
{
	struct captured captured = { .count = 0 };
	void *frames[MOST_FRAMES];
	int count, first = 0;
	static __thread bool inside;

	if (!backtrace_by_libunwind || inside)
		return;
	if (stack->site)
		read_site(&captured, stack->site);
	else
		read_cached(&captured, t);
	inside = true;
	count = backtrace_by_libunwind(frames, MOST_FRAMES);
	inside = false;
	while (first < count && (uintptr_t)frames[first] != at.pc)
		first++;
	add_relaxed(&compared, 1);
	if (same_walk(&captured, frames + first, count - first))
		return;
	if (add_relaxed(&different, 1) < 3)
		show(&captured, frames, count, first);
}

__attribute__((constructor)) static void begin(void)
{
	find_libunwind();
}

__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("WALK_LOG");
	char buffer[100];
	struct text t;
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;

	if (fd < 0)
		return;
	text_init(&t, buffer, sizeof(buffer));
	text_add(&t, "compared ");
	text_add_number(&t, compared);
	text_add(&t, " different ");
	text_add_number(&t, different);
	text_add(&t, "\n");
	if (write(fd, buffer, t.used) < 0)
		message("cannot write the walk log", NULL);
	close(fd);
}
