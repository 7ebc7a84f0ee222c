/* SPDX-License-Identifier: MIT */
/*
 * slack.h - with MTRACE_SLACK=1: what an allocator gives beyond what was asked for.
 *
 * It is asked for each block's usable size when the block is made and before it goes; meanwhile
 * that doesn't change. The sums by site are added to atomically: simple, and nobody pays who
 * doesn't ask.
 */
#ifndef MTRACE_SLACK_H
#define MTRACE_SLACK_H

#include <stdint.h>

#include "preload/store/slots.h"

#pragma GCC visibility push(hidden)

void slack_init(void); /* may say that it isn't possible, and turn it off */

uint32_t slack_of(const void *p, struct block b); /* bytes; 0 of a block that isn't known */

/* `bytes` of a block; when sampling, of all that it stands for. */
void slack_add(struct block b, uint32_t bytes);
void slack_subtract(struct block b, uint32_t bytes);

#pragma GCC visibility pop

#endif
