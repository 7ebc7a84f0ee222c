/*
 * imports.h - the functions that one loaded library calls of others.
 *
 * A library calls them through words that the loader filled in, one for each function. To replace
 * one there changes what that library calls, and nothing else in the process.
 */
#ifndef MTRACE_IMPORTS_H
#define MTRACE_IMPORTS_H

#pragma GCC visibility push(hidden)

/* `library` is dlopen()'s, with RTLD_NOW. Returns what was called before; NULL: it calls no such
 * function, or the word can't be written. */
void *imports_replace(void *library, const char *function, void *by);

#pragma GCC visibility pop
#endif
