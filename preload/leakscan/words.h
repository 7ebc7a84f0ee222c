/* SPDX-License-Identifier: MIT */
/*
 * words.h - the words in a stretch of memory that may be addresses of blocks. What can't be read,
 * as a program may have protected pages of its heap, is left out, and so are pages of private
 * memory that were never touched.
 */
#ifndef MTRACE_WORDS_H
#define MTRACE_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include "preload/leakscan/sift.h"

#define WORDS_MOST 512u /* at a time: of a page */

struct stretch {
	uintptr_t at, end;
	bool private;	/* without a file */
	bool careful;	/* a page of it couldn't be read: the others are asked for before */
	unsigned blank; /* pages in a row that seem to be zeros */
};

#pragma GCC visibility push(hidden)

/* In a process of the scan's own: its faults are handled. */
void words_init(void);

/* Goes on by a page at the most, or past what needs no look, and finds words that are in one of the
 * ranges. `found` has room for WORDS_MOST and SIFT_SPARE more. */
size_t words_read(struct stretch *s, const struct sift_range ranges[2], uintptr_t *found);

bool word_read(uintptr_t address, uintptr_t *word); /* of 8 bytes' alignment */

#pragma GCC visibility pop

#endif
