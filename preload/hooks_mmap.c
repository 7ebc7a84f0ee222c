/*
 * hooks_mmap.c - anonymous mappings, when MTRACE_MMAP=1 asks for them; otherwise these hooks only
 * pass on.
 *
 * Memory that nobody may touch (PROT_NONE) is a reservation and doesn't count. The C library's own
 * mappings for malloc and for stacks don't come by here. mremap counts as realloc does: one block
 * goes, another comes.
 */
#undef _FILE_OFFSET_BITS /* else mmap is another name for mmap64 */

#include "preload/next.h"
#include "preload/record.h"
#include "preload/regions.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HOOK __attribute__((visibility("default")))

static size_t whole_pages(size_t size)
{
	return (size + 4095) & ~(size_t)4095;
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
			count_lost(MT_LOST_SITE);
	}
	if (site)
		regions_add(t, start, size, site);
	else
		regions_remove(t, start, size);
	thread_leave(t);
}

static bool wanted(void)
{
	return unlikely(config.mmap) && phase_ready();
}

static inline void *map(void *address, size_t size, int protection, int flags, int fd, off_t offset,
	struct cpu_frame at)
{
	void *p = next.mmap
			  ? next.mmap(address, size, protection, flags, fd, offset)
			  : (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);

	if (p != MAP_FAILED && wanted())
		record_mapping((uintptr_t)p, whole_pages(size), at,
			(flags & MAP_ANONYMOUS) && protection != PROT_NONE);
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
	/* Before the call: afterwards another thread may have mapped the place. It fails for bad
	 * arguments alone. */
	if (wanted() && (uintptr_t)address % 4096 == 0 && size > 0)
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
	known = wanted() && regions_known((uintptr_t)address);
	p = next.mremap ? next.mremap(address, old_size, new_size, flags, to)
			: (void *)syscall(SYS_mremap, address, old_size, new_size, flags, to);
	if (p == MAP_FAILED || !wanted())
		return p;
	if (old_size > 0)
		record_mapping((uintptr_t)address, whole_pages(old_size), at, false);
	record_mapping((uintptr_t)p, whole_pages(new_size), at, known);
	return p;
}
