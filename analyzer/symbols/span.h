/* SPDX-License-Identifier: MIT */
/*
 * span.h - where a function begins and ends in the text of its source file.
 *
 * Debug information tells the line of its name and the lines with code; to read it, one wants the
 * return type or the template's head above and the closing brace below.
 */
#ifndef MTRACER_SPAN_H
#define MTRACER_SPAN_H

#include "analyzer/symbols/source.h"
#include "analyzer/symbols/symbolize.h"

/* Widens `known`, but not up to the line `before` (UINT32_MAX = no limit). By the indentation of
 * the text; as known where that tells nothing, or the file can't be read. */
struct extent function_span(
	struct source_cache *sources, const char *file, struct extent known, uint32_t before);

#endif
