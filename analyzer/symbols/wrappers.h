/* SPDX-License-Identifier: MIT */
/*
 * wrappers.h - which functions allocate on behalf of their caller.
 *
 * A line of a report belongs to the innermost frame that isn't one of these: "malloc(n)" inside
 * xmalloc() is no news, the call of xmalloc() is. Looked through are the allocation functions, the
 * C library, the run-time libraries of C++ and Rust (containers, strings, smart pointers), and the
 * wrappers of well-known projects.
 */
#ifndef MTRACER_WRAPPERS_H
#define MTRACER_WRAPPERS_H

#include "analyzer/symbols/symbolize.h"

struct wrappers;

struct wrappers *wrappers_new(void);
void wrappers_free(struct wrappers *w); /* NULL is ok */

/* Adds what --wrapper says: a POSIX extended regular expression on the function's name. Returns 0,
 * or -1 with the reason in `error`. */
int wrappers_add(struct wrappers *w, const char *regex, char *error, size_t error_size);

/* Whether this frame is to be looked through. module_path may be NULL. */
bool wrappers_match(const struct wrappers *w, const struct symbol *symbol, const char *module_path);

/* What kind of library a module is, by its file's name. */
enum library_kind {
	LIBRARY_ORDINARY,
	LIBRARY_RUNTIME, /* of C++, Rust; an allocator: looked through as a whole */
	LIBRARY_C,	 /* with the dynamic loader: looked through, too */
};
enum library_kind library_kind(const char *module_path);

/*
 * A function's name without the arguments of templates and generics, cut off at size - 1 bytes:
 * "std::vector::push_back" for "std::vector<int, std::allocator<int> >::push_back" (and for ABI
 * tags, "f[abi:cxx11]", alike); "alloc::vec::Vec::push" for "<alloc::vec::Vec<u8>>::push" and
 * "alloc::vec::Vec::<u8>::push"; "alloc::string::String::clone" for "<alloc::string::String as
 * core::clone::Clone>::clone".
 */
void plain_name(const char *name, char *out, size_t size);

#endif
