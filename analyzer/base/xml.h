/* SPDX-License-Identifier: MIT */
/*
 * xml.h - texts of unknown origin in XML, for the eyes of people and the parsers of programs.
 */
#ifndef MTRACER_XML_H
#define MTRACER_XML_H

struct strbuf;

/* Adds the text as UTF-8 in which everything can be seen: control characters, those that turn the
 * direction of a text or have no width become "\u202e", and bytes that are no UTF-8 "\xe9". */
void strbuf_add_visible(struct strbuf *s, const char *text);

/* Adds clean UTF-8 as character data, or as an attribute's value between double quotes. */
void strbuf_add_xml(struct strbuf *s, const char *text);

#endif
