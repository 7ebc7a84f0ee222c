/* SPDX-License-Identifier: MIT */
/*
 * listing.c - annotated source on a terminal.
 *
 *	grow  lib/stack.c:20    1.04 MiB at peak (93.4 %), with callees 1.10 MiB (98.8 %)
 *	  at peak  own peak  allocs      incl.
 *	                                        18  void grow(struct stack *s)
 *	                                         ⋮
 *	 1.04 MiB  1.04 MiB      10            >24          s->items = realloc(s->items, size);
 *
 * A function is made into lines of text cells first, so that the columns of all can line up.
 */
#include "analyzer/print/listing.h"
#include "analyzer/base/array.h"
#include "analyzer/base/mem.h"
#include "analyzer/base/paths.h"
#include "analyzer/base/shorten.h"
#include "analyzer/base/strbuf.h"
#include "analyzer/base/table.h"
#include "analyzer/base/width.h"
#include "analyzer/print/row.h"
#include "analyzer/symbols/span.h"
#include "analyzer/trace/trace.h"

#include <stdlib.h>
#include <string.h>

#define GAP 2
#define HOT_PERCENT 5  /* of the program's, from where a line is marked */
#define RED_PERCENT 25 /* and from where it is red on a terminal */
#define TEXT_LEAST 40  /* columns that the source is to have */
#define TEXT_MOST 400  /* columns that the source may have where there is no terminal */
#define FOLD_LEAST 2   /* lines that are worth a fold */

enum column { AT_PEAK, OWN_PEAK, CURRENT, ALLOCATED, ALLOCATIONS, INCLUSIVE, COLUMNS };

static const char *const titles[COLUMNS] = { "at peak", "own peak", "current", "allocated",
	"allocs", "incl." };

/* Which columns a narrow terminal does without, first the first. */
static const enum column spare[] = { ALLOCATED, OWN_PEAK, CURRENT, ALLOCATIONS };

enum heat { COLD, WARM, HOT };

/* A line of output. */
struct text_line {
	char *cells[COLUMNS]; /* NULL = blank */
	char *label;	      /* the line's number, or the sign of a fold */
	char *text;	      /* clean */
	enum heat heat;
	enum style style; /* of the text */
};

struct text_function {
	char *name, *location, *figures;
	char *remarks[2];
	struct text_line *lines;
	size_t count, room;
};

struct listing {
	const struct annotation *annotation;
	struct source_cache *sources;
	struct paths *paths;
	struct listing_options options;
	struct text_function *functions;
	size_t count, room;
	struct text_function bare;	     /* a line for each function whose lines aren't known */
	size_t widths[COLUMNS], label_width; /* 0 = a column without figures, or left out */
	bool narrow;			     /* columns were left out */
};

struct listing *listing_new(const struct annotation *annotation, struct source_cache *sources,
	struct paths *paths, const struct listing_options *options)
{
	struct listing *l = mem_zalloc(1, sizeof(*l));

	l->annotation = annotation;
	l->sources = sources;
	l->paths = paths;
	l->options = *options;
	return l;
}

static void free_line(struct text_line *line)
{
	for (int c = 0; c < COLUMNS; c++)
		free(line->cells[c]);
	free(line->label);
	free(line->text);
}

static void free_function(struct text_function *f)
{
	for (size_t i = 0; i < f->count; i++)
		free_line(&f->lines[i]);
	free(f->lines);
	free(f->name);
	free(f->location);
	free(f->figures);
	free(f->remarks[0]);
	free(f->remarks[1]);
}

void listing_free(struct listing *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->count; i++)
		free_function(&l->functions[i]);
	free_function(&l->bare);
	free(l->functions);
	free(l);
}

/* The text, which the caller owns now; the buffer is empty. */
static char *taken(struct strbuf *s)
{
	char *text = s->text ? s->text : mem_strdup("");

	*s = (struct strbuf){ 0 };
	return text;
}

static char *clean(const char *text)
{
	struct strbuf s = { 0 };

	strbuf_add_clean(&s, text);
	return taken(&s);
}

