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
#include "analyzer/trace/trace.h"
#include "analyzer/views/calldiff.h"
#include "analyzer/views/filter.h"
#include "analyzer/views/reading.h"

#include <unistd.h>

struct values {
	bool svg, folded;
	const char *out;
	bool inverted;
	const char *measure;
	const char *diff;
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
	{ OPTION_TEXT, "diff", 0, "OLD", "color what grew since the trace OLD red, what shrank blue",
		AT(diff) },
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
	struct reading reading, old; /* `old` with --diff */
	struct tally tally, old_tally;
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
	if (v->folded && v->diff)
		return error("flamegraph: --diff is for SVG: folded stacks are of one trace");
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

static double least_width(int64_t whole)
{
	return (double)whole * FLAME_LEAST / (FLAME_WIDTH - 2 * FLAME_MARGIN);
}

/* Of owners that are too small for a box the callers are left out; if nothing else is, and the
 * other side of a comparison has them, too. */
static struct calltree *make_tree(
	const struct state *s, const struct tally *tally, struct resolver *resolver)
{
	int64_t whole = sort_measure(&tally->totals.all, s->key);
	bool all = s->values->diff || !filter_is_empty(s->filter);
	struct calltree_options how = {
		.callers = s->values->inverted,
		.whole_stacks = s->values->reading.no_wrappers,
		.key = s->key,
		.least = all ? 0 : (int64_t)least_width(whole),
	};

	return calltree_new(tally, resolver, &how, s->filter);
}

static void draw(const struct state *s, struct flamegraph *g, struct calltree *tree, FILE *out)
{
	int64_t whole = sort_measure(&tree->calls[0].all, s->key);
	struct strbuf match = { 0 };
	struct flame *flame;

	for (size_t i = 0; i < s->values->match.count; i++)
		strbuf_addf(&match, "%s%s", i ? " or " : "", s->values->match.items[i]);
	calltree_sort(tree, s->key);
	flame = flame_new(tree, s->key, least_width(whole), FLAME_MOST);
	g->trace = s->reading.trace;
	g->tree = tree;
	g->flame = flame;
	g->key = s->key;
	g->callers = s->values->inverted;
	g->match = match.text;
	flamegraph_write(g, out);
	flame_free(flame);
	strbuf_release(&match);
}

static struct calldiff *compare(const struct state *s, struct calltree *old, struct calltree *new)
{
	const struct calldiff_side sides[] = { { s->old.resolver, &s->old_tally, old },
		{ s->reading.resolver, &s->tally, new } };

	return calldiff_new(&sides[0], &sides[1], s->key);
}

static void write_svg(struct state *s, FILE *out)
{
	struct calltree *tree = make_tree(s, &s->tally, s->reading.resolver), *old = NULL;
	struct calldiff *diff = NULL;
	struct flamegraph g = { 0 };

	if (s->values->diff) {
		tally_init(&s->old_tally, s->old.trace);
		old = make_tree(s, &s->old_tally, s->old.resolver);
		g.diff = diff = compare(s, old, tree);
		g.old = s->old.trace;
	}
	draw(s, &g, tree, out);
	calldiff_free(diff);
	calltree_free(old);
	calltree_free(tree);
	tally_release(&s->old_tally);
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
	return outfile_close(&out);
}

/* Peaks of different stretches of a run say nothing of each other. */
static int check_peaks(const struct state *s)
{
	bool old = (s->old.trace->header.flags & MT_NOTE_RESET) != 0;
	bool new = (s->reading.trace->header.flags & MT_NOTE_RESET) != 0;
	const struct trace *reset = old ? s->old.trace : s->reading.trace;

	if (old == new || s->key != SORT_AT_PEAK_BYTES)
		return EXIT_OK;
	return error("flamegraph: peaks are not comparable: the program reset them "
		     "(mtrace_reset_peak) only in %s; use another --measure",
		reset->path);
}

static int write_difference(struct state *s)
{
	int status = reading_open(&s->old, &s->values->reading, s->values->diff);

	if (status != EXIT_OK)
		return status;
	status = sort_option_settle(sort_key_names[s->key], s->old.trace, &s->key);
	if (status == EXIT_OK)
		status = check_peaks(s);
	if (status == EXIT_OK) {
		reading_warn_of_difference(s->old.trace, s->reading.trace);
		status = write_file(s);
		reading_warn(&s->old);
	}
	reading_close(&s->old);
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
		status = sort_option_settle(s.values->measure, s.reading.trace, &s.key);
		if (status == EXIT_OK)
			status = s.values->diff ? write_difference(&s) : write_file(&s);
		reading_warn(&s.reading);
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
