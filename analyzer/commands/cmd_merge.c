/* SPDX-License-Identifier: MIT */
/* cmd_merge.c - mtracer merge: several traces as one. */
#include "analyzer/base/log.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/units.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/trace/trace.h"
#include "analyzer/views/gather.h"
#include "analyzer/views/reading.h"
#include "analyzer/views/trace_write.h"

#include <string.h>

struct values {
	const char *out;
	bool no_symbols;
	bool quiet;
	struct reading_options reading;
};

#define AT(member) offsetof(struct values, member), NULL

/* clang-format off */
static const struct option_row options[] = {
	{ OPTION_TEXT, "out", 'o', "FILE", "write the result to FILE; compressed if its name ends "
		"in .zst", AT(out) },
	{ OPTION_FLAG, "no-symbols", 0, NULL, "do not embed functions and lines; reading the "
		"result then\nrequires the binaries",
		AT(no_symbols) },
	{ OPTION_FLAG, "quiet", 'q', NULL, "print nothing", AT(quiet) },
	READING_OPTION_ROWS(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};
/* clang-format on */

static bool ends_in_zst(const char *path)
{
	size_t size = strlen(path);

	return size > 4 && strcmp(path + size - 4, ".zst") == 0;
}

static void say_result(const struct values *v, uint64_t size, uint64_t traces)
{
	struct strbuf text = { 0 };
	char bytes[UNIT_TEXT];

	strbuf_add_clean(&text, v->out);
	printf("%s: %llu trace%s, %s\n", text.text, (unsigned long long)traces,
		traces == 1 ? "" : "s", format_bytes(bytes, (int64_t)size));
	strbuf_release(&text);
}

static int save(const struct values *v, struct reading *r)
{
	struct trace_writer w;
	uint64_t size;
	int status;

	trace_writer_copy(&w, r->trace, false);
	for (uint32_t i = 1; !v->no_symbols && i < r->trace->frame_count; i++)
		trace_writer_symbols(&w, i, r->resolver, i);
	status = trace_writer_save(&w, v->out, ends_in_zst(v->out), &size);
	if (status == EXIT_OK && !v->quiet)
		say_result(v, size, w.header.merged);
	trace_writer_release(&w);
	return status;
}

static int run(const void *values, int argc, char **argv)
{
	const struct values *v = values;
	struct reading r;
	int status;

	if (!v->out)
		return error("merge: --out FILE is required");
	status = reading_open_trace(&r, &v->reading, gather_paths(argv, argc, v->out));
	if (status != EXIT_OK)
		return status;
	status = save(v, &r);
	if (!v->no_symbols)
		reading_warn(&r);
	reading_close(&r);
	return status;
}

const struct command cmd_merge = {
	.name = "merge",
	.usage = "[OPTION]... --out FILE TRACE...",
	.summary = "combine traces, such as those of worker processes",
	.details =
		"Counts and bytes of equal call stacks are added, wherever their modules were "
		"loaded. Peaks are added as well, and marked as upper bounds, since the processes "
		"may have peaked at different times. A directory stands for all traces in it. The "
		"result is a trace that every command can read, and includes the functions and "
		"lines of its call stacks.",
	.options = options,
	.values_size = sizeof(struct values),
	.min_operands = 1,
	.max_operands = -1,
	.run = run,
};
