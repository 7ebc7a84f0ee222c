/* SPDX-License-Identifier: MIT */
/*
 * trace_write.h - makes trace files: copies with symbols, and sums of several.
 *
 * A writer collects records by table; what it makes is whole at once, one extent for each table,
 * and follows preload/FORMAT.md like what the library writes.
 */
#ifndef MTRACER_TRACE_WRITE_H
#define MTRACER_TRACE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/base/hashmap.h"
#include "preload/trace_format.h"

struct resolver;
struct trace;

struct trace_writer {
	struct mt_header header; /* to be filled in, but for versions, sizes and directory */
	unsigned char *tables[MT_TABLES_USED];
	uint32_t counts[MT_TABLES_USED];
	size_t rooms[MT_TABLES_USED]; /* bytes */
	struct hashmap strings;	      /* that were added one by one, by their text */
};

/* With the unused first records of each table, and the roots of stacks. */
void trace_writer_init(struct trace_writer *w);

/* With all that a trace holds, its symbols if they are wanted; its state is what it is now, for
 * good. */
void trace_writer_copy(struct trace_writer *w, const struct trace *trace, bool symbols);
void trace_writer_release(struct trace_writer *w);

/* Appends records of this version; returns the index of the first. */
uint32_t trace_writer_add(
	struct trace_writer *w, enum mt_table_id table, const void *records, uint32_t count);
uint32_t trace_writer_string(struct trace_writer *w, const char *text); /* each text once */
struct mt_text trace_writer_text(struct trace_writer *w, const char *bytes, uint32_t size);

/* A record, valid until the next is added. */
void *trace_writer_at(const struct trace_writer *w, enum mt_table_id table, uint32_t index);

/* The names and lines of a frame. Frames must come in the order of their indexes in the writer. */
void trace_writer_symbols(
	struct trace_writer *w, uint32_t frame, struct resolver *resolver, uint32_t resolver_frame);

/*
 * Writes the file, packed where `packed` is set; *size is what it came to. What was there is
 * replaced if it was a trace, and only once the new one is whole. EXIT_OK, or EXIT_ERROR after
 * one line on stderr.
 */
int trace_writer_save(struct trace_writer *w, const char *path, bool packed, uint64_t *size);

/* What the file would hold; the caller frees it. */
unsigned char *trace_writer_bytes(struct trace_writer *w, size_t *size);

#endif
