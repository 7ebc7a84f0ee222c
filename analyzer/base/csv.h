/* SPDX-License-Identifier: MIT */
/*
 * csv.h - comma-separated values, quoted as RFC 4180 says; lines end as other tools' do, in a
 * newline.
 * Rows are written by json_start_csv().
 */
#ifndef MTRACER_CSV_H
#define MTRACER_CSV_H

#include <stdio.h>

/* A text as a field; nothing for NULL. What a spreadsheet would take for a formula gets an apostrophe
 * in front, as one would type it there. */
void csv_field(const char *text, FILE *out);

#endif
