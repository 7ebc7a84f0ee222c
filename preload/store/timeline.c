/* SPDX-License-Identifier: MIT */
/* timeline.c - takes the points, and makes room for them. */
#include "preload/store/timeline.h"
#include "preload/store/tracefile.h"
#include "preload/sys/cpu.h"
#include "preload/sys/env.h"
#include "preload/sys/lock.h"
#include "preload/sys/os.h"
#include "preload/sys/phase.h"
#include "preload/sys/seccomp.h"

#include <errno.h>
#include <string.h>

#define LEAST_POINTS 16	    /* that are kept, if any */
#define FIRST_INTERVAL 4096 /* allocations between regular points */
#define FIRST_ROOM 56	    /* points, a page; then for all at once, since extents are few */
#define NOTE_PART 1024	    /* a new peak is noted when it is higher by this part */
#define NOTE_LEAST 256	    /* and by so many bytes */
#define POINT_PART 100	    /* and makes a point then */
#define POINT_LEAST 1024
#define LOW_PART 16	      /* what falls by that is no longer the peak */
#define SHARE_PART 1024	      /* of the live bytes that a site must have */
#define SHARES_MOST 256	      /* of a point */
#define SHARES_ON_AVERAGE 128 /* for which there is room */
#define SHARES_OF_ALL (4u << 20)
#define WORK_FREE (1u << 18)	 /* records looked at, about a nanosecond each; beyond these, */
#define WORK_PART 4		 /* one for so many events */
#define RSS_STAYS 1000000	 /* ns that the resident memory isn't asked for again */
#define RSS_STAYS_MULTI 10000000 /* with several threads: one may look for the lowest descriptor */
#define LABEL_MOST 255		 /* bytes */

int64_t timeline_left = INT64_MAX;
int64_t timeline_next_peak = INT64_MAX;
bool timeline_peak_is_new;
int64_t timeline_low = INT64_MIN;

struct lock timeline_lock;

/* Under the lock. */
static struct {
	uint32_t most, number;
	uint32_t marks;	 /* that are kept */
	uint32_t *order; /* numbers of all points in the table: those in use by time, the rest */
	uint32_t used;	 /* of these */
	uint32_t shares; /* in use */
	uint32_t cursor; /* none is free before it */
	uint32_t shares_most;
	int64_t interval;    /* events between regular points */
	int64_t period;	     /* of the countdown that is running */
	uint64_t events;     /* when it began */
	uint64_t work;	     /* done for all points */
	uint64_t last;	     /* ns: when the clock was last read */
	uint64_t epoch;	     /* the peak that peak_ns is of */
	uint64_t next_point; /* bytes: a new peak higher than that makes a point */
} line;

static uint64_t start; /* by the steady clock: the trace's start_ns */

static struct {
	uint64_t asked; /* ns */
	uint64_t anonymous, file;
} rss;

/* ---- resident memory */

static uint64_t next_number(const char **p)
{
	uint64_t n = 0;

	for (; **p >= '0' && **p <= '9'; ++*p)
		n = n * 10 + (uint64_t)(**p - '0');
	if (**p == ' ')
		++*p;
	return n;
}

/* Nothing stays open: a program may count its descriptors, or close all of them. */
static void rss_look(uint64_t now)
{
	char text[128];
	const char *p = text;
	uint64_t resident, file;

	if (rss.asked && now - rss.asked < (phase_multi ? RSS_STAYS_MULTI : RSS_STAYS))
		return;
	rss.asked = now;
	if (!seccomp_allows_growth() ||
		os_read_at_once("/proc/self/statm", text, sizeof(text)) == 0)
		return;
	(void)next_number(&p); /* address space */
	resident = next_number(&p);
	file = next_number(&p);
	rss.file = file * os_page_size();
	rss.anonymous = resident > file ? (resident - file) * os_page_size() : 0;
}

/* ---- room */

static void free_shares(void)
{
	uint64_t count = trace.header->tables[MT_SHARES].count;

	for (uint64_t i = 0; i < count; i++) {
		struct mt_share *s = &trace.shares[i];

		if (!s->point || trace.points[s->point - 1].kind != MT_POINT_UNUSED)
			continue;
		store_relaxed(&s->point, 0);
		line.shares--;
	}
	line.cursor = 0;
}

static uint32_t find_highest(void)
{
	uint32_t highest = 0;

	for (uint32_t i = 1; i < line.used; i++)
		if (trace.points[line.order[i]].live_bytes >=
			trace.points[line.order[highest]].live_bytes)
			highest = i;
	return highest;
}

