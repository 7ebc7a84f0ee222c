/* SPDX-License-Identifier: MIT */
/* tracefile.h - the mapped trace. */
#ifndef MTRACE_TRACEFILE_H
#define MTRACE_TRACEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/sys/lock.h"
#include "preload/trace_format.h"

#pragma GCC visibility push(hidden)

/* The tables, each at one address for the whole life of the process. */
struct trace {
	struct mt_header *header;
	struct mt_frame *frames;
	struct mt_node *nodes;
	struct mt_site *sites;
	struct mt_site_info *site_info;
	struct mt_call *calls;
	struct mt_published *published;
	struct mt_lane *lanes;
	struct mt_entry *entries;
	struct mt_module *modules;
	char *strings;
	struct mt_foreign *foreign;
	struct mt_leak *leaks;
	struct mt_held *held;
	struct mt_slack *slack; /* with MTRACE_SLACK=1 */
	struct mt_estimate *estimates;
	struct mt_point *points;
	struct mt_share *shares;
	struct mt_snapshot *snapshots;
	struct mt_snapshot_row *snapshot_rows;
};

extern struct trace trace;

static inline void count_lost(enum mt_loss why)
{
	add_relaxed(&trace.header->lost[why], 1);
}

extern struct lock tables_lock; /* over every growing table and the hash tables over them */

bool tracefile_create(const char *program); /* false has been explained */
bool tracefile_room(enum mt_table_id table,
	uint64_t count); /* grows the table to hold `count` records; under tables_lock */
bool tracefile_room_if_any(enum mt_table_id table,
	uint64_t count); /* as tracefile_room(), for what a trace is whole without */
/* Of somebody who doesn't hold the lock, for `wanted` records or else `count`. */
bool tracefile_find_room(enum mt_table_id table, uint64_t count, uint64_t wanted);
void tracefile_grow_ahead(void); /* while it still may grow; under tables_lock */
bool tracefile_in_memory(enum mt_table_id table, uint64_t count); /* instead; not for readers */
bool tracefile_is_in_memory(enum mt_table_id table);
bool tracefile_has_room(enum mt_table_id table, uint64_t count);
uint32_t tracefile_string(const char *s,
	size_t size); /* size without the zero that is added; 0 when there is no room */
const char *tracefile_path(void);
int tracefile_descriptor(void); /* -1: there is none */
void tracefile_discard(void);	/* when something else is missing; gives all back */
void tracefile_leave(
	void); /* in a fork child that can't have a trace: maps nothing of the parent's any more */
size_t tracefile_bytes(void);

/* What a fork child starts from: copies of what the parent goes on changing. */
struct tracefile_copy {
	size_t size;
	struct mt_header *header;
	unsigned char *tables[MT_TABLES_USED]; /* NULL: append-only, read where it is */
};
struct tracefile_copy *tracefile_copy(void); /* NULL when there is no memory */
void tracefile_copy_free(struct tracefile_copy *copy);
bool tracefile_fork(
	struct tracefile_copy *copy); /* in the child: a trace of its own, at the same addresses */

#pragma GCC visibility pop

#endif
