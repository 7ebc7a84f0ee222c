/* SPDX-License-Identifier: MIT */
/*
 * packing.h - packed traces: a whole trace as one Zstandard frame.
 *
 * Without libzstd (a build option) both directions fail with a text that says so.
 */
#ifndef MTRACER_PACKING_H
#define MTRACER_PACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a file that begins so is packed; four bytes are enough to tell. */
bool is_packed(const void *start, size_t size);

/*
 * What a packed file holds; the caller frees it. NULL on failure, and then `error` says what is
 * wrong. The result is no larger than a trace of `packed_size` bytes can sensibly be, so a small
 * file can't take all memory.
 */
unsigned char *unpack_bytes(
	int fd, uint64_t packed_size, size_t *size, char *error, size_t error_size);

/* The packed form; the caller frees it. NULL as above. */
unsigned char *pack_bytes(
	const void *bytes, size_t size, size_t *packed_size, char *error, size_t error_size);

#endif
