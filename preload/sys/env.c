/* SPDX-License-Identifier: MIT */
/*
 * env.c - the MTRACE_* variables: one row each, read once, before anything is traced.
 */

#include "preload/sys/env.h"
#include "preload/sys/array.h"
#include "preload/sys/message.h"
#include "preload/sys/text.h"

#include <string.h>

struct config config = {
	.out = "%n.%p.mtrace",
	.depth = 128,
	.start = true,
	.follow = true,
	.reachable = true,
	.timeline = 512,
	.snapshots = 64,
};

static char out[4096];

/* DIRECTORY/./PATH is a relative path, with the directory that it is to be seen from: `mtracer run`
 * says so. The mark itself is taken out. */
static void take_relative(void)
{
	char *mark = *out == '/' ? strstr(out, "/./") : NULL;

	config.anchored = mark != NULL;
	if (mark)
		memmove(mark, mark + 2, strlen(mark + 2) + 1);
}

static bool parse_path(const char *s, void *to)
{
	if (!*s)
		return false;
	for (const char *p = s; *p; p++)
		if (*p == '%' && (!*++p || !strchr("pnh%", *p)))
			return false;
	/* A copy: programs overwrite their environment, to set their title. */
	if (strlen(s) >= sizeof(out))
		return false;
	strcpy(out, s);
	*(const char **)to = out;
	take_relative();
	return true;
}

static bool parse_switch(const char *s, void *to)
{
	if (strcmp(s, "0") != 0 && strcmp(s, "1") != 0)
		return false;
	*(bool *)to = *s == '1';
	return true;
}

static bool parse_depth(const char *s, void *to)
{
	uint64_t n;

	if (!text_to_number(s, &n) || n < 1 || n > 1024)
		return false;
	*(uint32_t *)to = (uint32_t)n;
	return true;
}

static bool is_text(const char *s, size_t size, const char *text)
{
	return strlen(text) == size && memcmp(s, text, size) == 0;
}

/* A number of bytes, with KiB, MiB, GiB (or K, M, G) behind it if need be, in `size` characters. */
static bool parse_bytes(const char *s, size_t size, uint64_t *to)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "K", "M", "G" };
	char digits[24];
	size_t n = strspn(s, "0123456789");
	unsigned shift = 0;
	uint64_t value;

	if (n == 0 || n >= sizeof(digits))
		return false;
	memcpy(digits, s, n);
	digits[n] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (is_text(s + n, size - n, units[i]))
			shift = 10 * (i % 3 + 1);
	if ((size > n && shift == 0) || !text_to_number(digits, &value) ||
		value > UINT64_MAX >> 1 >> shift)
		return false;
	*to = value << shift;
	return true;
}

/* BYTES or BYTES,SEED. */
static bool parse_sample(const char *s, void *to)
{
	size_t size = strcspn(s, ",");

	(void)to;
	return parse_bytes(s, size, &config.sample.mean) &&
	       (!s[size] || text_to_number(s + size + 1, &config.sample.seed));
}

static bool parse_count(const char *s, void *to)
{
	uint64_t n;

	if (!text_to_number(s, &n) || n > 1000000)
		return false;
	*(uint32_t *)to = (uint32_t)n;
	return true;
}

static const struct variable {
	const char *name;
	bool (*parse)(const char *s, void *to);
	void *to;
	const char *wanted;
} variables[] = {
	{ "MTRACE_OUT", parse_path, &config.out,
		"a path; %p, %n, %h and %% stand for pid, name, host and %" },
	{ "MTRACE_DEPTH", parse_depth, &config.depth, "a number of frames from 1 to 1024" },
	{ "MTRACE_START", parse_switch, &config.start, "0 or 1" },
	{ "MTRACE_FOLLOW", parse_switch, &config.follow, "0 or 1" },
	{ "MTRACE_SAMPLE", parse_sample, &config.sample, "a number of bytes such as 512KiB, or 0" },
	{ "MTRACE_REACHABLE", parse_switch, &config.reachable, "0 or 1" },
	{ "MTRACE_MMAP", parse_switch, &config.mmap, "0 or 1" },
	{ "MTRACE_SLACK", parse_switch, &config.slack, "0 or 1" },
	{ "MTRACE_TIMELINE", parse_count, &config.timeline, "a number of points up to 1000000" },
	{ "MTRACE_SNAPSHOTS", parse_count, &config.snapshots,
		"a number of snapshots up to 1000000" },
	{ "MTRACE_VERBOSE", parse_switch, &config.verbose, "0 or 1" },
};

static bool read_one(const char *entry, size_t name_size)
{
	const char *value = entry + name_size + 1;

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const struct variable *v = &variables[i];

		if (strlen(v->name) != name_size || memcmp(entry, v->name, name_size) != 0)
			continue;
		if (!v->parse(value, v->to)) {
			message("bad value '", value, "' for ", v->name, ": expected ", v->wanted,
				"; running untraced", NULL);
			return false;
		}
		return true;
	}
	message("unknown variable '", entry,
		"'; known variables are MTRACE_OUT, DEPTH, START, FOLLOW, SAMPLE, REACHABLE, "
		"MMAP, SLACK, TIMELINE, SNAPSHOTS and VERBOSE; running untraced",
		NULL);
	return false;
}

bool env_read(char **environment)
{
	for (char **e = environment; e && *e; e++) {
		const char *equals;

		if (strncmp(*e, "MTRACE_", 7) != 0)
			continue;
		equals = strchr(*e, '=');
		if (equals && equals[1] && !read_one(*e, (size_t)(equals - *e)))
			return false;
	}
	return true;
}

/* libmtrace.so, and the companions libmtrace_NAME.so. */
static bool is_ours(const char *name, size_t size)
{
	return (size >= 12 && strncmp(name, "libmtrace.so", 12) == 0) ||
	       (size >= 10 && strncmp(name, "libmtrace_", 10) == 0);
}

/* Cuts the list entries that name the library out of "LD_PRELOAD=a:b c", in place. */
static void cut_library(char *list)
{
	char *p = list;

	while (*p) {
		size_t n = strcspn(p, ": ");
		char *name = p + n;

		while (name > p && name[-1] != '/')
			name--;
		if (is_ours(name, (size_t)(p + n - name))) {
			char *rest = p + n + (p[n] != '\0');

			memmove(p, rest, strlen(rest) + 1);
			continue;
		}
		p += n + (p[n] != '\0');
	}
}

void env_stop_following(char **environment)
{
	for (char **e = environment; e && *e; e++)
		if (strncmp(*e, "LD_PRELOAD=", 11) == 0)
			cut_library(*e + 11);
}
