/* SPDX-License-Identifier: MIT */
/* limit.c - thresholds of `mtracer diff`. */
#include "analyzer/views/limit.h"
#include "analyzer/base/units.h"
#include "analyzer/views/diff.h"

#include <stdlib.h>
#include <string.h>

bool limit_parse(const char *text, struct limit *limit)
{
	size_t digits = strspn(text, "0123456789.");
	char *end;

	*limit = (struct limit){ .text = text };
	if (strcmp(text + digits, "%") != 0 && strcmp(text + digits, " %") != 0)
		return parse_size(text, &limit->amount);
	limit->is_share = true;
	limit->percent = strtod(text, &end);
	return digits && end == text + digits;
}

bool limit_lacks_unit(const char *text)
{
	char *end;
	double number = strtod(text, &end);

	return end != text && *end == '\0' && number > 0;
}

bool limit_exceeded(const struct limit *limit, const struct diff_value *v)
{
	if (!limit->text || !v->changed || v->delta <= 0)
		return false;
	if (limit->is_share)
		return v->old <= 0 || 100.0 * (double)v->delta > limit->percent * (double)v->old;
	return (uint64_t)v->delta > limit->amount;
}
