/*
 * source.h - lines of source files, each file read once.
 *
 * The paths come from debug information and may name anything: only regular text files of a
 * sensible size are read.
 */
#ifndef MTRACER_SOURCE_H
#define MTRACER_SOURCE_H

#include <stdint.h>

struct source_cache;

struct source_cache *source_cache_new(void);
void source_cache_free(struct source_cache *cache); /* NULL is fine */

/* A line (1 is the first) without its end, tabs kept; owned by the cache. NULL = the file can't be
 * read, isn't text, or has no such line. */
const char *source_line(struct source_cache *cache, const char *file, uint32_t line);

#endif
