/* SPDX-License-Identifier: MIT */
/*
 * strbuf.h - a text that grows. Always zero-terminated once something was added; starts as { 0 }.
 */
#ifndef MTRACER_STRBUF_H
#define MTRACER_STRBUF_H

#include <stddef.h>

struct strbuf {
	char *text;  /* NULL while empty and never used; use strbuf_text() to read */
	size_t size; /* bytes, without the terminating zero */
	size_t room;
};

void strbuf_add(struct strbuf *s, const char *text);
void strbuf_add_bytes(struct strbuf *s, const char *bytes, size_t size);
void strbuf_addf(struct strbuf *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds a text of unknown origin for the eyes: control characters, those that turn the order of
 * others around, and broken UTF-8 become '?'. Tabs become spaces. */
void strbuf_add_clean(struct strbuf *s, const char *text);

/* A clean name in a stack "main;parse;read_line": where it has a semicolon, a colon stands, and for
 * blanks an underscore, since there is no way to quote. */
void strbuf_add_folded(struct strbuf *s, const char *name);

const char *strbuf_text(const struct strbuf *s); /* "" while empty; valid until the next change */
void strbuf_clear(struct strbuf *s);		 /* empty, room kept */
void strbuf_release(struct strbuf *s);

/* Bytes of the UTF-8 character that `text` starts with; 0 where it isn't valid. */
size_t utf8_character(const char *text);

#endif
