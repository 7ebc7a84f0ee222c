/* SPDX-License-Identifier: MIT */
/* recognize.h - whether a file is a trace, and whether a word names one. */
#ifndef MTRACER_RECOGNIZE_H
#define MTRACER_RECOGNIZE_H

#include <stdbool.h>

struct mt_header;

/* Whether the file begins as traces do, packed ones too. */
bool is_trace_file(const char *path);

/* The same without packed ones, which begin like anything that zstd made. */
bool is_plain_trace_file(const char *path);

/* Whether a word that could also be an expression can only be a trace: it is one, or is named like
 * one, whether it exists or not. A moment's name behind an '@' is no part of it. */
bool names_trace(const char *word);
bool names_trace_file(const char *word); /* the same of a whole word: without a moment */

/* The header as it is now, of a plain trace that this version can read. */
bool trace_read_header(int fd, struct mt_header *h);

bool name_ends_in(const char *name, const char *suffix); /* with something in front of it */

#endif
