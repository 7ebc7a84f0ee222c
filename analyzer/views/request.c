/* SPDX-License-Identifier: MIT */
/* request.c - writes requests into a header, and polls it for the answer. */
#include "analyzer/views/request.h"
#include "analyzer/base/clock.h"
#include "analyzer/base/log.h"
#include "analyzer/base/progress.h"
#include "analyzer/trace/moment.h"
#include "analyzer/trace/process.h"
#include "analyzer/trace/recognize.h"
#include "preload/trace_format.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>

/* What one waits for. */
struct awaited {
	/* "checks for leaks", "checked for leaks", and the command to go on with when it has ended */
	const char *does, *did, *command;
	uint64_t number;
	uint64_t wait_seconds;
	uint64_t (*answer)(const struct mt_header *h);
	bool (*is_done)(const struct mt_header *h); /* once it was taken */
};

/* The request, and then the mark that makes the library look for one at its next event. */
static void write_number(struct mt_header *header, uint64_t *field, uint64_t number)
{
	__atomic_store_n(field, number, __ATOMIC_RELEASE);
	__atomic_or_fetch(&header->enabled, MT_ENABLED_LOOK, __ATOMIC_ACQ_REL);
}

static int say_not_mapped(const struct livetrace *live)
{
	return error("%s: cannot be mapped: %s", live->path, strerror(errno));
}

static bool has_ended(const struct livetrace *live, const struct mt_header *h)
{
	return process_start_ticks((pid_t)live->pid) != h->start_ticks ||
	       h->state == MT_STATE_EXITED;
}

static int say_no_answer(
	const struct livetrace *live, const struct mt_header *h, const struct awaited *a)
{
	if (has_ended(live, h))
		return error("process %u: ended before it %s; see 'mtracer %s %s'", live->pid,
			a->did, a->command, live->path);
	if (a->answer(h) >= a->number)
		return error("process %u: has not %s within %llu s; increase --wait", live->pid,
			a->did, (unsigned long long)a->wait_seconds);
	return error(
		"process %u: no allocation within %llu s, which is when it %s; increase --wait",
		live->pid, (unsigned long long)a->wait_seconds, a->does);
}

static int await(struct livetrace *live, const struct awaited *a)
{
	uint64_t begun = clock_ns(CLOCK_MONOTONIC);
	uint64_t limit = a->wait_seconds < 1000000 ? a->wait_seconds * 1000000000 : UINT64_MAX;
	struct mt_header h;
	bool last;

	progress_say("waiting for the next allocation of process %u", live->pid);
	do {
		last = clock_ns(CLOCK_MONOTONIC) - begun > limit;
		if (!trace_read_header(live->fd, &h))
			return error("%s: not a trace any more", live->path);
		last = last || has_ended(live, &h);
		/* read anew: it may have been taken just before the end */
		if (last && !trace_read_header(live->fd, &h))
			return error("%s: not a trace any more", live->path);
		if (a->answer(&h) >= a->number && a->is_done(&h))
			return EXIT_OK;
		if (!last)
			pause_ms(5);
	} while (!last);
	return say_no_answer(live, &h, a);
}

/* ---- a search for leaks */

static uint64_t scan_answer(const struct mt_header *h)
{
	return h->scan_answer;
}

/* A report says why there is no verdict. */
static bool is_scanned(const struct mt_header *h)
{
	return h->scan_state == MT_SCAN_DONE || h->scan_state == MT_SCAN_FAILED;
}

int request_scan(struct livetrace *live, uint64_t wait_seconds)
{
	struct awaited a = { "checks for leaks", "checked for leaks", "leaks", 0, wait_seconds,
		scan_answer, is_scanned };
	struct mt_header *header = livetrace_map(live);
	int status;

	if (!header)
		return say_not_mapped(live);
	a.number = (header->scan_request > header->scan_answer ? header->scan_request
							       : header->scan_answer) +
		   1;
	write_number(header, &header->scan_request, a.number);
	status = await(live, &a);
	if (status != EXIT_OK && header->scan_answer < a.number)
		write_number(header, &header->scan_request,
			header->scan_answer); /* nobody waits any more */
	return status;
}

/* ---- recording */

int request_recording(struct livetrace *live, bool on, bool *already)
{
	struct mt_header *header = livetrace_map(live);
	uint64_t before;

	if (!header)
		return say_not_mapped(live);
	if (on)
		before = __atomic_fetch_or(&header->enabled, MT_ENABLED_RECORD, __ATOMIC_ACQ_REL);
	else
		before = __atomic_fetch_and(
			&header->enabled, ~(uint64_t)MT_ENABLED_RECORD, __ATOMIC_ACQ_REL);
	*already = on == !!(before & MT_ENABLED_RECORD);
	return EXIT_OK;
}

