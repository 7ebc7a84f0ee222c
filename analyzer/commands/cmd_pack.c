/* SPDX-License-Identifier: MIT */
/* cmd_pack.c - mtracer pack: a trace for keeping, compressed and with its symbols. */
#include "analyzer/base/log.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/units.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/views/reading.h"
#include "analyzer/views/trace_write.h"

#include <stdlib.h>
#include <string.h>

#define SUFFIX ".zst"

struct values {
	const char *out;
	bool no_symbols;
	bool plain;
	bool quiet;
	struct reading_options reading;
};

#define AT(member) offsetof(struct values, member), NULL

/* clang-format off */
static const struct option_row options[] = {
	{ OPTION_TEXT, "out", 'o', "FILE", "write to FILE (default: TRACE" SUFFIX ")", AT(out) },
	{ OPTION_FLAG, "no-symbols", 0, NULL, "do not embed functions and lines; reading the "
		"result then\nrequires the binaries",
		AT(no_symbols) },
	{ OPTION_FLAG, "plain", 0, NULL, "do not compress", AT(plain) },
	{ OPTION_FLAG, "quiet", 'q', NULL, "print nothing", AT(quiet) },
	READING_OPTION_ROWS(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};
/* clang-format on */

/* A trace that has symbols keeps these: the binaries may have changed since. In a directory some
 * may have none. */
static bool keeps_symbols(const struct trace *t)
{
	return t->symbol_count && !t->process_count;
}

static void add_symbols(struct trace_writer *w, const struct reading *r)
{
	if (keeps_symbols(r->trace))
		return;
	for (uint32_t i = 1; i < r->trace->frame_count; i++)
		trace_writer_symbols(w, i, r->resolver, i);
}

static void say_result(const char *path, uint64_t size, const struct trace *t)
{
	struct strbuf text = { 0 };
	char now[UNIT_TEXT], before[UNIT_TEXT];

	strbuf_add_clean(&text, path);
	printf("%s: %s, from %s\n", text.text, format_bytes(now, (int64_t)size),
		format_bytes(before, (int64_t)t->file_size));
	strbuf_release(&text);
}

static int pack_trace(const struct values *v, const struct reading *r, const char *path)
{
	struct trace_writer w;
	uint64_t size;
	int status;

	trace_writer_copy(&w, r->trace, !v->no_symbols && keeps_symbols(r->trace));
	if (!v->no_symbols)
		add_symbols(&w, r);
	status = trace_writer_save(&w, path, !v->plain, &size);
	if (status == EXIT_OK && !v->quiet)
		say_result(path, size, r->trace);
	trace_writer_release(&w);
	return status;
}

static bool ends_in_suffix(const char *path)
{
	size_t size = strlen(path);

	return size >= strlen(SUFFIX) && strcmp(path + size - strlen(SUFFIX), SUFFIX) == 0;
}

/* Without --out: beside the trace. Nothing is packed twice. */
static int default_path(const struct trace *t, struct strbuf *path)
{
	strbuf_add(path, t->path);
	while (path->size > 1 && path->text[path->size - 1] == '/')
		path->text[--path->size] = '\0';
	if (t->packed || ends_in_suffix(path->text))
		return error("%s: already packed; use --out FILE to pack it again", t->path);
	strbuf_add(path, SUFFIX);
	return EXIT_OK;
}

static int run(const void *values, int argc, char **argv)
{
	const struct values *v = values;
	struct strbuf path = { 0 };
	struct reading r;
	int status;

	if (v->plain && !v->out)
		return error("pack: --plain requires --out");
	status = reading_open(&r, &v->reading, argv[0]);
	if (status != EXIT_OK)
		return status;
	if (r.trace->moment.kind != MOMENT_END) {
		status = error("%s: a moment is not packed by itself: a packed trace keeps its "
			       "snapshots, as FILE@LABEL",
			r.trace->path);
		reading_close(&r);
		return status;
	}
	if (r.trace->header.version > MT_VERSION)
		warning("%s: written in a newer format; unknown parts are dropped", r.trace->path);
	if (v->out)
		strbuf_add(&path, v->out);
	else
		status = default_path(r.trace, &path);
	if (status == EXIT_OK)
		status = pack_trace(v, &r, strbuf_text(&path));
	if (!v->no_symbols)
		reading_warn(&r);
	strbuf_release(&path);
	reading_close(&r);
	return status;
}

const struct command cmd_pack = {
	.name = "pack",
	.usage = "[OPTION]... [TRACE|PID]",
	.summary = "compress a trace and embed its symbols",
	.details = "The result includes the functions and lines of all call stacks, so it can be "
		   "read and compared after the program has been rebuilt, or on another machine. "
		   "Every command can read it; --plain writes it uncompressed. TRACE itself is not "
		   "changed.",
	.options = options,
	.values_size = sizeof(struct values),
	.min_operands = 0,
	.max_operands = 1,
	.run = run,
};
