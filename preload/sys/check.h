/* SPDX-License-Identifier: MIT */
/*
 * check.h - assertions of the library. Those of the C library print, which a program that is traced
 * must not notice; these end it where it stands, in a debug build, and are nothing in a release.
 */
#ifndef MTRACE_CHECK_H
#define MTRACE_CHECK_H

#ifdef NDEBUG
#define check(condition) ((void)0)
#else
#define check(condition) ((condition) ? (void)0 : __builtin_trap())
#endif

#endif
