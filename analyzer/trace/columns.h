/* SPDX-License-Identifier: MIT */
/*
 * columns.h - a plain trace laid out by columns instead of records, for packing: alike numbers come
 * together, most as small differences, so what Zstandard makes of it is half as large.
 *
 *   magic, header, and for each table in turn its columns one behind the other; strings as they are
 *
 * A column has one number of each record, 7 bits a byte, lowest first, the top bit set in all but
 * the last byte of a number. preload/FORMAT.md lists the columns.
 */
#ifndef MTRACER_COLUMNS_H
#define MTRACER_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool is_columns(const void *bytes, size_t size);

/* A plain trace as trace_writer_bytes() makes it, in columns; the caller frees it. What sites held
 * at the peak is brought up to the header's epoch; all else comes back to the byte. */
unsigned char *columns_write(const unsigned char *plain, size_t *size);

/* The reverse. NULL: `bytes` are no whole trace in columns, of this version. What comes out is at
 * most a fixed multiple of `size`, and to be checked like any trace. */
unsigned char *columns_read(const unsigned char *bytes, size_t size, size_t *plain_size);

#endif
