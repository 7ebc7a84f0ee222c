/* SPDX-License-Identifier: MIT */
/* cmd_export.c - mtracer export: a trace for other tools' viewers. */
#include "analyzer/base/log.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/commands/outfile.h"
#include "analyzer/commands/sort_option.h"
#include "analyzer/export/export.h"
#include "analyzer/trace/recognize.h"
#include "analyzer/views/reading.h"
#include "analyzer/views/selection.h"

#include <unistd.h>

#define NO_FORMAT (-1)

struct values {
	int format;
	const char *out;
	const char *measure;
	struct reading_options reading;
};

#define AT(member) offsetof(struct values, member), NULL

/* clang-format off */
static const struct option_row options[] = {
	{ OPTION_CHOICE, "format", 'f', "F", "write in the format F, see below; required",
		offsetof(struct values, format), export_format_names },
	{ OPTION_TEXT, "out", 'o', "FILE", "write to FILE (default: standard output); compressed "
		"by\ngzip if its name ends in .gz", AT(out) },
	{ OPTION_TEXT, "measure", 'm', "KEY", "export this measure, or show it first where the "
		"format\nhas several: at_peak_bytes (the default), current_bytes,\n"
		"current_blocks, peak_bytes, allocated_bytes, allocations\nor temporary",
		AT(measure) },
	READING_OPTION_ROWS(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};
/* clang-format on */

static const struct values defaults = { .format = NO_FORMAT };

/* ---- what can be wrong */

static int check_format(const struct values *v)
{
	struct strbuf names = { 0 };

	if (v->format != NO_FORMAT)
		return EXIT_OK;
	for (int i = 0; export_format_names[i]; i++)
		strbuf_addf(&names, "%s%s", i ? ", " : "", export_format_names[i]);
	error("export: --format F is required: %s", strbuf_text(&names));
	strbuf_release(&names);
	return EXIT_ERROR;
}

static int check_measure(const struct values *v, enum sort_key *key)
{
	int status;

	*key = SORT_AT_PEAK_BYTES;
	status = sort_option("export", "measure", v->measure, false, key);
	if (status != EXIT_OK)
		return status;
	if (*key == SORT_PEAK_BYTES && export_formats[v->format]->adds_up)
		return error("export: %s adds up what functions call, and own peaks have no sum",
			export_format_names[v->format]);
	return EXIT_OK;
}

/* Formats of numbers have none for what isn't known. */
static int check_moment(const struct values *v, const struct trace *t)
{
	const struct export_format *format = export_formats[v->format];

	if (format == &export_massif && t->moment.unknown & UNKNOWN_AT_PEAK)
		return error("%s: massif shows a peak, which is not known of this moment", t->path);
	if (format != &export_json && t->moment.unknown)
		notice("%s: measures that are not known of this moment are written as 0", t->path);
	return EXIT_OK;
}

/* ---- the command */

static bool is_packed(const struct values *v)
{
	return export_formats[v->format]->packed || (v->out && name_ends_in(v->out, ".gz"));
}

static int export_trace(const struct values *v, struct reading *r, enum sort_key measure)
{
	const struct export_format *format = export_formats[v->format];
	struct tally tally;
	struct outfile out;
	struct exporter e = { .trace = r->trace,
		.tally = &tally,
		.resolver = r->resolver,
		.measure = measure,
		.whole_stacks = v->reading.no_wrappers };
	int status;

	if (!v->out && format->packed && isatty(STDOUT_FILENO))
		return error("export: %s is binary, and stdout a terminal; use --out FILE",
			format->name);
	status = outfile_open(&out, v->out, is_packed(v));
	if (status != EXIT_OK)
		return status;
	tally_init(&tally, r->trace);
	e.out = out.file;
	format->write(&e);
	tally_release(&tally);
	status = outfile_close(&out);
	reading_warn(r);
	return status;
}

static int run(const void *values, int argc, char **argv)
{
	const struct values *v = values;
	enum sort_key measure;
	struct reading r;
	int status = check_format(v);

	if (status == EXIT_OK)
		status = check_measure(v, &measure);
	if (status == EXIT_OK)
		status = reading_open(&r, &v->reading, argv[0]);
	if (status != EXIT_OK)
		return status;
	status = sort_option_settle(v->measure, r.trace, &measure);
	if (status == EXIT_OK)
		status = check_moment(v, r.trace);
	if (status == EXIT_OK)
		status = export_trace(v, &r, measure);
	reading_close(&r);
	return status;
}

const struct command cmd_export = {
	.name = "export",
	.usage = "[OPTION]... --format F [TRACE|PID]",
	.summary = "write a trace in another tool's format",
	.details =
		"Formats and their viewers: folded (flamegraph.pl, speedscope), callgrind "
		"(KCachegrind, callgrind_annotate), pprof (go tool pprof), dhat (valgrind's "
		"dh_view.html, Firefox Profiler), speedscope, heaptrack (heaptrack_gui, "
		"heaptrack_print), massif (ms_print, massif-visualizer), csv (spreadsheets), json "
		"(scripts). mtracer(1) says how to open each.\n\n"
		"A stack consists of the functions from the program's first one to that to "
		"which the report attributes the memory, so its figures are the report's; "
		"--no-wrappers exports whole stacks. Equal stacks are added up.",
	.options = options,
	.defaults = &defaults,
	.values_size = sizeof(struct values),
	.min_operands = 0,
	.max_operands = 1,
	.run = run,
};
