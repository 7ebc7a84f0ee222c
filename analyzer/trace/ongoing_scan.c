/* SPDX-License-Identifier: MIT */
/* ongoing_scan.c - polls a trace's header while a copy of the program looks for leaks. */
#include "analyzer/trace/ongoing_scan.h"
#include "analyzer/base/clock.h"
#include "analyzer/trace/recognize.h"
#include "preload/trace_format.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#define SCAN_MOST_NS 12000000000u /* of the library's search, and a little more */

static bool goes_on(const struct mt_header *h)
{
	return !(h->flags & MT_NOTE_COPY) &&
	       clock_ns(CLOCK_REALTIME) - (h->start_ns + h->scan_at_ns) < SCAN_MOST_NS &&
	       (h->scan_state == MT_SCAN_RUNNING || *h->freed_by == MT_FREED_BY_SOUGHT);
}

void ongoing_scan_await(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct mt_header h;

	while (fd >= 0 && trace_read_header(fd, &h) && goes_on(&h))
		pause_ms(5);
	if (fd >= 0)
		close(fd);
}
