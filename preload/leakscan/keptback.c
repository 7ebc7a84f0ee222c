/* SPDX-License-Identifier: MIT */
/* keptback.c - sees that there is such memory, and where it is when somebody asks. */
#include "preload/leakscan/keptback.h"
#include "preload/sys/next.h"
#include "preload/sys/os.h"
#include "preload/sys/phase.h"
#include "preload/sys/text.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SMAPS_MOST (64u << 20) /* bytes of /proc/self/smaps */
#define MOST_RANGES 1024u

static bool any; /* the program has kept something back, maybe */

HOOK int madvise(void *address, size_t size, int advice)
{
	if (advice == MADV_DONTFORK || advice == MADV_WIPEONFORK)
		store_relaxed(&any, true);
	return next.madvise ? next.madvise(address, size, advice)
			    : (int)syscall(SYS_madvise, address, size, advice);
}

static struct range {
	uintptr_t start, end;
	bool absent, wiped; /* in children */
} ranges[MOST_RANGES];
static size_t count;

/* " xx" in "VmFlags: rd wr mr ...\n"; the text goes on behind the line, for megabytes. */
static bool has_flag(const char *flags, const char *flag)
{
	for (; *flags && *flags != '\n'; flags++)
		if (strncmp(flags, flag, 3) == 0)
			return true;
	return false;
}

/* A mapping's first line in smaps, and its flags. */
static void take(const char *line, const char *flags)
{
	struct range *r = &ranges[count];
	const char *p;

	if (count == MOST_RANGES || has_flag(flags, " io") || has_flag(flags, " pf"))
		return;
	p = text_hex(line, &r->start);
	p = text_hex(p + 1, &r->end);
	r->absent = has_flag(flags, " dc");
	r->wiped = has_flag(flags, " wf");
	if (strncmp(p, " rw-p", 5) != 0 || (!r->absent && !r->wiped) ||
		(uintptr_t)&phase_page - r->start < r->end - r->start)
		return;
	count++;
}

static void find_ranges(void)
{
	char *text = os_map_unlisted(SMAPS_MOST);
	const char *line = text;

	count = 0;
	if (!text)
		return;
	os_read_file("/proc/self/smaps", text, SMAPS_MOST);
	while (line && *line) {
		const char *flags = strstr(line, "\nVmFlags:");

		if (!flags)
			break;
		take(line, flags + 1);
		line = strchr(flags + 1, '\n');
		line += line != NULL;
	}
	(void)os_call(SYS_munmap, text, SMAPS_MOST);
}

static void advise(const struct range *r, int advice)
{
	(void)os_call(SYS_madvise, r->start, r->end - r->start, advice);
}

void kept_back_share(bool share)
{
	if (!load_relaxed(&any))
		return;
	if (share)
		find_ranges();
	for (size_t i = 0; i < count; i++) {
		if (ranges[i].absent)
			advise(&ranges[i], share ? MADV_DOFORK : MADV_DONTFORK);
		if (ranges[i].wiped)
			advise(&ranges[i], share ? MADV_KEEPONFORK : MADV_WIPEONFORK);
	}
}
