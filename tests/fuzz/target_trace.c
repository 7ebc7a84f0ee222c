/* SPDX-License-Identifier: MIT */
/* target_trace.c - the reader of traces, and the numbers that all views are made of. */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "analyzer/print/notes.h"
#include "analyzer/views/tally.h"
#include "analyzer/trace/moment.h"
#include "analyzer/trace/trace.h"

/* Whatever trace_open() lets pass can be followed: every stack ends, every text too. */
static void follow(const struct trace *t)
{
	uint64_t steps = 0;

	for (uint32_t i = 1; i < t->site_count; i++) {
		uint32_t node = t->site_info[i].node;

		for (; node >= MT_NODE_FIRST; node = t->nodes[node].parent, steps++)
			target_expect(
				t->nodes[node].frame < t->frame_count, "a node without frame");
	}
	for (uint32_t i = 1; i < t->module_count; i++)
		steps += trace_string(t, t->modules[i].path)[0] != 0;
	target_expect(steps < UINT64_MAX, "no end");
}

/* The trace's last use. */
static void go_to_last_snapshot(struct trace *t)
{
	char label[256], why[512] = "";
	struct tally tally;

	if (!t->snapshot_count)
		return;
	snprintf(label, sizeof(label), "%s",
		trace_string(t, t->snapshots[t->snapshot_count - 1].label));
	if (!trace_go_to(t, label, why, sizeof(why)))
		target_expect(why[0], "an error that isn't told");
	tally_init(&tally, t);
	tally_release(&tally);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[TARGET_PATH], why[256] = "";
	int fd = target_sparse_file(data, size, path);
	struct trace *t = trace_open(path, why, sizeof(why));
	struct tally tally;
	struct notes notes;

	close(fd);
	if (!t) {
		target_expect(why[0], "an error that isn't told");
		return 0;
	}
	follow(t);
	tally_init(&tally, t);
	free(lane_measures(t));
	tally_release(&tally);
	notes = notes_of(t);
	notes_release(&notes);
	go_to_last_snapshot(t);
	trace_free(t);
	return 0;
}