/* ---- figures */

static int64_t whole(const struct listing *l)
{
	return sort_measure(&annotation_tally(l->annotation)->totals.all, l->options.key);
}

static char *bytes_cell(int64_t bytes, const char *before)
{
	struct strbuf s = { 0 };
	char text[UNIT_TEXT];

	if (bytes == 0)
		return NULL;
	strbuf_addf(&s, "%s%s", before, format_bytes(text, bytes));
	return taken(&s);
}

static char *measure_cell(const struct measures *m, enum sort_key key)
{
	bool bound = key == SORT_PEAK_BYTES && m->peak_is_bound;

	return measure_is_known(m, key) ? bytes_cell(sort_measure(m, key), bound ? "≤ " : "")
					: NULL;
}

static void add_own(struct text_line *line, const struct measures *m)
{
	char text[UNIT_TEXT];

	line->cells[AT_PEAK] = measure_cell(m, SORT_AT_PEAK_BYTES);
	line->cells[OWN_PEAK] = measure_cell(m, SORT_PEAK_BYTES);
	line->cells[CURRENT] = measure_cell(m, SORT_CURRENT_BYTES);
	line->cells[ALLOCATED] = measure_cell(m, SORT_ALLOCATED_BYTES);
	if (*format_known(text, m, SORT_ALLOCATIONS))
		line->cells[ALLOCATIONS] = mem_strdup(text);
}

static enum heat heat_of(const struct listing *l, const struct measures *m)
{
	double percent = percent_of((uint64_t)sort_measure(m, l->options.key), (uint64_t)whole(l));

	return percent >= RED_PERCENT ? HOT : percent >= HOT_PERCENT ? WARM : COLD;
}

static void add_figures(
	const struct listing *l, const struct annotated_line *from, struct text_line *line)
{
	char text[UNIT_TEXT];

	if (!from)
		return;
	if (from->own.sites) {
		add_own(line, &from->own.m);
		line->heat = heat_of(l, &from->own.m);
	}
	if (from->all.sites > from->own.sites)
		line->cells[INCLUSIVE] = mem_strdup(format_measure(
			text, sort_measure(&from->all.m, l->options.key), l->options.key));
}

/* ---- a function's heading */

static const char *measure_name(const struct listing *l)
{
	static const char *const names[] = { "now", "blocks now", "own peak", "at peak",
		"allocated", "allocations", "temporary allocations", "" };
	bool moment = annotation_tally(l->annotation)->trace->moment.kind != MOMENT_END;

	if (moment && l->options.key == SORT_CURRENT_BYTES)
		return "then";
	if (moment && l->options.key == SORT_CURRENT_BLOCKS)
		return "blocks then";
	return names[l->options.key];
}

static void add_share(
	const struct listing *l, const struct measures *m, const char *name, struct strbuf *s)
{
	int64_t measure = sort_measure(m, l->options.key);
	char text[UNIT_TEXT];

	strbuf_add(s, format_measure(text, measure, l->options.key));
	strbuf_addf(s, "%s%s", *name ? " " : "", name);
	if (whole(l) > 0)
		strbuf_addf(s, " (%s)", format_share(text, (uint64_t)measure, (uint64_t)whole(l)));
}

static void add_heading(
	const struct listing *l, const struct annotated *from, struct text_function *f)
{
	struct strbuf s = { 0 };

	strbuf_add_clean(&s, from->name);
	if (from->names > 1)
		strbuf_addf(&s, " and %zu more with the same source", from->names - 1);
	f->name = taken(&s);
	if (from->file)
		strbuf_addf(&s, "%s:%u", paths_short(l->paths, from->file), from->line);
	else if (from->module)
		strbuf_add(&s, paths_short(l->paths, from->module));
	f->location = clean(strbuf_text(&s));
	strbuf_release(&s);
	add_share(l, &from->own.m, measure_name(l), &s);
	if (from->all.sites > from->own.sites) {
		strbuf_add(&s, ", with callees ");
		add_share(l, &from->all.m, "", &s);
	}
	f->figures = taken(&s);
}

