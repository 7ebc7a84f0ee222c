/* SPDX-License-Identifier: MIT */
/*
 * imports.h - the functions that one loaded library calls of others.
 *
 * A library calls them through words that the loader filled in, one for each function. To replace
 * one there changes what that library calls, and nothing else in the process.
 */
#ifndef MTRACE_IMPORTS_H
#define MTRACE_IMPORTS_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

/* `library` is dlopen()'s, with RTLD_NOW. Returns what was called before; NULL: it calls no such
 * function, or the word can't be written. */
void *imports_replace(void *library, const char *function, void *by);

/* Names the libraries that call the next definitions of free and realloc past ours: loaded with
 * RTLD_DEEPBIND. Who asks dlsym for them can't be told. Reads the loader's list without its lock: for
 * a child that may fault. */
void imports_name_others(char *names, size_t size);

#pragma GCC visibility pop
#endif
