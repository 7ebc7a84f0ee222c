/* SPDX-License-Identifier: MIT */
/*
 * width.h - how wide a text is on a terminal, and texts cut to a width.
 *
 * Texts are clean UTF-8 (strbuf_add_clean()).
 */
#ifndef MTRACER_WIDTH_H
#define MTRACER_WIDTH_H

#include <stddef.h>

struct strbuf;

#define WIDTH_LEAST 40 /* of output: on a narrower terminal lines wrap */

/* In columns: characters of East Asia and pictures take two, combining marks none. */
size_t text_width(const char *text);

/* Adds the text; one that is wider than `width` loses its end to "…". */
void strbuf_add_cut(struct strbuf *s, const char *text, size_t width);

/* The bytes of the text's first character, and its columns. */
size_t character_size(const char *text, size_t *width);

/* The columns of the terminal that the descriptor is, by COLUMNS or its own word; SIZE_MAX where it
 * is none. */
size_t terminal_width(int fd);

#endif
