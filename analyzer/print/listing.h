/* SPDX-License-Identifier: MIT */
/*
 * listing.h - annotated functions as people read them: their source, the memory of each line beside
 * it.
 */
#ifndef MTRACER_LISTING_H
#define MTRACER_LISTING_H

#include "analyzer/symbols/source.h"
#include "analyzer/views/annotation.h"

struct paths;

struct listing_options {
	enum sort_key key; /* what decides which lines are hot, and what "incl." shows */
	uint32_t context;  /* lines kept around a line with figures; UINT32_MAX = fold nothing */
	size_t width;	   /* columns; SIZE_MAX = as wide as it gets */
	const struct resolver *resolver;
};

struct listing;

struct listing *listing_new(const struct annotation *annotation, struct source_cache *sources,
	struct paths *paths, const struct listing_options *options);
void listing_free(struct listing *l);

/* Adds a chosen function. All of them line up. Those without known lines come last, in a table. */
void listing_add(struct listing *l, const struct annotated *function);
void listing_print(struct listing *l);

#endif