/* What keeps the source from being shown, or trusted. */
static void add_remarks(
	const struct listing *l, const struct annotated *from, struct text_function *f)
{
	const struct source_file *source = from->file ? source_find(l->sources, from->file) : NULL;
	struct strbuf s = { 0 };

	if (source)
		source_is_other(l->sources, from->file, l->options.resolver, from->module);
	if (source && source->problem)
		strbuf_addf(&s, "source not shown: %s: %s%s", from->file, source->problem,
			strcmp(source->problem, "no such file") == 0
				? "; use --source-dir or --path-map to say where it is"
				: "");
	if (s.size)
		f->remarks[0] = clean(s.text);
	strbuf_clear(&s);
	if (source && !source->problem && from->extent.last > source->lines)
		strbuf_addf(&s, "%s has only %u lines, so it is not the file that was compiled",
			source->found, source->lines);
	if (s.size)
		f->remarks[1] = clean(s.text);
	strbuf_release(&s);
}

/* ---- a function's lines */

static struct text_line *new_line(struct text_function *f)
{
	struct text_line line = { .style = STYLE_PLAIN };

	VEC_PUSH(f->lines, f->count, f->room, line);
	return &f->lines[f->count - 1];
}

static void add_label(struct text_line *line, const char *format, uint32_t number)
{
	struct strbuf s = { 0 };

	strbuf_addf(&s, format, number);
	line->label = taken(&s);
}

static void add_source_line(struct listing *l, struct text_function *f,
	const struct annotated *from, uint32_t number, const struct annotated_line *figures)
{
	struct text_line *line = new_line(f);
	const char *text = source_line(l->sources, from->file, number);

	add_label(line, "%u", number);
	line->text = clean(text ? text : "");
	add_figures(l, figures, line);
}

static void add_fold(struct text_function *f)
{
	struct text_line *line = new_line(f);

	line->label = mem_strdup("⋮");
	line->text = mem_strdup("");
	line->style = STYLE_FAINT;
}

/* Whether a line is shown though it has no figures: near one that has, or the function's first. */
static bool is_kept(const struct listing *l, const struct annotated *from, struct extent span,
	size_t next, uint32_t number)
{
	uint32_t context = l->options.context;

	if (context == UINT32_MAX || number <= from->line || number == span.last)
		return true;
	if (next && number - from->lines[next - 1]->line <= context)
		return true;
	return next < from->line_count && from->lines[next]->file == from->file &&
	       from->lines[next]->line - number <= context;
}

/* The source between first and last; returns how many of the function's lines it used up. */
static size_t add_source(struct listing *l, struct text_function *f, const struct annotated *from,
	struct extent span)
{
	size_t next = 0; /* of from->lines */
	uint32_t quiet = 0;

	for (uint32_t number = span.first; number <= span.last; number++) {
		const struct annotated_line *figures = NULL;

		if (next < from->line_count && from->lines[next]->file == from->file &&
			from->lines[next]->line == number)
			figures = from->lines[next];
		if (!figures && !is_kept(l, from, span, next, number)) {
			quiet++;
			continue;
		}
		if (quiet >= FOLD_LEAST)
			add_fold(f);
		for (; quiet && quiet < FOLD_LEAST; quiet--)
			add_source_line(l, f, from, number - quiet, NULL);
		quiet = 0;
		next += figures != NULL;
		add_source_line(l, f, from, number, figures);
	}
	return next;
}

static void add_address(const struct listing *l, const struct annotated *from,
	const struct annotated_line *line, struct strbuf *s)
{
	if (line->file)
		strbuf_addf(s, "%s:%u", paths_short(l->paths, line->file), line->line);
	else
		strbuf_addf(s, "%s+%#llx",
			from->module ? paths_short(l->paths, from->module) : "[generated code]",
			(unsigned long long)line->offset);
}