/* Every other point goes, but marks and the highest. The free ones go to the end of the order. */
static void thin(void)
{
	uint32_t highest = find_highest(), kept = 0;
	bool goes = false;

	for (uint32_t i = 0; i < line.used; i++) {
		uint32_t at = line.order[i];
		struct mt_point *p = &trace.points[at];

		goes = !goes;
		if (goes && i != highest && p->kind != MT_POINT_MARK) {
			store_release(&p->kind, MT_POINT_UNUSED);
			continue;
		}
		line.order[i] = line.order[kept];
		line.order[kept++] = at;
	}
	line.used = kept;
	free_shares();
	line.interval *= 2;
}

/* Gives its number in the table; UINT32_MAX: none. */
static uint32_t free_point(void)
{
	uint64_t count = trace.header->tables[MT_POINTS].count;

	if (line.used == line.most)
		thin();
	if (line.used < count)
		return line.order[line.used];
	if (count == line.most || !tracefile_find_room(MT_POINTS, count + 1,
					  count < FIRST_ROOM ? FIRST_ROOM : line.most))
		return UINT32_MAX;
	line.order[count] = (uint32_t)count;
	return (uint32_t)count;
}

/* NULL: none. */
static struct mt_share *free_share(void)
{
	uint64_t count = trace.header->tables[MT_SHARES].count;

	while (line.cursor < count && trace.shares[line.cursor].point)
		line.cursor++;
	if (line.cursor == count) {
		if (count == line.shares_most ||
			!tracefile_find_room(MT_SHARES, count + 1, 4 * count + SHARES_MOST))
			return NULL;
		store_release(&trace.header->tables[MT_SHARES].count, count + 1);
	}
	return &trace.shares[line.cursor++];
}

/* ---- the state */

static struct {
	uint32_t site;
	uint64_t bytes;
} largest[SHARES_MOST]; /* under the lock; stacks may be small */

/* When there are more, the smallest makes way. */
static uint32_t keep_share(uint32_t count, uint32_t site, uint64_t bytes)
{
	uint32_t at = count, i;

	if (count == SHARES_MOST) {
		for (at = 0, i = 1; i < count; i++)
			if (largest[i].bytes < largest[at].bytes)
				at = i;
		if (largest[at].bytes >= bytes)
			return count;
	} else {
		count++;
	}
	largest[at].site = site;
	largest[at].bytes = bytes;
	return count;
}

/* At a peak what the sites had then: with several threads it may be past. */
static void site_state(uint64_t i, bool peak, int64_t *bytes, int64_t *blocks)
{
	const struct mt_site *s = &trace.sites[i];

	if (peak && s->epoch == (uint32_t)trace.header->epoch) {
		*bytes = (int64_t)s->at_peak_bytes;
		*blocks = s->at_peak_blocks;
		return;
	}
	*bytes = (int64_t)s->current_bytes;
	*blocks = (int64_t)s->current_blocks;
	if (i < load_acquire(&trace.header->tables[MT_PUBLISHED].count)) {
		*bytes += (int64_t)trace.published[i].bytes;
		*blocks += (int64_t)trace.published[i].blocks;
	}
}

/* Returns how many shares there are. */
static uint32_t add_sites(struct mt_point *p)
{
	uint64_t count = load_acquire(&trace.header->tables[MT_SITES].count);
	bool peak = p->kind == MT_POINT_PEAK;
	int64_t least = (int64_t)(p->live_bytes / SHARE_PART), live_blocks = 0, bytes, blocks;
	uint32_t shares = 0;

	for (uint64_t i = 1; i < count; i++) {
		site_state(i, peak, &bytes, &blocks);
		live_blocks += blocks;
		p->allocated_bytes += trace.sites[i].allocated_bytes;
		p->allocations += trace.sites[i].allocations;
		if (bytes > 0 && bytes >= least)
			shares = keep_share(shares, (uint32_t)i, (uint64_t)bytes);
	}
	p->live_blocks = live_blocks > 0 ? (uint64_t)live_blocks : 0;
	return shares;
}

static void add_lanes(struct mt_point *p)
{
	uint64_t entries = load_acquire(&trace.header->tables[MT_ENTRIES].count);
	uint64_t lanes = load_acquire(&trace.header->tables[MT_LANES].count);

	for (uint64_t i = 0; i < entries; i++) {
		p->allocated_bytes += trace.entries[i].allocated_bytes;
		p->allocations += trace.entries[i].allocations;
	}
	for (uint64_t i = 0; i < lanes; i++)
		p->threads += trace.lanes[i].threads && !trace.lanes[i].end_ns;
}

/* What a point costs, in records. */
static uint64_t work(void)
{
	const struct mt_table *t = trace.header->tables;

	return t[MT_SITES].count + t[MT_ENTRIES].count + t[MT_LANES].count;
}

static bool is_worth_it(uint64_t events)
{
	return line.work + work() <= WORK_FREE + events / WORK_PART;
}

/* The shares first: they belong to none until there is the point. */
static void write_shares(uint32_t at, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct mt_share *s = free_share();

		if (!s)
			return;
		s->site = largest[i].site;
		s->bytes = largest[i].bytes;
		store_release(&s->point, at + 1);
		line.shares++;
	}
}

