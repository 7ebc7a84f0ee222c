/* SPDX-License-Identifier: MIT */
/* ongoing_scan.c - polls a trace's header while a copy of the program looks for leaks. */
#include "analyzer/trace/ongoing_scan.h"
#include "preload/trace_format.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SCAN_MOST_NS 12000000000u /* of the library's search, and a little more */

static bool read_header(int fd, struct mt_header *h)
{
	return pread(fd, h, sizeof(*h), 0) == (ssize_t)sizeof(*h) &&
	       memcmp(h->magic, MT_MAGIC, sizeof(h->magic)) == 0 &&
	       h->byte_order == MT_BYTE_ORDER && h->oldest_reader <= MT_VERSION;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool goes_on(const struct mt_header *h)
{
	return !(h->flags & MT_NOTE_COPY) &&
	       now_ns() - (h->start_ns + h->scan_at_ns) < SCAN_MOST_NS &&
	       (h->scan_state == MT_SCAN_RUNNING || *h->freed_by == MT_FREED_BY_SOUGHT);
}

void ongoing_scan_await(const char *path)
{
	const struct timespec pause = { 0, 5000000 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct mt_header h;

	while (fd >= 0 && read_header(fd, &h) && goes_on(&h))
		nanosleep(&pause, NULL);
	if (fd >= 0)
		close(fd);
}
