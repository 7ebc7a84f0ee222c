/* SPDX-License-Identifier: MIT */
/* compare.h - orders for qsort(): negative, 0 or positive, as a is before, beside or behind b. */
#ifndef MTRACER_COMPARE_H
#define MTRACER_COMPARE_H

#include <stdint.h>
#include <string.h>

static inline int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* NULL, which is not known, comes last. */
static inline int compare_texts(const char *a, const char *b)
{
	if (!a || !b)
		return (a == NULL) - (b == NULL);
	return strcmp(a, b);
}

#endif