/* A line of another file (a macro's, an included one's), or a call whose line isn't known. */
static void add_other(struct listing *l, struct text_function *f, const struct annotated *from,
	const struct annotated_line *figures)
{
	struct text_line *line = new_line(f);
	struct strbuf s = { 0 };
	const char *text = source_line(l->sources, figures->file, figures->line);

	line->label = mem_strdup("");
	if (figures->file)
		strbuf_addf(&s, "%s:%u  %s", paths_short(l->paths, figures->file), figures->line,
			text ? text + strspn(text, " \t") : "");
	else
		add_address(l, from, figures, &s);
	line->text = clean(strbuf_text(&s));
	line->style = STYLE_FAINT;
	strbuf_release(&s);
	add_figures(l, figures, line);
}

/* Lines of the function's own file outside of what it is known to span widen it, if not by much. */
static struct extent span_of(const struct listing *l, const struct annotated *from)
{
	uint32_t before = annotation_next_function(l->annotation, from->file, from->extent.last);

	return function_span(l->sources, from->file, from->extent, before);
}

static void add_lines(struct listing *l, struct text_function *f, const struct annotated *from)
{
	size_t next = 0;

	if (from->file && !source_find(l->sources, from->file)->problem)
		next = add_source(l, f, from, span_of(l, from));
	for (; next < from->line_count; next++) {
		const struct annotated_line *line = from->lines[next];

		if (from->file && line->file == from->file)
			add_source_line(l, f, from, line->line, line);
		else
			add_other(l, f, from, line);
	}
}

/* A function without lines is one line, unless several of its calls allocate. */
static void add_bare(struct listing *l, const struct annotated *from)
{
	for (size_t i = 0; i < from->line_count; i++) {
		const struct annotated_line *figures = from->lines[i];
		struct text_line *line;
		struct strbuf s = { 0 }, name = { 0 };

		if (figures->own.sites == 0 && from->own.sites)
			continue;
		add_address(l, from, figures, &name);
		if (!is_bare_offset(from->name, from->module)) {
			strbuf_clear(&name);
			strbuf_addf(&name, "%s  ", from->name);
			add_address(l, from, figures, &name);
		}
		strbuf_add_clean(&s, strbuf_text(&name));
		line = new_line(&l->bare);
		line->label = mem_strdup("");
		line->text = taken(&s);
		strbuf_release(&name);
		add_figures(l, figures, line);
	}
}

void listing_add(struct listing *l, const struct annotated *function)
{
	struct text_function f = { 0 };

	if (!function->file) {
		add_bare(l, function);
		return;
	}
	add_heading(l, function, &f);
	add_remarks(l, function, &f);
	add_lines(l, &f, function);
	VEC_PUSH(l->functions, l->count, l->room, f);
}

/* ---- printing */

static void widen(size_t *width, const char *text)
{
	size_t needed = text ? text_width(text) : 0;

	*width = needed > *width ? needed : *width;
}

static void measure_lines(struct listing *l, const struct text_function *f)
{
	for (size_t i = 0; i < f->count; i++) {
		for (int c = 0; c < COLUMNS; c++)
			widen(&l->widths[c], f->lines[i].cells[c]);
		widen(&l->label_width, f->lines[i].label);
	}
}

static void measure(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++)
		measure_lines(l, &l->functions[i]);
	measure_lines(l, &l->bare);
	for (int c = 0; c < COLUMNS; c++)
		if (l->widths[c])
			widen(&l->widths[c], titles[c]);
}

/* Columns before the text, gaps included. */
static size_t figures_width(const struct listing *l)
{
	size_t width = 1 + l->label_width + GAP;

	for (int c = 0; c < COLUMNS; c++)
		width += l->widths[c] ? l->widths[c] + GAP : 0;
	return width;
}

static void leave_out(struct listing *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(spare); i++) {
		if (l->options.width == SIZE_MAX ||
			figures_width(l) + TEXT_LEAST <= l->options.width)
			return;
		l->narrow |= l->widths[spare[i]] > 0;
		l->widths[spare[i]] = 0;
	}
}

