/* SPDX-License-Identifier: MIT */
/* notes.c - what was lost on the way into a trace, and how it was recorded, in words. */
#include "analyzer/print/notes.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/units.h"
#include "analyzer/trace/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FACT, LOSS };

__attribute__((format(printf, 5, 6))) static void add(
	struct notes *notes, const char *key, bool loss, uint64_t count, const char *format, ...)
{
	struct note note = { key, loss, count, NULL };
	va_list args;

	va_start(args, format);
	if (vasprintf(&note.text, format, args) < 0)
		note.text = mem_strdup("");
	va_end(args);
	notes->items = mem_resize(notes->items, notes->count + 1, sizeof(*notes->items));
	notes->items[notes->count++] = note;
}

static void add_counted(struct notes *notes, const char *key, bool loss, uint64_t count,
	const char *what, const char *why)
{
	if (count)
		add(notes, key, loss, count, "%llu %s%s%s", (unsigned long long)count, what,
			count == 1 ? "" : "s", why);
}

static void add_own_malloc(struct notes *notes, const struct trace *t)
{
	const char *path = t->header.own_malloc <= UINT32_MAX
				   ? trace_string(t, (uint32_t)t->header.own_malloc)
				   : "";
	struct strbuf name = { 0 };

	if (!(t->header.flags & MT_NOTE_OWN_MALLOC))
		return;
	strbuf_add_clean(&name, path_base(path));
	if (*path && strcmp(path, trace_program(t)) != 0)
		add(notes, "own_malloc", LOSS, 0,
			"%s defines malloc and was loaded before libmtrace.so, so its allocations "
			"are not recorded (put libmtrace.so first in LD_PRELOAD)",
			strbuf_text(&name));
	else
		add(notes, "own_malloc", LOSS, 0,
			"the program defines its own malloc, whose allocations are not recorded");
	strbuf_release(&name);
}

/* Parents come before their children. */
static uint64_t count_stacks_that_skip(const struct trace *t)
{
	bool *skips = mem_zalloc(t->node_count, sizeof(*skips));
	uint64_t count = 0;

	for (uint32_t i = MT_NODE_FIRST; i < t->node_count; i++)
		skips[i] = skips[t->nodes[i].parent] || trace_may_skip(t, i);
	for (uint32_t i = 1; i < t->site_count; i++)
		count += skips[t->site_info[i].node];
	free(skips);
	return count;
}

#define MODULES_NAMED 4

/* Of the code that frames may be missing behind. */
static void name_modules_that_skip(const struct trace *t, struct strbuf *text)
{
	bool *skips = mem_zalloc(t->module_count + 1, sizeof(*skips));
	uint32_t count = 0;

	for (uint32_t i = MT_NODE_FIRST; i < t->node_count; i++)
		skips[t->frames[t->nodes[i].frame].module] |= trace_may_skip(t, i);
	for (uint32_t i = 0; i < t->module_count || i == 0; i++) {
		if (!skips[i] || count++ >= MODULES_NAMED)
			continue;
		strbuf_add(text, count > 1 ? ", " : "");
		strbuf_add_clean(text,
			i == 0 ? "generated code" : path_base(trace_string(t, t->modules[i].path)));
	}
	if (count > MODULES_NAMED)
		strbuf_addf(text, " and %u more", count - MODULES_NAMED);
	free(skips);
}

static void add_skipped(struct notes *notes, const struct trace *t)
{
	uint64_t count = count_stacks_that_skip(t);
	struct strbuf modules = { 0 };

	if (!count)
		return;
	name_modules_that_skip(t, &modules);
	add(notes, "skipped_frames", LOSS, count,
		"%llu call stack%s may lack frames, having passed through code without unwind "
		"information: %s (build it with -fasynchronous-unwind-tables)",
		(unsigned long long)count, count == 1 ? "" : "s", strbuf_text(&modules));
	strbuf_release(&modules);
}

/* Only libraries that are bound past ours can be named, and only those that the scan found. */
static void add_freed_by(struct notes *notes, const struct trace *t)
{
	const struct mt_header *h = &t->header;
	struct strbuf names = { 0 };

	if (h->missed_frees + h->overlaid_frees == 0)
		return;
	strbuf_add_clean(&names, h->freed_by);
	if (names.size)
		add(notes, "freed_by", FACT, 0,
			"code that frees blocks without passing through the library: %s (loaded "
			"with RTLD_DEEPBIND, so it calls the C library's free directly)",
			strbuf_text(&names));
	else
		add(notes, "freed_by", FACT, 0,
			"missed frees are noticed only when the memory is reused, so the caller "
			"is unknown; likely causes are libraries that call the C library's free "
			"directly, because they were loaded with RTLD_DEEPBIND or looked it up "
			"(dlsym, Python's ctypes)");
	strbuf_release(&names);
}

