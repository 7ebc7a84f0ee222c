/* SPDX-License-Identifier: MIT */
/*
 * trace_builder.h - makes traces for tests, without the library: a slow and plain ledger behind the
 * real format.
 *
 * Events are told one after the other as they would happen in a program; the builder keeps every
 * site's and line's current bytes and peaks, and copies all of them at each new peak of the
 * program. What it writes follows the same rules as the library's traces (at-peak by epochs, lines
 * by the innermost frame that is no wrapper), found by other means.
 *
 * builder_read() takes the same as text, for the traces under tests/golden; its lines are described
 * there in README.md.
 */
#ifndef TESTS_TRACE_BUILDER_H
#define TESTS_TRACE_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "preload/trace_format.h"

struct builder;

struct builder *builder_new(void);
void builder_free(struct builder *b);

/* The header as it will be written, but for the directory; fields may be set at any time. */
struct mt_header *builder_header(struct builder *b);

void builder_program(struct builder *b, const char *path);
void builder_argument(struct builder *b, const char *argument);

/* All return the index of the new record, or of an equal older one. */
uint32_t builder_string(struct builder *b, const char *text);
uint32_t builder_module(struct builder *b, const char *path, uint64_t bias, uint64_t start,
	uint64_t end, uint16_t flags);
uint32_t builder_frame(struct builder *b, uint32_t module, uint64_t address, uint32_t flags);

/* A site whose stack is `frames`, innermost first, above `root` (MT_NODE_ROOT, ...). */
uint32_t builder_site(
	struct builder *b, uint32_t root, uint32_t kind, const uint32_t *frames, size_t count);

/* Lane 0 exists from the start and is the only one until the first call. */
uint32_t builder_thread(struct builder *b, const char *name, uint32_t tid);

/* In the first thread while it is alone, otherwise in lane `lane`. */
void builder_alloc(struct builder *b, uint32_t lane, uint32_t site, uint64_t bytes, bool temporary);
void builder_release(struct builder *b, uint32_t lane, uint32_t site, uint64_t bytes);

void builder_foreign(struct builder *b, const uint32_t *frames, size_t count, uint64_t frees);

void builder_held(
	struct builder *b, uint32_t owner, uint32_t site, uint64_t bytes, uint64_t blocks);
void builder_leak(struct builder *b, uint32_t site, uint32_t kind, uint64_t bytes, uint64_t blocks);

/* A point of the kind MT_POINT_*, and what a site had at the last one. */
void builder_point(struct builder *b, uint32_t kind, uint64_t ns, const char *label);
void builder_share(struct builder *b, uint32_t site, uint64_t bytes);

/* The state so far, under a label. */
void builder_snapshot(struct builder *b, uint64_t ns, const char *label);
void builder_symbol(struct builder *b, uint32_t frame, const char *function, const char *file,
	uint32_t line, uint32_t flags);

/* Direct access to a table's records, for tests that damage them; valid until the next call. */
void *builder_table(struct builder *b, enum mt_table_id table, uint64_t *count);

/* Records of a table are written this many bytes long, zeros behind: as by a newer writer. */
void builder_longer_records(struct builder *b, enum mt_table_id table, uint32_t size);

/* What the ledger says, to compare with. */
struct builder_truth {
	uint64_t current_bytes, peak_bytes, at_peak_bytes, allocated_bytes, allocations;
};
struct builder_truth builder_site_truth(const struct builder *b, uint32_t site);

/* The whole trace. Caller frees. */
unsigned char *builder_bytes(struct builder *b, size_t *size);
bool builder_write(struct builder *b, const char *path);

/* Reads a description. False after a message on stderr. */
bool builder_read(struct builder *b, FILE *in, const char *name);

#endif
