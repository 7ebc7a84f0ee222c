/* SPDX-License-Identifier: MIT */
/*
 * source.h - lines of source files, each file read once, wherever it lies on this machine.
 *
 * The paths come from debug information and may name anything: only regular text files of a
 * sensible size are read. A file is looked for, in this order,
 *   - where a map says: FROM replaced by TO at the start of its path;
 *   - in each directory, by as much of the end of its path as leads to a file there: for
 *     /build/app/lib/table.c and the directory D these are D/build/app/lib/table.c,
 *     D/app/lib/table.c, D/lib/table.c and D/table.c;
 *   - below the root; and at its own path.
 */
#ifndef MTRACER_SOURCE_H
#define MTRACER_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct resolver;
struct source_cache;

struct source_cache *source_cache_new(void);
void source_cache_free(struct source_cache *cache); /* NULL is ok */

/* Where to look; before the first file is asked for. The texts must outlive the cache. */
void source_add_directory(struct source_cache *cache, const char *directory);
void source_set_root(struct source_cache *cache, const char *root);
/* "FROM=TO"; false where it isn't. */
bool source_add_map(struct source_cache *cache, const char *map);

/* Owned by the cache. */
struct source_file {
	const char *found;   /* path of the file that was read; NULL = none */
	const char *problem; /* why there is none: "no such file or directory"; NULL = ok */
	uint32_t lines;
	int64_t changed_ns; /* when it was last written, since the epoch */
};
const struct source_file *source_find(struct source_cache *cache, const char *file);

/*
 * Whether a file is another one than was compiled into a frame's module, so that its lines may be
 * others: by its contents, where the debug information has their sum, else by its time, which also
 * changes when it is only checked out anew. source_complaint() says so of all such files in one
 * line, owned by the cache; NULL = there are none.
 */
bool source_is_other(struct source_cache *cache, const char *file, const struct resolver *resolver,
	const char *module);
const char *source_complaint(struct source_cache *cache);

/* A line (1 is the first) without its end, tabs kept; owned by the cache. NULL = the file can't be
 * read, isn't text, or has no such line. */
const char *source_line(struct source_cache *cache, const char *file, uint32_t line);

#endif