/* False: there is no room. */
static bool write_point(uint32_t kind, uint32_t label)
{
	struct mt_point p = { .ns = line.last, .kind = kind, .label = label };
	int64_t live;
	uint32_t at, shares;

	rss_look(line.last);
	live = (int64_t)(kind == MT_POINT_PEAK ? trace.header->peak_bytes
					       : load_relaxed(&trace.header->live_bytes));
	p.live_bytes = live > 0 ? (uint64_t)live : 0;
	p.rss_anonymous = rss.anonymous;
	p.rss_file = rss.file;
	shares = add_sites(&p);
	add_lanes(&p);
	line.work += work();
	if (line.shares + shares > line.shares_most)
		thin();
	at = free_point();
	if (at == UINT32_MAX)
		return false;
	write_shares(at, shares);
	p.number = ++line.number;
	p.kind = MT_POINT_UNUSED;
	trace.points[at] = p;
	store_release(&trace.points[at].kind, kind);
	if (at == trace.header->tables[MT_POINTS].count)
		store_release(&trace.header->tables[MT_POINTS].count, at + 1);
	line.used++;
	line.marks += kind == MT_POINT_MARK;
	return true;
}

/* ---- what is due */

static uint64_t plus_part(uint64_t bytes, uint64_t part, uint64_t least)
{
	return bytes + (bytes / part > least ? bytes / part : least);
}

/* The clock was just read. */
static bool note_peak(const struct thread *t, uint32_t site)
{
	struct mt_header *h = trace.header;
	uint64_t peak = h->peak_bytes;

	if ((int64_t)peak <= timeline_next_peak)
		return false;
	store_relaxed(&h->peak_ns, line.last);
	if (!phase_multi) { /* else who publishes has said it */
		h->peak_site = site;
		h->peak_lane = t->lane;
	}
	line.epoch = h->epoch;
	timeline_next_peak = (int64_t)plus_part(peak, NOTE_PART, NOTE_LEAST);
	return peak >= line.next_point;
}

/* The peak isn't much higher than the one that was noted, but later: it was at some moment after the
 * clock was last read. */
static void date_peak(uint64_t before)
{
	if (trace.header->epoch == line.epoch)
		return;
	line.epoch = trace.header->epoch;
	if (before > trace.header->peak_ns)
		store_relaxed(&trace.header->peak_ns, before);
}

static void read_clock(void)
{
	uint64_t now = os_steady_time();

	line.last = now > start ? now - start : 0;
}

/* What isn't worth it waits for the next. */
static void next_period(uint64_t events)
{
	int64_t dear = (int64_t)(work() * WORK_PART);

	line.events = events;
	line.period = is_worth_it(events) || dear < line.interval ? line.interval : dear;
	store_relaxed(&timeline_left, line.period);
}

static void take(const struct thread *t, uint32_t site)
{
	uint64_t before = line.last, events;
	int64_t left = load_relaxed(&timeline_left);
	bool peak, low = timeline_is_low(load_relaxed(&trace.header->live_bytes));

	store_relaxed(&timeline_peak_is_new, false);
	read_clock();
	events = line.events + (uint64_t)(line.period - left);
	peak = note_peak(t, site);
	if (!peak && left <= 0)
		date_peak(before);
	if (is_worth_it(events)) {
		if (peak) {
			line.next_point =
				plus_part(trace.header->peak_bytes, POINT_PART, POINT_LEAST);
			(void)write_point(MT_POINT_PEAK, 0);
			timeline_low = (int64_t)(trace.header->peak_bytes -
						 trace.header->peak_bytes / LOW_PART);
		} else if (low || left <= 0) {
			(void)write_point(MT_POINT_REGULAR, 0);
			timeline_low = INT64_MIN;
		}
	} else if (low) {
		timeline_low = INT64_MIN;
	}
	if (left <= 0)
		next_period(events);
}

#define STACK_SIZE (8u << 10)
static char *own_stack; /* under the lock: the program's may be a handler's, and small */

struct due {
	const struct thread *thread;
	uint32_t site;
};

static void take_due(void *due)
{
	const struct due *d = due;

	take(d->thread, d->site);
}

static void leave_locked(struct signals signals, int saved)
{
	lock_leave(&timeline_lock);
	signals_restore(signals);
	errno = saved;
}

cold_path void timeline_take(const struct thread *t, uint32_t site)
{
	int saved = errno;
	struct signals signals = signals_block();
	struct due due = { t, site };
	uint32_t expected = 0;

	if (compare_exchange_acquire(&timeline_lock.word, &expected, 1)) {
		cpu_call_on(own_stack + STACK_SIZE, take_due, &due);
		leave_locked(signals, saved);
	} else { /* another thread is at it */
		signals_restore(signals);
		errno = saved;
	}
}

