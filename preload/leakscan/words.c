/* SPDX-License-Identifier: MIT */
/* words.c - reads without asking before, and comes back from a fault. */
#include "preload/leakscan/words.h"
#include "preload/leakscan/pagemap.h"
#include "preload/store/tracefile.h"
#include "preload/sys/atomic.h"
#include "preload/sys/cpu.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE PAGEMAP_PAGE

static sift_fn *sift;

/* ---- what can't be read */

static volatile uintptr_t reading; /* a fault is expected in this page; 0: in none */
static void *recovery[5];	   /* of __builtin_setjmp */

/* A fault of the scan's own, in a child: whoever reads the trace must not wait for it. */
static void give_up(void)
{
	struct mt_header *h = trace.header;

	if (h->scan_state == MT_SCAN_RUNNING)
		store_release(&h->scan_state, MT_SCAN_FAILED);
	if (h->freed_by[0] == MT_FREED_BY_SOUGHT)
		h->freed_by[0] = '\0';
	syscall(SYS_exit_group, 1);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	if (!reading || ((uintptr_t)info->si_addr ^ reading) >= PAGE)
		give_up();
	__builtin_longjmp(recovery, 1);
}

static void handle_faults(void)
{
	const uint64_t faults = 1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1);
	const struct cpu_sigaction action = {
		.handler = on_fault,
		.flags = SA_SIGINFO | SA_NODEFER | CPU_SA_RESTORER,
	};

	syscall(SYS_rt_sigaction, SIGSEGV, &action, NULL, sizeof(action.mask));
	syscall(SYS_rt_sigaction, SIGBUS, &action, NULL, sizeof(action.mask));
	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &faults, NULL, sizeof(faults));
}

/* ---- what was never touched */

#define BLANK 4u    /* pages in a row that seem to be zeros, before pagemap is asked */
#define WINDOW 512u /* pages that are asked for at once */

static int pagemap;
static struct {
	uintptr_t start, end;
	uint64_t entries[WINDOW];
} window;

static bool look_at(uintptr_t address, uintptr_t end)
{
	size_t most = (end - address + PAGE - 1) / PAGE;

	if (address >= window.start && address < window.end)
		return true;
	window.start = address & ~(uintptr_t)(PAGE - 1);
	window.end = window.start + PAGE * pagemap_read(pagemap, address, window.entries,
						   most < WINDOW ? most : WINDOW);
	return window.end > window.start;
}

/* By some of its words. It was read a moment ago. */
static bool seems_blank(uintptr_t start, uintptr_t end)
{
	const uintptr_t *words = (const uintptr_t *)start;
	size_t count = (end - start) / sizeof(*words);

	return !(words[0] | words[count / 4] | words[count / 2] | words[count - 1]);
}

/* From a blank page on to the next that was touched. */
static void skip_untouched(struct stretch *s)
{
	while (s->at < s->end && look_at(s->at, s->end)) {
		if (window.entries[(s->at - window.start) / PAGE] & PAGEMAP_TOUCHED)
			return;
		s->at = (s->at | (PAGE - 1)) + 1;
	}
}

/* ---- both */

void words_init(void)
{
	sift = sift_for_cpu();
	pagemap = pagemap_open();
	window.start = window.end = 0;
	handle_faults();
}

size_t words_read(struct stretch *s, const struct sift_range ranges[2], uintptr_t *found)
{
	uintptr_t at, stop;
	size_t count;

	if (s->blank >= BLANK && s->private)
		skip_untouched(s);
	at = (s->at + 7) & ~(uintptr_t)7;
	stop = (at | (PAGE - 1)) + 1;
	if (stop > s->end)
		stop = s->end;
	s->at = stop;
	if (at + 8 > stop || (s->careful && !os_readable(at)))
		return 0;
	/* What may fault has to be a call of something unknown, or the compiler sees no way
	 * here. */
	if (__builtin_setjmp(recovery)) {
		reading = 0;
		s->careful = true;
		return 0;
	}
	reading = at;
	count = sift((const uintptr_t *)at, (stop - at) / 8, ranges, found);
	reading = 0;
	s->blank = count == 0 && seems_blank(at, stop) ? s->blank + 1 : 0;
	return count;
}

static bool read_in(uintptr_t address, const struct sift_range ranges[2], uintptr_t *word)
{
	uintptr_t found[1 + SIFT_SPARE];
	struct stretch s = { .at = address, .end = address + sizeof(*word) };

	if (words_read(&s, ranges, found) == 0)
		return false;
	*word = found[0];
	return true;
}

/* A range is less than 2^63 bytes, so two have all words but two. */
bool word_read(uintptr_t address, uintptr_t *word)
{
	static const struct sift_range most[2] = { { 0, INT64_MAX }, { 1ul << 63, INT64_MAX } };
	static const struct sift_range rest[2] = { { INT64_MAX, 1 }, { UINT64_MAX, 1 } };

	return read_in(address, most, word) || read_in(address, rest, word);
}
