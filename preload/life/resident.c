/* SPDX-License-Identifier: MIT */
/*
 * resident.c - how much memory the process took at the most, and how much of that is ours.
 *
 * Noted at the exit, where the scan for leaks asks for the like. Our own share only grows, so what
 * it is at the end is the most that it was at the peak.
 */

#include "preload/life/resident.h"
#include "preload/store/tracefile.h"
#include "preload/sys/cpu.h"
#include "preload/sys/os.h"

#include <string.h>
#include <sys/syscall.h>

#define RANGES 1024
#define PAGE CPU_PAGE
#define PAGES 4096u /* asked for at once */

static uint64_t peak_of_process(void)
{
	static char status[4096];
	const char *p;
	uint64_t kib = 0;

	os_read_at_once("/proc/self/status", status, sizeof(status));
	p = strstr(status, "VmHWM:");
	if (!p)
		return 0;
	for (p += 6; *p == ' ' || *p == '\t'; p++)
		;
	for (; *p >= '0' && *p <= '9'; p++)
		kib = kib * 10 + (uint64_t)(*p - '0');
	return kib << 10;
}

static uint64_t pages_present(const struct os_range *r)
{
	static unsigned char pages[PAGES]; /* bit 0: present */
	uint64_t count = 0;

	for (uintptr_t at = r->start; at < r->end; at += PAGES * PAGE) {
		size_t left = (r->end - at) / PAGE, asked = left < PAGES ? left : PAGES;

		if (os_call(SYS_mincore, at, asked * PAGE, pages) < 0)
			break;
		for (size_t i = 0; i < asked; i++)
			count += pages[i] & 1;
	}
	return count;
}

static uint64_t own_share(void)
{
	static struct os_range ranges[RANGES];
	size_t count = os_own_ranges(ranges, RANGES);
	uint64_t pages = 0;

	for (size_t i = 0; i < count; i++)
		pages += pages_present(&ranges[i]);
	return pages * PAGE + tracefile_bytes();
}

void resident_note_peak(void)
{
	trace.header->resident_bytes = peak_of_process();
}

void resident_note_own(void)
{
	trace.header->tracer_bytes = own_share();
}
