/* SPDX-License-Identifier: MIT */
/*
 * limit.h - how much something may grow: a percentage of what it was, or an amount.
 */
#ifndef MTRACER_LIMIT_H
#define MTRACER_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct diff_value;

struct limit {
	const char *text; /* as it was given; NULL = no limit */
	bool is_share;
	double percent;
	uint64_t amount;
};

/* "5%", "64KiB", "1000B", "0". False where it is neither. */
bool limit_parse(const char *text, struct limit *limit);

/* A number alone: of bytes, or percent? 0 is as much of either. */
bool limit_lacks_unit(const char *text);

/* Grew by more than that, and by more than it varies anyway. Whatever grew from nothing exceeds
 * every percentage. */
bool limit_exceeded(const struct limit *limit, const struct diff_value *value);

#endif
