/* SPDX-License-Identifier: MIT */
/*
 * sums.h - the MD5 sums of source files in a DWARF's line tables. DWARF 5 has room for them, clang
 * writes them, and libdw doesn't hand them out.
 */
#ifndef MTRACER_SUMS_H
#define MTRACER_SUMS_H

#include <stdint.h>

#include <elfutils/libdw.h>

/* Calls visit() for each file of that last name (without a slash) that has a sum, in each unit, with
 * its path as it was compiled; several may have one path. What is damaged ends the unit. */
void sums_visit(Dwarf *dwarf, const char *name,
	void (*visit)(void *context, const char *path, const uint8_t *sum), void *context);

#endif
