/* SPDX-License-Identifier: MIT */
/* scanmem.c - mappings that no lock is taken for, and that are known by number. */
#include "preload/leakscan/scanmem.h"
#include "preload/sys/cpu.h"

#define MOST_MAPS 32

static struct {
	void *address;
	size_t size;
} maps[MOST_MAPS];
static unsigned map_count;

void *scan_map(size_t size)
{
	void *p;

	size += !size;
	p = map_count < MOST_MAPS ? os_map_unlisted(size) : NULL;
	if (p) {
		maps[map_count].address = p;
		maps[map_count++].size = size;
	}
	return p;
}

void scan_release(void)
{
	while (map_count > 0) {
		map_count--;
		os_unmap(maps[map_count].address, maps[map_count].size);
	}
}

bool scan_maps(unsigned number, struct os_range *range)
{
	uintptr_t start = (uintptr_t)maps[number].address;

	if (number >= map_count)
		return false;
	*range = (struct os_range){ start, start + cpu_page_up(maps[number].size) };
	return true;
}
