/* SPDX-License-Identifier: MIT */
/* cmd_flamegraph.c - mtracer flamegraph: the call tree as a picture. */
#include "analyzer/base/log.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/commands/cmd.h"
#include "analyzer/commands/outfile.h"
#include "analyzer/commands/sort_option.h"
#include "analyzer/export/export.h"
#include "analyzer/print/flamegraph.h"
#include "analyzer/trace/recognize.h"
#include "analyzer/views/filter.h"
#include "analyzer/views/reading.h"

#include <unistd.h>

struct values {
	bool svg, folded;
	const char *out;
	bool inverted;
	const char *measure;
	struct option_list match;
	struct reading_options reading;
};

#define AT(member) offsetof(struct values, member), NULL

/* clang-format off */
static const struct option_row options[] = {
	{ OPTION_FLAG, "svg", 0, NULL, "write an SVG file for browsers (the default)", AT(svg) },
	{ OPTION_FLAG, "folded", 0, NULL, "write folded stacks, as 'mtracer export -f folded'",
		AT(folded) },
	{ OPTION_TEXT, "out", 'o', "FILE", "write to FILE (default: standard output); compressed "
		"by\ngzip if its name ends in .gz", AT(out) },
	{ OPTION_FLAG, "inverted", 'i', NULL, "start from the allocating functions, with their "
		"callers above\nthem", AT(inverted) },
	{ OPTION_TEXT, "measure", 0, "KEY", "show this measure as width: at_peak_bytes (the default),\n"
		"current_bytes, current_blocks, allocated_bytes, allocations\nor temporary", AT(measure) },
	{ OPTION_LIST, "match", 'm', "RE", "use only stacks with a function, file:line or module "
		"that\nmatches the extended regular expression", AT(match) },
	READING_OPTION_ROWS(struct values, reading),
	{ OPTION_END, NULL, 0, NULL, NULL, 0, NULL },
};
/* clang-format on */

struct state {
	const struct values *values;
	enum sort_key key;
	struct filter *filter;
	struct reading reading;
	struct tally tally;
};

static int check_values(struct state *s)
{
	const struct values *v = s->values;
	int status = sort_option("flamegraph", "measure", v->measure, false, &s->key);

	if (status != EXIT_OK)
		return status;
	if (v->svg && v->folded)
		return error("flamegraph: --svg and --folded exclude each other");
	if (v->folded && v->inverted)
		return error(
			"flamegraph: --inverted is for SVG: folded stacks begin with the program");
	if (s->key == SORT_PEAK_BYTES && !v->folded)
		return error(
			"flamegraph: widths add up what functions call, and own peaks have no sum");
	if (!v->folded && !v->out && isatty(STDOUT_FILENO))
		return error(
			"flamegraph: SVG is for a browser, and stdout a terminal; use --out FILE");
	return EXIT_OK;
}

static void write_folded(const struct state *s, FILE *out)
{
	const struct exporter e = { .trace = s->reading.trace,
		.tally = &s->tally,
		.resolver = s->reading.resolver,
		.measure = s->key,
		.whole_stacks = s->values->reading.no_wrappers,
		.filter = s->filter,
		.out = out };

	export_folded.write(&e);
}

/* Owners that are too small for a box need no callers. */
static double least_width(const struct state *s)
{
	int64_t whole = sort_measure(&s->tally.totals.all, s->key);

	return (double)whole * FLAME_LEAST / (FLAME_WIDTH - 2 * FLAME_MARGIN);
}

static void write_svg(const struct state *s, FILE *out)
{
	struct strbuf match = { 0 };
	struct calltree_options how = {
		.callers = s->values->inverted,
		.whole_stacks = s->values->reading.no_wrappers,
		.key = s->key,
		.least = s->filter && !filter_is_empty(s->filter) ? 1 : (int64_t)least_width(s),
	};
	struct flamegraph g = { .trace = s->reading.trace, .key = s->key, .callers = how.callers };
	struct calltree *tree = calltree_new(&s->tally, s->reading.resolver, &how, s->filter);
	int64_t whole = sort_measure(&tree->calls[0].all, s->key);
	struct flame *flame;

	calltree_sort(tree, s->key);
	flame = flame_new(tree, s->key,
		(double)whole * FLAME_LEAST / (FLAME_WIDTH - 2 * FLAME_MARGIN), FLAME_MOST);
	for (size_t i = 0; i < s->values->match.count; i++)
		strbuf_addf(&match, "%s%s", i ? " or " : "", s->values->match.items[i]);
	g.tree = tree;
	g.flame = flame;
	g.match = match.text;
	flamegraph_write(&g, out);
	strbuf_release(&match);
	flame_free(flame);
	calltree_free(tree);
}

static int write_file(struct state *s)
{
	const char *path = s->values->out;
	struct outfile out;
	int status = outfile_open(&out, path, path && name_ends_in(path, ".gz"));

	if (status != EXIT_OK)
		return status;
	tally_init(&s->tally, s->reading.trace);
	if (s->values->folded)
		write_folded(s, out.file);
	else
		write_svg(s, out.file);
	tally_release(&s->tally);
	status = outfile_close(&out);
	reading_warn(&s->reading);
	return status;
}

static int run(const void *values, int argc, char **argv)
{
	static const struct option_list none;
	struct state s = { .values = values, .key = SORT_AT_PEAK_BYTES };
	int status = check_values(&s);
	char why[512];

	if (status != EXIT_OK)
		return status;
	s.filter = filter_new(&s.values->match, &none, why, sizeof(why));
	if (!s.filter)
		return error("flamegraph: %s", why);
	status = reading_open(&s.reading, &s.values->reading, argv[0]);
	if (status == EXIT_OK) {
		status = write_file(&s);
		reading_close(&s.reading);
	}
	filter_free(s.filter);
	return status;
}

const struct command cmd_flamegraph = {
	.name = "flamegraph",
	.usage = "[OPTION]... [TRACE|PID]",
	.summary = "draw the call tree as a flame graph",
	.details =
		"The SVG file needs nothing else and loads nothing: it is a picture anywhere, and "
		"in "
		"a browser it fits the window, zooms by a click, searches by a regular expression "
		"(/ or Ctrl-F) and says what share of the memory matches. Keys: Tab and the arrows "
		"move, Enter zooms, Escape goes back.\n\n"
		"The boxes are the nodes of 'mtracer tree'; each is as wide as its measure. Those "
		"narrower than 0.1 pixels of 1200 are drawn together, as '[N smaller]'.",
	.options = options,
	.defaults = NULL,
	.values_size = sizeof(struct values),
	.min_operands = 0,
	.max_operands = 1,
	.run = run,
};