/* ---- the others */

static uint64_t answer(const struct mt_header *h)
{
	return h->request.answer;
}

static bool is_taken(const struct mt_header *h)
{
	(void)h;
	return true;
}

/* One at a time: whoever writes one holds the file's lock until it was taken. */
static int lock(struct livetrace *live, uint64_t wait_seconds)
{
	uint64_t begun = clock_ns(CLOCK_MONOTONIC);

	while (flock(live->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error("%s: cannot be locked: %s", live->path, strerror(errno));
		if ((clock_ns(CLOCK_MONOTONIC) - begun) / 1000000000 >= wait_seconds)
			return error("process %u: another request is still waiting; increase "
				     "--wait",
				live->pid);
		pause_ms(5);
	}
	return EXIT_OK;
}

/* What one kind of request is called, and from which format on libraries take it. */
struct kind {
	const char *does, *did;
	uint16_t version;
};

static const struct kind kinds[] = {
	[MT_REQUEST_RESET_PEAK] = { "resets its peaks", "reset its peaks", 2 },
	[MT_REQUEST_MARK] = { "makes the mark", "made the mark", 2 },
	[MT_REQUEST_SNAPSHOT] = { "keeps the snapshot", "kept the snapshot", 3 },
};

/* Nobody else asks for one meanwhile; the process itself may take one. */
static int check_new(const struct livetrace *live, const char *label)
{
	char why[512];
	struct trace *t = trace_open(live->path, why, sizeof(why));
	bool found = t && trace_find_snapshot(t, label);

	trace_free(t);
	if (!t)
		return error("%s: %s", live->path, why);
	if (found)
		return error("process %u: has a snapshot '%s' already", live->pid, label);
	return EXIT_OK;
}

/* Of what a process may have had no room for. */
struct kept {
	uint64_t lost_marks, lost_snapshots;
};

static struct kept count_kept(const struct mt_header *h)
{
	return (struct kept){ __atomic_load_n(&h->lost_marks, __ATOMIC_ACQUIRE),
		__atomic_load_n(&h->lost_snapshots, __ATOMIC_ACQUIRE) };
}

static int check_kept(const struct livetrace *live, uint32_t kind, struct kept before)
{
	const struct mt_header *h = live->header;
	struct kept now = count_kept(h);

	if (kind == MT_REQUEST_MARK &&
		__atomic_load_n(&h->tables[MT_POINTS].count, __ATOMIC_ACQUIRE) == 0)
		return error("process %u: keeps no points of its curve, so no marks "
			     "(MTRACE_TIMELINE=0, or sampled)",
			live->pid);
	if (kind == MT_REQUEST_MARK && now.lost_marks > before.lost_marks)
		return error("process %u: has no room for more marks (MTRACE_TIMELINE)", live->pid);
	if (kind == MT_REQUEST_SNAPSHOT && now.lost_snapshots > before.lost_snapshots)
		return error("process %u: has no room for more than %llu snapshot%s "
			     "(MTRACE_SNAPSHOTS, or the disk)",
			live->pid, (unsigned long long)h->tables[MT_SNAPSHOTS].count,
			h->tables[MT_SNAPSHOTS].count == 1 ? "" : "s");
	return EXIT_OK;
}

static int write_request(
	struct livetrace *live, uint32_t kind, const char *label, uint64_t wait_seconds)
{
	struct mt_header *header = live->header;
	struct awaited a = { kinds[kind].does, kinds[kind].did, "report", 0, wait_seconds, answer,
		is_taken };
	struct kept before = count_kept(header);
	int status;

	header->request.kind = kind;
	memset(header->request.label, 0, sizeof(header->request.label));
	memcpy(header->request.label, label, strlen(label));
	a.number = __atomic_load_n(&header->request.answer, __ATOMIC_ACQUIRE) + 1;
	write_number(header, &header->request.number, a.number);
	status = await(live, &a);
	if (status != EXIT_OK) /* nobody waits any more */
		write_number(header, &header->request.number, header->request.answer);
	return status == EXIT_OK ? check_kept(live, kind, before) : status;
}

int request_make(struct livetrace *live, uint32_t kind, const char *label, uint64_t wait_seconds)
{
	struct mt_header *header = livetrace_map(live);
	int status;

	if (!header)
		return say_not_mapped(live);
	if (header->version < kinds[kind].version)
		return error(
			"%s: written by an older library, which takes no such request", live->path);
	status = lock(live, wait_seconds);
	if (status != EXIT_OK)
		return status;
	if (kind == MT_REQUEST_SNAPSHOT)
		status = check_new(live, label);
	if (status == EXIT_OK)
		status = write_request(live, kind, label, wait_seconds);
	flock(live->fd, LOCK_UN);
	return status;
}
