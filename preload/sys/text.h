/* SPDX-License-Identifier: MIT */
/* text.h - formatting without stdio or memory. */
#ifndef MTRACE_TEXT_H
#define MTRACE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

struct text {
	char *buffer;
	size_t size; /* of the buffer */
	size_t used; /* without the terminating zero, which is always there; what doesn't fit is cut
		      */
};

void text_init(struct text *t, char *buffer, size_t size);
void text_add(struct text *t, const char *s);
void text_add_bytes(struct text *t, const char *s, size_t n);
void text_add_number(struct text *t, uint64_t n);
bool text_to_number(const char *s, uint64_t *n);   /* decimal, all of s */
const char *text_hex(const char *s, uintptr_t *n); /* without 0x; returns what is behind it */

#pragma GCC visibility pop

#endif
