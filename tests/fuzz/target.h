/* SPDX-License-Identifier: MIT */
/*
 * target.h - what the fuzz targets share.
 *
 * A target is one function, LLVMFuzzerTestOneInput(), in target_NAME.c. libFuzzer and AFL++ bring a
 * main() of their own; replay.c is one that needs neither. README.md has the targets.
 */
#ifndef TESTS_FUZZ_TARGET_H
#define TESTS_FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ASan reserves all addresses and reports crashes itself: no limit and no handlers beside it. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#define TARGET_PATH 40 /* bytes of a path that target_file() writes */

/* A file that holds these bytes, for code that wants a path. The descriptor is the caller's to
 * close, and the file is gone then. */
int target_file(const uint8_t *data, size_t size, char path[TARGET_PATH]);

/*
 * The same for a trace that is written sparsely, since traces are mostly zeros, and a fuzzer should
 * find what isn't. The bytes are: size of the file (3, little-endian), then pieces: offset (3),
 * size (2), and so many bytes. All else is zero.
 */
int target_sparse_file(const uint8_t *data, size_t size, char path[TARGET_PATH]);
size_t target_sparse(
	const uint8_t *file, size_t size, uint8_t *to); /* to: 2 * size + 3 bytes of room */

/* Opens these bytes as a trace: it is one, or there is an error that says why not. */
void target_trace(const uint8_t *data, size_t size);

/* A text with a terminating zero; the caller frees it. */
char *target_text(const uint8_t *data, size_t size);

/*
 * Runs `mtracer COMMAND OPTION... PATH` by the number of one of many command lines; `other` is a
 * trace to compare with. False unless its exit status is 0, 1, or 2 with exactly one error line on
 * stderr.
 */
bool target_command(unsigned number, const char *path, const char *other);
unsigned target_command_count(void);

/* Where that isn't so: says what was wrong, and aborts. */
void target_expect(bool ok, const char *what);

#endif
