/* SPDX-License-Identifier: MIT */
/* gzip.h - a stream that compresses what is written to it. */
#ifndef MTRACER_GZIP_H
#define MTRACER_GZIP_H

#include <stdio.h>

/* Writes to `out` in gzip's format. fclose() writes the rest and leaves `out` open; like writes, it
 * fails where `out` can't be written. */
FILE *gzip_open(FILE *out);

#endif
