/* SPDX-License-Identifier: MIT */
/*
 * demangle.h - names as people write them, from names as linkers know them.
 */
#ifndef MTRACER_DEMANGLE_H
#define MTRACER_DEMANGLE_H

/*
 * "std::vector<int, std::allocator<int> >::reserve" from "_ZNSt6vectorIiSaIiEE7reserveEm": C++,
 * Rust (both manglings) and D. Parameters are left out, as lines tell overloads apart (D's stay),
 * and so are the suffixes of compilers' clones ("f.cold", "f.part.0") and symbol versions
 * ("f@@V1"), so that a function is one function. Any other name comes back as it is. The result is
 * the caller's to free.
 */
char *demangle(const char *linkage);

/* "std::vector<int, std::allocator<int> >::reserve(unsigned long)": the same, with C++'s parameters. */
char *demangle_whole(const char *linkage);

#endif
