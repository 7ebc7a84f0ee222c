/*
 * resident.c - how much memory the process took at the most, and how much of that is ours.
 *
 * Noted at the exit, where the scan for leaks asks for the like. Our own share only grows, so what
 * it is at the end is the most that it was at the peak.
 */
#include "preload/internal.h"

#include <fcntl.h>
#include <string.h>

#define RANGES 1024
#define PRESENT ((uint64_t)1 << 63) /* in an entry of /proc/self/pagemap, 8 bytes a page */

static uint64_t peak_of_process(void)
{
	static char status[4096];
	const char *p;
	uint64_t kib = 0;

	os_read_file("/proc/self/status", status, sizeof(status));
	p = strstr(status, "VmHWM:");
	if (!p)
		return 0;
	for (p += 6; *p == ' ' || *p == '\t'; p++)
		;
	for (; *p >= '0' && *p <= '9'; p++)
		kib = kib * 10 + (uint64_t)(*p - '0');
	return kib << 10;
}

static uint64_t pages_present(int fd, uint64_t page, uint64_t end)
{
	static uint64_t entries[512];
	uint64_t count = 0;

	while (page < end) {
		uint64_t want = end - page < 512 ? end - page : 512;
		long got = os_pread(fd, entries, want * 8, (int64_t)(page * 8));

		if (got < 8)
			break;
		for (long i = 0; i < got / 8; i++)
			count += (entries[i] & PRESENT) != 0;
		page += (uint64_t)got / 8;
	}
	return count;
}

static uint64_t own_share(void)
{
	static struct os_range ranges[RANGES];
	size_t count = os_own_ranges(ranges, RANGES);
	size_t page = os_page_size();
	int fd = os_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
	uint64_t pages = 0;

	if (fd < 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		pages += pages_present(fd, ranges[i].start / page, ranges[i].end / page);
	os_close(fd);
	return pages * page + tracefile_bytes();
}

void resident_note(void)
{
	trace.header->tracer_bytes = own_share();
	trace.header->resident_bytes = peak_of_process();
}