static void add_losses(struct notes *notes, const struct trace *t)
{
	const struct mt_header *h = &t->header;
	static const struct {
		const char *key, *why;
	} reasons[MT_LOSSES_USED] = {
		[MT_LOST_SITE] = { "lost_site",
			" not recorded: no space for the call site (disk full, file size limit or "
			"address space limit)" },
		[MT_LOST_SLOT] = { "lost_slot", " not recorded: no memory to track the block" },
		[MT_LOST_REENTRANT] = { "lost_reentrant", " not recorded: made in a signal handler "
							  "that interrupted the tracer" },
		[MT_LOST_THREAD] = { "lost_thread",
			" not recorded: no memory for the thread's state, or the thread had "
			"already ended" },
		[MT_LOST_LIMIT] = { "lost_limit",
			" not recorded: the trace has as many call stacks as it tells apart" },
	};

	add_own_malloc(notes, t);
	for (int i = 0; i < MT_LOSSES_USED; i++)
		add_counted(notes, reasons[i].key, LOSS, h->lost[i], "allocation", reasons[i].why);
	for (int i = MT_LOSSES_USED; i < MT_LOSSES; i++)
		add_counted(notes, "lost_other", LOSS, h->lost[i], "allocation",
			" not recorded, for a reason unknown to this version");
	if (h->flags & MT_NOTE_STORAGE)
		add(notes, "storage", LOSS, 0,
			"the trace could not grow any further (disk full, file size limit or "
			"address space limit)");
	if (h->flags & MT_NOTE_FULL)
		add(notes, "full", LOSS, 0,
			"the trace has as many call stacks as it tells apart (2097151): all later "
			"ones are counted together, in one row without frames");
	add_counted(notes, "missed_frees", LOSS, h->missed_frees, "free",
		" missed: an allocation returned an address believed to be in use");
	add_counted(notes, "overlaid_frees", LOSS, h->overlaid_frees, "block",
		" freed without passing through the library: an allocation returned an address "
		"inside");
	add_freed_by(notes, t);
	add_counted(notes, "broken_stacks", LOSS, h->broken_stacks, "call stack",
		" could not be unwound completely");
	add_skipped(notes, t);
	if (h->flags & MT_NOTE_CUT)
		add(notes, "cut_stacks", LOSS, 0,
			"too many call stacks could not be unwound reliably: later ones are cut "
			"short at such code, or have one frame");
}

char *moment_unknown(const struct trace *t)
{
	int64_t shown = 0, all = (int64_t)t->moment.point.live_bytes;
	char a[UNIT_TEXT], b[UNIT_TEXT];
	char *text = NULL;

	if (t->moment.kind == MOMENT_PEAK)
		return mem_strdup("of the peak only what was held is known, not what had been "
				  "allocated by then");
	if (t->moment.kind != MOMENT_POINT)
		return NULL;
	for (uint32_t i = 1; i < t->site_count; i++)
		shown += (int64_t)t->sites[i].current_bytes;
	if (asprintf(&text,
		    "a point of the timeline knows only what the larger call sites held: %s of %s",
		    format_bytes(a, shown), format_bytes(b, all)) < 0)
		return NULL;
	return text;
}

static void add_facts(struct notes *notes, const struct trace *t)
{
	const struct mt_header *h = &t->header;
	char *unknown = moment_unknown(t);
	char bytes[UNIT_TEXT];

	if (unknown)
		add(notes, "moment", FACT, 0, "%s", unknown);
	free(unknown);
	add_counted(notes, "lost_snapshots", FACT, h->lost_snapshots, "snapshot",
		" not kept: there were too many (MTRACE_SNAPSHOTS), without a label, or no room");

	add_counted(notes, "foreign_frees", FACT, h->foreign_frees, "free",
		" of unrecorded blocks (allocated before recording started, or lost)");
	add_counted(notes, "scan_blind", FACT, h->scan_blind, "thread",
		" whose registers the leak check could not read: blocks that only these may hold "
		"are possible leaks, not lost");
	if (h->flags & MT_NOTE_MULTI)
		add(notes, "threads", FACT, 0,
			"more than one thread: peaks are accurate within a bound, everything else "
			"is exact");
	if (h->flags & MT_NOTE_RESET)
		add(notes, "reset_peak", FACT, 0,
			"the program reset the peaks (mtrace_reset_peak); they cover the time "
			"since the last reset");
	if (h->flags & MT_NOTE_CLEARED)
		add(notes, "clear_traces", FACT, 0,
			"the program had everything forgotten (mtrace_clear_traces): it covers "
			"the time since, and no block from before");
	if (h->flags & MT_NOTE_MERGED)
		add(notes, "merged", FACT, h->merged,
			"combined from %llu traces: peaks are sums, and so upper bounds of what "
			"was held at one time",
			(unsigned long long)h->merged);
	if (h->sample_bytes)
		add(notes, "sampled", FACT, h->sample_bytes,
			"sampled: one allocation per %s on average, scaled up; the peak is the "
			"highest estimate, and so biased upwards",
			format_bytes(bytes, (int64_t)h->sample_bytes));
	if (h->forked_from)
		add(notes, "forked", FACT, h->forked_from,
			"forked from process %llu, and inherited its blocks",
			(unsigned long long)h->forked_from);
	if (h->flags & MT_NOTE_UNSTARTED)
		add(notes, "unstarted", FACT, 0, "recording began stopped");
	if (!(h->enabled & MT_ENABLED_RECORD))
		add(notes, "stopped", FACT, 0,
			"recording was stopped: later allocations are missing");
	if (h->flags & MT_NOTE_MMAP)
		add(notes, "mmap", FACT, 0, "anonymous mappings are shown as separate rows");
	if (h->flags & MT_NOTE_REDACTED)
		add(notes, "redacted", FACT, 0, "command line and paths were removed");
}

struct notes notes_of(const struct trace *trace)
{
	struct notes notes = { 0 };

	add_losses(&notes, trace);
	add_facts(&notes, trace);
	return notes;
}

void notes_release(struct notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		free(notes->items[i].text);
	free(notes->items);
	*notes = (struct notes){ 0 };
}
