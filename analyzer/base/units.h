/* SPDX-License-Identifier: MIT */
/*
 * units.h - bytes, counts, times and shares as people read them. IEC units only: KiB is 1024 bytes.
 *
 * Each formatter writes into `text` (UNIT_TEXT bytes are always enough) and returns it.
 */
#ifndef MTRACER_UNITS_H
#define MTRACER_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNIT_TEXT 32

char *format_bytes(
	char text[UNIT_TEXT], int64_t bytes); /* "0 B", "1000 B", "1.50 KiB", "-3.2 MiB" */
char *format_count(char text[UNIT_TEXT], int64_t count);  /* "1234567" */
char *format_duration(char text[UNIT_TEXT], uint64_t ns); /* "0.42 ms", "12.3 s", "3 min 04 s" */
char *format_share(
	char text[UNIT_TEXT], uint64_t part, uint64_t whole); /* "12.3 %"; "" where whole is 0 */

/* " ±4 %": the standard error of an estimate, for behind it; "" where it is 0 or the estimate
 * is. */
char *format_error(char text[UNIT_TEXT], uint64_t error, int64_t estimate);

/* part / whole as a percentage, 0 where whole is 0. */
double percent_of(uint64_t part, uint64_t whole);

/* "4096", "64KiB", "1.5M", "2 GB" (all units are IEC). False where it isn't a size or doesn't
 * fit. */
bool parse_size(const char *text, uint64_t *bytes);

#endif