/* ---- points that are asked for */

/* Not in the middle of a UTF-8 character. */
static size_t label_size(const char *label)
{
	size_t size = strnlen(label, LABEL_MOST + 1);

	if (size <= LABEL_MOST)
		return size;
	for (size = LABEL_MOST; size > 0 && ((unsigned char)label[size] & 0xc0) == 0x80;)
		size--;
	return size;
}

uint32_t timeline_label(const char *label)
{
	uint32_t string;

	lock_take(&tables_lock);
	string = tracefile_string(label, label_size(label));
	lock_drop(&tables_lock);
	return string;
}

uint64_t timeline_now(void)
{
	uint64_t before = line.last;

	read_clock();
	if (line.most)
		date_peak(before);
	return line.last;
}

static bool write_asked(uint32_t kind, uint32_t label)
{
	(void)timeline_now();
	return write_point(kind, label);
}

cold_path bool timeline_call(void (*what)(void *of), void *of)
{
	int saved = errno;
	struct signals signals = signals_block();
	bool ok;

	lock_enter(&timeline_lock);
	ok = own_stack || (own_stack = os_map(STACK_SIZE));
	if (ok)
		cpu_call_on(own_stack + STACK_SIZE, what, of);
	leave_locked(signals, saved);
	return ok;
}

cold_path void timeline_mark(const char *label)
{
	int saved = errno;
	struct signals signals = signals_block();

	lock_enter(&timeline_lock);
	if (line.most && (line.marks >= line.most / 2 ||
				 !write_asked(MT_POINT_MARK, label ? timeline_label(label) : 0)))
		trace.header->lost_marks++;
	leave_locked(signals, saved);
}

cold_path void timeline_end(void)
{
	int saved = errno;
	struct signals signals = signals_block();

	lock_enter(&timeline_lock);
	if (line.most)
		(void)write_asked(MT_POINT_END, 0);
	leave_locked(signals, saved);
}

cold_path void timeline_peaks_reset(void)
{
	uint64_t peak = trace.header->peak_bytes;

	if (!line.most)
		return;
	read_clock();
	store_relaxed(&trace.header->peak_ns, line.last);
	trace.header->peak_site = 0;
	line.epoch = trace.header->epoch;
	line.next_point = plus_part(peak, POINT_PART, POINT_LEAST);
	timeline_next_peak = (int64_t)plus_part(peak, NOTE_PART, NOTE_LEAST);
}

/* The first event makes a point. Those that are there stay in the table, unused. */
void timeline_clear(void)
{
	if (!line.most)
		return;
	for (uint32_t i = 0; i < line.used; i++)
		store_release(&trace.points[line.order[i]].kind, MT_POINT_UNUSED);
	line.used = line.marks = 0;
	free_shares();
	line.interval = FIRST_INTERVAL;
	line.period = 1;
	line.events = line.work = 0;
	store_relaxed(&timeline_left, line.period);
	store_relaxed(&timeline_peak_is_new, false);
	timeline_low = INT64_MIN;
	timeline_peaks_reset();
}

/* ---- the start */

static bool is_wanted(void)
{
	return config.timeline && !config.sample.mean &&
	       !(trace.header->flags & MT_NOTE_OWN_MALLOC);
}

/* In a child the times go on from the parent's start, the table begins anew. */
void timeline_begin(void)
{
	uint64_t peak = trace.header->peak_bytes, epoch = line.epoch;
	uint32_t most = config.timeline > LEAST_POINTS ? config.timeline : LEAST_POINTS;
	uint32_t *order = line.order;

	if (!start)
		start = os_steady_time() - (os_time() - trace.header->start_ns);
	if (!is_wanted() || (!own_stack && !(own_stack = os_map(STACK_SIZE))) ||
		(!order && !(order = os_map(most * sizeof(*order)))))
		return;
	memset(&line, 0, sizeof(line));
	line.most = most;
	line.order = order;
	line.shares_most =
		most < SHARES_OF_ALL / SHARES_ON_AVERAGE ? most * SHARES_ON_AVERAGE : SHARES_OF_ALL;
	line.interval = FIRST_INTERVAL;
	line.period = 1; /* the first event makes a point */
	line.epoch = epoch;
	line.next_point = plus_part(peak, POINT_PART, POINT_LEAST);
	timeline_next_peak = peak ? (int64_t)plus_part(peak, NOTE_PART, NOTE_LEAST) : (int64_t)peak;
	timeline_left = line.period;
}

void timeline_forked(void)
{
	timeline_lock.word = 0;
	timeline_left = timeline_next_peak = INT64_MAX;
	timeline_peak_is_new = false;
	timeline_low = INT64_MIN;
	line.most = 0;
	memset(&rss, 0, sizeof(rss));
}
