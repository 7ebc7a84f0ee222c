/* SPDX-License-Identifier: MIT */
/* pagemap.h - which pages of the process's memory there are, by /proc/self/pagemap. */
#ifndef MTRACE_PAGEMAP_H
#define MTRACE_PAGEMAP_H

#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>

#include "preload/sys/cpu.h"
#include "preload/sys/os.h"

#define PAGEMAP_PAGE CPU_PAGE
#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_TOUCHED (3ull << 62) /* present, or swapped out; else private memory is zeros */

static inline int pagemap_open(void)
{
	return os_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
}

/* Of the page of the address and those behind it. Returns how many it could tell. */
static inline size_t pagemap_read(int fd, uintptr_t address, uint64_t *entries, size_t count)
{
	long got = os_pread(fd, entries, count * sizeof(*entries),
		(int64_t)(address / PAGEMAP_PAGE * sizeof(*entries)));

	return got > 0 ? (size_t)got / sizeof(*entries) : 0;
}

#endif
