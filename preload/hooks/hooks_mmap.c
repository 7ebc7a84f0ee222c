/* SPDX-License-Identifier: MIT */
/*
 * hooks_mmap.c - anonymous mappings and the program break, when MTRACE_MMAP=1 asks for them;
 * otherwise these hooks only look whether stacks or code go (cuts.h, modules.c), note what another allocator
 * has (mapped.h), and pass on.
 *
 * Memory that nobody may touch (PROT_NONE) is a reservation and doesn't count. The C library's own
 * mappings for malloc and for stacks don't come by here, and those of another allocator don't count
 * either: what it gives of them does. mremap counts as realloc does: one block
 * goes, another comes.
 */
#undef _FILE_OFFSET_BITS /* else mmap is another name for mmap64 */

#include "preload/hooks/record.h"
#include "preload/leakscan/breaks.h"
#include "preload/leakscan/mapped.h"
#include "preload/store/regions.h"
#include "preload/sys/cpu.h"
#include "preload/sys/next.h"
#include "preload/unwind/cuts.h"
#include "preload/unwind/stacks.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static size_t whole_pages(size_t size)
{
	return cpu_page_up(size);
}

/* Between the two the thread is busy, as in all hooks. */
static cold_path void record_mapping(uintptr_t start, size_t size, struct cpu_frame at, bool counts)
{
	struct thread *t = thread_enter(at.sp);
	uint32_t site = 0;

	if (!t)
		return;
	if (counts && record_enabled()) {
		site = site_for(capture_node(t, at), MT_KIND_MMAP);
		if (!site)
			count_lost(site_loss());
	}
	if (site)
		regions_add(t, start, size, site);
	else
		regions_remove(t, start, size);
	thread_leave(t);
}

static bool wanted(void)
{
	return unlikely(config.mmap) && cpu_has_thread() && phase_ready();
}

/* What is at these addresses is about to go, or to become something else. */
static inline void unmaps(const void *address, size_t size, uintptr_t caller)
{
	if (modules_is_self(caller)) /* our own memory, perhaps under a lock of ours */
		return;
	cuts_make(address, size);
	modules_change((uintptr_t)address, size);
}

static inline void *map(void *address, size_t size, int protection, int flags, int fd, off_t offset,
	struct cpu_frame at)
{
	void *p;

	if (flags & MAP_FIXED)
		unmaps(address, size, at.pc);
	p = next.mmap ? next.mmap(address, size, protection, flags, fd, offset)
		      : (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);

	if (unlikely(protection & PROT_EXEC) && p != MAP_FAILED)
		modules_change((uintptr_t)p, size);
	if (p != MAP_FAILED)
		mapped_note((uintptr_t)p, size, at.pc);
	if (p != MAP_FAILED && wanted())
		record_mapping((uintptr_t)p, whole_pages(size), at,
			(flags & MAP_ANONYMOUS) && protection != PROT_NONE &&
				!next_is_allocator(at.pc));
	return p;
}

HOOK void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	return map(address, size, protection, flags, fd, offset, CPU_CALLER());
}

HOOK void *mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset)
{
	return map(address, size, protection, flags, fd, offset, CPU_CALLER());
}

HOOK int munmap(void *address, size_t size)
{
	unmaps(address, size, CPU_CALLER().pc);
	mapped_forget((uintptr_t)address, size);
	/* Before the call: afterwards another thread may have mapped something there. It fails for
	 * bad arguments alone. */
	if (wanted() && (uintptr_t)address % CPU_PAGE == 0 && size > 0)
		record_mapping((uintptr_t)address, whole_pages(size), CPU_CALLER(), false);
	return next.munmap ? next.munmap(address, size) : (int)syscall(SYS_munmap, address, size);
}