static void print_padded(const char *text, size_t width)
{
	printf("%*s%s", (int)(width - text_width(text)), "", text);
}

static void print_titles(const struct listing *l)
{
	bool any = false;

	fputs(style(STYLE_FAINT), stdout);
	for (int c = 0; c < COLUMNS; c++) {
		if (l->widths[c]) {
			print_padded(titles[c], l->widths[c] + (any ? GAP : 0));
			any = true;
		}
	}
	printf("%s\n", style(STYLE_PLAIN));
}

static void print_text(const struct listing *l, const struct text_line *line)
{
	size_t used = figures_width(l);
	size_t room = l->options.width == SIZE_MAX   ? TEXT_MOST
		      : l->options.width > used + 10 ? l->options.width - used
						     : 10;
	struct strbuf s = { 0 };

	if (*line->text) {
		strbuf_add_cut(&s, line->text, room);
		printf("%*s%s%s%s", GAP, "", style(line->style), strbuf_text(&s),
			line->style == STYLE_PLAIN ? "" : style(STYLE_PLAIN));
	}
	strbuf_release(&s);
}

static void print_line(const struct listing *l, const struct text_line *line)
{
	static const enum style styles[] = { STYLE_PLAIN, STYLE_WARNING, STYLE_HOT };
	bool any = false, styled = line->heat != COLD;

	if (styled)
		fputs(style(styles[line->heat]), stdout);
	for (int c = 0; c < COLUMNS; c++) {
		if (!l->widths[c])
			continue;
		print_padded(line->cells[c] ? line->cells[c] : "", l->widths[c] + (any ? GAP : 0));
		any = true;
	}
	printf("%*s%s", any ? GAP - 1 : 0, "", styled ? ">" : " ");
	if (!styled)
		fputs(style(STYLE_FAINT), stdout);
	print_padded(line->label, l->label_width);
	fputs(style(STYLE_PLAIN), stdout);
	print_text(l, line);
	putchar('\n');
}

static void print_heading(const struct listing *l, const struct text_function *f)
{
	size_t width = l->options.width;
	size_t used = text_width(f->location) + text_width(f->figures) + 2 * GAP;
	struct strbuf s = { 0 };

	/* A long name goes on a line of its own, cut there. */
	if (width != SIZE_MAX && used + text_width(f->name) > width) {
		strbuf_add_name(&s, f->name, width);
		printf("%s%s%s\n", style(STYLE_BOLD), strbuf_text(&s), style(STYLE_PLAIN));
		strbuf_clear(&s);
		strbuf_addf(&s, "  %s  %s", f->location, f->figures);
		puts(strbuf_text(&s));
	} else {
		printf("%s%s%s  %s  %s\n", style(STYLE_BOLD), f->name, style(STYLE_PLAIN),
			f->location, f->figures);
	}
	strbuf_release(&s);
	for (size_t i = 0; i < 2; i++)
		if (f->remarks[i])
			printf("%s%s%s\n", style(STYLE_WARNING), f->remarks[i], style(STYLE_PLAIN));
}

static void print_lines(const struct listing *l, const struct text_function *f)
{
	if (f->count)
		print_titles(l);
	for (size_t i = 0; i < f->count; i++)
		print_line(l, &f->lines[i]);
}

void listing_print(struct listing *l)
{
	measure(l);
	leave_out(l);
	for (size_t i = 0; i < l->count; i++) {
		print_heading(l, &l->functions[i]);
		print_lines(l, &l->functions[i]);
		if (i + 1 < l->count || l->bare.count)
			putchar('\n');
	}
	if (l->bare.count)
		printf("%sfunctions without debug information%s\n", style(STYLE_BOLD),
			style(STYLE_PLAIN));
	print_lines(l, &l->bare);
	if (l->narrow)
		printf("\n%ssome columns do not fit (--wide shows all columns)%s\n",
			style(STYLE_FAINT), style(STYLE_PLAIN));
}
