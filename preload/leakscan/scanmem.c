/* SPDX-License-Identifier: MIT */
/* scanmem.c - mappings that no lock is taken for, and that are known by number. What is small shares the
 * first one. */
#include "preload/leakscan/scanmem.h"
#include "preload/sys/cpu.h"

#define MOST_MAPS 32
#define SHARED (256u << 10) /* bytes; a scan of a small process needs no more */
#define SMALL (SHARED / 4)

static struct {
	void *address;
	size_t size;
} maps[MOST_MAPS];
static unsigned map_count;
static char *shared;
static size_t shared_left;

static void *map(size_t size)
{
	void *p = map_count < MOST_MAPS ? os_map_unlisted(size) : NULL;

	if (p) {
		maps[map_count].address = p;
		maps[map_count++].size = size;
	}
	return p;
}

/* Each in cache lines of its own. */
void *scan_map(size_t size)
{
	void *p;

	size = (size + 63) & ~(size_t)63;
	size += size ? 0 : 64;
	if (size > SMALL)
		return map(size);
	if (size > shared_left) {
		shared = map(SHARED);
		shared_left = shared ? SHARED : 0;
	}
	if (!shared_left)
		return NULL;
	p = shared;
	shared += size;
	shared_left -= size;
	return p;
}

void scan_release(void)
{
	while (map_count > 0) {
		map_count--;
		os_unmap_unlisted(maps[map_count].address, maps[map_count].size);
	}
	shared_left = 0;
}

bool scan_maps(unsigned number, struct os_range *range)
{
	uintptr_t start = (uintptr_t)maps[number].address;

	if (number >= map_count)
		return false;
	*range = (struct os_range){ start, start + cpu_page_up(maps[number].size) };
	return true;
}