HOOK void *mremap(void *address, size_t old_size, size_t new_size, int flags, ...)
{
	struct cpu_frame at = CPU_CALLER();
	void *to = NULL, *p;
	bool known;

	if (flags & MREMAP_FIXED) {
		va_list rest;

		va_start(rest, flags);
		to = va_arg(rest, void *);
		va_end(rest);
	}
	unmaps(address, old_size, at.pc);
	if (to)
		unmaps(to, new_size, at.pc);
	known = wanted() && regions_known((uintptr_t)address);
	p = next.mremap ? next.mremap(address, old_size, new_size, flags, to)
			: (void *)syscall(SYS_mremap, address, old_size, new_size, flags, to);
	if (p != MAP_FAILED) {
		mapped_forget((uintptr_t)address, old_size);
		mapped_note((uintptr_t)p, new_size, at.pc);
	}
	if (p == MAP_FAILED || !wanted())
		return p;
	if (old_size > 0)
		record_mapping((uintptr_t)address, whole_pages(old_size), at, false);
	record_mapping((uintptr_t)p, whole_pages(new_size), at, known);
	return p;
}

HOOK int mprotect(void *address, size_t size, int protection)
{
	if (!(protection & PROT_READ) && !modules_is_self(CPU_CALLER().pc))
		cuts_make(address, size);
	if (unlikely(protection & PROT_EXEC))
		modules_change((uintptr_t)address, size);
	return next.mprotect ? next.mprotect(address, size, protection)
			     : (int)syscall(SYS_mprotect, address, size, protection);
}

/* ---- the program break: each step upwards is a piece of its own */

/* The C library's. An allocator in front of us calls our hook while it initializes itself, where
 * dlsym would call it. */
extern void *__sbrk(intptr_t increment);

static inline bool counts_break(struct cpu_frame at)
{
	return wanted() && next.sbrk && !next_is_allocator(at.pc);
}

/* Before the call that moves it down, as munmap; and after the one that moved it up. */
static void break_down(uintptr_t from, uintptr_t to, struct cpu_frame at)
{
	if (to < from)
		record_mapping(to, from - to, at, false);
}

static void break_up(uintptr_t from, uintptr_t to, struct cpu_frame at)
{
	if (to > from)
		record_mapping(from, to - from, at, true);
}

static void shrinks_break(uintptr_t to)
{
	uintptr_t from = phase_page.phase == PHASE_ON ? (uintptr_t)__sbrk(0) : 0;

	if (to < from)
		unmaps((void *)to, from - to, 0);
}

HOOK void *sbrk(intptr_t increment)
{
	struct cpu_frame at = CPU_CALLER();
	bool counts = counts_break(at);
	uintptr_t from = counts ? (uintptr_t)next.sbrk(0) : 0;
	void *old;

	if (counts && increment < 0)
		break_down(from, from + (uintptr_t)increment, at);
	if (increment < 0 && phase_page.phase == PHASE_ON)
		shrinks_break((uintptr_t)__sbrk(0) + (uintptr_t)increment);
	old = next.sbrk ? next.sbrk(increment) : __sbrk(increment);
	if (increment != 0 && old != (void *)-1)
		breaks_note((uintptr_t)old, (uintptr_t)old + (uintptr_t)increment, at.pc);
	if (counts && increment > 0 && old != (void *)-1)
		break_up((uintptr_t)old, (uintptr_t)old + (uintptr_t)increment, at);
	return old;
}

HOOK int brk(void *address)
{
	struct cpu_frame at = CPU_CALLER();
	bool counts = counts_break(at);
	uintptr_t from = (uintptr_t)(next.sbrk ? next.sbrk(0) : __sbrk(0));
	int result;

	if (counts)
		break_down(from, (uintptr_t)address, at);
	shrinks_break((uintptr_t)address);
	if (next.brk)
		result = next.brk(address);
	else
		result = __sbrk((char *)address - (char *)__sbrk(0)) == (void *)-1 ? -1 : 0;
	if (result == 0)
		breaks_note(from, (uintptr_t)address, at.pc);
	if (counts && result == 0)
		break_up(from, (uintptr_t)address, at);
	return result;
}
