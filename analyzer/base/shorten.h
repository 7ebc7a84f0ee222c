/* SPDX-License-Identifier: MIT */
/*
 * shorten.h - names and paths made to fit, so that what tells them apart stays.
 *
 * Texts are clean UTF-8 (strbuf_add_clean()), widths are columns.
 */
#ifndef MTRACER_SHORTEN_H
#define MTRACER_SHORTEN_H

#include <stddef.h>

struct strbuf;

/* A function: template arguments go first, then its parameters, outer namespaces, and its end:
 * "std::vector<…>::push_back(…)". */
void strbuf_add_name(struct strbuf *s, const char *name, size_t width);

/* A path, maybe with a line: directories in the middle go first: "src/…/table.c:12". */
void strbuf_add_path(struct strbuf *s, const char *path, size_t width);

/* "name  path", where both fit as well as they can. Either may be empty. */
void strbuf_add_call(struct strbuf *s, const char *name, const char *path, size_t width);

#endif
