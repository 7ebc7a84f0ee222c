/* SPDX-License-Identifier: MIT */
/*
 * fold.h - output that fits a terminal: lines that are longer than it is wide are broken between
 * words, and what can be shortened asks for the width first.
 */
#ifndef MTRACER_FOLD_H
#define MTRACER_FOLD_H

#include <stddef.h>
#include <stdio.h>

struct strbuf;

/* From now on *stream, which is stdout or stderr, writes lines of at most `width` columns to the
 * descriptor. SIZE_MAX changes nothing. One stream at a time. */
void fold_start(FILE **stream, int fd, size_t width);

/* Writes what is left, and puts the stream back. */
void fold_finish(void);

/* The columns that output has; SIZE_MAX unless fold_start() limited them. */
size_t output_width(void);

/* Adds one line, without its end, in as many as it takes. Escape sequences have no width. */
void fold_line(struct strbuf *out, const char *line, size_t width);

#endif
