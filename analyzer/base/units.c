/* SPDX-License-Identifier: MIT */
/* units.c - bytes, counts, times and shares as people read them, and sizes as people write them. */
#include "analyzer/base/units.h"
#include "analyzer/base/array.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const byte_units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

/* Three digits that count: 1.50, 12.3, 123, and 1023 before the next unit. */
static int digits_after_point(double value)
{
	if (value < 9.995)
		return 2;
	return value < 99.95 ? 1 : 0;
}

char *format_bytes(char text[UNIT_TEXT], int64_t bytes)
{
	const char *sign = bytes < 0 ? "-" : "";
	uint64_t size = bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes;
	double value = (double)size;
	size_t unit = 0;

	if (size < 1024) {
		snprintf(text, UNIT_TEXT, "%s%u B", sign, (unsigned)size);
		return text;
	}
	/* 1023.5 and more would print as 1024 of the smaller unit. */
	while (value >= 1023.5 && unit + 1 < ARRAY_SIZE(byte_units)) {
		value /= 1024;
		unit++;
	}
	snprintf(text, UNIT_TEXT, "%s%.*f %s", sign, digits_after_point(value), value,
		byte_units[unit]);
	return text;
}

char *format_count(char text[UNIT_TEXT], int64_t count)
{
	snprintf(text, UNIT_TEXT, "%lld", (long long)count);
	return text;
}

char *format_duration(char text[UNIT_TEXT], uint64_t ns)
{
	double seconds = (double)ns / 1e9;
	uint64_t whole = (ns + 500000000) / 1000000000;

	if (ns >= UINT64_MAX - 500000000)
		whole = ns / 1000000000;
	if (seconds < 0.0009995)
		snprintf(text, UNIT_TEXT, "%.0f us", seconds * 1e6);
	else if (seconds < 0.9995)
		snprintf(text, UNIT_TEXT, "%.3g ms", seconds * 1e3);
	else if (seconds < 59.95)
		snprintf(text, UNIT_TEXT, "%.3g s", seconds);
	else if (whole < 3600)
		snprintf(text, UNIT_TEXT, "%u min %02u s", (unsigned)(whole / 60),
			(unsigned)(whole % 60));
	else
		snprintf(text, UNIT_TEXT, "%llu h %02u min", (unsigned long long)(whole / 3600),
			(unsigned)(whole / 60 % 60));
	return text;
}

char *format_error(char text[UNIT_TEXT], uint64_t error, int64_t estimate)
{
	double percent = 100.0 * (double)error / fabs((double)estimate);

	text[0] = '\0';
	if (error == 0 || estimate == 0)
		return text;
	snprintf(text, UNIT_TEXT, percent < 0.95 ? " ±%.1f %%" : " ±%.0f %%",
		percent < 999 ? percent : 999);
	return text;
}

double percent_of(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

char *format_share(char text[UNIT_TEXT], uint64_t part, uint64_t whole)
{
	if (whole == 0)
		text[0] = '\0';
	else
		snprintf(text, UNIT_TEXT, "%.1f %%", percent_of(part, whole));
	return text;
}

/* The power of 1024 that a unit stands for, or -1. The letter alone is enough: k, K, KB, KiB. */
static int unit_power(const char *unit)
{
	static const char letters[] = "kmgtpe";
	const char *letter;

	if (*unit == '\0' || strcasecmp(unit, "B") == 0)
		return 0;
	letter = strchr(letters, tolower((unsigned char)unit[0]));
	if (!letter)
		return -1;
	if (unit[1] && strcasecmp(unit + 1, "B") != 0 && strcasecmp(unit + 1, "iB") != 0)
		return -1;
	return (int)(letter - letters) + 1;
}

bool parse_size(const char *text, uint64_t *bytes)
{
	size_t digits = strspn(text, "0123456789.");
	const char *unit = text + digits;
	char number[64];
	char *end;
	double value;
	int power;

	if (digits == 0 || digits >= sizeof(number))
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';
	errno = 0;
	if (!strchr(number, '.')) { /* exact beyond the precision of a double */
		uint64_t whole = strtoull(number, &end, 10);

		power = unit_power(unit + strspn(unit, " "));
		if (errno || power < 0 || (power && whole > UINT64_MAX >> (10 * power)))
			return false;
		*bytes = whole << (10 * power);
		return true;
	}
	value = strtod(number, &end);
	power = unit_power(unit + strspn(unit, " "));
	if (*end || end == number || power < 0)
		return false;
	value = round(ldexp(value, 10 * power));
	if (value >= 18446744073709551616.0)
		return false;
	*bytes = (uint64_t)value;
	return true;
}
